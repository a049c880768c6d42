"""Pictures for those who may see them: candidates whole or cut for a slot, and the image that an entry has now."""

from collections.abc import Callable
from hashlib import sha256

import httpx
from flask import Blueprint, Response, abort, request
from flask.typing import ResponseReturnValue

from frontispiece import images, net, pictures
from frontispiece.errors import PictureProblem, Problem
from frontispiece.house import House
from frontispiece.models import Candidate
from frontispiece.storage import kept
from frontispiece.tables import Slot
from frontispiece.web import security, views

media = Blueprint("media", __name__)

WIDTHS = (240, 480, 960, 1600)  # pixels
PREVIEW = 640  # pixels that a cut has at most on its longer side
MIDDLE = (0.5, 0.5)
YEAR = 31_536_000  # seconds
SOON = 300  # seconds after which a picture that could not be had is asked for again
MOST = 15_000_000  # bytes of an image that a site has now
PATIENCE = 6.0  # seconds for fetching it; a thread of the server waits that long
KINDS = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp", "image/avif": "avif"}

Point = tuple[float, float]


@media.get("/media/<int(max=2147483647):number>")
@security.needs("viewer")
def show(number: int) -> ResponseReturnValue:
    """A candidate's image: `width` pixels wide, or cut for a `slot` around a `focal` point, or as it came."""
    with security.house().database.read() as session:
        row = views.candidate(session, number)
    if row is None:
        abort(404, f"There is no candidate {number}.")
    if "slot" in request.args:
        return _cut(security.house(), row[0])
    return answer(security.house(), row[0])


@media.get("/media/current/<int(max=2147483647):number>")
@security.needs("viewer")
def current(number: int) -> ResponseReturnValue:
    """The image that an illustration's entry had when we last looked, as a small copy of our own; 204 without one."""
    with security.house().database.read() as session:
        found = views.current_image(session, number)
    if found is None:
        return Response(status=204)
    site, address, version = found
    mark = sha256(f"{site} {address} {version}".encode("utf8", "replace")).hexdigest()[:24]
    house = security.house()
    try:
        data = kept(house.storage, f"thumbs/now-{mark}", "image/webp", lambda: _fetched(house, site, address))
    except Problem as problem:
        return _missing(problem)
    ready = _ready("image/webp", mark)
    ready.set_data(data)
    return ready


def answer(house: House, candidate: Candidate) -> Response:
    """The image of a candidate at the width that the request asks for. Aborts with 400, 404 or 503."""
    width = _width(request.args.get("width", ""))
    ready = _ready("image/webp" if width else candidate.mime, f"{candidate.image} {width}")
    ready.headers["Content-Disposition"] = (
        f'inline; filename="candidate-{candidate.id}.{KINDS[ready.mimetype or candidate.mime]}"'
    )
    if not width:
        return _filled(ready, lambda: house.storage.get(candidate.image))
    return _filled(ready, lambda: pictures.thumbnail(house, candidate.image, width))


def _cut(house: House, candidate: Candidate) -> Response:
    slot = house.settings.slots.get(request.args["slot"])
    if slot is None:
        abort(400, f"slot is one of {', '.join(house.settings.slots)}")
    focal = point(request.args.get("focal", ""))
    if focal is None:
        abort(400, "focal is two fractions of width and height, such as 0.5,0.33")
    size = f"{slot.width}x{slot.height}"
    ready = _ready("image/webp", f"{candidate.image} {size} {focal}")

    def make() -> bytes:
        return _finished(house, candidate, slot, focal)

    if focal != MIDDLE:  # there are thousands of points: only what everybody sees is kept
        return _filled(ready, make)
    return _filled(ready, lambda: kept(house.storage, f"thumbs/{candidate.id}-{size}", "image/webp", make))


def point(given: str) -> Point | None:
    """A focal point as two fractions ("0.5,0.33"); the middle where nothing is given, None where it is no point."""
    if not given:
        return MIDDLE
    try:
        across, down = (float(part) for part in given.split(","))
    except ValueError:
        return None
    inside = 0 <= across <= 1 and 0 <= down <= 1  # not so for nan
    return (round(across, 3), round(down, 3)) if inside else None


def _finished(house: House, candidate: Candidate, slot: Slot, focal: Point) -> bytes:
    """The cut that the site will get, by the very function that makes it for the site, only smaller."""
    smaller = min(1.0, PREVIEW / max(slot.width, slot.height))
    width, height = max(1, round(slot.width * smaller)), max(1, round(slot.height * smaller))
    data = house.storage.get(candidate.image)
    return images.finish(data, width=width, height=height, format="webp", max_bytes=0, facts=None, focal=focal).data


def _fetched(house: House, site: str, address: str) -> bytes:
    """The address came from the CMS, so only public hosts are asked, and the site's own wherever it may stand."""
    settings = house.settings.sites.get(site)
    own = [settings.url] if settings else []
    try:
        parsed = httpx.URL(settings.url if settings else "").join(address)
    except httpx.InvalidURL as problem:
        raise PictureProblem(f"The site gave an address that is none: {problem}.") from problem
    with net.client(own, seconds=PATIENCE) as client:
        data = net.download(client, str(parsed), [net.origin(parsed)], MOST, PATIENCE)
    return images.thumbnails(data, PREVIEW)[0]


def _missing(problem: Problem) -> Response:
    """Says why there is none, for a while: else every look at the page would wait for a site that does not answer."""
    answer_ = Response(f"{problem.words}\n", 404, mimetype="text/plain")
    answer_.cache_control.private, answer_.cache_control.max_age = True, SOON
    return answer_


def _ready(mime: str, mark: str) -> Response:
    made = Response(mimetype=mime)
    made.set_etag(sha256(mark.encode()).hexdigest()[:24])
    made.cache_control.private, made.cache_control.immutable, made.cache_control.max_age = True, True, YEAR
    return made


def _filled(ready: Response, data: Callable[[], bytes]) -> Response:
    """The answer with its bytes, unless the browser has them. Aborts with 404 or 503 where there are none."""
    if request.if_none_match.contains_weak(ready.get_etag()[0] or ""):
        ready.status_code = 304
        return ready
    try:
        ready.set_data(data())
    except PictureProblem as problem:
        abort(404, problem.words)
    except Problem as problem:
        abort(503 if problem.retry else 404, problem.words)
    return ready


def _width(given: str) -> int:
    if given not in ("", *map(str, WIDTHS)):
        abort(400, f"width is one of {', '.join(map(str, WIDTHS))} pixels, or left out for the original")
    return int(given or 0)
