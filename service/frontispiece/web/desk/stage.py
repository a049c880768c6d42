"""What the page of one illustration shows beside its rows: the pictures on the stage, their places, words and votes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from frontispiece import prompts, records, review
from frontispiece.cms import Entry
from frontispiece.house import House
from frontispiece.models import Candidate, Illustration, Review, State
from frontispiece.tables import Slot
from frontispiece.web.i18n import lazy as _

SHOWN = 12  # candidates at once; desk's style sheet counts as far

PLACES = {
    "hero": _("At the head of the article"),
    "listing": _("In a list"),
    "social": _("As a link preview"),
    "gallery": _("In a gallery"),
}
UNDOABLE = {
    "approve": (State.APPROVED, State.RENDERING),
    "endorse": (State.IN_REVIEW, State.HELD, State.REVERTED, State.PUBLISHED),
    "reject": (State.REJECTED, State.PUBLISHED),
    "regenerate": (State.RENDERING,),
}


@dataclass(frozen=True)
class Stage:
    """The candidates that are shown, the one that an approval takes, and the one it is compared with."""

    shown: Sequence[Candidate]
    picked: Candidate | None = None
    against: Candidate | None = None


@dataclass(frozen=True)
class Place:
    """A slot as a site shows it; `own` is the one that this illustration is for."""

    name: str
    words: str
    slot: Slot
    own: bool


@dataclass(frozen=True)
class Words:
    """The words of one more locale; `wont` is the alt text that is sent where an editor writes none."""

    locale: str
    title: str
    alt: str
    caption: str
    wont: str


@dataclass(frozen=True)
class Votes:
    """Who has approved which picture, where a rule wants two people; `mine` says that the reader is one of them."""

    wanted: int
    by: Sequence[tuple[str, int]] = ()
    mine: bool = False


def stage(one: Illustration, picked: int | None, against: int | None) -> Stage:
    """The newest candidates, and older ones where they were asked for."""
    every = {candidate.id: candidate for candidate in one.candidates}
    if not every:
        return Stage(())
    first = every.get(picked or 0) or every.get(one.chosen_id or 0) or one.candidates[-1]
    other = every.get(against or 0)
    wanted = {candidate.id for candidate in (first, other) if candidate}
    rest = [number for number in reversed(every) if number not in wanted]
    shown = sorted(wanted | set(rest[: SHOWN - len(wanted)]))
    return Stage([every[number] for number in shown], first, other if other is not first else None)


def places(house: House, one: Illustration) -> list[Place]:
    """The slots of the settings, the illustration's own first."""
    slots = sorted(house.settings.slots.items(), key=lambda row: row[0] != one.slot)
    return [Place(name, str(PLACES.get(name, name)), slot, name == one.slot) for name, slot in slots]


def words(one: Illustration) -> list[Words]:
    """The locales that the entry has beside its own."""
    entry = records.entry_of(one.entry)
    others = [(locale, title) for locale, title in entry.titles.items() if title and locale != entry.locale]
    return [_words(one, entry, locale, title) for locale, title in others]


def _words(one: Illustration, entry: Entry, locale: str, title: str) -> Words:
    wont = prompts.alt_text(replace(entry, title=title, locale=locale), locale)
    return Words(locale, title, one.alts.get(locale, ""), one.captions.get(locale, ""), wont)


def votes(house: House, one: Illustration, name: str) -> Votes:
    """Who approved so far, where the rule wants two people."""
    wanted = next((rule.approvals for rule in house.settings.rules if rule.name == one.rule), 1)
    if wanted < 2:
        return Votes(1)
    by = [(row.by, row.candidate_id or 0) for row in review.endorsements(one.reviews)]
    return Votes(wanted, by, any(who == name for who, _ in by))


def standing(one: Illustration) -> list[Review]:
    """The decisions that were not taken back."""
    return [review for review in one.reviews if review.undone is None]


def undoable(one: Illustration, name: str) -> Review | None:
    """The last decision, where it is this person's and can still be taken back."""
    last = next(iter(reversed(standing(one))), None)
    if last is None or last.by != name or one.state not in UNDOABLE.get(last.decision, ()):
        return None
    return last
