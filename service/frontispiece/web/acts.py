"""The acts of `review.py` as the desk and the API call them; a retry of what one has done already changes nothing."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from frontispiece import review
from frontispiece.errors import Problem, StaleState
from frontispiece.house import House
from frontispiece.models import Illustration, Review, State
from frontispiece.records import illustration
from frontispiece.web import views
from frontispiece.web.security import nudge

ALT, CAPTION, REASON = 1_000, 2_000, 1_000  # characters at most
LEADING = (State.RENDERING, State.APPROVED, State.PUBLISHING, State.PUBLISHED)


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
    *,
    alt: str | None = None,
    caption: str | None = None,
    as_it_is: bool = False,
) -> None:
    """Approves, unless this very picture with these words is approved already. Raises `StaleState`, `Problem`."""
    try:
        review.approve(house, number, candidate, by, alt, caption, as_it_is=as_it_is)
    except StaleState:
        with house.database.read() as session:
            one = illustration(session, number)
        same = one.chosen_id == candidate and alt in (None, one.alt) and caption in (None, one.caption)
        if not (same and one.state in LEADING):
            raise
    nudge()


def reject(house: House, number: int, by: str, reason: str) -> None:
    """The entry stays as it is. Raises `StaleState`, `Problem`."""
    with _once(house, number, "reject", by, lambda last, _: last.reason == reason):
        review.reject(house, number, by, reason)


def regenerate(house: House, number: int, by: str, prompt: str) -> None:
    """Another picture. Raises `StaleState`, `Problem`."""
    with _once(house, number, "regenerate", by, lambda _, one: prompt in ("", one.prompt)):
        review.regenerate(house, number, by, prompt)


def retry(house: House, number: int, by: str) -> None:
    """Takes up what failed. Raises `StaleState`, `Problem`."""
    with _once(house, number, "retry", by):
        review.retry(house, number, by)


def revert(house: House, number: int, by: str) -> None:
    """What the CMS had before comes back. Raises `StaleState`, `Problem`."""
    with _once(house, number, "revert", by):
        review.revert(house, number, by)


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
