"""Signature schemes of webhook senders, verified over the raw bytes and in constant time.

Each function returns the sender's id of the delivery and raises `Refused` with words for the operator's log.
Secrets come as a list, so that the previous one stays good during a rotation.
"""

import base64
import hmac
import time
from collections.abc import Sequence
from hashlib import sha256
from typing import Annotated, Literal

from pydantic import AfterValidator, SecretStr

from frontispiece.cms import Delivery, Refused

TOLERANCE = 300  # seconds, both ways; the Standard Webhooks specification's five minutes


def standard_webhooks(delivery: Delivery, secrets: Sequence[str]) -> str:
    """Standard Webhooks (github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md).

    The reference library parses the body as JSON before it answers; this reads no body, so that any bytes can be
    proved authentic first. The tests hold the two against each other.
    """
    sent_id, stamp, signatures = (header(delivery, f"webhook-{part}") for part in ("id", "timestamp", "signature"))
    fresh(stamp, delivery.received)
    signed = b".".join((sent_id.encode(), stamp.encode(), delivery.body))
    given = [text.removeprefix("v1,").encode() for text in signatures.split(" ") if text.startswith("v1,")]
    for secret in secrets:
        # not hmac.digest, which lets go of the interpreter's lock and then waits to have it back
        right = base64.b64encode(hmac.new(_key(secret), signed, sha256).digest())
        if any(hmac.compare_digest(right, one) for one in given):
            return sent_id
    raise Refused("the signature does not match: is webhook_secret the same on both sides?")


def sign_standard_webhooks(secret: str, sent_id: str, stamp: int, body: bytes) -> dict[str, str]:
    """The three headers for a body of ours; `stamp` is in seconds since the epoch."""
    signed = b".".join((sent_id.encode(), str(stamp).encode(), body))
    signature = base64.b64encode(hmac.digest(_key(secret), signed, sha256)).decode()
    return {"webhook-id": sent_id, "webhook-timestamp": str(stamp), "webhook-signature": f"v1,{signature}"}


def hmac_sha256(
    secrets: Sequence[str],
    signed: bytes,
    given: str,
    encoding: Literal["hex", "base64"],
    *,
    by: Literal["sha256", "sha1"] = "sha256",
) -> None:
    """Proves that `given` is the HMAC of these bytes under one of the secrets, taken as UTF-8 text.

    SHA-256 unless the sender knows no better; an HMAC of SHA-1 is not broken, only old.
    """
    for secret in secrets:
        digest = hmac.new(secret.encode(), signed, by).digest()
        right = digest.hex().encode() if encoding == "hex" else base64.b64encode(digest)
        if hmac.compare_digest(right, given.encode()):
            return
    raise Refused("the signature does not match: is webhook_secret the same on both sides?")


def shown_secret(delivery: Delivery, name: str, secrets: Sequence[str]) -> None:
    """Proves that a header shows one of the secrets, for senders that can do no more; the body may be anybody's."""
    given = header(delivery, name).encode()
    if not any(hmac.compare_digest(secret.encode(), given) for secret in secrets):
        raise Refused(f"the header {name} does not show the webhook_secret of this site")


def header(delivery: Delivery, name: str) -> str:
    """The one header of that name. Raises `Refused` where it is missing, empty, doubled or not ASCII."""
    values = delivery.headers.get_list(name)
    if len(values) != 1 or not values[0]:
        raise Refused(f"the header {name} is missing, empty or there more than once")
    if not values[0].isascii():
        raise Refused(f"the header {name} is not ASCII")
    return values[0]


def fresh(stamp: str, now: float, *, unit: Literal["seconds", "milliseconds"] = "seconds") -> None:
    """Proves that a time since the epoch, as the sender signed it, is not more than five minutes from `now`."""
    if not stamp.isdigit() or len(stamp) > 15:
        raise Refused(f"the delivery's timestamp is not a number of {unit}")
    sent = int(stamp) / (1000 if unit == "milliseconds" else 1)
    if abs((now or time.time()) - sent) > TOLERANCE:
        raise Refused("the delivery's timestamp is more than five minutes off: are both clocks right?")


def _is_standard(secret: SecretStr) -> SecretStr:
    try:
        key = _key(secret.get_secret_value())
    except Refused as refused:
        raise ValueError(str(refused)) from None
    if len(key) < 6:
        raise ValueError("is too short to prove anything")
    return secret


def _key(secret: str) -> bytes:
    try:
        return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except ValueError:  # binascii's own, or a character that is not ASCII
        raise Refused("webhook_secret is not whsec_ followed by base64") from None


StandardSecret = Annotated[SecretStr, AfterValidator(_is_standard)]
"""A secret of Standard Webhooks in a plugin's settings: refused at start where it could not verify anything."""
