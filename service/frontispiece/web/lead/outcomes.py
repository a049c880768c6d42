"""What came of a delivery, in words; and how each of these outcomes is found among the deliveries."""

import re
from collections.abc import Iterable, Mapping

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session, joinedload

from frontispiece import money, rules
from frontispiece.models import Delivery, Illustration, State
from frontispiece.web.i18n import Lazy
from frontispiece.web.i18n import lazy as later

WORDS: dict[str, Lazy] = {
    "received": later("Waiting to be read"),
    "queued": later("Queued"),
    "coalesced": later("Coalesced"),
    "echo": later("Echo"),
    "opted-out": later("Opted out"),
    "has-image": later("Has an image"),
    "skipped": later("Skipped"),
    "over-budget": later("Over budget"),
    "ignored": later("Ignored"),
    "unreadable": later("Unreadable"),
    "failed": later("Failed"),
    "refused": later("Not authentic"),
}
MEANING: dict[str, Lazy] = {
    "received": later("A worker reads it next."),
    "queued": later("A picture was begun for it."),
    "coalesced": later("The entry has its picture, or it is under way already: several saves make one picture."),
    "echo": later("It told of the image that we had put there ourselves."),
    "opted-out": later("Somebody switched pictures off for this entry."),
    "has-image": later("The entry has an image, and it was left alone."),
    "skipped": later("No picture is drawn for this entry."),
    "over-budget": later("A picture was begun, and is held until the budget has room again."),
    "ignored": later("It was no news that a rule listens to."),
    "unreadable": later("It was authentic, but not a message that we know. It can be read again after an update."),
    "failed": later("It could not be dealt with."),
    "refused": later("Its signature or secret was wrong, so nothing of it was kept."),
}
PLAIN = ("received", "queued", "coalesced", "echo", "skipped", "ignored", "unreadable", "failed")
MOST_HELD = 500  # illustrations without money whose deliveries are looked for
_NUMBER = re.compile(r"illustration (\d{1,9})\b")


def of(outcome: str, words: str, illustrations: Mapping[int, Illustration]) -> str:
    """One of `WORDS` for a row; `illustrations` are those that `about` found."""
    parts = words.split("; ")
    if outcome == "skipped" and any(part == rules.SWITCHED_OFF or part.startswith(rules.TAGGED) for part in parts):
        return "opted-out"
    if outcome == "skipped" and rules.HAS_IMAGE in parts:
        return "has-image"
    if outcome == "queued" and any(_is_poor(illustrations[n]) for n in numbers(outcome, words) if n in illustrations):
        return "over-budget"
    return outcome if outcome in WORDS else "failed"


def _is_poor(one: Illustration) -> bool:
    return one.state == State.HELD and money.OVER in one.reason


def numbers(outcome: str, words: str) -> list[int]:
    """The illustrations that a delivery began or met; only planning's own words are believed."""
    return [int(found) for found in _NUMBER.findall(words)] if outcome in ("queued", "coalesced") else []


def about(session: Session, some: Iterable[tuple[str, str]]) -> dict[int, Illustration]:
    """The illustrations that these outcomes and words name, with their entries, in one query."""
    wanted = {number for outcome, words in some for number in numbers(outcome, words)}
    found = select(Illustration).where(Illustration.id.in_(wanted)).options(joinedload(Illustration.entry))
    return {one.id: one for one in session.scalars(found)} if wanted else {}


def clause(session: Session, name: str) -> ColumnElement[bool]:
    """What finds the deliveries with this outcome. Raises `KeyError` for one that is none."""
    words = Delivery.words
    if name == "over-budget":
        return and_(Delivery.outcome == "queued", words.in_(_poor(session)))
    if name in PLAIN:
        return Delivery.outcome == name
    like = {
        "opted-out": or_(words.contains(rules.SWITCHED_OFF), words.contains(rules.TAGGED)),
        "has-image": words.contains(rules.HAS_IMAGE),
    }
    return and_(Delivery.outcome == "skipped", like[name])


def _poor(session: Session) -> list[str]:
    """The words that planning told of illustrations that are held for want of money."""
    held = select(Illustration.entry_id).where(
        Illustration.state == State.HELD, Illustration.reason.contains(money.OVER)
    )
    wanted = select(Illustration.id, Illustration.slot, Illustration.entry_id).order_by(Illustration.id)
    together: dict[int, list[str]] = {}
    for number, slot, entry in session.execute(wanted.where(Illustration.entry_id.in_(held.limit(MOST_HELD)))):
        together.setdefault(entry, []).append(f"illustration {number} for {slot}")
    single = [one for several in together.values() for one in several]
    return [*single, *("; ".join(several) for several in together.values() if len(several) > 1)]
