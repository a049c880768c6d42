"""Tasks: claims, leases, and the fence around what a worker writes."""

import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import select, update

from frontispiece import tasks
from frontispiece.database import Database
from frontispiece.models import Base, Task, TaskState


@pytest.fixture(name="database")
def _database(tmp_path: Path) -> Iterator[Database]:
    made = Database(f"sqlite:///{tmp_path / 'test.db'}")
    Base.metadata.create_all(made.engine)
    yield made
    made.engine.dispose()


def add(database: Database, *, due: float = 0.0) -> int:
    with database.write() as session:
        tasks.add(session, "publish", 7, due)
        return session.scalars(select(Task.id).order_by(Task.id.desc())).first() or 0


def claimed(database: Database, task: int) -> tasks.Claim:
    claim = tasks.claim(database, task)
    assert claim is not None
    return claim


def let_the_lease_run_out(database: Database) -> None:
    with database.write() as session:
        session.execute(update(Task).values(lease=time.time() - 1))


def lease(database: Database) -> float:
    with database.read() as session:
        return session.scalars(select(Task.lease)).one()


def test_a_task_is_claimed_once(database: Database) -> None:
    task = add(database)

    assert tasks.claim(database, task) is not None
    assert tasks.claim(database, task) is None


def test_a_task_that_is_not_due_cannot_be_claimed(database: Database) -> None:
    assert tasks.claim(database, add(database, due=time.time() + 60)) is None


def test_a_second_task_for_the_same_step_and_row_is_not_added(database: Database) -> None:
    assert add(database) == add(database)


def test_a_finished_task_makes_room_for_another(database: Database) -> None:
    first = add(database)
    claim = claimed(database, first)
    with database.write() as session:
        claim.finish(session)

    assert add(database) > first


def test_a_task_whose_worker_is_gone_can_be_claimed_again(database: Database) -> None:
    task = add(database)
    claimed(database, task)
    let_the_lease_run_out(database)

    assert claimed(database, task).attempts == 2


def test_a_slow_worker_whose_task_was_given_away_cannot_finish_it(database: Database) -> None:
    task = add(database)
    slow = claimed(database, task)
    let_the_lease_run_out(database)
    claimed(database, task)

    with pytest.raises(tasks.Lost), database.write() as session:
        slow.finish(session)


def test_what_a_slow_worker_wrote_is_rolled_back(database: Database) -> None:
    task = add(database)
    slow = claimed(database, task)
    let_the_lease_run_out(database)
    claimed(database, task)

    with suppress(tasks.Lost), database.write() as session:
        tasks.add(session, "revert", 7)
        slow.finish(session)

    with database.read() as session:
        assert session.scalar(select(Task.id).where(Task.step == "revert")) is None


def test_the_lease_is_extended_while_the_work_goes_on(database: Database) -> None:
    claim = claimed(database, add(database))
    let_the_lease_run_out(database)

    with claim.beating(seconds=0.01):
        give_up = time.monotonic() + 10
        while time.monotonic() < give_up and lease(database) < time.time():
            pass

    assert lease(database) > time.time()


def test_a_task_given_back_is_due_later(database: Database) -> None:
    task = add(database)
    claim = claimed(database, task)
    with database.write() as session:
        claim.again(session, 60, "the CMS is away")

    assert tasks.due(database, 10) == []


def test_a_buried_task_is_never_due(database: Database) -> None:
    claim = claimed(database, add(database))
    with database.write() as session:
        claim.bury(session, "no such entry")

    with database.read() as session:
        assert (tasks.due(database, 10), session.get_one(Task, claim.id).state) == ([], TaskState.DEAD)


def test_a_due_task_is_hinted_once(database: Database) -> None:
    task = add(database)

    assert (tasks.due(database, 10), tasks.due(database, 10)) == ([task], [])


def test_a_lost_hint_is_sent_again_when_the_queue_is_empty(database: Database) -> None:
    task = add(database)
    tasks.due(database, 10)
    with database.write() as session:
        session.execute(update(Task).values(hinted=time.time() - 6))

    assert (tasks.due(database, 10), tasks.due(database, 10, queue_is_empty=True)) == ([], [task])


def test_the_wait_between_tries_doubles_up_to_a_limit() -> None:
    waits = [tasks.backoff(number) for number in (1, 5, 30)]

    assert 1.5 <= waits[0] <= 2.5
    assert 24 <= waits[1] <= 40
    assert 675 <= waits[2] <= 1125
