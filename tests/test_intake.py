"""The intake: groups, one row for each key, and failures that stay with the row they belong to."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from servers.database import postgres
from sqlalchemy import select, text

from frontispiece.database import Database
from frontispiece.models import Base, Delivery, Task
from frontispiece.web.intake import Arrival, Intake, NotStored


@pytest.fixture(name="database")
def _database(tmp_path: Path) -> Iterator[Database]:
    made = Database(f"sqlite:///{tmp_path / 'test.db'}")
    Base.metadata.create_all(made.engine)
    yield made
    made.engine.dispose()


@pytest.fixture(name="opened")
def _opened(database: Database) -> Iterator[Callable[..., Intake]]:
    """Makes intakes that are closed at the end."""
    made: list[Intake] = []

    def open_(after: Callable[[], object] = lambda: None, seconds: float = 10, waiting: int = 9) -> Intake:
        made.append(Intake(database, after, seconds=seconds, waiting=waiting))
        return made[-1]

    yield open_
    for one in made:
        one.close()


def arrival(key: str, outcome: str = "received", words: str = "") -> Arrival:
    return Arrival("blog", key, 5.0, "[]", b"\x00body\xff", outcome, words)


def rows(database: Database) -> list[tuple[str, bytes]]:
    with database.read() as session:
        return [(row.key, row.body) for row in session.scalars(select(Delivery).order_by(Delivery.key))]


def tasks(database: Database) -> int:
    with database.read() as session:
        return len(session.scalars(select(Task).join(Delivery, Delivery.id == Task.subject)).all())


def until(ready: Callable[[], bool]) -> None:
    while not ready():
        time.sleep(0.001)


def together(one: Intake, database: Database, *arrivals: Arrival) -> list[bool | str]:
    """Stores them while the writer is kept waiting, so that they end up in one group."""

    def store(arrival: Arrival) -> bool | str:
        try:
            return one.store(arrival)
        except NotStored as problem:
            return str(problem)

    with ThreadPoolExecutor(len(arrivals) + 1) as pool:
        with database.locked():
            first = arrival("first")
            pool.submit(store, first)
            until(first.new.running)  # the writer has taken it and waits for the lock
            answers = [pool.submit(store, each) for each in arrivals]
            until(lambda: one._arrivals.qsize() == len(arrivals))
        return [answer.result() for answer in answers]


def test_what_is_stored_is_there_byte_for_byte(opened: Callable[..., Intake], database: Database) -> None:
    opened().store(arrival("a"))

    assert [("a", b"\x00body\xff")] == rows(database)


def test_a_new_delivery_comes_with_its_task(opened: Callable[..., Intake], database: Database) -> None:
    opened().store(arrival("a"))

    with database.read() as session:
        task = session.scalars(select(Task)).one()
    assert ("plan", "ready", 5.0, 0) == (task.step, task.state, task.due, task.attempts)


def test_a_delivery_that_is_only_kept_makes_no_task(opened: Callable[..., Intake], database: Database) -> None:
    opened().store(arrival("a", "unreadable"))

    assert 0 == tasks(database)


def test_a_second_of_the_same_key_is_not_new(opened: Callable[..., Intake]) -> None:
    one = opened()

    assert [True, False] == [one.store(arrival("a")), one.store(arrival("a"))]


def test_deliveries_that_wait_share_one_transaction(database: Database) -> None:
    groups: list[int] = []

    class Counted(Intake):
        def _write(self, group: Sequence[Arrival]) -> dict[tuple[str, str], int]:
            groups.append(len(group))
            return super()._write(group)

    one = Counted(database, lambda: None)
    together(one, database, *(arrival(f"k{number}") for number in range(7)))
    one.close()

    assert [1, 7] == groups


def test_two_of_one_key_in_a_group_make_one_row_and_one_task(opened: Callable[..., Intake], database: Database) -> None:
    answers = together(opened(), database, arrival("a"), arrival("a"), arrival("b"))

    assert ([False, True, True], 3, 3) == (sorted(answers), len(rows(database)), tasks(database))


def test_a_row_that_the_database_refuses_leaves_its_neighbours_alone(
    opened: Callable[..., Intake], database: Database
) -> None:
    surrogate = "\ud800"

    answers = together(opened(), database, arrival("a"), arrival("bad", words=surrogate), arrival("c"))

    assert (True, True, True) == (answers[0], "surrogates not allowed" in str(answers[1]), answers[2])
    assert ["a", "c", "first"] == [key for key, _ in rows(database)]


def test_after_a_failure_the_next_delivery_is_stored(opened: Callable[..., Intake], database: Database) -> None:
    one = opened()
    with database.write() as connection:
        connection.execute(text("ALTER TABLE deliveries RENAME TO away"))
    with pytest.raises(NotStored, match="no such table"):
        one.store(arrival("a"))
    with database.write() as connection:
        connection.execute(text("ALTER TABLE away RENAME TO deliveries"))

    assert one.store(arrival("a"))


def test_where_the_task_cannot_be_written_the_delivery_is_not_either(
    opened: Callable[..., Intake], database: Database
) -> None:
    with database.write() as connection:
        connection.execute(text("DROP TABLE tasks"))

    with pytest.raises(NotStored):
        opened().store(arrival("a"))

    assert [] == rows(database)


def test_what_waited_too_long_is_refused_and_never_stored(opened: Callable[..., Intake], database: Database) -> None:
    one = opened(seconds=0.05)
    with database.locked():
        with pytest.raises(NotStored):
            one.store(arrival("taken"))  # the writer has this one in its hands already
        with pytest.raises(NotStored, match="too long"):
            one.store(arrival("late"))
    one.close()

    assert "late" not in [key for key, _ in rows(database)]


def test_with_too_many_waiting_the_next_is_refused_at_once(opened: Callable[..., Intake], database: Database) -> None:
    with pytest.raises(NotStored, match="too many"):
        opened(waiting=0).store(arrival("a"))

    assert [] == rows(database)


def test_hints_are_sent_after_the_commit(opened: Callable[..., Intake], database: Database) -> None:
    seen, called = [], threading.Event()

    def after() -> None:
        seen.append(rows(database))
        called.set()

    opened(after).store(arrival("a"))

    assert (True, [("a", b"\x00body\xff")]) == (called.wait(10), seen[0])


def test_closing_stores_what_is_waiting(opened: Callable[..., Intake], database: Database) -> None:
    one = opened()
    with ThreadPoolExecutor(1) as pool:
        with database.locked():
            waits = arrival("a")
            answer = pool.submit(one.store, waits)
            until(waits.new.running)
            closing = threading.Thread(target=one.close)
            closing.start()
        closing.join()

    assert ([True], 1) == ([answer.result()], len(rows(database)))


@pytest.mark.real
def test_a_row_that_postgresql_refuses_leaves_its_neighbours_alone() -> None:
    with postgres() as url:
        database = Database(url)
        Base.metadata.create_all(database.engine)
        one = Intake(database, lambda: None)
        arrivals = arrival("a"), arrival("a\0"), arrival("b"), arrival("b")
        with ThreadPoolExecutor(4) as pool:
            answers = [pool.submit(one.store, each) for each in arrivals]
        failures = [answer.exception() for answer in answers]
        one.close()
        stored = [key for key, _ in rows(database)]
        database.engine.dispose()

    assert ([False, True, False, False], ["a", "b"]) == ([isinstance(f, NotStored) for f in failures], stored)
