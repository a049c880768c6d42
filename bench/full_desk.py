"""`make bench-desk`: how long the desk takes with 10,000 waiting illustrations and 50,000 decided, on both databases.

With `--browser` also from the key A to the next picture on the screen of a Chromium. README.md says how to read it.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import event, select

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "tests"))

import filled  # noqa: E402 - a script beside this one
import watching  # noqa: E402 - likewise
from desk.furnish import Browser, Web, app  # noqa: E402 - the tests furnish desks as well
from servers.database import postgres  # noqa: E402 - a PostgreSQL of its own

from frontispiece.app import leave_alone  # noqa: E402
from frontispiece.house import House  # noqa: E402
from frontispiece.models import Illustration, State  # noqa: E402

LIMIT = 0.1  # seconds of server time at the 95th percentile, the target
PAGES = {
    "queue": "/desk",
    "queue, page 2": "",
    "refresh": "/desk?part=live",
    "refresh, 240 tiles": "/desk?part=live&rows=240",
    "more tiles": "/desk?part=tiles",
    "by site": "/desk?site=shop",
    "by section": "/desk?section=Sea",
    "by kind": "/desk?kind=product",
    "by rule": "/desk?rule=museum-1",
    "by age": "/desk?age=older:2d",
    "by assignee": "/desk?assignee=me",
    "by nobody": "/desk?assignee=nobody",
    "by reason": "/desk?tab=attention&reason=credit",
    "by chip": "/desk?tab=closed&chip=text",
    "oldest first": "/desk?sort=oldest",
    "search, frequent": "/desk?q=lamp",
    "search, none": "/desk?q=nothing+has+this",
    "several filters": "/desk?site=shop&section=Sea&assignee=nobody&q=br%C3%BCcke",
    "published": "/desk?tab=published",
    "published, search": "/desk?tab=published&q=orchestra&site=museum",
    "set aside": "/desk?tab=closed&section=Film",
    "one illustration": "",
    "one, filtered": "",
}
VIEWS = ("site=shop", "site=gazette&section=City", "assignee=me", "q=lamp", "age=older%3A1d", "tab=attention")


@dataclass(frozen=True)
class Figure:
    """The times of one kind of request in seconds, how many queries each took, and the bytes of the last answer."""

    name: str
    times: list[float]
    queries: int
    size: int

    @property
    def middle(self) -> float:
        """The median."""
        return statistics.median(self.times)

    @property
    def late(self) -> float:
        """The 95th percentile."""
        return statistics.quantiles(self.times, n=20)[-1]


class Desk(Web):
    """The faces over a filled house."""

    def __init__(self, house: House) -> None:
        """Without the empty house that tests begin with."""
        self.house, self.app = house, app(house)
        self.queries = 0
        event.listen(house.database.engine, "before_cursor_execute", self._count)

    def _count(self, *_: object) -> None:
        self.queries += 1


def main() -> None:
    """Measures, prints a table for each database, and says which figures miss the target."""
    asked = _asked()
    late = []
    for name, made in (("SQLite", _on_sqlite), ("PostgreSQL", postgres)):
        if asked.only not in ("", name.lower()):
            continue
        with made() as url, _desk(asked, url) as desk:
            figures = [*_pages(desk, asked.rounds), *_acts(desk, asked.rounds)]
            _print(name, figures)
            late += [f"{name}, {figure.name}" for figure in figures if figure.late > LIMIT]
            if asked.browser and name == "SQLite":
                late += watching.watch(desk)
    print("\nover 100 ms: " + ("; ".join(late) or "none"))
    sys.exit(bool(late))


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=60, help="requests of each kind")
    parser.add_argument("--share", type=float, default=1.0, help="of the 60,000 illustrations")
    parser.add_argument("--only", choices=("sqlite", "postgresql"), default="")
    parser.add_argument("--browser", action="store_true", help="also in Chromium, over SQLite")
    parser.add_argument("--folder", help="where databases and pictures lie while it runs")
    return parser.parse_args()


@contextmanager
def _on_sqlite() -> Iterator[str]:
    yield ""


@contextmanager
def _desk(asked: argparse.Namespace, url: str) -> Iterator[Desk]:
    started = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="bench-", dir=asked.folder) as folder:
        house = filled.fill(filled.settings(Path(folder), url), asked.share)
        print(f"filled in {time.perf_counter() - started:.0f} s", file=sys.stderr)
        try:
            desk = Desk(house)
            leave_alone()  # as the service does when it begins
            yield desk
        finally:
            house.database.engine.dispose()


def _pages(desk: Desk, rounds: int) -> Iterator[Figure]:
    browser = desk.browser()
    for number, view in enumerate(VIEWS):
        browser.post(f"/desk/views?{view}", name=f"View {number}")
    waiting = _waiting(desk)
    below = f"after={waiting[23].updated!r}-{waiting[23].id}"
    instead = {"queue, page 2": f"/desk?{below}", "more tiles": f"/desk?part=tiles&{below}"}
    for name, path in PAGES.items():
        if name.startswith("one"):
            query = "?site=shop&q=lamp" if "filtered" in name else ""
            addresses = [f"/desk/{one.id}{query}" for one in waiting]
        else:
            addresses = [instead.get(name, path)] * len(waiting)
        yield _timed(desk, name, rounds, browser, addresses)


def _acts(desk: Desk, rounds: int) -> Iterator[Figure]:
    """A decision at the page of an illustration, and one in the queue."""
    browser, waiting = desk.browser(), _waiting(desk)
    token = browser.form_token()
    alone = [{"token": token, "candidate": one.id, "alt": "A lamp"} for one in waiting]
    yield _timed(desk, "approve", rounds, browser, [f"/desk/{one.id}/approve" for one in waiting], alone)
    waiting.reverse()
    picks = [{"token": token, "act": "reject", "pick": f"{one.id}-{one.id}-{one.updated!r}"} for one in waiting]
    yield _timed(desk, "reject in the queue", rounds, browser, ["/desk/bulk"] * len(waiting), picks)


def _waiting(desk: Desk) -> list[Illustration]:
    wanted = select(Illustration).where(Illustration.state == State.IN_REVIEW)
    with desk.house.database.read() as session:
        return list(session.scalars(wanted.order_by(Illustration.updated.desc()).limit(2_000)))


def _timed(
    desk: Desk,
    name: str,
    rounds: int,
    browser: Browser,
    addresses: list[str],
    forms: list[dict[str, Any]] | None = None,
) -> Figure:
    """The first ten do not count: the pages are compiled then, the database reads what it keeps in memory."""
    times, size = [], 0
    for at in range(rounds + 10):
        desk.queries, before = 0, time.perf_counter()
        if forms is None:
            answer = browser.get(addresses[at])
        else:
            answer = browser.client.post(addresses[at], data=forms[at], buffered=True)
        times.append(time.perf_counter() - before)
        if answer.status_code not in (200, 303):
            raise AssertionError(f"{name}: {answer.status_code} {answer.text[:500]}")
        size = len(answer.data)
    return Figure(name, times[10:], desk.queries, size)


def _print(name: str, figures: list[Figure]) -> None:
    print(f"\n{name:22} {'median':>8} {'p95':>8} {'queries':>8} {'kB':>6}")
    for figure in figures:
        mark = " !" if figure.late > LIMIT else ""
        print(
            f"{figure.name:22} {figure.middle * 1000:6.1f}ms {figure.late * 1000:6.1f}ms "
            f"{figure.queries:8} {figure.size / 1000:6.1f}{mark}"
        )


if __name__ == "__main__":
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])
    main()
