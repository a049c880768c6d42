"""The acts of an editor, for the desk, the API and the panels in a CMS alike.

Each is one short transaction: the state moves by compare-and-set, the decision is written down, the next task is
added. Whoever comes second gets `StaleState` with words that say so.
"""

from sqlalchemy.orm import Session

from frontispiece import orders, records, states, tasks
from frontispiece.errors import Problem
from frontispiece.house import House
from frontispiece.models import Illustration, Review, State

MAX_PROMPT = 4_000  # characters


def approve(
    house: House,
    number: int,
    candidate: int,
    by: str,
    alt: str | None = None,
    caption: str | None = None,
    *,
    as_it_is: bool = False,
) -> None:
    """The picture goes to the CMS; from `held` it also replaces what a person set meanwhile, because one chose so.

    Where the rule has a final model that draws it first, unless the draft shall go out `as_it_is`. Raises `OverBudget`.
    """
    with house.database.write() as session:
        one = _in(session, number, State.IN_REVIEW, State.HELD, State.REVERTED)
        picked = records.candidate_with_render(session, candidate)
        if picked is None or picked.illustration_id != number:
            raise Problem(f"candidate {candidate} is not one of illustration {number}")
        fields = {
            "alt": one.alt if alt is None else alt,
            "caption": one.caption if caption is None else caption,
            "may_replace": one.state == State.HELD or one.may_replace,
        }
        if not as_it_is and orders.wants_final(house, one, picked):
            orders.place_final(house, session, one, picked, **fields)
        else:
            states.move(session, number, one.state, State.APPROVED, chosen_id=candidate, **fields)
            tasks.add(session, "publish", number)
        _note(session, number, "approve", by, candidate=candidate)


def reject(house: House, number: int, by: str, reason: str = "") -> None:
    """The entry stays as it is; nothing is drawn for it again by itself."""
    with house.database.write() as session:
        one = _in(session, number, State.IN_REVIEW, State.HELD, State.FAILED)
        states.move(session, number, one.state, State.REJECTED, reason=reason)
        _note(session, number, "reject", by, reason)


def regenerate(house: House, number: int, by: str, prompt: str = "") -> None:
    """Another picture: the same prompt with a new seed, or the one given. Raises `OverBudget`, changing nothing."""
    wanted = prompt.strip()
    if len(wanted) > MAX_PROMPT:
        raise Problem(f"the prompt has {len(wanted)} characters, {MAX_PROMPT} are the most")
    with house.database.write() as session:
        one = _in(session, number, State.IN_REVIEW, State.REJECTED, State.HELD, State.FAILED, State.REVERTED)
        if not (wanted or one.prompt):
            raise Problem(f"illustration {number} has no prompt yet: try it again instead")
        orders.place(house, session, one, prompt=wanted or one.prompt)
        _note(session, number, "regenerate", by, wanted if wanted != one.prompt else "")


def retry(house: House, number: int, by: str) -> None:
    """Takes up what failed or was held, at the step where it stopped."""
    with house.database.write() as session:
        one = _in(session, number, State.FAILED, State.HELD)
        if one.chosen_id is not None:
            states.move(session, number, one.state, State.APPROVED)
            tasks.add(session, "publish", number)
        elif one.prompt:
            orders.place(house, session, one, prompt=one.prompt)
        else:
            states.move(session, number, one.state, State.COMPOSING)
            tasks.add(session, "compose", number)
        _note(session, number, "retry", by)


def revert(house: House, number: int, by: str) -> None:
    """What the CMS had before comes back."""
    with house.database.write() as session:
        _in(session, number, State.PUBLISHED)
        records.last_publication(session, number)
        tasks.add(session, "revert", number)
        states.note(session, number, "")
        _note(session, number, "revert", by)


def _in(session: Session, number: int, *wanted: State) -> Illustration:
    one = records.illustration(session, number)
    if one.state not in wanted:
        raise states.stale(number, one.state)
    return one


def _note(
    session: Session, number: int, decision: str, by: str, reason: str = "", candidate: int | None = None
) -> None:
    session.add(Review(illustration_id=number, decision=decision, candidate_id=candidate, by=by, reason=reason))
