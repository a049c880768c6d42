"""`POST /hooks/<site>`: the CMS's deliveries. Answered 2xx only when the delivery is in the database.

202 (or what the CMS insists on) wanted · 200 known and not for us, or seen before · 401 not authentic · 404 no such
site · 413 too large · 422 authentic but unreadable, kept for replay · 503 could not be stored, send it again.

Deliveries are answered on the event loop, in front of the Flask application that answers all else in threads: handing
a request to a thread and back took longer than verifying, storing and answering it (690 microseconds against 320).
"""

import asyncio
import logging
import time
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING

from pydantic_core import to_json

from frontispiece import flow
from frontispiece.cms import Delivery, Headers, Refused, Unreadable
from frontispiece.house import House
from frontispiece.web.intake import Arrival, Intake, NotStored

if TYPE_CHECKING:
    from a2wsgi.asgi_typing import ASGIApp, HTTPScope, Receive, Scope, Send

log = logging.getLogger("frontispiece")

HERE = "/hooks/"
# of no use for a replay, and secrets in the wrong hands
PRIVATE = {"authorization", "cookie", "proxy-authorization"}
LARGE = 50_000  # bytes of a body that is read in a thread, so that others need not wait for it


@dataclass(frozen=True, slots=True)
class Answer:
    """What the sender is told: JSON with one sentence."""

    status: int
    words: str
    headers: dict[str, str] = field(default_factory=dict)


def in_front(behind: "ASGIApp", house: House, intake: Intake) -> "ASGIApp":
    """The ASGI application that takes what comes to `/hooks/` and leaves the rest to the one behind."""

    async def door(scope: "Scope", receive: "Receive", send: "Send") -> None:
        if scope["type"] != "http" or not scope["path"].startswith(HERE):
            await behind(scope, receive, send)
        else:
            await _say(await _answer(house, intake, scope, receive), send)

    return door


async def _answer(house: House, intake: Intake, scope: "HTTPScope", receive: "Receive") -> Answer:
    site = scope["path"].removeprefix(HERE)
    if site not in house.settings.sites:
        return Answer(404, f"there is no site {site!r}")
    if scope["method"] != "POST":
        return _look(site, scope["method"])
    headers = Headers((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"])
    declared = int(headers.get("content-length", "-1"))
    body = await _body(receive, declared, house.settings.server.body_limit)
    if isinstance(body, Answer):
        return body
    return await _receive(house, intake, site, Delivery(headers, body, scope["path"], time.time()))


def _look(site: str, method: str) -> Answer:
    """For people who open the address in a browser, and for senders that probe it with HEAD before they use it."""
    return Answer(
        200 if method == "HEAD" else 405, f"the deliveries of {site} are taken here, by POST", {"allow": "POST"}
    )


async def _body(receive: "Receive", declared: int, limit: int) -> bytes | Answer:
    """All of the body, or what to say where it is over the limit or ends too early; `declared` is -1 if unknown."""
    too_large = Answer(413, f"a delivery may have {limit} bytes")
    if declared > limit:
        return too_large
    body, more = bytearray(), True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            break
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > limit:
            return too_large
    if more or declared not in (-1, len(body)):
        return Answer(400, "the delivery broke off before its end")
    return bytes(body)


async def _receive(house: House, intake: Intake, site: str, delivery: Delivery) -> Answer:
    read = partial(flow.receive, house, site, delivery)
    try:
        key, events = await asyncio.to_thread(read) if len(delivery.body) > LARGE else read()
    except Refused as refused:
        log.warning("a delivery to %s was refused: %s", site, refused)
        house.refuse(site, refused.words)
        return Answer(401, refused.words)
    except Unreadable as unreadable:
        return await _store(intake, _arrival(site, delivery, "", "unreadable", unreadable.words), 422)
    if all(event.kind == "ping" for event in events):
        return await _store(intake, _arrival(site, delivery, key, "ignored", "not for us"), 200)
    return await _store(intake, _arrival(site, delivery, key, "received", ""), house.adapter(site).accepted)


def _arrival(site: str, delivery: Delivery, key: str, outcome: str, words: str) -> Arrival:
    kept = to_json([pair for pair in delivery.headers.pairs if pair[0] not in PRIVATE]).decode()
    words = words.encode(errors="replace").decode().replace("\0", "?")  # what no database takes as text
    return Arrival(site, _key(key, delivery.body), delivery.received, kept, delivery.body, outcome, words)


def _key(key: str, body: bytes) -> str:
    if key and key.isprintable() and len(key) <= 200:
        return key
    return sha256(key.encode(errors="surrogatepass") or body).hexdigest()


async def _store(intake: Intake, arrival: Arrival, status: int) -> Answer:
    try:
        new = await intake.store(arrival)
    except NotStored:
        return Answer(503, "the delivery could not be stored; send it again", {"retry-after": "5"})
    if not new:
        return Answer(422 if status == 422 else 200, arrival.words or "seen before")
    return Answer(status, arrival.words or "thank you")


async def _say(answer: Answer, send: "Send") -> None:
    body = to_json({"message": answer.words}) + b"\n"
    raw = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    raw += [(name.encode(), value.encode()) for name, value in answer.headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": raw})
    await send({"type": "http.response.body", "body": body})
