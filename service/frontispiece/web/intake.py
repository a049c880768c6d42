"""Deliveries stored in groups: many requests, one transaction, one fsync.

Each request hands over its row and waits; whatever waits is written in one transaction by a thread, while the event
loop takes in what comes next. An answer therefore never comes before the commit, and the ORM stays off this one path.
"""

import asyncio
import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import OperationalError, SQLAlchemyError

from frontispiece.database import Database
from frontispiece.errors import Problem

if TYPE_CHECKING:
    from sqlalchemy import PoolProxiedConnection

log = logging.getLogger("frontispiece")

MOST = 64  # deliveries in one transaction
WAITING = 512  # deliveries that may wait for theirs; with more than that we are too slow and say so
PAUSE = 0.05  # seconds between two rounds of hints, so that a burst shares them

KEEP = "INSERT INTO deliveries (site, key, received, headers, body, outcome, words) VALUES "
ONCE = " ON CONFLICT DO NOTHING RETURNING id, site, key"
PLAN = "INSERT INTO tasks (step, subject, state, due, hinted, attempts, token, lease, error) VALUES "
NEW_TASK = "('plan', {0}, 'ready', {0}, 0, 0, '', 0, '')"


class NotStored(Problem):
    """The delivery is not in the database; its sender should send it again."""

    retry = True


@dataclass(frozen=True, slots=True)
class Arrival:
    """A delivery on its way into the database."""

    site: str
    key: str
    received: float
    headers: str
    body: bytes
    outcome: str  # "received" is planned; anything else only kept
    words: str = ""

    @property
    def row(self) -> tuple[str, str, float, str, bytes, str, str]:
        """The values for `KEEP`."""
        return self.site, self.key, self.received, self.headers, self.body, self.outcome, self.words


class Intake:
    """The group-committing writer; `after` is called after commits that brought work, in a thread of its own."""

    def __init__(
        self, database: Database, after: Callable[[], object], *, seconds: float = 10, waiting: int = WAITING
    ) -> None:
        self._seconds = seconds  # that a delivery waits at most
        self._most_waiting = waiting
        self._database = database
        self._after = after
        self._mark = "?" if database.is_sqlite else "%s"
        driver: Any = database.engine.dialect.loaded_dbapi
        self._away = (OperationalError, driver.OperationalError, OSError)
        self._failures = (SQLAlchemyError, driver.Error, OSError, ValueError)  # ValueError: text that has no encoding
        self._connection: PoolProxiedConnection | None = None  # the writer's
        self._waiting: list[tuple[Arrival, asyncio.Future[bool]]] = []
        self._committing: asyncio.Task[None] | None = None
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="intake")
        self._work, self._closing = threading.Event(), threading.Event()
        self._hints = threading.Thread(target=self._hint_until_closed, name="hints", daemon=True)
        self._hints.start()

    async def store(self, arrival: Arrival) -> bool:
        """Waits until the delivery is on disk; false if it was there before. Raises `NotStored`."""
        if len(self._waiting) >= self._most_waiting:
            raise NotStored("too many deliveries are waiting to be stored")
        loop = asyncio.get_running_loop()
        new: asyncio.Future[bool] = loop.create_future()
        self._waiting.append((arrival, new))
        if not self._committing or self._committing.done():
            self._committing = loop.create_task(self._commit_waiting())
        late = loop.call_later(self._seconds, _tell, new, NotStored("the database takes too long"))
        try:
            return await new
        finally:
            late.cancel()

    async def close(self) -> None:
        """Stores what is waiting, and ends both threads."""
        if self._closing.is_set():
            return
        if self._committing:
            await self._committing
        self._closing.set()
        self._work.set()
        await asyncio.to_thread(self._hints.join)
        self._writer.submit(self._hang_up)
        self._writer.shutdown()

    async def _commit_waiting(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            await self._gather()
            # what was answered "send it again" meanwhile need not be stored
            group = [(arrival, new) for arrival, new in self._waiting[:MOST] if not new.done()]
            del self._waiting[:MOST]
            if not group:
                continue
            outcomes = await loop.run_in_executor(self._writer, self._commit, [arrival for arrival, _ in group])
            for (_, new), outcome in zip(group, outcomes, strict=True):
                _tell(new, outcome)

    async def _gather(self) -> None:
        """Waits for as long as each turn of the event loop brings more, since a transaction costs more than a row."""
        before = 0
        while before < len(self._waiting) < MOST:
            before = len(self._waiting)
            await asyncio.sleep(0)

    def _commit(self, group: Sequence[Arrival]) -> "list[bool | NotStored]":
        """For each whether it is new, or why it is not stored."""
        try:
            stored = self._write_afresh(group)
        except self._failures as problem:
            if len(group) > 1 and not isinstance(problem, self._away):
                # a row that the database cannot hold must not take its neighbours down
                return [outcome for one in group for outcome in self._commit([one])]
            words = str(getattr(problem, "orig", problem))  # without the statement, which holds the deliveries
            log.warning("%d deliveries could not be stored: %s", len(group), words)
            return [NotStored(words)] * len(group)
        self._work.set()
        return [stored.pop((one.site, one.key), None) is not None for one in group]

    def _write_afresh(self, group: Sequence[Arrival]) -> dict[tuple[str, str], int]:
        """`_write`, and once more where the connection that was kept has died meanwhile: the database was restarted."""
        kept = self._connection is not None
        try:
            return self._write(group)
        except self._away:
            if not kept:
                raise
        return self._write(group)

    def _write(self, group: Sequence[Arrival]) -> dict[tuple[str, str], int]:
        """Site and key of each delivery that was not there before, with the number of its row.

        Two statements whatever the size of the group, straight to the driver: SQLAlchemy's own bulk insert took twice
        as long, and a statement for each row waits for Python's interpreter lock as often.
        """
        first: dict[tuple[str, str], Arrival] = {}
        for one in group:
            first.setdefault((one.site, one.key), one)
        mark = self._mark
        with self._transaction() as cursor:
            keep = _values(KEEP, f"({', '.join([mark] * 7)})", len(first), ONCE)
            cursor.execute(keep, [value for one in first.values() for value in one.row])
            stored = {(site, key): number for number, site, key in cursor.fetchall()}
            plans = [first[at] for at in stored if first[at].outcome == "received"]
            if plans:
                values = [value for one in plans for value in (stored[one.site, one.key], one.received)]
                cursor.execute(_values(PLAN, NEW_TASK.format(mark), len(plans)), values)
        return stored

    @contextmanager
    def _transaction(self) -> Iterator[Any]:
        """One transaction of the writer's own connection, which is kept: a pool took a tenth of a group's time."""
        with self._database.locked():
            connection = self._connection = self._connection or self._database.engine.raw_connection()
            try:
                cursor = connection.cursor()
                if self._database.is_sqlite:
                    cursor.execute("BEGIN IMMEDIATE")
                yield cursor
                connection.commit()
            except self._failures:
                self._hang_up()
                raise

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()  # which rolls back what was not committed
            self._connection = None

    def _hint_until_closed(self) -> None:
        while self._work.wait() and not self._closing.is_set():
            self._work.clear()
            try:
                self._after()
            except SQLAlchemyError:
                log.exception("no hints could be sent; the sweep will")
            self._closing.wait(PAUSE)


@cache
def _values(start: str, row: str, times: int, end: str = "") -> str:
    return start + ", ".join([row] * times) + end


def _tell(new: "asyncio.Future[bool]", outcome: "bool | NotStored") -> None:
    if new.done():  # told already that it took too long, or nobody waits any more
        return
    if isinstance(outcome, NotStored):
        new.set_exception(outcome)
    else:
        new.set_result(outcome)
