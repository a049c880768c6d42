"""Ten seconds in which processes are killed at random, and what must be true when all has settled again.

Workers, their horses, the watcher and the embedded Valkey are processes of their own; deliveries come over HTTP, each
of them twice and out of order. A kill of anything takes the leases with it, also those of workers that still live.
"""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from servers.bfl import BflServer
from servers.bfl import Task as BflTask
from servers.database import free_port
from sqlalchemy import select, update
from world import SECRET, Paper, World, end, until, written

from frontispiece import migrate, valkey
from frontispiece.config import load
from frontispiece.house import House
from frontispiece.models import Delivery, Entry, Illustration, Render, RenderState, State, Task, TaskState
from frontispiece.signatures import sign_standard_webhooks

SEED = 20261121
ARTICLES = 15
SECONDS = 10.0  # of chaos
LEAST_HIT = 3  # kills in the middle of a step
PATIENCE = 60.0  # seconds until all must have settled
ANSWERS = {200, 202}
VICTIMS = ["web", "worker 1", "worker 2", "watcher", "valkey", *["horse"] * 3]
COMMANDS = {"web": "web", "watcher": "watch", "worker 1": "worker", "worker 2": "worker"}
OURS = [sys.executable, "-m", "frontispiece"]
Process = subprocess.Popen[bytes]


class SlowBfl(BflServer):
    """Takes its time between the charge and the answer, so that kills fall into it."""

    def accepted(self, task: BflTask) -> dict[str, Any]:
        time.sleep(0.3)
        return super().accepted(task)


@dataclass
class Chaos:
    """The world, its processes, and the chance that ends them."""

    world: World
    bfl: BflServer
    chance: random.Random = field(default_factory=lambda: random.Random(SEED))
    running: dict[str, Process] = field(default_factory=dict)
    next: list[str] = field(default_factory=list)
    killed: list[str] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)

    def start(self, name: str) -> None:
        if name == "valkey":
            server = valkey.start(self.world.house.settings.data)
            assert server is not None
            self.running[name] = server
            return
        environment = {**os.environ, "FRONTISPIECE_CONFIG": str(self.world.config)}
        command = [*OURS, COMMANDS[name]]
        with (self.world.config.parent / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(command, env=environment, process_group=0, stdout=log, stderr=log)

    def kill(self) -> None:
        """Ends one process at random, lets all leases run out, and starts it again."""
        if not self.next:
            self.next = self.chance.sample(VICTIMS, len(VICTIMS))
        name = self.next.pop()
        self.killed.append(name)
        if name == "horse":
            self.kill_horses()
        else:
            end(self.running[name])
            self.start(name)
        self.let_leases_run_out()

    def let_leases_run_out(self) -> None:
        with self.world.house.database.write() as session:
            session.execute(update(Task).where(Task.state == TaskState.RUNNING).values(lease=time.time()))

    def kill_horses(self) -> None:
        """Waits a moment for one to be at work."""
        give_up = time.monotonic() + 1
        while time.monotonic() < give_up:
            found = horses(self.running["worker 1"].pid) + horses(self.running["worker 2"].pid)
            if found and self.is_at_work():
                time.sleep(self.chance.uniform(0, 0.2))  # wherever it has come to by then
                return _kill(found)
            time.sleep(0.01)
        return None

    def is_at_work(self) -> bool:
        """Whether somebody has claimed a step; a process that was just born has not."""
        with self.world.house.database.read() as session:
            return session.scalar(select(Task.id).where(Task.state == TaskState.RUNNING).limit(1)) is not None

    def hurt(self) -> bool:
        """Whether each process was killed, and enough of them in the middle of a step; slow machines take longer."""
        return set(VICTIMS) == set(self.killed) and len(self.again()) >= LEAST_HIT

    def again(self) -> Sequence[str]:
        """The steps that had to be begun anew."""
        with self.world.house.database.read() as session:
            return session.scalars(select(Task.step).where(Task.attempts > 1)).all()

    def settled(self) -> bool:
        with self.world.house.database.read() as session:
            tasks = select(Task.id).where(Task.state.in_((TaskState.READY, TaskState.RUNNING)))
            tickets = select(Render.id).where(Render.state == RenderState.OPEN)
            return session.scalar(tasks.limit(1)) is None and session.scalar(tickets.limit(1)) is None

    def renders(self) -> Sequence[Render]:
        with self.world.house.database.read() as session:
            return session.scalars(select(Render)).all()

    def illustrations(self) -> Sequence[Illustration]:
        with self.world.house.database.read() as session:
            return session.scalars(select(Illustration)).all()


def horses(worker: int) -> list[int]:
    """The children of a process; none where the system has no /proc."""
    with suppress(OSError):
        return [int(word) for word in Path(f"/proc/{worker}/task/{worker}/children").read_text("ascii").split()]
    return []


def _kill(numbers: list[int]) -> None:
    for number in numbers:
        with suppress(ProcessLookupError):
            os.kill(number, signal.SIGKILL)


def serve(stack: ExitStack, server: object) -> None:
    """Runs a Werkzeug server in a thread until the stack unwinds."""
    thread = threading.Thread(target=server.serve_forever, daemon=True)  # type: ignore[attr-defined]
    thread.start()
    stack.callback(thread.join)
    stack.callback(server.shutdown)  # type: ignore[attr-defined]


def deliveries(chaos: Chaos) -> list[tuple[str, int]]:
    """Two different messages for each article, each of them twice, shuffled."""
    numbers = [chaos.world.publish(f"Story {number}") for number in range(ARTICLES)]
    both = [(f"msg_{number}_{time_}", number) for number in numbers for time_ in range(2) for _ in "ab"]
    chaos.chance.shuffle(both)
    return both


def send(url: str, sent_id: str, article: int) -> int:
    body = json.dumps(
        {"type": "entry.published", "timestamp": "2026-11-21T10:00:00Z", "data": {"id": str(article)}}
    ).encode()
    headers = sign_standard_webhooks(SECRET, sent_id, int(time.time()), body)
    give_up = time.monotonic() + PATIENCE
    while True:  # as a CMS sends again what was not answered
        try:
            return httpx.post(f"{url}/hooks/gazette", content=body, headers=headers, timeout=60).status_code
        except httpx.TransportError:
            assert time.monotonic() < give_up
            time.sleep(0.1)


def rampage(chaos: Chaos, url: str) -> None:
    """Sends everything and kills whatever comes to hand meanwhile."""
    with ThreadPoolExecutor(4) as pool:
        answers = [pool.submit(send, url, *one) for one in deliveries(chaos)]
        until(lambda: chaos.bfl.submits > 0, "the first submit")
        begun = time.monotonic()
        while time.monotonic() < begun + (SECONDS if chaos.hurt() or chaos.settled() else 3 * SECONDS):
            time.sleep(chaos.chance.uniform(0.5, 1.5))
            chaos.kill()
        chaos.answers = [answer.result() for answer in answers]


def settle(chaos: Chaos) -> None:
    """Nothing is killed any more: everything comes to its end, or the tests say what did not."""
    give_up = time.monotonic() + PATIENCE
    while time.monotonic() < give_up and not chaos.settled():
        time.sleep(0.25)


@pytest.fixture(name="chaos", scope="module")
def _chaos(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chaos]:
    folder = tmp_path_factory.mktemp("c")
    with ExitStack() as stack:
        bfl = stack.enter_context(SlowBfl(seconds=0.2))
        paper = Paper(folder / "newspaper")
        serve(stack, paper.server)
        keys = f'[generators.bfl]\napi_key = "{bfl.key}"\nbase_url = "{bfl.url}"\n'
        port = free_port()
        small = f"[slots.hero]\nwidth = 320\nheight = 180\n[server]\nport = {port}"
        config = written(folder, paper.url, 'models = ["flux-2-pro"]\nreview = "never"', keys + small)
        settings = load(config)
        migrate.upgrade(settings)
        chaos = Chaos(World(House(settings), paper, config), bfl)
        stack.callback(chaos.world.house.close)
        for name in ("valkey", "web", "worker 1", "worker 2", "watcher"):
            chaos.start(name)
        stack.callback(lambda: end(*chaos.running.values()))
        rampage(chaos, f"http://127.0.0.1:{port}")
        settle(chaos)
        yield chaos


def test_each_process_was_killed(chaos: Chaos) -> None:
    assert set(VICTIMS) == set(chaos.killed)


def test_kills_fell_into_the_middle_of_steps(chaos: Chaos) -> None:
    assert len(chaos.again()) >= LEAST_HIT


def test_everything_settles(chaos: Chaos) -> None:
    with chaos.world.house.database.read() as session:
        open_ = select(Task).where(Task.state.in_((TaskState.READY, TaskState.RUNNING)))
        unfinished = session.scalars(open_.where(Task.step != "look")).all()  # there is always a next look

    assert [(task.step, task.subject, task.state, task.error) for task in unfinished] == []


def test_no_step_was_given_up_but_submits_of_unknown_outcome(chaos: Chaos) -> None:
    with chaos.world.house.database.read() as session:
        dead = session.scalars(select(Task).where(Task.state == TaskState.DEAD)).all()

    assert [(task.step, task.error) for task in dead if "may have been charged" not in task.error] == []


def test_every_delivery_was_accepted_and_has_an_outcome(chaos: Chaos) -> None:
    with chaos.world.house.database.read() as session:
        outcomes = session.scalars(select(Delivery.outcome)).all()

    assert (set(chaos.answers) <= ANSWERS, len(outcomes)) == (True, 2 * ARTICLES)
    assert {"queued", "coalesced"} >= set(outcomes)


def test_every_article_has_exactly_one_illustration(chaos: Chaos) -> None:
    with chaos.world.house.database.read() as session:
        refs = session.scalars(select(Entry.ref).join(Illustration)).all()

    assert sorted(map(int, refs)) == list(range(1, ARTICLES + 1))


def test_each_illustration_is_published_or_says_that_it_may_have_been_charged(chaos: Chaos) -> None:
    others = [one for one in chaos.illustrations() if one.state != State.PUBLISHED]

    assert [one for one in others if one.state != State.HELD or "may have been charged" not in one.reason] == []


def test_many_illustrations_are_published_all_the_same(chaos: Chaos) -> None:
    assert sum(one.state == State.PUBLISHED for one in chaos.illustrations()) > ARTICLES / 4


def test_no_illustration_was_rendered_twice(chaos: Chaos) -> None:
    assert len({render.illustration_id for render in chaos.renders()}) == len(chaos.renders()) == ARTICLES


def test_no_render_was_submitted_twice(chaos: Chaos) -> None:
    seeds = [task.seed for task in chaos.bfl.tasks.values()]

    assert len(set(seeds)) == len(seeds) == chaos.bfl.submits


def test_every_paid_call_belongs_to_a_ticket_or_to_a_submit_of_unknown_outcome(chaos: Chaos) -> None:
    seeds = {task.seed for task in chaos.bfl.tasks.values()}
    tickets = {render.seed for render in chaos.renders() if render.ticket}
    unknown = {render.seed for render in chaos.renders() if render.state == RenderState.UNKNOWN}

    assert tickets <= seeds <= tickets | unknown


def test_the_newspaper_has_exactly_one_picture_for_each_published_article(chaos: Chaos) -> None:
    with chaos.world.house.database.read() as session:
        wanted = select(Entry.ref).join(Illustration).where(Illustration.state == State.PUBLISHED)
        published = {int(ref) for ref in session.scalars(wanted)}
    shown = {article.id for article in chaos.world.archive.articles() if article.picture}

    assert (shown, chaos.world.pictures()) == (published, len(published))
