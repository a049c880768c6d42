"""The watcher: one process that sends hints for what is due and asks for every open ticket, many at a time."""

import logging
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

from redis import Redis
from sqlalchemy import select

from frontispiece import alarms, flow, jobs, kept, notices, records, sites
from frontispiece.house import House
from frontispiece.models import Render, RenderState

log = logging.getLogger("frontispiece")

SWEEP = 0.5  # seconds between two looks at what is due
LEAST = 0.03  # seconds from one look to the next, however much there is to look at
TIDY = 3600.0  # seconds between two tidyings
ALARM = 30.0  # seconds between two looks at what people are to be told elsewhere
POLLS = 32  # tickets asked for at the same moment


class Watcher:
    """Sweeps, and follows open tickets; `due` is when to ask for which render again."""

    def __init__(self, house: House, redis: Redis) -> None:
        self.house = house
        self.redis = redis
        self.due: dict[int, float] = {}
        self.asking: set[int] = set()
        self.settled = threading.Event()  # a ticket, so that its place is given to the next at once
        self.tidied = self.alarmed = 0.0

    def watch(self, stop: threading.Event) -> None:
        """Goes on until `stop` is set."""
        sites.look_soon(self.house)
        with ThreadPoolExecutor(POLLS, thread_name_prefix="poll") as pool:
            while not stop.is_set():
                begun = time.monotonic()
                self.sweep(pool)
                self.settled.wait(self._quiet())
                self.settled.clear()
                stop.wait(max(0.0, begun + LEAST - time.monotonic()))

    def sweep(self, pool: ThreadPoolExecutor) -> None:
        """One look at everything: answers that have come, tickets to ask for, tasks to hint at."""
        for number in self._open_tickets():
            if number not in self.asking and self.due.get(number, 0.0) <= time.monotonic():
                self.asking.add(number)
                pool.submit(flow.follow, self.house, number).add_done_callback(partial(self._answered, number))
        jobs.nudge(self.house, self.redis)
        if time.monotonic() > self.tidied + TIDY:
            self.tidied = time.monotonic()
            with self.house.database.write() as session:
                records.tidy(session, self.house.settings.server.keep_days)
                kept.tidy(session)
                notices.tidy(session, self.house.settings.server.keep_days)
        if self.house.settings.notices and time.monotonic() > self.alarmed + ALARM:
            self.alarmed = time.monotonic()
            alarms.look(self.house)

    def _quiet(self) -> float:
        """Seconds until a ticket is to be asked for again, or until what is due is looked at anyway."""
        waiting = [due for number, due in list(self.due.items()) if number not in self.asking]
        soonest = min(waiting, default=float("inf"))
        return min(max(soonest - time.monotonic(), 0.0), SWEEP)

    def _answered(self, number: int, answer: Future[float | None]) -> None:
        if problem := answer.exception():
            log.error("render %d could not be followed", number, exc_info=problem)
        wait = 10.0 if problem else answer.result()
        if wait is None:
            self.due.pop(number, None)
            self.settled.set()
        else:
            self.due[number] = time.monotonic() + wait
        self.asking.discard(number)

    def _open_tickets(self) -> list[int]:
        with self.house.database.read() as session:
            return list(session.scalars(select(Render.id).where(Render.state == RenderState.OPEN)))
