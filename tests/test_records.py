"""Rows that are forgotten in time, and those that stay."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from frontispiece import records
from frontispiece.cms import Entry
from frontispiece.database import Database
from frontispiece.models import Base, Delivery, Illustration, Task, TaskState
from frontispiece.tables import Rule

DAY = 86_400


@pytest.fixture(name="database")
def _database(tmp_path: Path) -> Iterator[Database]:
    made = Database(f"sqlite:///{tmp_path / 'test.db'}")
    Base.metadata.create_all(made.engine)
    yield made
    made.engine.dispose()


def delivered(database: Database, *, days: int, outcome: str = "queued") -> Delivery:
    with database.write() as session:
        row = Delivery(site="blog", key="1", received=time.time() - days * DAY, headers='[["a", "b"]]', body=b"{}")
        row.outcome = outcome
        session.add(row)
    with database.write() as session:
        records.tidy(session, 90)
    with database.read() as session:
        return session.scalars(select(Delivery)).one()


@pytest.mark.parametrize(
    ("days", "outcome", "body"), [(91, "queued", b""), (89, "queued", b"{}"), (91, "received", b"{}")]
)
def test_the_bytes_of_a_settled_delivery_are_forgotten_in_time(
    database: Database, days: int, outcome: str, body: bytes
) -> None:
    assert delivered(database, days=days, outcome=outcome).body == body


def test_a_resend_is_still_known_when_the_bytes_are_forgotten(database: Database) -> None:
    assert delivered(database, days=91).key == "1"


@pytest.mark.parametrize(("state", "left"), [(TaskState.DONE, 0), (TaskState.DEAD, 0), (TaskState.READY, 1)])
def test_only_settled_tasks_are_forgotten(database: Database, state: TaskState, left: int) -> None:
    with database.write() as session:
        session.add(Task(step="plan", subject=1, state=state, due=1.0))
    with database.write() as session:
        records.tidy(session, 90)
    with database.read() as session:
        assert len(session.scalars(select(Task)).all()) == left


def test_an_entry_is_looked_for_under_its_last_title_and_section(database: Database) -> None:
    told = Entry("posts/1", "article", "Night trains", section="Travel")
    with database.write() as session:
        number = records.keep_entry(session, "blog", told)
        records.new_illustration(session, number, told, Rule(name="blog", site="blog"))
        records.keep_entry(session, "blog", replace(told, title="Day trains", section="City"))
    with database.read() as session:
        one = session.scalars(select(Illustration)).one()
    assert (one.site, one.section, one.sought) == ("blog", "City", "day trains\nposts/1")
