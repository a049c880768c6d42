"""The acts of an editor, for the desk, the API and the panels in a CMS alike.

Each is one short transaction: the state moves by compare-and-set, the decision is written down, the next task is
added. Whoever comes second gets `StaleState` with words that say so. The decisions are approve, endorse (the first of
two approvals), reject, regenerate, retry and revert; one that was taken back carries the time of that.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from frontispiece import images, orders, records, renders, states, tasks
from frontispiece.errors import Problem
from frontispiece.house import House
from frontispiece.models import Candidate, Illustration, Review, State

MAX_PROMPT = 4_000  # characters
Approval = Literal["approved", "endorsed", "final"]
WAITING = (State.IN_REVIEW, State.HELD, State.REVERTED)
_COMES_BACK = ("chosen_id", "reason", "prompt", "template", "known_image")  # of an illustration, when one undoes


@dataclass(frozen=True, slots=True)
class Details:
    """The words that go with a picture and the point that no crop may lose; None leaves what there is.

    `alts` and `captions` are by locale; `focal` is in fractions of width and height from the top left.
    """

    alt: str | None = None
    caption: str | None = None
    alts: Mapping[str, str] | None = None
    captions: Mapping[str, str] | None = None
    focal: tuple[float, float] | None = None

    def fields(self) -> dict[str, Any]:
        """What changes in the row of the illustration."""
        given: dict[str, Any] = {"alt": self.alt, "caption": self.caption}
        given |= {"alts": self.alts and dict(self.alts), "captions": self.captions and dict(self.captions)}
        given["focal"] = self.focal and list(self.focal)
        return {name: value for name, value in given.items() if value is not None}


AS_THEY_ARE = Details()


def approve(
    house: House,
    number: int,
    candidate: int,
    by: str,
    details: Details = AS_THEY_ARE,
    *,
    as_it_is: bool = False,
    hold: float = 0.0,
) -> Approval:
    """The picture goes to the CMS; from `held` it also replaces the image that stopped it, because one chose so.

    Where the rule wants two approvals the first only endorses. Where it has a final model that draws the picture first,
    unless the draft shall go out `as_it_is`. The write-back begins in `hold` seconds. Raises `OverBudget`, `Problem`.
    """
    with house.database.write() as session:
        one, picked = _in(session, number, *WAITING, State.PUBLISHED), _candidate(session, number, candidate)
        if one.state == State.PUBLISHED and (one.chosen_id == candidate or tasks.is_open(session, "revert", number)):
            raise states.stale(number, one.state)
        fields = details.fields()
        if _is_first_of_two(house, session, one, picked, by):
            _describe(one, fields)
            _note(session, one, "endorse", by, candidate=candidate)
            return "endorsed"
        _note(session, one, "approve", by, candidate=candidate)
        if one.state == State.HELD:
            fields["known_image"] = one.entry.snapshot.get("image")
        if not as_it_is and one.state != State.PUBLISHED and orders.wants_final(house, one, picked):
            orders.place_final(house, session, one, picked, **fields)
            return "final"
        states.move(session, number, one.state, State.APPROVED, chosen_id=candidate, **fields)
        tasks.add(session, "publish", number, due=time.time() + hold if hold else 0.0)
        return "approved"


def endorsements(reviews: Sequence[Review]) -> list[Review]:
    """The first approvals that still count, of the decisions on an illustration from the oldest to the newest.

    What was approved before somebody rejected the illustration or took it back was approved for then.
    """
    standing = [row for row in reviews if row.undone is None]
    over = max((at for at, row in enumerate(standing) if row.decision in ("reject", "revert")), default=-1)
    return [row for row in standing[over + 1 :] if row.decision == "endorse"]


def describe(house: House, number: int, details: Details) -> None:
    """Keeps words and focal point without deciding anything; what is published already keeps its own."""
    with house.database.write() as session:
        _describe(_in(session, number, *WAITING, State.REJECTED, State.FAILED), details.fields())


def reject(house: House, number: int, by: str, reason: str = "", chips: Sequence[str] = ()) -> None:
    """The entry stays as it is, with the picture that we may have put there; nothing is drawn for it by itself."""
    with house.database.write() as session:
        one, there = _in(session, number, State.IN_REVIEW, State.HELD, State.FAILED), records.published(session, number)
        _note(session, one, "reject", by, reason, chips)
        if there is not None and records.is_there(one, there):  # it should have been replaced
            states.move(session, number, one.state, State.PUBLISHED, chosen_id=there.candidate_id)
        else:
            states.move(session, number, one.state, State.REJECTED, reason=reason)


def regenerate(
    house: House,
    number: int,
    by: str,
    prompt: str = "",
    wish: orders.Wish = orders.AS_THE_RULE,
    reason: str = "",
    chips: Sequence[str] = (),
) -> None:
    """Another picture: the same prompt with a new seed, or what is given. Raises `OverBudget`, changing nothing."""
    wanted = prompt.strip()
    if len(wanted) > MAX_PROMPT:
        raise Problem(f"the prompt has {len(wanted)} characters, {MAX_PROMPT} are the most")
    with house.database.write() as session:
        one = _in(session, number, *WAITING, State.REJECTED, State.FAILED)
        if not (wanted or one.prompt or wish.words):
            raise Problem(f"illustration {number} has no prompt yet: try it again instead")
        written = {} if wanted in ("", one.prompt) or chips else {"template": ""}
        _note(session, one, "regenerate", by, reason or (wanted if written else ""), chips)
        orders.place(house, session, one, wish, prompt=wanted or one.prompt, **written)


def give(house: House, number: int, by: str, data: bytes) -> int:
    """A person's own picture becomes a candidate; its id, the same if it was given before. Raises `PictureProblem`."""
    facts = images.check(data)
    key = f"given/{number}-{sha256(data).hexdigest()[:20]}"
    house.storage.put(key, data, facts.mime)
    with house.database.write() as session:
        one = _in(session, number, *WAITING, State.RENDERING, State.REJECTED, State.FAILED, State.PUBLISHED)
        there = select(Candidate.id).where(Candidate.illustration_id == number, Candidate.image == key)
        found = session.scalar(there)
        if found is None:
            made = Candidate(illustration_id=number, number=0, image=key, mime=facts.mime, by=by)
            made.width, made.height, made.colour = facts.width, facts.height, facts.colour
            session.add(made)
            session.flush()
            found = made.id
        if one.state in (State.REJECTED, State.FAILED):
            states.move(session, number, one.state, State.IN_REVIEW)
        return found


def retry(house: House, number: int, by: str) -> None:
    """Takes up what failed or was held, at the step where it stopped."""
    with house.database.write() as session:
        one = _in(session, number, State.FAILED, State.HELD)
        _note(session, one, "retry", by)
        if one.chosen_id is not None and not orders.lacks_final(session, one):
            states.move(session, number, one.state, State.APPROVED)
            tasks.add(session, "publish", number)
        elif one.prompt:
            orders.place_again(house, session, one)
        else:
            states.move(session, number, one.state, State.COMPOSING)
            tasks.add(session, "compose", number)


def revert(house: House, number: int, by: str) -> None:
    """What the CMS had before comes back."""
    with house.database.write() as session:
        _revert(session, _in(session, number, State.PUBLISHED), by)


def undo(house: House, number: int, by: str, meant: int = 0) -> str:
    """Takes back one's last decision on an illustration; the decision. What is in the CMS already is reverted there.

    `meant` is the review that somebody saw, if they saw one: where it was taken back before, nothing happens. Raises
    `StaleState` where it is being written this moment or something else was decided since, `Problem` where there is
    nothing to take back.
    """
    with house.database.write() as session:
        one, last = records.illustration(session, number, locked=True), last_decision(session, number)
        seen = session.get(Review, meant)
        if seen is not None and seen.illustration_id == number and seen.undone is not None:
            return seen.decision
        if meant and (last is None or last.id != meant):
            raise states.stale(number, one.state)
        if last is None or last.decision not in _BACK:
            raise Problem("There is no decision to take back.")
        if last.by != by:
            raise Problem(f"The last decision is {last.by}'s, and theirs to take back.")
        _BACK[last.decision](session, one, last)
        last.undone = time.time()
        return last.decision


def last_decision(session: Session, number: int) -> Review | None:
    """The last decision on an illustration that stands."""
    wanted = select(Review).where(Review.illustration_id == number, Review.undone.is_(None))
    return session.scalar(wanted.order_by(Review.id.desc()).limit(1))


def _take_back_approval(session: Session, one: Illustration, last: Review) -> None:
    if one.state == State.PUBLISHED:
        _revert(session, one, last.by)
    elif one.state == State.RENDERING:
        _take_back_order(session, one, last)
    elif one.state == State.APPROVED:
        states.move(session, one.id, State.APPROVED, State(last.before), **last.was)
        tasks.drop(session, "publish", one.id)
    else:
        raise states.stale(one.id, one.state)


def _take_back_order(session: Session, one: Illustration, last: Review) -> None:
    """What was not sent yet is not sent; what comes back all the same becomes one more candidate."""
    if one.state != State.RENDERING:
        raise Problem("The other picture is drawn already, and the earlier ones are still there to choose.")
    states.move(session, one.id, State.RENDERING, State(last.before), **last.was)
    renders.drop_planned(session, one.id, "taken back before it was sent")


def _take_back_rejection(session: Session, one: Illustration, last: Review) -> None:
    if one.state not in (State.REJECTED, State.PUBLISHED):
        raise states.stale(one.id, one.state)
    states.move(session, one.id, one.state, State(last.before), **last.was)


_BACK = {
    "approve": _take_back_approval,
    "endorse": lambda _session, _one, _last: None,
    "reject": _take_back_rejection,
    "regenerate": _take_back_order,
}


def _revert(session: Session, one: Illustration, by: str) -> None:
    records.last_publication(session, one.id)
    if tasks.is_open(session, "revert", one.id):
        raise states.stale(one.id, one.state)
    tasks.add(session, "revert", one.id)
    states.note(session, one.id, "")
    _note(session, one, "revert", by)


def _is_first_of_two(house: House, session: Session, one: Illustration, picked: Candidate, by: str) -> bool:
    """Whether another person has to approve as well. Raises `Problem` where this one may not be the second."""
    wanted = next((rule.approvals for rule in house.settings.rules if rule.name == one.rule), 1)
    if wanted < 2:
        return False
    if _person(picked.by) == _person(by):
        raise Problem("This picture is your own; two others have to approve it.")
    mine = select(Review).where(Review.illustration_id == one.id).order_by(Review.id)
    counting = endorsements(session.scalars(mine).all())
    before = {_person(row.by) for row in counting if row.candidate_id == picked.id}
    if _person(by) in before:
        raise Problem("You have approved this picture already; a second person has to.")
    return not before


def _person(by: str) -> str:
    """Somebody is the same person at the desk and in the CMS, which has them as “Jo via WordPress”."""
    return by.partition(" via ")[0].strip().casefold()


def _in(session: Session, number: int, *wanted: State) -> Illustration:
    one = records.illustration(session, number, locked=True)
    if one.state not in wanted:
        raise states.stale(number, one.state)
    return one


def _candidate(session: Session, number: int, candidate: int) -> Candidate:
    picked = records.candidate_with_render(session, candidate)
    if picked is None or picked.illustration_id != number:
        raise Problem(f"candidate {candidate} is not one of illustration {number}")
    return picked


def _describe(one: Illustration, fields: Mapping[str, Any]) -> None:
    for name, value in fields.items():
        setattr(one, name, value)


def _note(
    session: Session,
    one: Illustration,
    decision: str,
    by: str,
    reason: str = "",
    chips: Sequence[str] = (),
    candidate: int | None = None,
) -> None:
    row = Review(illustration_id=one.id, decision=decision, candidate_id=candidate, by=by, reason=reason)
    row.chips, row.before, row.was = list(chips), one.state.value, {name: getattr(one, name) for name in _COMES_BACK}
    session.add(row)
