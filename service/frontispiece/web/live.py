"""`GET /desk/live`: tells open pages which illustrations have changed, as server-sent events.

https://html.spec.whatwg.org/multipage/server-sent-events.html. Answered on the event loop, as each listener stays for
hours and would hold a thread behind it. One look at the database a second serves all listeners of a process, and none
is taken while nobody listens. What is told is a reason to ask anew, nothing more; a page that hears nothing polls.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING

from pydantic_core import to_json
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from frontispiece import accounts
from frontispiece.house import House
from frontispiece.models import Comment, Illustration, Presence
from frontispiece.web import security
from frontispiece.web.search import ANY_STATE

if TYPE_CHECKING:
    from a2wsgi.asgi_typing import ASGIApp, HTTPScope, Receive, Scope, Send

log = logging.getLogger("frontispiece")

HERE = "/desk/live"
EVERY = 1.0  # seconds between two looks
STILL_HERE = 15.0  # seconds after which a silent stream sends a comment, so that no proxy takes it for dead
CHECKED = 60.0  # seconds after which a listener has to be logged in still
MOST = 300  # listeners of a process
MOST_TOLD = 100  # illustrations named at once; more than that means: all

Numbers = frozenset[int]
ALL: Numbers = frozenset()


class Pulse:
    """What changes, for all listeners of this process. `poke` may be called from any thread."""

    def __init__(self, house: House, every: float = EVERY) -> None:
        self._house, self._every = house, every
        self._listeners: dict[asyncio.Queue[Numbers], None] = {}
        self._looking: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._seen, self._comment = 0.0, 0

    def poke(self, *numbers: int) -> None:
        """These illustrations have changed in a way that their rows do not tell."""
        if self._loop and self._listeners:
            with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
                self._loop.call_soon_threadsafe(self._tell, frozenset(numbers))

    @property
    def is_full(self) -> bool:
        """Whether there are as many listeners as may be."""
        return len(self._listeners) >= MOST

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[asyncio.Queue[Numbers]]:
        """A queue of what changes for as long as the block runs."""
        mine: asyncio.Queue[Numbers] = asyncio.Queue(1)
        self._listeners[mine] = None
        self._loop = asyncio.get_running_loop()
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        try:
            yield mine
        finally:
            self._listeners.pop(mine, None)

    async def _look(self) -> None:
        await asyncio.to_thread(self._begin)
        while self._listeners:
            await asyncio.sleep(self._every)
            if found := await asyncio.to_thread(self._changed):
                self._tell(ALL if len(found) > MOST_TOLD else frozenset(found))

    def _tell(self, numbers: Numbers) -> None:
        for listener in self._listeners:
            if listener.full():  # what a slow reader has not fetched yet becomes one message with this
                waiting = listener.get_nowait()
                listener.put_nowait(numbers | waiting if numbers and waiting else ALL)
            else:
                listener.put_nowait(numbers)

    def _begin(self) -> None:
        self._seen = time.time() - self._every
        with contextlib.suppress(SQLAlchemyError), self._house.database.read() as session:
            self._comment = session.scalar(select(func.max(Comment.id))) or 0

    def _changed(self) -> list[int]:
        """The illustrations that moved, were written about or are looked at since the last look."""
        now, moved = time.time(), ANY_STATE & (Illustration.updated > self._seen - 1)  # clocks may differ a little
        try:
            with self._house.database.read() as session:
                found = list(session.scalars(select(Illustration.id).where(moved).limit(MOST_TOLD + 1)))
                said = session.execute(
                    select(Comment.id, Comment.illustration_id).where(Comment.id > self._comment).order_by(Comment.id)
                ).all()
                here = session.scalars(select(Presence.illustration_id).where(Presence.seen > self._seen))
                found += [number for _, number in said] + list(here)
        except SQLAlchemyError as problem:
            log.warning("what has changed could not be read: %s", problem)
            return []
        self._seen, self._comment = now, said[-1][0] if said else self._comment
        return found


def in_front(behind: "ASGIApp", house: House, pulse: Pulse) -> "ASGIApp":
    """The ASGI application that answers `/desk/live` and leaves the rest to the one behind."""

    async def door(scope: "Scope", receive: "Receive", send: "Send") -> None:
        if scope["type"] != "http" or scope["path"] != HERE or scope["method"] != "GET":
            await behind(scope, receive, send)
            return
        is_in = _who_asks(house, scope)
        if not await asyncio.to_thread(is_in):
            await _refuse(send, 401)
        elif pulse.is_full:
            await _refuse(send, 503)
        else:
            await _until_gone(receive, _stream(pulse, is_in, send))

    return door


def _who_asks(house: House, scope: "HTTPScope") -> Callable[[], bool]:
    """Whether the cookie of this request is that of somebody who is logged in, asked anew each time."""
    sent = "; ".join(value.decode("latin-1") for name, value in scope["headers"] if name == b"cookie")
    try:
        cookies = SimpleCookie(sent)
    except CookieError:
        cookies = SimpleCookie()
    name = security.name_of_cookie(house.settings.server.url)
    key = cookies[name].value if name in cookies else ""

    def is_in() -> bool:
        return bool(key) and accounts.logged_in(house.database, key) is not None

    return is_in


async def _stream(pulse: Pulse, is_in: Callable[[], bool], send: "Send") -> None:
    headers = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"x-accel-buffering", b"no")]
    headers += [(b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    async with pulse.listening() as changes:
        await _send(send, "retry: 3000\n: hello\n\n")
        checked = time.monotonic()
        while True:
            try:
                numbers = await asyncio.wait_for(changes.get(), STILL_HERE)
                await _send(send, f"event: changed\ndata: {to_json(sorted(numbers)).decode()}\n\n")
            except TimeoutError:
                await _send(send, ": still here\n\n")
            if time.monotonic() - checked > CHECKED:
                checked = time.monotonic()
                if not await asyncio.to_thread(is_in):
                    return


async def _until_gone(receive: "Receive", streaming: Coroutine[None, None, None]) -> None:
    """Streams until the browser goes away, or the stream ends by itself."""
    stream, gone = asyncio.ensure_future(streaming), asyncio.ensure_future(_gone(receive))
    try:
        await asyncio.wait((stream, gone), return_when=asyncio.FIRST_COMPLETED)
    finally:
        for one in (stream, gone):
            one.cancel()
        await asyncio.gather(stream, gone, return_exceptions=True)


async def _gone(receive: "Receive") -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _send(send: "Send", words: str) -> None:
    await send({"type": "http.response.body", "body": words.encode(), "more_body": True})


async def _refuse(send: "Send", status: int) -> None:
    headers = [(b"content-length", b"0"), (b"cache-control", b"no-store"), (b"retry-after", b"60")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
