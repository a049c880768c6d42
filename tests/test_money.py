"""Money is claimed before it is spent."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from frontispiece import money
from frontispiece.database import Database
from frontispiece.errors import OverBudget
from frontispiece.models import Base, Entry, Illustration, Render
from frontispiece.tables import Budget

DAY = 86_400.0


@pytest.fixture(name="database")
def _database(tmp_path: Path) -> Iterator[Database]:
    made = Database(f"sqlite:///{tmp_path / 'test.db'}")
    Base.metadata.create_all(made.engine)
    with made.write() as session:
        session.add(Entry(id=1, site="blog", ref="1", kind="article", title="A", snapshot={}, fetched=0))
        session.flush()
        session.add(Illustration(id=1, entry_id=1, rule="articles", slot="hero"))
    yield made
    made.engine.dispose()


def spend(database: Database, *, reserved: float, cost: float | None = None, ago: float = 0.0) -> None:
    with database.write() as session:
        render = Render(illustration_id=1, model="m", prompt="", seed=1, width=1, height=1)
        render.reserved, render.cost, render.created = reserved, cost, time.time() - ago
        session.add(render)


def may_spend(database: Database, amount: float, budget: Budget) -> bool:
    try:
        with database.write() as session:
            money.reserve(session, budget, amount)
    except OverBudget:
        return False
    return True


def test_without_a_cap_anything_may_be_spent(database: Database) -> None:
    assert may_spend(database, 1000.0, Budget())


def test_a_cap_may_be_reached_and_not_passed(database: Database) -> None:
    assert (may_spend(database, 1.0, Budget(day=1.0)), may_spend(database, 1.01, Budget(day=1.0))) == (True, False)


def test_what_is_reserved_counts_until_its_cost_is_known(database: Database) -> None:
    spend(database, reserved=0.6)

    assert not may_spend(database, 0.5, Budget(day=1.0))


def test_the_cost_takes_the_place_of_what_was_reserved(database: Database) -> None:
    spend(database, reserved=0.6, cost=0.1)

    assert may_spend(database, 0.5, Budget(day=1.0))


def test_last_month_counts_no_more(database: Database) -> None:
    spend(database, reserved=1.0, ago=40 * DAY)

    assert may_spend(database, 0.5, Budget(day=1.0, month=1.0))


def test_the_first_of_the_month_counts_for_the_month(database: Database) -> None:
    begun = datetime.now(UTC).replace(day=1, hour=0, minute=0, second=1)
    spend(database, reserved=1.0, ago=time.time() - begun.timestamp())

    assert not may_spend(database, 0.5, Budget(month=1.0))


def test_what_is_free_is_drawn_whatever_the_budget(database: Database) -> None:
    assert may_spend(database, 0.0, Budget(day=0.0))


def test_the_words_name_the_cap(database: Database) -> None:
    with pytest.raises(OverBudget, match=r"budget of the month: \$0.00 of \$1.00"), database.write() as session:
        money.reserve(session, Budget(month=1.0), 2.0)
