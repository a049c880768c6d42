"""The brake on guessed passwords: after a few failures one waits, each time longer, by name and by address."""

import time
from collections.abc import Sequence

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from frontispiece.errors import Problem
from frontispiece.models import Attempt

FREE = {"name": 5, "address": 20}  # failures before one has to wait; many people may share an address
WINDOW = 3600  # seconds for which a failure counts
LONGEST = 900  # seconds one has to wait at most, so that nobody can be locked out for good


class Slower(Problem):
    """Too many failures: `seconds` to wait."""


def note(session: Session, kind: str, who: str) -> int:
    """Notes an attempt; its id. Raises `Slower` where the last failures ask for a pause."""
    who = f"{kind} {who}"[:120].replace("\0", "")
    since = time.time() - WINDOW
    wanted = select(func.count(Attempt.id), func.max(Attempt.at)).where(Attempt.who == who, Attempt.at > since)
    failures, last = session.execute(wanted).one()
    over = failures - FREE[kind]
    wait = last + min(60 * 2.0 ** min(over, 10), LONGEST) - time.time() if over >= 0 else 0
    if wait > 0:
        raise Slower(f"Too many failed attempts. Try again in {_minutes(wait)}.", seconds=wait)
    row = Attempt(who=who)
    session.add(row)
    session.flush()
    return row.id


def forgive(session: Session, name: str, attempts: Sequence[int]) -> None:
    """After a success: forgets what was noted for the name, those attempts, and all that count no more."""
    session.execute(delete(Attempt).where((Attempt.who == f"name {name}") | Attempt.id.in_(attempts)))
    session.execute(delete(Attempt).where(Attempt.at < time.time() - WINDOW))


def _minutes(seconds: float) -> str:
    minutes = -int(-seconds // 60)
    return "a minute" if minutes <= 1 else f"{minutes} minutes"
