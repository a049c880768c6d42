"""What an adversary found: windows in which something was lost, doubled, paid for again, or waited for without end."""

import gzip
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from servers.bfl import BflServer
from sqlalchemy import select, update
from world import SECRET, World, end, until

from frontispiece import cms, flow, jobs, review, setbacks, states, supervisor, tasks, valkey
from frontispiece.cms import CmsProblem, Unavailable, Unreadable
from frontispiece.config import Settings, load
from frontispiece.errors import GeneratorProblem, Problem
from frontispiece.house import House
from frontispiece.models import Render, State, Task, TaskState
from frontispiece.signatures import sign_standard_webhooks


def renders(world: World) -> list[Render]:
    with world.house.database.read() as session:
        return list(session.scalars(select(Render).order_by(Render.id)))


def only_task(world: World, step: str) -> Task:
    with world.house.database.read() as session:
        return session.scalars(select(Task).where(Task.step == step)).one()


def restart(world: World, old: str, new: str) -> None:
    """A restart with another configuration."""
    world.config.write_text(world.config.read_text("utf8").replace(old, new), "utf8")
    world.house.close()
    world.house = House(load(world.config))


# The configuration changes while pictures are under way


def test_a_picture_whose_rule_is_gone_still_comes_to_an_editor(hosted: World) -> None:
    hosted.deliver(hosted.publish())
    hosted.run()
    hosted.follow()
    restart(hosted, 'name = "articles"', 'name = "stories"')
    hosted.run()

    assert hosted.state() == State.IN_REVIEW


def test_a_render_whose_rule_is_gone_fails_in_words_and_is_not_called_charged(hosted: World, bfl: BflServer) -> None:
    hosted.deliver(hosted.publish())
    hosted.run(until="render")
    restart(hosted, 'name = "articles"', 'name = "stories"')
    hosted.run()

    assert (bfl.submits, hosted.state(), renders(hosted)[0].cost) == (0, State.FAILED, 0)
    assert "the rule 'articles' is not in the configuration any more" in hosted.one().reason


def test_a_ticket_whose_service_is_gone_is_given_up_in_time(hosted: World, bfl: BflServer) -> None:
    hosted.deliver(hosted.publish())
    hosted.run()
    keys = f'[generators.bfl]\napi_key = "{bfl.key}"\nbase_url = "{bfl.url}"'
    restart(hosted, "flux-2-pro", "sketch")
    restart(hosted, keys, "")
    assert flow.follow(hosted.house, 1) == flow.BUSY

    hosted.make_late()
    hosted.follow()
    assert (bfl.submits, hosted.state()) == (1, State.FAILED)
    assert "not in the configuration any more" in hosted.one().reason


# A lease that runs out during the submit


def test_a_ticket_that_comes_when_the_lease_is_over_still_brings_its_picture(hosted: World, bfl: BflServer) -> None:
    hosted.deliver(hosted.publish())
    hosted.run(until="render")
    generator = hosted.house.generator("bfl")

    class Sleepy:
        """The machine slept during the submit: another worker finds it cut off."""

        settings, active, repeatable = generator.settings, generator.active, generator.repeatable

        def submit(self, order: Any) -> Any:
            with hosted.house.database.write() as session:
                session.execute(update(Task).where(Task.step == "render").values(lease=1.0))
            hosted.run()
            hosted.house._generators["bfl"] = generator
            return generator.submit(order)

    hosted.house._generators["bfl"] = Sleepy()  # type: ignore[assignment]
    hosted.draw()
    assert (bfl.submits, hosted.state()) == (1, State.HELD)

    review.approve(hosted.house, 1, 1, "an editor")
    hosted.run()
    assert (bfl.submits, hosted.state()) == (1, State.PUBLISHED)


# Two watchers


def test_a_picture_that_one_watcher_has_is_not_given_up_by_another(build: Callable[..., World], bfl: BflServer) -> None:
    keys = f'[generators.bfl]\napi_key = "{bfl.key}"\nbase_url = "{bfl.url}"'
    world = build(rule='models = ["flux-2-pro", "flux-2-klein-4b"]', rest=keys)
    world.deliver(world.publish())
    world.run()
    generator = world.house.generator("bfl")

    class Slow:
        """The other watcher's answer comes when the first one has fetched the picture already."""

        settings = generator.settings

        def poll(self, ticket: Any) -> Any:
            world.house._generators["bfl"] = generator
            world.follow()
            raise GeneratorProblem(f"the link to {ticket.remote_id} has expired")

    world.house._generators["bfl"] = Slow()  # type: ignore[assignment]
    flow.follow(world.house, 1)
    world.run()

    assert ([render.model for render in renders(world)], world.state()) == (["flux-2-pro"], State.IN_REVIEW)


# Somebody moves a row in the middle of a step


def test_an_entry_deleted_and_restored_during_the_fetch_gets_its_picture(world: World) -> None:
    article = world.publish()
    world.deliver(article)
    world.run(until="compose")
    claim = tasks.claim(world.house.database, only_task(world, "compose").id)
    assert claim is not None
    with world.house.database.write() as session:
        states.move(session, 1, State.QUEUED, State.COMPOSING)
        states.move(session, 1, State.COMPOSING, State.SKIPPED, reason="the entry was deleted")
        states.move(session, 1, State.SKIPPED, State.QUEUED)
    setbacks.stumble(world.house, claim, states.stale(1, State.QUEUED))
    world.make_due()
    world.run()

    assert world.state() == State.IN_REVIEW


def test_a_late_message_of_a_deletion_drops_nothing_that_is_there(world: World) -> None:
    article = world.publish()
    world.deliver(article)
    late = world.deliver(article, "entry.deleted")
    world.run()

    assert (world.outcome(late)[0], world.state()) == ("ignored", State.IN_REVIEW)


def test_an_editor_may_replace_an_image_that_was_set_after_the_first_try(world: World) -> None:
    article = world.publish()
    world.deliver(article)
    world.run()
    review.approve(world.house, 1, 1, "an editor")
    world.die("publish:before_attach")
    world.archive.choose(article, "own.png", "A photo")
    world.run()
    assert world.state() == State.HELD

    review.approve(world.house, 1, 1, "an editor")
    world.run()
    assert world.state() == State.PUBLISHED


def test_trying_a_lost_render_again_never_publishes_what_was_taken_back(hosted: World, bfl: BflServer) -> None:
    hosted.deliver(hosted.publish())
    hosted.draw()
    review.approve(hosted.house, 1, 1, "an editor")
    hosted.run()
    review.revert(hosted.house, 1, "an editor")
    hosted.run()
    bfl.misbehave("lost")
    review.regenerate(hosted.house, 1, "an editor")
    hosted.run()
    review.retry(hosted.house, 1, "an editor")
    hosted.draw()

    assert (hosted.state(), len(renders(hosted))) == (State.IN_REVIEW, 3)


# Tasks that would go round for ever


def test_a_problem_that_cannot_be_noted_does_not_leave_the_task_running(world: World) -> None:
    with world.house.database.write() as session:
        tasks.add(session, "compose", 4711)
    world.run()

    assert only_task(world, "compose").state == TaskState.READY


def test_a_step_that_kills_its_worker_each_time_is_given_up_and_shown(world: World) -> None:
    world.deliver(world.publish())
    world.run(until="collect")
    with world.house.database.write() as session:
        session.execute(update(Task).where(Task.step == "collect").values(attempts=setbacks.ATTEMPTS))
    world.run()

    assert (world.state(), only_task(world, "collect").state) == (State.FAILED, TaskState.DEAD)
    assert "workers ended in the middle of this step" in world.one().reason


def test_no_cms_can_ask_us_to_wait_for_years(world: World) -> None:
    world.deliver(world.publish())
    claim = tasks.claim(world.house.database, only_task(world, "plan").id)
    assert claim is not None
    setbacks.stumble(world.house, claim, Unavailable("busy", seconds=1e300))

    assert only_task(world, "plan").due < time.time() + 4000


def test_the_hint_for_a_task_of_a_dead_worker_does_not_wait_for_an_empty_queue(world: World) -> None:
    world.deliver(1)
    (task,) = tasks.due(world.house.database, 10)
    assert tasks.claim(world.house.database, task) is not None
    with world.house.database.write() as session:
        session.execute(update(Task).values(hinted=time.time() - 50, lease=time.time() - 10))

    assert (tasks.due(world.house.database, 10), tasks.due(world.house.database, 10)) == ([task], [])


def test_a_heartbeat_goes_on_after_one_that_failed(world: World) -> None:
    world.deliver(1)
    database = world.house.database
    claim = tasks.claim(database, only_task(world, "plan").id)
    assert claim is not None
    lock, away = database._lock_file, threading.Event()
    database._lock_file = world.config / "no folder" / "lock"
    with claim.beating(seconds=0.01):
        away.wait(0.1)
        database._lock_file = lock
        with database.write() as session:
            session.execute(update(Task).values(lease=1.0))
        until(lambda: only_task(world, "plan").lease > 1.0, "a beat")


# Storage


def test_a_paid_picture_waits_for_a_storage_that_is_full(hosted: World, bfl: BflServer) -> None:
    hosted.deliver(hosted.publish())
    hosted.run()
    images = hosted.house.settings.data / "images"
    images.write_text("a file in the folder's place")
    with pytest.raises(Problem, match="could not write"):
        flow.follow(hosted.house, 1)
    images.unlink()
    hosted.draw()

    assert (bfl.submits, hosted.state()) == (1, State.IN_REVIEW)


# What a CMS may answer


def serving(answer: httpx.Response) -> httpx.Client:
    return httpx.Client(base_url="http://cms.example", transport=httpx.MockTransport(lambda _: answer))


def test_an_enormous_answer_is_not_read_to_its_end() -> None:
    sent: list[int] = []

    def endless() -> Iterator[bytes]:
        while True:
            sent.append(1)
            yield b"x" * 1_000_000

    with (
        serving(httpx.Response(200, content=endless())) as api,
        pytest.raises(CmsProblem, match="more than 20,000,000"),
    ):
        cms.call(api, "GET", "/entries/1")
    assert len(sent) < 25


def test_an_answer_that_unpacks_to_something_enormous_is_not_kept() -> None:
    packed = gzip.compress(b"x" * 30_000_000)
    answer = httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=httpx.ByteStream(packed))
    with serving(answer) as api, pytest.raises(CmsProblem, match="more than 20,000,000"):
        cms.call(api, "GET", "/entries/1")


def test_a_packed_answer_is_read_with_its_headers() -> None:
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json", "X-Pages": "3"}
    answer = httpx.Response(200, headers=headers, stream=httpx.ByteStream(gzip.compress(b'{"title": "\xc3\x9c"}')))
    with serving(answer) as api:
        read = cms.call(api, "GET", "/entries/1")

    assert (read.json(), read.headers["X-Pages"], str(read.url)) == (
        {"title": "Ü"},
        "3",
        "http://cms.example/entries/1",
    )


@pytest.mark.parametrize("wait", ["²", "9" * 400, "Fri, 31 Dec 9999 23:59:59 GMT", "-1"])
def test_a_strange_retry_after_is_still_a_cms_that_is_away(wait: str) -> None:
    answer = httpx.Response(503, headers=[(b"Retry-After", wait.encode())])
    with serving(answer) as api, pytest.raises(Unavailable):
        cms.call(api, "GET", "/entries/1")


# Texts

TITLES = [
    "x" * 100_000,
    "A\0B",
    "\u202eRight to left\u202c مرحبا بالعالم",
    "👩‍👩‍👧‍👦🏳️‍🌈",
    "</x:xmpmeta><script>alert(1)</script>",
    "../../etc/passwd",
    "{{ entry.__class__ }}{% raw %}",
]


@pytest.mark.parametrize("title", TITLES, ids=["long", "nul", "rtl", "emoji", "markup", "path", "template"])
def test_any_title_comes_through_to_the_newspaper(build: Callable[..., World], title: str) -> None:
    world = build(rule='review = "never"', rest="[slots.hero]\nwidth = 320\nheight = 180")
    article = world.publish(title=title, tags=["tag"] * 5000)
    world.deliver(article)
    world.run()

    names = [path.name for path in world.paper.folder.glob("pictures/*")]
    assert (world.state(), world.one().reason) == (State.PUBLISHED, "")
    assert (len(names), names[0].isascii(), len(names[0]) < 120) == (1, True, True)


def test_no_text_that_a_database_refuses_is_kept(world: World) -> None:
    claim_words = "the CMS said \0 and \ud800"
    world.deliver(1)
    claim = tasks.claim(world.house.database, only_task(world, "plan").id)
    assert claim is not None
    setbacks.stumble(world.house, claim, CmsProblem(claim_words))

    assert world.outcome(1) == ("failed", "the CMS said \ufffd and ?")


def test_a_delivery_nested_without_end_is_unreadable(world: World) -> None:
    body = b"[" * 100_000
    headers = sign_standard_webhooks(SECRET, "msg_1", int(time.time()), body)

    with pytest.raises(Unreadable, match="recursion limit exceeded"):
        flow.receive(world.house, "gazette", cms.Delivery(cms.Headers(headers.items()), body))


# The embedded server and its parent


def test_a_child_that_ends_at_once_is_not_started_before_its_time() -> None:
    child = supervisor.Child("web", [sys.executable, "-c", ""], pause=15)
    child.start()
    ended = child.process
    assert ended is not None
    ended.wait()
    child.tend()

    assert (child.process is ended, child.again > child.started + 29) == (True, True)


def test_a_valkey_that_an_earlier_parent_left_behind_is_looked_after(tmp_path: Path) -> None:
    left = valkey.start(tmp_path)
    assert left is not None
    settings = Settings.model_validate({"data": tmp_path})
    assert supervisor.tend_valkey(settings, None) is None
    end(left)
    started = supervisor.tend_valkey(settings, None)

    assert started is not None
    end(started)


def test_a_damaged_queue_does_not_keep_the_service_down(tmp_path: Path) -> None:
    kept = tmp_path / "appendonlydir"
    kept.mkdir()
    (kept / "appendonly.aof.manifest").write_text("no manifest\n")
    server = valkey.start(tmp_path)

    assert server is not None
    end(server)


@pytest.mark.timeout(30)
def test_a_redis_that_takes_the_connection_and_says_nothing_is_not_waited_for(world: World) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        redis = jobs.connect(f"redis://127.0.0.1:{silent.getsockname()[1]}")

        assert jobs.nudge(world.house, redis) == 0
        redis.close()
