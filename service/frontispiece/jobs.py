"""Everything that knows RQ: hints go in, a forking worker takes them out and runs the step of the task they name.

A hint carries a task's id and nothing else; whoever takes it goes on with what else is due. Lost, late or doubled hints
are harmless, because the task's row is the truth: the worker claims it first, and the sweep sends a new hint for
whatever is due. So none of RQ's own retries, schedules, callbacks or unique jobs is used.
"""

import logging
import signal
import threading
import time
from contextlib import suppress
from typing import Any

from redis import Redis
from redis.backoff import ExponentialBackoff, NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from rq import Queue, Worker
from rq.job import Job
from sqlalchemy import Select

from frontispiece import flow, parent, renders, setbacks, tasks
from frontispiece.config import load
from frontispiece.errors import Problem
from frontispiece.faults import inside
from frontispiece.house import House

log = logging.getLogger("frontispiece")

QUEUE = "frontispiece"
RUN = "frontispiece.jobs.run"
ALLOWED = {RUN}
WAITING = 100  # hints in the queue at most; the sweep gives out the rest as these are taken
AHEAD = 2  # hints that wait for each worker; more would find their tasks done by whoever was there already
STAY = 2.0  # seconds for which a horse goes on with what else is due; a fork costs as much as a step
HARD_STOP = 1800  # seconds; a step that is not over by then is killed, and its lease runs out
IDLE = 75  # seconds; a worker waits for a hint 15 less, and notices by then that its connection is dead

_house: House | None = None
_away = threading.Event()  # Redis, when it was last needed


class OnlyOurs(Job):
    """A job that calls nothing but the names in `ALLOWED`: whoever can write to Redis must not run code here."""

    @property
    def func(self) -> Any:
        """The function to call. Raises `ValueError` for any other than ours."""
        if self.func_name not in ALLOWED:
            raise ValueError(f"{self.func_name!r} is not a function that a worker may call")
        return run


class Horses(Worker):
    """RQ's forking worker; each horse forgets the parent's connections and dies with it."""

    job_class = OnlyOurs

    def main_work_horse(self, job: Job, queue: Queue) -> None:
        """Runs in the child: from here on a `kill -9` of the worker takes the horse with it."""
        parent.die_with(self.pid or 0, signal.SIGKILL)
        if _house is not None:
            _house.database.after_fork()
        super().main_work_horse(job, queue)


def connect(url: str) -> Redis:
    """A client that gives up soon: what waits here for a hint to be sent are people, and tickets of paid pictures."""
    once = Retry(NoBackoff(), 0)
    return Redis.from_url(url, retry=once, health_check_interval=30, socket_connect_timeout=2, socket_timeout=2)


def queue(redis: Redis) -> Queue:
    """The one queue there is."""
    return Queue(QUEUE, connection=redis, job_class=OnlyOurs)


def nudge(house: House, redis: Redis) -> int:
    """Sends hints for what is due, as far as the queue has room; how many. Redis being away is no error here."""
    try:
        hints = queue(redis)
        waiting, most = hints.count, _most_hints(redis)
        if waiting >= most:
            return 0
        found = tasks.due(house.database, most - waiting, but=_blocked(house), queue_is_empty=waiting == 0)
        if found:
            hints.enqueue_many([_hint(task) for task in found])
    except RedisError as problem:
        if not _away.is_set():  # once, and not twice a second
            log.warning("no hint can be sent, the sweep goes on trying: %s", problem)
        _away.set()
        return 0
    _away.clear()
    return len(found)


def _most_hints(redis: Redis) -> int:
    """How many hints may wait: enough for the workers there are, and for one that is about to start."""
    return min(WAITING, AHEAD * max(1, Worker.count(connection=redis)))


def _hint(task: int) -> Any:
    return Queue.prepare_data(RUN, args=(task,), timeout=HARD_STOP, result_ttl=0, failure_ttl=3600)


def run(task: int) -> None:
    """What a hint calls: works on the task, then on whatever else is due, so that the fork is worth its while."""
    house = _house or House(load())
    end = time.monotonic() + STAY
    claim = tasks.claim(house.database, task) or _next(house)
    while claim is not None:
        perform(house, claim)
        claim = _next(house) if time.monotonic() < end else None


def _next(house: House) -> tasks.Claim | None:
    return tasks.take(house.database, but=_blocked(house))


def _blocked(house: House) -> Select[int]:
    """The renders that would find no place at their service now."""
    with house.database.read() as session:
        return renders.without_place(session, house.models, house.settings.most_at_once)


def perform(house: House, claim: tasks.Claim) -> None:
    """Runs the step of a task, and settles whatever goes wrong.

    This is the worker's outermost door, the one place that catches everything: a mistake of ours is logged with its
    traceback, tried again a few times like an outage, and then shown on the row it happened to.
    """
    if claim.attempts > setbacks.ATTEMPTS:
        words = (
            f"{claim.attempts - 1} workers ended in the middle of this step; their logs, or the system's, may say why"
        )
        _settle(house, claim, Problem(words))
        return
    try:
        with claim.beating(), inside(claim.step):
            flow.STEPS[claim.step](house, claim)
    except tasks.Lost:
        log.warning("task %d (%s %d) was given to another worker", claim.id, claim.step, claim.subject)
    except Problem as problem:
        log.info("task %d (%s %d): %s", claim.id, claim.step, claim.subject, problem)
        _settle(house, claim, problem)
    except Exception as mistake:
        log.exception("task %d (%s %d) failed", claim.id, claim.step, claim.subject)
        words = f"a mistake in Frontispiece ({type(mistake).__name__}); its log has the details"
        _settle(house, claim, Problem(words, retry=claim.attempts < 3))


def _settle(house: House, claim: tasks.Claim, problem: Problem) -> None:
    try:
        setbacks.stumble(house, claim, problem)
    except tasks.Lost:
        log.warning("task %d was given to another worker", claim.id)
    except Exception:
        log.exception("task %d (%s %d): its problem cannot be noted: %s", claim.id, claim.step, claim.subject, problem)
        with suppress(tasks.Lost), house.database.write() as session:
            if claim.attempts < setbacks.ATTEMPTS:
                claim.again(session, tasks.backoff(claim.attempts), "its problem could not be noted; see the log")
            else:
                claim.bury(session, "its problem could not be noted; see the log")


def work(house: House, redis: Redis, *, burst: bool = False) -> None:
    """Works until it is told to stop; with `burst` until the queue is empty. A restart of Redis is ridden out."""
    global _house  # noqa: PLW0603 - the horses that this process forks find it here
    _house = house
    house.warm()
    redis.set_retry(Retry(ExponentialBackoff(cap=2, base=0.1), 12))  # RQ gives up at the first refusal otherwise
    worker = Horses([queue(redis)], connection=redis, job_class=OnlyOurs, worker_ttl=IDLE)
    worker.work(burst=burst, logging_level="WARNING", with_scheduler=False)
