"""What an event means for the illustrations of its entry: begin, wait for the last save, let be, or drop."""

import time

from sqlalchemy.orm import Session

from frontispiece import records, rules, states, tasks
from frontispiece.cms import Entry
from frontispiece.config import Rule
from frontispiece.models import State

Told = tuple[str, str]  # the outcome of a delivery, in a word and in a sentence


def debounce(session: Session, site: str, ref: str, wanting: list[Rule]) -> Told | None:
    """What to say where every rule's slot is taken care of; a save in the meantime only moves the start."""
    there = {one.slot: one for one in records.illustrations_of(session, site, ref)}
    taken = [(rule, there[rule.slot]) for rule in wanting if rule.slot in there]
    if len(taken) < len(wanting) or any(one.state == State.SKIPPED for _, one in taken):
        return None
    for rule, one in taken:
        if one.state == State.QUEUED:
            tasks.postpone(session, "compose", one.id, time.time() + rule.delay)
    return "coalesced", "; ".join(f"illustration {one.id} is {one.state.words} already" for _, one in taken)


def begin(session: Session, site: str, entry: Entry, wanting: list[Rule]) -> Told:
    """A queued or skipped illustration for the slot of each rule."""
    if records.is_ours(session, site, entry.image):
        return "echo", "the image it has is our own"
    number = records.keep_entry(session, site, entry)
    told = [_begin_one(session, number, entry, rule) for rule in wanting]
    return told[0][0], "; ".join(words for _, words in told)


def _begin_one(session: Session, number: int, entry: Entry, rule: Rule) -> Told:
    one = records.new_illustration(session, number, rule, entry.image)
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
