"""The states of an illustration and the moves between them; nothing else writes a state."""

import time
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from frontispiece.errors import StaleState
from frontispiece.models import Illustration, State

S = State

MOVES: dict[State, set[State]] = {
    S.QUEUED: {S.COMPOSING, S.SKIPPED},
    S.COMPOSING: {S.RENDERING, S.HELD, S.FAILED, S.SKIPPED},
    S.RENDERING: {S.IN_REVIEW, S.APPROVED, S.REJECTED, S.REVERTED, S.HELD, S.FAILED, S.SKIPPED},
    S.IN_REVIEW: {S.RENDERING, S.APPROVED, S.PUBLISHED, S.REJECTED, S.SKIPPED},
    S.APPROVED: {S.PUBLISHING, S.IN_REVIEW, S.HELD, S.FAILED, S.REVERTED, S.PUBLISHED},
    S.PUBLISHING: {S.PUBLISHED, S.HELD, S.FAILED},
    S.PUBLISHED: {S.REVERTED, S.APPROVED, S.IN_REVIEW, S.HELD, S.FAILED},
    S.REVERTED: {S.RENDERING, S.APPROVED},
    S.HELD: {S.COMPOSING, S.RENDERING, S.APPROVED, S.PUBLISHED, S.REJECTED, S.SKIPPED},
    S.FAILED: {S.COMPOSING, S.RENDERING, S.IN_REVIEW, S.APPROVED, S.PUBLISHED, S.REJECTED, S.SKIPPED},
    S.REJECTED: {S.RENDERING, S.IN_REVIEW, S.HELD, S.FAILED},
    S.SKIPPED: {S.QUEUED},
}


def move(session: Session, illustration: int, old: State, new: State, **fields: Any) -> None:
    """Takes an illustration from `old` to `new` and sets `fields`, in one compare-and-set.

    `reason` is emptied unless it is among the fields. Raises `StaleState` if the row is not in `old`.
    """
    if new not in MOVES[old]:
        raise AssertionError(f"there is no move from {old} to {new}")
    fields = {"reason": "", **fields, "state": new, "updated": time.time()}
    wanted = update(Illustration).where(Illustration.id == illustration, Illustration.state == old)
    moved = session.execute(wanted.values(**fields).returning(Illustration.id)).scalar()
    if moved is None:
        raise StaleState(f"illustration {illustration} is no longer {old.words}: somebody decided first")


def stale(illustration: int, now: State) -> StaleState:
    """What to raise where an act does not fit the state (any more)."""
    return StaleState(f"illustration {illustration} is {now.words} now: somebody decided first, or the page is old")


def note(session: Session, illustration: int, reason: str) -> None:
    """Leaves the state as it is and says what went wrong on the way out of it."""
    session.execute(update(Illustration).where(Illustration.id == illustration).values(reason=reason))
