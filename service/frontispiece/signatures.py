"""Signature schemes of webhook senders, verified over the raw bytes and in constant time.

Each function returns the sender's id of the delivery and raises `Refused` with words for the operator's log.
Secrets come as a list, so that the previous one stays good during a rotation.
"""

import base64
import hmac
import time
from collections.abc import Sequence
from hashlib import sha256
from typing import Annotated

from pydantic import AfterValidator, SecretStr

from frontispiece.cms import Delivery, Refused

TOLERANCE = 300  # seconds, both ways; the Standard Webhooks specification's five minutes


def standard_webhooks(delivery: Delivery, secrets: Sequence[str]) -> str:
    """Standard Webhooks (github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md).

    The reference library parses the body as JSON before it answers; this reads no body, so that any bytes can be
    proved authentic first. The tests hold the two against each other.
    """
    sent_id, stamp, signatures = (_one(delivery, f"webhook-{part}") for part in ("id", "timestamp", "signature"))
    _fresh(stamp, delivery.received)
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


def _one(delivery: Delivery, name: str) -> str:
    values = delivery.headers.get_list(name)
    if len(values) != 1 or not values[0]:
        raise Refused(f"the header {name} is missing, empty or there more than once")
    if not values[0].isascii():
        raise Refused(f"the header {name} is not ASCII")
    return values[0]


def _fresh(stamp: str, now: float) -> None:
    if not stamp.isdigit() or len(stamp) > 12:
        raise Refused("webhook-timestamp is not a number of seconds")
    if abs((now or time.time()) - int(stamp)) > TOLERANCE:
        raise Refused("webhook-timestamp is more than five minutes off: are both clocks right?")


def _is_standard(secret: SecretStr) -> SecretStr:
    try:
        _key(secret.get_secret_value())
    except Refused as refused:
        raise ValueError(str(refused)) from None
    return secret


def _key(secret: str) -> bytes:
    try:
        return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except ValueError:  # binascii's own, or a character that is not ASCII
        raise Refused("webhook_secret is not whsec_ followed by base64") from None


StandardSecret = Annotated[SecretStr, AfterValidator(_is_standard)]
"""A secret of Standard Webhooks in a plugin's settings: refused at start where it could not verify anything."""
