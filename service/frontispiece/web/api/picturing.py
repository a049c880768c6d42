"""Pictures: the image of a candidate, and a person's own picture that becomes one."""

from typing import Annotated

from flask import Response, abort
from pydantic import WithJsonSchema

from frontispiece import changes, review
from frontispiece.web import media, security, views
from frontispiece.web.api import callers, listing, shapes
from frontispiece.web.api.routes import get, post
from frontispiece.web.api.shapes import Act, Asked, CandidateShape

PICTURE = {kind: {"schema": {"type": "string", "format": "binary"}} for kind in media.KINDS}


class Wide(Asked):
    """How wide a picture shall be; `media.py` reads it."""

    width: Annotated[str, WithJsonSchema({"enum": list(media.WIDTHS), "description": "Pixels; else as it came"})] = ""


class Give(Act):
    """A picture of one's own: PNG, JPEG, WebP or AVIF, as a file of a form or in Base64."""

    picture: shapes.Bytes


class Pick(Act):
    """A picture that was made or given for another entry of the same site."""

    candidate: shapes.Number


@get("/candidates/{number}/image", more=(503,), content=PICTURE)
def image(number: int, query: Wide) -> Response:
    """The image of a candidate, as it came or `width` pixels wide."""
    del query
    with security.house().database.read() as session:
        row = views.candidate(session, number)
    words = f"There is no candidate {number}."
    if row is None:
        abort(404, words)
    callers.must_see(row[1], words)
    return media.answer(security.house(), row[0])


@post("/illustrations/{number}/give", status=201, upload="picture", most=shapes.MOST_PICTURE)
def give(number: int, body: Give) -> CandidateShape:
    """A picture of one's own becomes a candidate; the same again is the one that is there."""
    listing.told(number)
    return _of(number, review.give(security.house(), number, callers.by(body), body.picture))


@post("/illustrations/{number}/pick", status=201)
def pick(number: int, body: Pick) -> CandidateShape:
    """Another picture of the same site becomes a candidate here as well."""
    listing.told(number)
    return _of(number, changes.pick(security.house(), number, body.candidate))


def _of(number: int, made: int) -> CandidateShape:
    security.nudge()
    return next(each for each in listing.told(number).candidates if each.id == made)
