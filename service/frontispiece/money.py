"""Money is claimed before it is spent: what the renders of a day and a month have cost or may still cost."""

import time
from datetime import UTC, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from frontispiece.database import Database
from frontispiece.errors import OverBudget
from frontispiece.models import Render
from frontispiece.tables import Budget

OVER = "more would pass the budget of the"


def reserve(session: Session, budget: Budget, amount: float) -> None:
    """Raises `OverBudget` where `amount` dollars more would pass a cap.

    The caller writes the render's row in the same transaction; writers come one after the other (SQLite by its lock,
    PostgreSQL by an advisory one), so two of them can never pass the same cap together.
    """
    if amount == 0:
        return
    Database.one_at_a_time(session, "budget")
    day, month = spans()
    for name, cap, since in (("day", budget.day, day), ("month", budget.month, month)):
        if cap is not None and (spent := spent_since(session, since)) + amount > cap:
            raise OverBudget(f"${amount:.3f} {OVER} {name}: ${spent:.2f} of ${cap:.2f} are gone")


def spans() -> tuple[float, float]:
    """When the day and the month began that we are in (UTC), in seconds since the epoch."""
    day = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return day.timestamp(), day.replace(day=1).timestamp()


def tomorrow() -> float:
    """When the next day begins (UTC), in seconds since the epoch."""
    return (time.time() // 86_400 + 1) * 86_400


def spent_since(session: Session, start: float, end: float | None = None) -> float:
    """Dollars that the renders created in that time (seconds since the epoch) cost, or have reserved."""
    spent = func.coalesce(func.sum(func.coalesce(Render.cost, Render.reserved)), 0.0)
    return float(
        session.execute(
            select(spent).where(Render.created >= start, Render.created <= (end or time.time()))
        ).scalar_one()
    )
