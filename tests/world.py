"""A house with a real database and a real CMS beside it: The Gazette, reached over HTTP as any other."""

import base64
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from servers.bfl import BflServer
from sqlalchemy import select, update
from werkzeug.serving import make_server

from frontispiece import flow, jobs, migrate, tasks
from frontispiece.config import load
from frontispiece.demo.archive import Archive
from frontispiece.demo.newsroom import Gazette
from frontispiece.house import House
from frontispiece.models import Delivery as DeliveryRow
from frontispiece.models import Illustration, Render, RenderState, State, Task, TaskState
from frontispiece.signatures import sign_standard_webhooks

Start = Callable[..., "subprocess.Popen[bytes]"]
Build = Callable[..., "World"]
SECRET = "whsec_" + base64.b64encode(b"a secret for tests, 32 bytes long").decode()


class Paper:
    """The newspaper's server; `away` lets it answer 503, `locked` 401; `go_on` unset lets callers wait."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.archive = Archive(folder)
        self.away = self.locked = False
        self.asked, self.go_on = threading.Event(), threading.Event()
        self.go_on.set()
        app = Gazette(self.archive, None, "for-tests").app
        app.before_request(self._mood)
        self.server = make_server("127.0.0.1", 0, app, threaded=True)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def _mood(self) -> tuple[str, int] | None:
        self.asked.set()
        self.go_on.wait(60)
        if self.locked:
            return "who are you?\n", 401
        return ("away\n", 503) if self.away else None


@dataclass
class World:
    """A house, its newspaper, and short words for what tests do with them."""

    house: House
    paper: "Paper"
    config: Path
    sent: int = 0

    @property
    def archive(self) -> Archive:
        """What the newspaper keeps."""
        return self.paper.archive

    def publish(self, title: str = "The Lighthouse Is Lit Again", **texts: Any) -> int:
        """Writes an article at the newspaper; no delivery is sent by itself."""
        given = {"title": title, "standfirst": "A light turns.", "body": "On Thursday.", "section": "City"}
        return self.archive.write(**({"tags": ["harbour"], "status": "published"} | given | texts))

    def deliver(self, article: int, kind: str = "entry.published", sent_id: str = "") -> int:
        """Stores a signed delivery as the web side does; the id of its row."""
        self.sent += 1
        body = json.dumps({"type": kind, "timestamp": "2026-11-21T10:00:00Z", "data": {"id": str(article)}}).encode()
        headers = sign_standard_webhooks(SECRET, sent_id or f"msg_{self.sent}", 1, body)
        with self.house.database.write() as session:
            row = DeliveryRow(site="gazette", key=headers["webhook-id"], received=1.0, body=body)
            row.headers = json.dumps(list(headers.items()))
            session.add(row)
            session.flush()
            tasks.add(session, "plan", row.id)
            return row.id

    def run(self, *, until: str = "", limit: int = 200) -> None:
        """Does what is due, one task after the other, as a worker would, up to the first task of step `until`."""
        for _ in range(limit):
            ready = self._ready()
            if ready is None or ready.step == until:
                return
            if claim := tasks.claim(self.house.database, ready.id):
                jobs.perform(self.house, claim)
        raise AssertionError(f"still busy after {limit} steps")

    def follow(self) -> None:
        """Asks for every open ticket until it is settled, as the watcher does."""
        with self.house.database.read() as session:
            tickets = list(session.scalars(select(Render.id).where(Render.state == RenderState.OPEN)))
        for number in tickets:
            for _ in range(10):
                if flow.follow(self.house, number) is None:
                    break

    def draw(self) -> None:
        """Everything from what is due to pictures that wait for an editor."""
        self.run()
        self.follow()
        self.run()

    def die(self, fault: str) -> None:
        """Does the next task in a process that is killed at a fault point; its lease is over when this returns."""
        task = self._ready()
        assert task is not None
        command = [sys.executable, "-c", f"from frontispiece import jobs; jobs.run({task.id})"]
        environment = {**os.environ, "FRONTISPIECE_CONFIG": str(self.config), "FRONTISPIECE_FAULT": fault}
        assert subprocess.run(command, env=environment, check=False, timeout=60).returncode == -signal.SIGKILL
        with self.house.database.write() as session:
            session.execute(update(Task).where(Task.state == TaskState.RUNNING).values(lease=1.0))

    def make_late(self) -> None:
        """Every render was submitted long ago."""
        with self.house.database.write() as session:
            session.execute(update(Render).values(submitted=1.0))

    def make_due(self) -> None:
        """Lets all waiting times pass at once."""
        with self.house.database.write() as session:
            session.execute(update(Task).where(Task.state == TaskState.READY).values(due=0.0, error=""))

    def _ready(self) -> Task | None:
        with self.house.database.read() as session:
            open_ = Task.state.in_((TaskState.READY, TaskState.RUNNING))
            due = (Task.error == "") & (Task.due < time.time()) & (Task.lease < time.time())
            return session.scalar(select(Task).where(open_, due).order_by(Task.id))

    def hang_up(self) -> None:
        """The newspaper answers nothing but 503 from now on."""
        self.paper.away = True

    def hang_in_fetch(self) -> None:
        """The newspaper takes calls and does not answer."""
        self.paper.go_on.clear()

    def pick_up(self) -> None:
        """The newspaper is back."""
        self.paper.away = False
        self.paper.go_on.set()

    def count(self) -> int:
        """How many illustrations there are."""
        with self.house.database.read() as session:
            return len(session.scalars(select(Illustration)).all())

    def pictures(self) -> int:
        """How many pictures the newspaper has."""
        return len(list(self.paper.folder.glob("pictures/*")))

    def one(self, number: int = 1) -> Illustration:
        """An illustration as it is now."""
        with self.house.database.read() as session:
            return session.get_one(Illustration, number)

    def state(self, number: int = 1) -> State:
        """The state of an illustration."""
        return self.one(number).state

    def outcome(self, delivery: int) -> tuple[str, str]:
        """What came of a delivery."""
        with self.house.database.read() as session:
            row = session.get_one(DeliveryRow, delivery)
            return row.outcome, row.words


def written(folder: Path, url: str, rule: str = 'models = ["sketch"]', rest: str = "") -> Path:
    """A configuration of one site and one rule; `rule` and `rest` are lines of TOML."""
    path = folder / "frontispiece.toml"
    path.write_text(
        f"""
        data = "{folder / "data"}"
        [sites.gazette]
        plugin = "generic"
        url = "{url}"
        webhook_secret = "{SECRET}"
        api_token = "for-tests"
        [[rules]]
        name = "articles"
        site = "gazette"
        delay = 0
        {rule}
        {rest}
        """,
        "utf8",
    )
    return path


@pytest.fixture(name="newspaper")
def _newspaper(tmp_path: Path) -> Iterator[Paper]:
    paper = Paper(tmp_path / "newspaper")
    thread = threading.Thread(target=paper.server.serve_forever, daemon=True)
    thread.start()
    yield paper
    paper.server.shutdown()
    thread.join()
    paper.server.server_close()


@pytest.fixture(name="build")
def _build(tmp_path: Path, newspaper: Paper) -> Iterator[Callable[..., World]]:
    made: list[World] = []

    def build(**lines: str) -> World:
        config = written(tmp_path, newspaper.url, **lines)
        settings = load(config)
        migrate.upgrade(settings)
        made.append(World(House(settings), newspaper, config))
        return made[-1]

    yield build
    for world in made:
        world.house.close()


@pytest.fixture(name="world")
def _world(build: Callable[..., World]) -> World:
    return build()


@pytest.fixture(name="bfl")
def _bfl() -> Iterator[BflServer]:
    with BflServer() as server:
        yield server


@pytest.fixture(name="hosted")
def _hosted(build: Callable[..., World], bfl: BflServer) -> World:
    """A world whose pictures come from Black Forest Labs' stand-in."""
    keys = f'[generators.bfl]\napi_key = "{bfl.key}"\nbase_url = "{bfl.url}"'
    return build(rule='models = ["flux-2-pro"]', rest=keys)


def until(true: Callable[[], bool], what: str) -> None:
    give_up = time.monotonic() + 60
    while not true():
        assert time.monotonic() < give_up, f"waited in vain for: {what}"
        time.sleep(0.05)


def end(*processes: "subprocess.Popen[bytes]") -> None:
    for one in processes:
        if one.poll() is None:
            os.killpg(one.pid, signal.SIGKILL)
        one.wait()


@pytest.fixture(name="start")
def _start() -> Iterator[Start]:
    """Starts one of the service's own processes; all are killed in the end."""
    running: list[subprocess.Popen[bytes]] = []

    def start(world: World, *command: str) -> "subprocess.Popen[bytes]":
        environment = {**os.environ, "FRONTISPIECE_CONFIG": str(world.config)}
        words = [sys.executable, "-m", "frontispiece", *command]
        running.append(subprocess.Popen(words, env=environment, process_group=0))
        return running[-1]

    yield start
    end(*running)
