"""The acts of `review.py` as the desk and the API call them; a retry of what one has done already changes nothing."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from sqlalchemy import select

from frontispiece import orders, review, wishes
from frontispiece.changes import Change
from frontispiece.errors import Problem, StaleState
from frontispiece.house import House
from frontispiece.models import Illustration, Render, Review, State
from frontispiece.records import illustration
from frontispiece.review import Details
from frontispiece.web import views
from frontispiece.web.security import nudge

ALT, CAPTION, REASON = 1_000, 2_000, 1_000  # characters at most
LEADING = (State.RENDERING, State.APPROVED, State.PUBLISHING, State.PUBLISHED)
LINK = " by link"  # ends the name of who decides by a link of a notice, which anybody in that chat may open


def clean(text: str, most: int, what: str, *, lines: bool = True) -> str:
    """The text with plain line ends. Raises `Problem` where it is too long or has characters that are no text."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    if len(text) > most:
        raise Problem(f"The {what} has {len(text)} characters; {most} are the most.")
    kept = text.replace("\n", " ").replace("\t", " ") if lines else text
    bad = next((sign for sign in kept if not _is_text(sign)), None)
    if bad is not None:
        raise Problem(f"The {what} has a character that is no text (U+{ord(bad):04X}).")
    return text


def _is_text(sign: str) -> bool:
    number = ord(sign)
    return number >= 0x20 and not 0x7F <= number < 0xA0 and not 0xD800 <= number < 0xE000


def approve(
    house: House,
    number: int,
    candidate: int,
    by: str,
    details: Details = review.AS_THEY_ARE,
    *,
    as_it_is: bool = False,
    hold: float = 0.0,
) -> review.Approval:
    """Approves, unless this very picture with these words is approved already. Raises `StaleState`, `Problem`."""
    try:
        done = review.approve(house, number, candidate, by, details, as_it_is=as_it_is, hold=hold)
    except StaleState:
        if not _is_approved(house, number, candidate, details):
            raise
        return "approved"
    except Problem:
        if not _is_endorsed(house, number, candidate, by, details):
            raise
        return "endorsed"
    if not hold:
        nudge()
    return done


def _is_approved(house: House, number: int, candidate: int, details: Details) -> bool:
    with house.database.read() as session:
        one = illustration(session, number)
    return one.chosen_id == candidate and one.state in LEADING and _has(one, details)


def _is_endorsed(house: House, number: int, candidate: int, by: str, details: Details) -> bool:
    """Whether the last thing that was decided is this person's own first approval of this picture."""
    with house.database.read() as session:
        one, last = illustration(session, number), review.last_decision(session, number)
    if last is None or by.endswith(LINK):  # the second to open a link shall hear that it has to be somebody else
        return False
    return (last.decision, last.by, last.candidate_id) == ("endorse", by, candidate) and _has(one, details)


def _has(one: Illustration, details: Details) -> bool:
    return all(getattr(one, name) == wanted for name, wanted in details.fields().items())


def reject(house: House, number: int, by: str, reason: str, chips: Sequence[str] = ()) -> None:
    """The entry stays as it is. Raises `StaleState`, `Problem`."""
    with _once(house, number, "reject", by, lambda last, _: last.reason == reason and last.chips == list(chips)):
        review.reject(house, number, by, reason, chips)


def regenerate(
    house: House,
    number: int,
    by: str,
    prompt: str,
    wish: orders.Wish = orders.AS_THE_RULE,
    reason: str = "",
    chips: Sequence[str] = (),
) -> None:
    """Another picture. Raises `StaleState`, `Problem`."""

    def is_same(last: Review, one: Illustration) -> bool:
        return last.chips == [*chips] and _was_ordered(house, last, one, prompt, wish)

    with _once(house, number, "regenerate", by, is_same):
        review.regenerate(house, number, by, prompt, replace(wish, by=by), reason, chips)


def _was_ordered(house: House, last: Review, one: Illustration, prompt: str, wish: orders.Wish) -> bool:
    """Whether that decision ordered just this. Where the model failed, what the next one draws was ordered since."""
    change = Change(prompt or one.prompt, wish, wishes.quote(house, one, wish))
    since = select(Render).where(Render.illustration_id == one.id, Render.created >= last.at)
    with house.database.read() as session:
        options = wishes.settled(house, one, change.wish, change.quote.row)
        return any(render.options == options and change.is_what(render) for render in session.scalars(since))


def retry(house: House, number: int, by: str) -> None:
    """Takes up what failed. Raises `StaleState`, `Problem`."""
    with _once(house, number, "retry", by):
        review.retry(house, number, by)


def revert(house: House, number: int, by: str) -> None:
    """What the CMS had before comes back. Raises `StaleState`, `Problem`."""
    with _once(house, number, "revert", by):
        review.revert(house, number, by)


def undo(house: House, number: int, by: str, meant: int = 0) -> str:
    """Takes back one's last decision, once; which one it was. Raises `StaleState`, `Problem`."""
    undone = review.undo(house, number, by, meant)
    nudge()
    return undone


@contextmanager
def _once(
    house: House,
    number: int,
    decision: str,
    by: str,
    is_same: Callable[[Review, Illustration], bool] = lambda _last, _one: True,
) -> Iterator[None]:
    """A double click: where the last decision is this very one, the second is content with it."""
    try:
        yield
    except StaleState:
        with house.database.read() as session:
            one, last = illustration(session, number), views.last_review(session, number)
        if last is None or (last.decision, last.by) != (decision, by) or not is_same(last, one):
            raise
    nudge()
