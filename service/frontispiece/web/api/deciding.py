"""The acts of an editor. Each may be sent twice: what is done already is not done again."""

from collections.abc import Callable
from typing import Annotated

from pydantic import AfterValidator, Field

from frontispiece import reasons, review
from frontispiece.errors import Problem, StaleState
from frontispiece.models import Review
from frontispiece.web import acts, security
from frontispiece.web.api import callers, listing, shapes
from frontispiece.web.api.routes import post
from frontispiece.web.api.shapes import Act, Approve, Describe, IllustrationShape


def _known(chips: list[str]) -> list[str]:
    there = reasons.load()
    unknown = [chip for chip in chips if chip not in there]
    if unknown:
        raise ValueError(f"There is no reason {unknown[0][:40]!r}; there are: {', '.join(there)}.")
    return list(dict.fromkeys(chips))


Chips = Annotated[
    list[Annotated[str, Field(max_length=31)]],
    Field(max_length=12, description="Reasons by their ids, as templates/reasons.toml has them"),
    AfterValidator(_known),
]


class Reject(Act):
    """Why, if one likes to say."""

    reason: shapes.Reason = ""
    chips: Chips = Field(default_factory=list)


class Undo(Act):
    """Which decision to take back, where one was seen: if another followed it, nothing is done (409)."""

    review: Annotated[shapes.Number | None, Field(description="Its id in the history; else one's own last")] = None


@post("/illustrations/{number}/approve")
def approve(number: int, body: Approve) -> IllustrationShape:
    """Approve a picture: it goes to the CMS. The same again changes nothing."""

    def act(by: str) -> object:
        return acts.approve(security.house(), number, body.candidate, by, body.details(), as_it_is=body.as_it_is)

    return done(number, body, act)


@post("/illustrations/{number}/describe")
def describe(number: int, body: Describe) -> IllustrationShape:
    """Keep words and focal point, and decide nothing."""
    return done(number, body, lambda _: review.describe(security.house(), number, body.details()))


@post("/illustrations/{number}/reject")
def reject(number: int, body: Reject) -> IllustrationShape:
    """Reject: the entry stays as it is."""
    return done(number, body, lambda by: acts.reject(security.house(), number, by, body.reason, body.chips))


@post("/illustrations/{number}/retry")
def retry(number: int, body: Act) -> IllustrationShape:
    """Take up what failed or was held."""
    return done(number, body, lambda by: acts.retry(security.house(), number, by))


@post("/illustrations/{number}/revert")
def revert(number: int, body: Act) -> IllustrationShape:
    """Put back what the CMS had before."""
    return done(number, body, lambda by: acts.revert(security.house(), number, by))


@post("/illustrations/{number}/undo")
def undo(number: int, body: Undo) -> IllustrationShape:
    """Take back one's own last decision; what is published by then is reverted."""

    def act(by: str) -> object:
        meant = _meant(number, body)
        try:
            return acts.undo(security.house(), number, by, meant)
        except Problem as problem:
            raise StaleState(problem.words) from None  # whatever is wrong, it is how things stand, not what was sent

    return done(number, body, act)


def _meant(number: int, body: Undo) -> int:
    """The id of the decision that is named, 0 where none is. Raises `Problem` where it is about something else."""
    if body.review is None:
        return 0
    with security.house().database.read() as session:
        row = session.get(Review, body.review)
    if row is None or row.illustration_id != number:
        raise Problem(f"decision {body.review} is not one of illustration {number}")
    return row.id


def done(number: int, body: Act, act: Callable[[str], object]) -> IllustrationShape:
    """The illustration after the act, which is told who does it. Aborts with 404 before anything is done."""
    listing.told(number)
    act(callers.by(body))
    return listing.told(number)
