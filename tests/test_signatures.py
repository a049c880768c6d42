"""Standard Webhooks, held against the reference library in both directions."""

import base64
import json
import time
from datetime import UTC, datetime

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from frontispiece.cms import Delivery, Headers, Refused
from frontispiece.signatures import sign_standard_webhooks, standard_webhooks

SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef01234567").decode()
OTHER = "whsec_" + base64.b64encode(b"another secret, also known").decode()
BODY = json.dumps({"title": "Größe ✓"}, ensure_ascii=False).encode()


def delivery(body: bytes = BODY, *, secret: str = SECRET, stamp: int | None = None, **headers: str) -> Delivery:
    signed = sign_standard_webhooks(secret, "msg_1", int(time.time()) if stamp is None else stamp, body)
    return Delivery(
        Headers({**signed, **{name.replace("_", "-"): value for name, value in headers.items()}}.items()), body
    )


def test_the_id_of_the_sender_comes_back() -> None:
    assert standard_webhooks(delivery(), [SECRET]) == "msg_1"


def test_the_reference_library_accepts_what_we_sign() -> None:
    headers = sign_standard_webhooks(SECRET, "msg_1", int(time.time()), BODY)

    assert Webhook(SECRET).verify(BODY, headers) == json.loads(BODY)


def test_we_accept_what_the_reference_library_signs() -> None:
    now = datetime.now(UTC)
    signature = Webhook(SECRET).sign("msg_1", now, BODY.decode())
    headers = {"webhook-id": "msg_1", "webhook-timestamp": str(int(now.timestamp())), "webhook-signature": signature}

    assert standard_webhooks(Delivery(Headers(headers.items()), BODY), [SECRET]) == "msg_1"


def test_the_reference_library_refuses_the_same_flipped_byte() -> None:
    headers = sign_standard_webhooks(SECRET, "msg_1", int(time.time()), BODY)

    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(BODY + b" ", headers)


def test_the_previous_secret_is_good_during_a_rotation() -> None:
    assert standard_webhooks(delivery(secret=OTHER), [SECRET, OTHER]) == "msg_1"


def test_one_good_signature_of_several_is_enough() -> None:
    good = delivery()
    several = f"v1,AAAA v2,BBBB {good.headers.get('webhook-signature')}"

    assert standard_webhooks(delivery(webhook_signature=several), [SECRET]) == "msg_1"


@pytest.mark.parametrize(
    "refused",
    [
        pytest.param(Delivery(delivery().headers, BODY.replace(b"t", b"T")), id="a changed byte"),
        pytest.param(Delivery(delivery().headers, json.dumps(json.loads(BODY)).encode()), id="written anew"),
        pytest.param(delivery(secret=OTHER), id="another secret"),
        pytest.param(delivery(stamp=int(time.time()) - 301), id="too old"),
        pytest.param(delivery(stamp=int(time.time()) + 3600), id="from the future"),
        pytest.param(delivery(webhook_signature=""), id="an empty signature"),
        pytest.param(delivery(webhook_signature="v1," + "ab" * 32), id="hex instead of base64"),
        pytest.param(delivery(webhook_timestamp="soon"), id="no number"),
        pytest.param(delivery(webhook_id="msg_2"), id="another id"),
        pytest.param(Delivery(Headers(), BODY), id="no headers"),
    ],
)
def test_what_is_not_authentic_is_refused(refused: Delivery) -> None:
    with pytest.raises(Refused):
        standard_webhooks(refused, [SECRET])


def test_a_doubled_header_is_refused() -> None:
    doubled = Headers([*delivery().headers.pairs, ("webhook-id", "msg_1")])

    with pytest.raises(Refused, match="more than once"):
        standard_webhooks(Delivery(doubled, BODY), [SECRET])


def test_bytes_that_are_no_ascii_are_refused_without_a_crash() -> None:
    odd = Headers([("webhook-id", "m\xfc"), ("webhook-timestamp", "1"), ("webhook-signature", "v1,\xfc")])

    with pytest.raises(Refused, match="ASCII"):
        standard_webhooks(Delivery(odd, BODY), [SECRET])


@pytest.mark.parametrize("secret", ["whsec_%%%", "whsec_…"])
def test_a_secret_that_is_no_base64_is_named(secret: str) -> None:
    with pytest.raises(Refused, match="webhook_secret"):
        standard_webhooks(delivery(), [secret])
