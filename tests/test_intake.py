"""The intake: groups, one row for each key, and failures that stay with the row they belong to."""

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
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
        asyncio.run(one.close())


def arrival(key: str, outcome: str = "received", words: str = "") -> Arrival:
    return Arrival("blog", key, 5.0, "[]", b"\x00body\xff", outcome, words)


def rows(database: Database) -> list[tuple[str, bytes]]:
    with database.read() as session:
        return [(row.key, row.body) for row in session.scalars(select(Delivery).order_by(Delivery.key))]


def tasks(database: Database) -> int:
    with database.read() as session:
        return len(session.scalars(select(Task).join(Delivery, Delivery.id == Task.subject)).all())


def store(one: Intake, *arrivals: Arrival) -> list[bool | str]:
    """What became of each, one after the other."""

    async def in_turn() -> list[bool | str]:
        return [await outcome(one, each) for each in arrivals]

    return asyncio.run(in_turn())


async def outcome(one: Intake, arrival: Arrival) -> bool | str:
    try:
        return await one.store(arrival)
    except NotStored as problem:
        return str(problem)


async def until(ready: Callable[[], bool]) -> None:
    while not ready():  # noqa: ASYNC110 - the tests look inside
        await asyncio.sleep(0)


def together(one: Intake, database: Database, *arrivals: Arrival) -> list[bool | str]:
    """Stores them while the writer is kept waiting, so that they end up in one group."""

    async def at_once() -> list[bool | str]:
        with database.locked():
            first = asyncio.create_task(outcome(one, arrival("first")))
            await until(lambda: one._committing is not None and not one._waiting)  # the writer waits for the lock
            answers = [asyncio.create_task(outcome(one, each)) for each in arrivals]
            await until(lambda: len(one._waiting) == len(arrivals))
        await first
        return await asyncio.gather(*answers)

    return asyncio.run(at_once())


def test_what_is_stored_is_there_byte_for_byte(opened: Callable[..., Intake], database: Database) -> None:
    store(opened(), arrival("a"))

    assert [("a", b"\x00body\xff")] == rows(database)


def test_a_new_delivery_comes_with_its_task(opened: Callable[..., Intake], database: Database) -> None:
    store(opened(), arrival("a"))

    with database.read() as session:
        task = session.scalars(select(Task)).one()
    assert ("plan", "ready", 5.0, 0) == (task.step, task.state, task.due, task.attempts)


def test_a_delivery_that_is_only_kept_makes_no_task(opened: Callable[..., Intake], database: Database) -> None:
    store(opened(), arrival("a", "unreadable"))

    assert 0 == tasks(database)


def test_a_second_of_the_same_key_is_not_new(opened: Callable[..., Intake]) -> None:
    assert [True, False] == store(opened(), arrival("a"), arrival("a"))


def test_deliveries_that_wait_share_one_transaction(database: Database) -> None:
    groups: list[int] = []

    class Counted(Intake):
        def _write(self, group: Sequence[Arrival]) -> dict[tuple[str, str], int]:
            groups.append(len(group))
            return super()._write(group)

    one = Counted(database, lambda: None)
    together(one, database, *(arrival(f"k{number}") for number in range(7)))
    asyncio.run(one.close())

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
    (failed,) = store(one, arrival("a"))
    with database.write() as connection:
        connection.execute(text("ALTER TABLE away RENAME TO deliveries"))

    assert (True, [True]) == ("no such table" in str(failed), store(one, arrival("a")))


def test_where_the_task_cannot_be_written_the_delivery_is_not_either(
    opened: Callable[..., Intake], database: Database
) -> None:
    with database.write() as connection:
        connection.execute(text("DROP TABLE tasks"))

    (answer,) = store(opened(), arrival("a"))

    assert (True, []) == ("no such table" in str(answer), rows(database))


def test_what_waited_too_long_is_refused_and_never_stored(opened: Callable[..., Intake], database: Database) -> None:
    one = opened(seconds=0.05)

    async def blocked() -> list[bool | str]:
        with database.locked():
            taken = asyncio.create_task(outcome(one, arrival("taken")))
            await until(lambda: one._committing is not None and not one._waiting)  # in the writer's hands already
            answers = [await outcome(one, arrival("late")), await taken]
        await one.close()
        return answers

    assert ["the database takes too long"] * 2 == asyncio.run(blocked())
    assert "late" not in [key for key, _ in rows(database)]


def test_with_too_many_waiting_the_next_is_refused_at_once(opened: Callable[..., Intake], database: Database) -> None:
    (answer,) = store(opened(waiting=0), arrival("a"))

    assert (True, []) == ("too many" in str(answer), rows(database))


def test_hints_are_sent_after_the_commit(opened: Callable[..., Intake], database: Database) -> None:
    seen, called = [], threading.Event()

    def after() -> None:
        seen.append(rows(database))
        called.set()

    store(opened(after), arrival("a"))

    assert (True, [("a", b"\x00body\xff")]) == (called.wait(10), seen[0])


def test_closing_stores_what_is_waiting(opened: Callable[..., Intake], database: Database) -> None:
    one = opened()

    async def close_while_waiting() -> bool | str:
        with database.locked():
            answer = asyncio.create_task(outcome(one, arrival("a")))
            await until(lambda: one._committing is not None)
            closing = asyncio.create_task(one.close())
        await closing
        return await answer

    assert (True, 1) == (asyncio.run(close_while_waiting()), len(rows(database)))


async def together_at_once(one: Intake, *arrivals: Arrival) -> list[bool | str]:
    return list(await asyncio.gather(*(outcome(one, each) for each in arrivals)))


@pytest.mark.real
def test_a_row_that_postgresql_refuses_leaves_its_neighbours_alone() -> None:
    with postgres() as url:
        database = Database(url)
        Base.metadata.create_all(database.engine)
        one = Intake(database, lambda: None)
        arrivals = arrival("a"), arrival("a\0"), arrival("b"), arrival("b")
        answers = asyncio.run(together_at_once(one, *arrivals))
        asyncio.run(one.close())
        stored = [key for key, _ in rows(database)]
        database.engine.dispose()

    assert (["a", "b"], [True, True, False]) == (stored, [answers[0], *answers[2:]])
    assert "NUL" in str(answers[1])


@pytest.mark.real
def test_a_delivery_after_the_database_was_restarted_is_stored_at_once() -> None:
    with postgres() as url:
        database = Database(url)
        Base.metadata.create_all(database.engine)
        one = Intake(database, lambda: None)
        before = store(one, arrival("a"))
        with database.engine.connect() as connection:
            others = "pid <> pg_backend_pid() AND datname = current_database()"
            connection.execute(text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}"))
        after = store(one, arrival("b"))
        asyncio.run(one.close())
        database.engine.dispose()

    assert ([True], [True]) == (before, after)
