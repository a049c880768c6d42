"""Tasks: what is due, who works on it, and the fence around everything they write.

A task is claimed with a token and a lease, which a thread extends while the work goes on. If the worker dies the
lease runs out and the sweep makes the task ready again. A worker that was only slow finds its token gone and its
last transaction rolled back, so a task is never finished twice.
"""

import logging
import random
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, exists, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from frontispiece.database import Database
from frontispiece.faults import fault
from frontispiece.models import Task, TaskState

log = logging.getLogger("frontispiece")

LEASE = 60.0  # seconds
REHINT = 60.0  # seconds after which a hint counts as lost whatever the queue says; one too many costs a fork


class Lost(Exception):  # noqa: N818 - it is no error: somebody else has the task now
    """The lease ran out and the task was given to another worker; nothing of ours may be written."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to work on one task. `attempts` counts this one."""

    id: int
    step: str
    subject: int
    attempts: int
    token: str
    database: Database

    def finish(self, session: Session, found: str = "") -> None:
        """Marks the task as done inside the transaction of its last write, with what it found. Raises `Lost`."""
        self._fenced(session, state=TaskState.DONE, error=found)

    def again(self, session: Session, seconds: float, error: str, *, counts: bool = True) -> None:
        """Gives the task back, due in so many seconds; without `counts` this was no attempt. Raises `Lost`."""
        back = {"due": time.time() + seconds, "hinted": 0.0, "lease": 0.0, "error": error}
        self._fenced(session, state=TaskState.READY, attempts=self.attempts if counts else self.attempts - 1, **back)

    def bury(self, session: Session, error: str) -> None:
        """Gives the task up. Raises `Lost`."""
        self._fenced(session, state=TaskState.DEAD, error=error)

    def hold(self, session: Session) -> None:
        """Raises `Lost` unless the task is still ours; for writes in the middle of a step."""
        self._fenced(session, lease=time.time() + LEASE)

    def _fenced(self, session: Session, **fields: object) -> None:
        mine = update(Task).where(Task.id == self.id, Task.token == self.token, Task.state == TaskState.RUNNING)
        if session.execute(mine.values(**fields).returning(Task.id)).scalar() is None:
            raise Lost

    @contextmanager
    def beating(self, seconds: float = LEASE / 4) -> Iterator[None]:
        """Extends the lease in a thread for as long as the block runs."""
        over = threading.Event()
        thread = threading.Thread(target=self._beat, args=(over, seconds), daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _beat(self, over: threading.Event, seconds: float) -> None:
        while not over.wait(seconds):
            try:
                with self.database.write() as session:
                    self.hold(session)
            except Lost:
                return
            except (SQLAlchemyError, OSError) as problem:  # the next one may come through; the lease outlives three
                log.warning("task %d: a heartbeat failed: %s", self.id, problem)


def add(session: Session, step: str, subject: int, due: float = 0.0) -> None:
    """Puts a task on the list; where one like it is open already, nothing happens."""
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    row = insert(Task).values(step=step, subject=subject, due=due)
    session.execute(row.on_conflict_do_nothing())


def is_open(session: Session, step: str, subject: int) -> bool:
    """Whether there is such a task that is not settled."""
    open_ = Task.state.in_((TaskState.READY, TaskState.RUNNING))
    return bool(session.scalar(select(exists().where(Task.step == step, Task.subject == subject, open_))))


def postpone(session: Session, step: str, subject: int, due: float) -> None:
    """Moves the due time of a task that nobody has begun."""
    waiting = update(Task).where(Task.step == step, Task.subject == subject, Task.state == TaskState.READY)
    session.execute(waiting.values(due=due, hinted=0.0))


def drop(session: Session, step: str, subject: int) -> None:
    """Takes a task off the list again, unless somebody has begun it."""
    mine = update(Task).where(Task.step == step, Task.subject == subject, Task.state == TaskState.READY)
    session.execute(mine.values(state=TaskState.DONE))


def claim(database: Database, task: int) -> Claim | None:
    """Takes a task that is due, or whose worker is gone; None if the hint was late, doubled or wrong."""
    now, token = time.time(), uuid.uuid4().hex
    free = or_(
        (Task.state == TaskState.READY) & (Task.due <= now), (Task.state == TaskState.RUNNING) & (Task.lease < now)
    )
    wanted = update(Task).where(Task.id == task, free)
    taken = {"state": TaskState.RUNNING, "token": token, "lease": now + LEASE, "attempts": Task.attempts + 1}
    with database.write() as session:
        row = session.execute(wanted.values(taken).returning(Task.step, Task.subject, Task.attempts)).one_or_none()
    fault("after_claim")
    return None if row is None else Claim(task, row.step, row.subject, row.attempts, token, database)


def take(database: Database, *, but: Select[int] | None = None) -> Claim | None:
    """Claims the oldest task that is due, whether a hint for it is on its way or not; None where there is none."""
    with database.read() as session:
        wanted = select(Task.id).where(_ready(time.time(), but)).order_by(Task.due, Task.id)
        oldest = session.scalars(wanted.limit(8)).all()  # somebody else may be taking the first at this moment
    return next((found for task in oldest if (found := claim(database, task))), None)


def due(database: Database, limit: int, *, but: Select[int] | None = None, queue_is_empty: bool = False) -> list[int]:
    """The tasks to send hints for now, oldest first; marks them as hinted. `but` are renders that have no place yet.

    A hint sent before counts as lost when the queue is empty and it is a few seconds old, or after a minute. That
    of a task whose worker is gone was used up by its claim.
    """
    now = time.time()
    stale = now - (5 if queue_is_empty else REHINT)
    ready = _ready(now, but) & (Task.hinted < stale)
    used = or_(Task.hinted < stale, Task.hinted < Task.lease)
    abandoned = (Task.state == TaskState.RUNNING) & (Task.lease < now) & used
    wanted = select(Task.id).where(or_(ready, abandoned)).order_by(Task.due, Task.id).limit(limit)
    with database.read() as session:
        found = list(session.scalars(wanted))
    if found:
        _mark(database, found, now)
    return found


def _ready(now: float, but: Select[int] | None) -> ColumnElement[bool]:
    ready = (Task.state == TaskState.READY) & (Task.due <= now)
    return ready if but is None else ready & or_(Task.step != "render", Task.subject.not_in(but))


def _mark(database: Database, found: Sequence[int], now: float) -> None:
    with database.write() as session:
        session.execute(update(Task).where(Task.id.in_(found)).values(hinted=now))


def backoff(attempts: int, *, first: float = 2.0, most: float = 900.0) -> float:
    """Seconds to wait after so many attempts: doubling, never above `most`, spread by a quarter either way."""
    return min(first * 2.0 ** (attempts - 1), most) * random.uniform(0.75, 1.25)  # noqa: S311 - no secret
