"""What an event means for the illustrations of its entry: begin, wait for the last save, let be, or drop."""

import logging
import time
from datetime import UTC, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from frontispiece import records, rules, sites, states, tasks
from frontispiece.cms import Entry, Event
from frontispiece.errors import Gone, Problem
from frontispiece.house import House
from frontispiece.models import State, Task
from frontispiece.tables import Rule

log = logging.getLogger("frontispiece")

OVERLAP = 600.0  # seconds that a look reaches back before the last one, for clocks that differ and saves that lag
MOST_MISSED = 100  # pictures that one look begins

Told = tuple[str, str]  # the outcome of a delivery, in a word and in a sentence


def answer(house: House, site: str, event: Event) -> Told:
    """What comes of one event of a site; the CMS is asked where that depends on the entry."""
    if event.kind == "deleted":
        return _deletion(house, site, event)
    wanting = rules.wanting(house.settings.rules, site, event.kind)
    if not wanting:
        return "ignored", f"no rule listens to {event.kind} at {site}"
    return _begin(house, site, event, wanting)


def _begin(house: House, site: str, event: Event, wanting: list[Rule]) -> Told:
    with house.database.write() as session:
        told = _debounce(session, site, event.ref, wanting)
        if told and not _is_looked_at(session, site, event.ref):
            return told
    try:
        with sites.reach(house, site) as (adapter, api):
            entry = adapter.fetch(api, event.ref, event.locale)
    except Gone as gone:
        return told or ("skipped", gone.words)
    with house.database.write() as session:
        if told:  # whoever decides sees the entry as it is now
            records.keep_entry(session, site, entry)
            return told
        return _queue(session, site, entry, wanting)


def _is_looked_at(session: Session, site: str, ref: str) -> bool:
    """Whether an editor has the entry on the desk; what one who is asked to replace an image was shown stays so."""
    found = {one.state for one in records.illustrations_of(session, site, ref)}
    return bool(found & {State.IN_REVIEW, State.FAILED}) and State.HELD not in found


def _deletion(house: House, site: str, event: Event) -> Told:
    """Deliveries overtake each other, so the CMS is asked: what it still has was not deleted, or has come back."""
    try:
        with sites.reach(house, site) as (adapter, api):
            adapter.fetch(api, event.ref, event.locale)
    except Gone:
        with house.database.write() as session:
            return forget(session, site, event.ref)
    return "ignored", "the entry is there"


def again(house: House, number: int, after: int | None = None) -> bool:
    """Plans a stored delivery once more, as if it had just come; false where that was done since the task `after`.

    Raises `Problem` where there is no such delivery, or its bytes were forgotten meanwhile.
    """
    with house.database.write() as session:
        row = records.delivery(session, number)
        if row.headers == "[]" and not row.body:
            raise Problem(f"the bytes of delivery {number} were kept for a time and are forgotten by now")
        if after is not None and last_plan(session, number) != after:
            return False
        row.outcome, row.words = "received", ""
        tasks.add(session, "plan", number)
    return True


def last_plan(session: Session, number: int) -> int:
    """The newest task that planned a delivery, or shall; 0 where none is remembered."""
    wanted = select(func.max(Task.id)).where(Task.step == "plan", Task.subject == number)
    return session.scalar(wanted) or 0


def missed(house: House, site: str, since: float) -> bool:
    """Plans what no delivery has told of since then (epoch, seconds); whether there was too much for one look."""
    begun = 0
    with sites.reach(house, site) as (adapter, api):
        # all pages first, as what is begun below changes the very list that they are pages of
        for event in list(adapter.recent(api, datetime.fromtimestamp(since - OVERLAP, UTC))):
            kinds = ("published", "created", "updated") if event.kind == "published" else ("created", "updated")
            wanting = rules.wanting(house.settings.rules, site, *kinds)
            outcome, words = _begin(house, site, event, wanting) if wanting else ("ignored", "")
            if outcome == "queued":
                begun += 1
                log.info("site %s: no delivery told of %s: %s", site, event.ref, words)
            if begun >= MOST_MISSED:
                return True
    return False


def _debounce(session: Session, site: str, ref: str, wanting: list[Rule]) -> Told | None:
    """What to say where every rule's slot is taken care of; a save in the meantime only moves the start."""
    there = {one.slot: one for one in records.illustrations_of(session, site, ref)}
    taken = [(rule, there[rule.slot]) for rule in wanting if rule.slot in there]
    if len(taken) < len(wanting) or any(one.state == State.SKIPPED for _, one in taken):
        return None
    for rule, one in taken:
        if one.state == State.QUEUED:
            tasks.postpone(session, "compose", one.id, time.time() + rule.delay)
    return "coalesced", "; ".join(f"illustration {one.id} is {one.state.words} already" for _, one in taken)


def _queue(session: Session, site: str, entry: Entry, wanting: list[Rule]) -> Told:
    """A queued or skipped illustration for the slot of each rule."""
    if records.is_ours(session, site, entry.image):
        return "echo", "the image it has is our own"
    number = records.keep_entry(session, site, entry)
    told = [_queue_one(session, number, entry, rule) for rule in wanting]
    return told[0][0], "; ".join(words for _, words in told)


def _queue_one(session: Session, number: int, entry: Entry, rule: Rule) -> Told:
    one = records.new_illustration(session, number, entry, rule)
    if one is None:
        one = records.skipped(session, number, rule.slot)
        if one is None:
            return "coalesced", f"the slot {rule.slot} has its illustration already"
        states.move(session, one, State.SKIPPED, State.QUEUED, rule=rule.name)
    if why := rules.refusal(rule, entry):
        states.move(session, one, State.QUEUED, State.SKIPPED, reason=why)
        return "skipped", why
    tasks.add(session, "compose", one, due=time.time() + rule.delay)
    return "queued", f"illustration {one} for {rule.slot}"


def forget(session: Session, site: str, ref: str) -> Told:
    """Drops what was not published yet: the entry is gone."""
    for one in records.illustrations_of(session, site, ref):
        if State.SKIPPED in states.MOVES[one.state]:
            states.move(session, one.id, one.state, State.SKIPPED, reason="the entry was deleted")
    return "ignored", "the entry was deleted; what was not published yet is dropped"
