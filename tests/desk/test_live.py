"""What open pages are told while others work."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import httpx
import pytest
from desk.furnish import Web
from servers.database import free_port
from world import Build, end

from frontispiece import accounts, states
from frontispiece.models import Login, State
from frontispiece.web import live
from frontispiece.web.live import Pulse

PASSWORD = "correct horse battery"


class Stream:
    """One listener, as an ASGI server would serve it."""

    def __init__(self, web: Web, key: str, path: str = live.HERE) -> None:
        self.pulse = Pulse(web.house, every=0.01)
        self.sent: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.gone = asyncio.Event()
        cookie = [(b"cookie", f"frontispiece={key}".encode())] if key else []
        self.scope: Any = {"type": "http", "path": path, "method": "GET", "headers": cookie}
        self.app = live.in_front(self.behind, web.house, self.pulse)

    async def behind(self, _scope: Any, _receive: Any, send: Any) -> None:
        await send({"behind": True})

    async def receive(self) -> Any:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        await self.sent.put(message)

    async def heard(self) -> list[int]:
        """The illustrations of the next event."""
        while True:
            body = (await self.sent.get()).get("body", b"").decode()
            if body.startswith("event: changed\n"):
                return [int(number) for number in json.loads(body.split("data: ")[1])]

    def run(self, story: "Callable[[], Awaitable[Any]]") -> Any:
        """What the story brings while the stream is served; the browser is gone afterwards."""

        async def both() -> Any:
            serving: asyncio.Future[None] = asyncio.ensure_future(self.app(self.scope, self.receive, self.send))
            try:
                return await asyncio.wait_for(story(), 30)
            finally:
                self.gone.set()
                await asyncio.wait_for(serving, 30)

        return asyncio.run(both())


async def when(true: Callable[[], bool]) -> None:
    while not true():  # noqa: ASYNC110 - the pulse has no event that tells it
        await asyncio.sleep(0.01)


def test_a_move_is_told(web: Web) -> None:
    number, stream = web.illustration(updated=1.0), Stream(web, web.login())

    async def story() -> list[int]:
        await stream.sent.get()
        with web.house.database.write() as session:
            states.move(session, number, State.IN_REVIEW, State.REJECTED)
        return await stream.heard()

    assert stream.run(story) == [number]


def test_a_comment_is_told(web: Web) -> None:
    number, stream, browser = web.illustration(updated=1.0), Stream(web, web.login()), web.browser()

    async def story() -> list[int]:
        await when(lambda: bool(stream.pulse._seen))
        await asyncio.to_thread(browser.post, f"/desk/{number}/comment", comment="too dark")
        return await stream.heard()

    assert stream.run(story) == [number]


def test_what_a_row_does_not_tell_is_poked(web: Web) -> None:
    stream = Stream(web, web.login())

    async def story() -> list[int]:
        await stream.sent.get()
        await stream.sent.get()
        stream.pulse.poke(7)
        return await stream.heard()

    assert stream.run(story) == [7]


def test_a_listener_who_is_slow_gets_all_in_one(web: Web) -> None:
    stream = Stream(web, web.login())

    async def story() -> list[int]:
        async with stream.pulse.listening() as changes:
            for number in range(5):
                stream.pulse._tell(frozenset([number]))
            return sorted(await changes.get())

    assert stream.run(story) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("key", ["", "made-up"])
def test_nobody_else_hears_anything(web: Web, key: str) -> None:
    stream = Stream(web, key)

    async def story() -> int:
        return int((await stream.sent.get())["status"])

    assert stream.run(story) == 401


def test_a_listener_too_many_is_sent_away(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "MOST", 0)
    stream = Stream(web, web.login())

    async def story() -> int:
        return int((await stream.sent.get())["status"])

    assert stream.run(story) == 503


def test_whoever_logs_out_hears_no_more(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "CHECKED", 0.0)
    stream = Stream(web, web.login())

    async def story() -> list[Any]:
        await stream.sent.get()
        with web.house.database.write() as session:
            session.query(Login).delete()
        await when(lambda: bool(stream.pulse._listeners))
        stream.pulse.poke(1)
        await when(lambda: not stream.pulse._listeners)
        return list(stream.pulse._listeners)

    assert stream.run(story) == []


def test_all_else_goes_to_the_one_behind(web: Web) -> None:
    stream = Stream(web, "", "/desk")

    async def story() -> Any:
        return await stream.sent.get()

    assert stream.run(story) == {"behind": True}


def test_a_stream_of_the_running_service_tells_and_ends_with_it(build: Build) -> None:
    port = free_port()
    world = build(rest=f"[server]\nport = {port}\nurl = 'http://127.0.0.1:{port}'")
    accounts.add_user(world.house.database, "Jo", "editor", PASSWORD)
    key = accounts.log_in(world.house.database, "Jo", PASSWORD, "")
    environment = {**os.environ, "FRONTISPIECE_CONFIG": str(world.config)}
    service = subprocess.Popen([sys.executable, "-m", "frontispiece", "web"], env=environment, process_group=0)
    try:
        with stream_of(port, key) as lines:
            assert next(lines).startswith("retry:")
            world.deliver(world.publish())
            world.run()
            assert any(line.startswith("event: changed") for line in lines)
            service.send_signal(signal.SIGTERM)
            assert service.wait(20) == 0
    finally:
        end(service)


class stream_of:  # noqa: N801 - reads as a phrase
    """The lines of `/desk/live` as soon as the service answers."""

    def __init__(self, port: int, key: str) -> None:
        transport = httpx.HTTPTransport(retries=0)
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{port}", transport=transport, timeout=30)
        self.client.cookies.set("frontispiece", key)

    def __enter__(self) -> Iterator[str]:
        while True:
            try:
                self.answer = self.client.send(self.client.build_request("GET", live.HERE), stream=True)
            except httpx.ConnectError:
                continue
            assert self.answer.status_code == 200
            return self.answer.iter_lines()

    def __exit__(self, *_: object) -> None:
        self.answer.close()
        self.client.close()
