"""The parts put together: the Flask application, and `create_asgi` for any ASGI server."""

import gc
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from a2wsgi import WSGIMiddleware
from flask import Flask, redirect, url_for
from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.wrappers import Response

from frontispiece import jobs, valkey
from frontispiece.config import Settings, load
from frontispiece.errors import Problem
from frontispiece.house import House
from frontispiece.web import faces, hooks, live
from frontispiece.web.intake import Intake

if TYPE_CHECKING:
    from a2wsgi.asgi_typing import ASGIApp, Receive, ReceiveEvent, Scope, Send
    from a2wsgi.wsgi_typing import WSGIApp


def redis_url(settings: Settings) -> str:
    """The Redis that is configured, or the embedded one of the data folder (which `up` starts)."""
    return settings.redis_url or valkey.url(settings.data)


def create_asgi(settings: Settings | None = None) -> "ASGIApp":
    """All that Frontispiece answers: deliveries on the event loop, `create_app` in threads behind it."""
    app = create_app(settings)
    house: House = app.extensions["house"]
    threads = WSGIMiddleware(cast("WSGIApp", app), workers=house.settings.server.threads)

    async def behind(scope: "Scope", receive: "Receive", send: "Send") -> None:
        async def received() -> "ReceiveEvent":  # granian gives a future, the middleware insists on a coroutine
            return await receive()

        await threads(scope, received, send)

    pulse = app.extensions["pulse"] = live.Pulse(house)
    desk_too = live.in_front(behind, house, pulse)
    whole = hooks.in_front(desk_too, house, Intake(house.database, app.extensions["nudge"]))
    leave_alone()
    return whole


def leave_alone() -> None:
    """What is loaded stays for good; Python would else look through all of it now and then, for 60 ms in a page."""
    gc.collect()
    gc.freeze()


def create_app(settings: Settings | None = None) -> Flask:
    """Desk, API and all else but the hooks, with the settings given or those of `FRONTISPIECE_CONFIG`.

    Raises `ConfigProblem`.
    """
    house = House(settings or load())
    redis = jobs.connect(redis_url(house.settings))
    app = faces.application()
    app.config["MAX_CONTENT_LENGTH"] = house.settings.server.body_limit
    app.extensions |= {"house": house, "redis": redis, "nudge": lambda: jobs.nudge(house, redis)}
    if proxies := house.settings.server.trusted_proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=proxies, x_proto=proxies)  # type: ignore[method-assign]
    app.add_url_rule("/", "home", lambda: redirect(url_for("queue.show")))
    app.add_url_rule("/healthz", "healthz", lambda: ("alive\n", 200))
    app.add_url_rule("/readyz", "readyz", _ready(house))
    return app


def _ready(house: House) -> Callable[[], Response]:
    # A client of its own that does not wait for Redis to come back: whoever asks wants to know now.
    redis = Redis.from_url(redis_url(house.settings), socket_connect_timeout=2, socket_timeout=2)

    def ready() -> Response:
        problems = []
        for name, ask in (("database", house.database.ping), ("storage", house.storage.check), ("Redis", redis.ping)):
            try:
                ask()
            except (Problem, SQLAlchemyError, RedisError) as problem:
                problems.append(f"{name}: {str(problem).splitlines()[0]}")
        return Response("\n".join(problems or ["ready"]) + "\n", 503 if problems else 200, mimetype="text/plain")

    return ready
