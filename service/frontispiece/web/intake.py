"""Deliveries stored in groups: many requests, one transaction, one fsync.

Each request hands over its row and waits; one thread takes whatever is waiting, writes it all in one transaction
and wakes them. The answer therefore never comes before the commit, and the ORM stays off this one path.
"""

import logging
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sqlalchemy.exc import OperationalError, SQLAlchemyError

from frontispiece.database import Database
from frontispiece.errors import Problem

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
    """A delivery on its way into the database; `new` becomes true for the first of its key, false for a resend."""

    site: str
    key: str
    received: float
    headers: str
    body: bytes
    outcome: str  # "received" is planned; anything else only kept
    words: str = ""
    new: "Future[bool]" = field(default_factory=Future)

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
        self._arrivals: queue.SimpleQueue[Arrival | None] = queue.SimpleQueue()
        self._work, self._closing = threading.Event(), threading.Event()
        targets = (self._commit_until_closed, self._hint_until_closed)
        self._threads = [threading.Thread(target=target, name=target.__name__, daemon=True) for target in targets]
        for thread in self._threads:
            thread.start()

    def store(self, arrival: Arrival) -> bool:
        """Waits until the delivery is on disk; false if it was there before. Raises `NotStored`."""
        if self._arrivals.qsize() >= self._most_waiting:
            raise NotStored("too many deliveries are waiting to be stored")
        self._arrivals.put(arrival)
        try:
            return arrival.new.result(self._seconds)
        except TimeoutError:
            arrival.new.cancel()  # what is answered "send it again" need not be stored
            raise NotStored("the database takes too long") from None

    def close(self) -> None:
        """Stores what is waiting, and ends both threads."""
        self._closing.set()
        self._arrivals.put(None)
        self._work.set()
        for thread in self._threads:
            thread.join()

    def _commit_until_closed(self) -> None:
        while (first := self._arrivals.get()) is not None:
            group = [first]
            while len(group) < MOST and not self._arrivals.empty():
                if (another := self._arrivals.get()) is None:
                    self._arrivals.put(None)
                    break
                group.append(another)
            self._commit([one for one in group if one.new.set_running_or_notify_cancel()])

    def _commit(self, group: Sequence[Arrival]) -> None:
        try:
            stored = self._write(group)
        except self._failures as problem:
            if len(group) == 1 or isinstance(problem, self._away):
                self._refuse(group, problem)
                return
            for one in group:  # a row that the database cannot hold must not take its neighbours down
                self._commit([one])
            return
        for one in group:
            one.new.set_result(stored.pop((one.site, one.key), None) is not None)
        self._work.set()

    def _refuse(self, group: Sequence[Arrival], problem: Exception) -> None:
        words = str(getattr(problem, "orig", problem))  # without the statement, which holds the deliveries themselves
        log.warning("%d deliveries could not be stored: %s", len(group), words)
        for one in group:
            one.new.set_exception(NotStored(words))

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
        with self._database.locked(), closing(self._database.engine.raw_connection()) as connection:
            cursor = connection.cursor()
            if self._database.is_sqlite:
                cursor.execute("BEGIN IMMEDIATE")
            yield cursor
            connection.commit()  # without it the pool rolls back what it gets back

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
