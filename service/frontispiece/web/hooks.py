"""`POST /hooks/<site>`: the CMS's deliveries. Answered 2xx only when the delivery is in the database.

202 (or what the CMS insists on) wanted · 200 known and not for us, or seen before · 401 not authentic · 404 no such
site · 413 too large · 422 authentic but unreadable, kept for replay · 503 could not be stored, send it again.

Deliveries are answered by a thin WSGI layer in front of the Flask application: Flask's routing, contexts and signals
took as long as all the rest before the database (80 of 180 microseconds), and none of it is needed here.
"""

import json
import logging
import time
from collections.abc import Iterable
from hashlib import sha256
from typing import TYPE_CHECKING

import httpx
from flask import Blueprint, Flask
from flask.blueprints import BlueprintSetupState
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge
from werkzeug.wrappers import Request, Response

from frontispiece import flow
from frontispiece.cms import Delivery, Refused, Unreadable
from frontispiece.house import House
from frontispiece.web.intake import Arrival, Intake, NotStored

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = logging.getLogger("frontispiece")
hooks = Blueprint("hooks", __name__)

HERE = "/hooks/"
PRIVATE = {"authorization", "cookie", "proxy-authorization"}  # of no use for a replay, and secrets in the wrong hands


@hooks.record
def _register(state: BlueprintSetupState) -> None:
    app = state.app
    assert isinstance(app, Flask)
    app.wsgi_app = in_front(app.wsgi_app, app.extensions["house"], app.extensions["intake"])  # type: ignore[assignment]


def in_front(behind: "WSGIApplication", house: House, intake: Intake) -> "WSGIApplication":
    """The WSGI application that takes what comes to `/hooks/` and leaves the rest to the one behind."""

    def door(environ: "WSGIEnvironment", start: "StartResponse") -> Iterable[bytes]:
        if not environ["PATH_INFO"].startswith(HERE):
            return behind(environ, start)
        return _answer(house, intake, Request(environ))(environ, start)

    return door


def _answer(house: House, intake: Intake, request: Request) -> Response:
    site = request.path.removeprefix(HERE)
    if site not in house.settings.sites:
        return _say(404, f"there is no site {site!r}")
    if request.method != "POST":
        return _look(site, request.method)
    limit = house.settings.server.body_limit
    try:
        body = _body(request, limit)
    except RequestEntityTooLarge:
        return _say(413, f"a delivery may have {limit} bytes")
    except ClientDisconnected:
        return _say(400, "the delivery broke off before its end")
    return _receive(house, intake, site, list(request.headers), body)


def _look(site: str, method: str) -> Response:
    """For people who open the address in a browser, and for senders that probe it with HEAD before they use it."""
    return _say(
        200 if method == "HEAD" else 405, f"the deliveries of {site} are taken here, by POST", {"Allow": "POST"}
    )


def _body(request: Request, limit: int) -> bytes:
    request.max_content_length = limit + 1  # Werkzeug cuts a body without Content-Length off there, and says nothing
    body = request.get_data(cache=False)
    if len(body) > limit:
        raise RequestEntityTooLarge
    return body


def _receive(house: House, intake: Intake, site: str, headers: list[tuple[str, str]], body: bytes) -> Response:
    delivery = Delivery(httpx.Headers(headers, encoding="latin-1"), body, f"{HERE}{site}", time.time())
    try:
        key, events = flow.receive(house, site, delivery)
    except Refused as refused:
        log.warning("a delivery to %s was refused: %s", site, refused)
        return _say(401, refused.words)
    except Unreadable as unreadable:
        return _store(intake, _arrival(site, delivery, headers, "", "unreadable", unreadable.words), 422)
    if all(event.kind == "ping" for event in events):
        return _store(intake, _arrival(site, delivery, headers, key, "ignored", "not for us"), 200)
    return _store(intake, _arrival(site, delivery, headers, key, "received", ""), house.adapter(site).accepted)


def _arrival(
    site: str, delivery: Delivery, headers: list[tuple[str, str]], key: str, outcome: str, words: str
) -> Arrival:
    kept = json.dumps([pair for pair in headers if pair[0].lower() not in PRIVATE])
    words = words.encode(errors="replace").decode().replace("\0", "?")  # what no database takes as text
    return Arrival(site, _key(key, delivery.body), delivery.received, kept, delivery.body, outcome, words)


def _key(key: str, body: bytes) -> str:
    if key and key.isprintable() and len(key) <= 200:
        return key
    return sha256(key.encode(errors="surrogatepass") or body).hexdigest()


def _store(intake: Intake, arrival: Arrival, status: int) -> Response:
    try:
        new = intake.store(arrival)
    except NotStored:
        return _say(503, "the delivery could not be stored; send it again", {"Retry-After": "5"})
    if not new:
        return _say(422 if status == 422 else 200, arrival.words or "seen before")
    return _say(status, arrival.words or "thank you")


def _say(status: int, words: str, headers: dict[str, str] | None = None) -> Response:
    return Response(json.dumps({"message": words}) + "\n", status, headers, content_type="application/json")
