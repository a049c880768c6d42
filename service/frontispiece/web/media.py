"""Candidate images for those who may see them: the original bytes, or a thumbnail that is made once and kept."""

from hashlib import sha256

from flask import Blueprint, Response, abort, request
from flask.typing import ResponseReturnValue

from frontispiece import images
from frontispiece.errors import PictureProblem, Problem
from frontispiece.house import House
from frontispiece.models import Candidate
from frontispiece.web import security, views

media = Blueprint("media", __name__)

WIDTHS = (240, 480, 960, 1600)  # pixels
YEAR = 31_536_000  # seconds
KINDS = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp", "image/avif": "avif"}


@media.get("/media/<int(max=2147483647):number>")
@security.needs("viewer")
def show(number: int) -> ResponseReturnValue:
    """A candidate's image, `width` pixels wide, or as the generator gave it."""
    with security.house().database.read() as session:
        row = views.candidate(session, number)
    if row is None:
        abort(404, f"There is no candidate {number}.")
    return answer(security.house(), row[0])


def answer(house: House, candidate: Candidate) -> Response:
    """The image of a candidate at the width that the request asks for. Aborts with 400, 404 or 503."""
    width = _width(request.args.get("width", ""))
    ready = Response(mimetype="image/webp" if width else candidate.mime)
    ready.set_etag(sha256(f"{candidate.image} {width}".encode()).hexdigest()[:24])
    ready.cache_control.private, ready.cache_control.immutable, ready.cache_control.max_age = True, True, YEAR
    ready.headers["Content-Disposition"] = (
        f'inline; filename="candidate-{candidate.id}.{KINDS[ready.mimetype or candidate.mime]}"'
    )
    if request.if_none_match.contains_weak(ready.get_etag()[0] or ""):
        ready.status_code = 304
        return ready
    try:
        ready.set_data(_thumbnail(house, candidate, width) if width else house.storage.get(candidate.image))
    except PictureProblem as problem:
        abort(404, problem.words)
    except Problem as problem:
        abort(503 if problem.retry else 404, problem.words)
    return ready


def _width(given: str) -> int:
    if given not in ("", *map(str, WIDTHS)):
        abort(400, f"width is one of {', '.join(map(str, WIDTHS))} pixels, or left out for the original")
    return int(given or 0)


def _thumbnail(house: House, candidate: Candidate, width: int) -> bytes:
    key = f"thumbs/{candidate.id}-{width}"
    try:
        return house.storage.get(key)
    except Problem as missing:
        if missing.retry:
            raise
    data = images.thumbnail(house.storage.get(candidate.image), width)
    house.storage.put(key, data, "image/webp")
    return data
