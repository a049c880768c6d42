"""Hints, workers and the watcher as processes of their own, over an embedded Valkey."""

import os
import signal
from collections.abc import Iterator

import pytest
from redis import Redis
from rq import Queue
from sqlalchemy import select
from world import Start, World, until

from frontispiece import jobs, valkey
from frontispiece.models import State, Task


@pytest.fixture(name="redis")
def _redis(world: World) -> Iterator[Redis]:
    data = world.house.settings.data
    server = valkey.start(data)
    assert server is not None
    with jobs.connect(valkey.url(data)) as client:
        yield client
    server.kill()
    server.wait()


def test_a_worker_and_a_watcher_bring_a_picture(world: World, redis: Redis, start: Start) -> None:
    world.deliver(world.publish())
    assert redis.ping()
    start(world, "worker")
    start(world, "watch")

    until(lambda: world.count() == 1 and world.state() == State.IN_REVIEW, "a picture in review")


def test_lost_messages_are_sent_again(world: World, redis: Redis, start: Start) -> None:
    world.deliver(world.publish())
    jobs.nudge(world.house, redis)
    redis.flushall()
    start(world, "worker")
    start(world, "watch")

    until(lambda: world.count() == 1 and world.state() == State.IN_REVIEW, "a picture in review")


def test_a_horse_dies_with_its_worker(world: World, redis: Redis, start: Start) -> None:
    world.hang_in_fetch()
    world.deliver(world.publish())
    jobs.nudge(world.house, redis)
    worker = start(world, "worker")
    until(world.paper.asked.is_set, "a fetch under way")
    os.kill(worker.pid, signal.SIGKILL)
    worker.wait()

    until(lambda: not alive_in_group(worker.pid), "the horse to be gone")
    world.pick_up()


def alive_in_group(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_worker_calls_nothing_but_our_function(world: World, redis: Redis, start: Start) -> None:
    target = world.house.settings.data / "called"
    job = Queue(jobs.QUEUE, connection=redis).enqueue("os.mkdir", str(target), failure_ttl=60)
    start(world, "worker", "--burst").wait(60)

    assert (job.get_status(refresh=True), target.exists()) == ("failed", False)


def test_no_more_hints_are_sent_than_workers_can_use(world: World, redis: Redis) -> None:
    for _ in range(jobs.AHEAD + 20):
        world.deliver(1)
    sent = [jobs.nudge(world.house, redis) for _ in range(2)]

    assert sent == [jobs.AHEAD, 0]


def test_whoever_takes_a_hint_goes_on_with_what_else_is_due(world: World) -> None:
    first, second = world.deliver(world.publish()), world.deliver(world.publish())
    jobs._house = world.house
    with world.house.database.read() as session:
        task = session.scalars(select(Task.id).where(Task.subject == first)).one()
    jobs.run(task)

    assert (world.outcome(first)[0], world.outcome(second)[0]) == ("queued", "queued")


def test_without_redis_a_delivery_is_kept_and_nothing_breaks(world: World) -> None:
    world.deliver(world.publish())
    away = Redis(unix_socket_path="/nonexistent.sock")

    assert jobs.nudge(world.house, away) == 0
