"""The command `frontispiece`: run the service, look into it, and do from a terminal what the desk does."""

import logging
import signal
import sys
import threading
from pathlib import Path
from typing import Any

import click
from sqlalchemy.exc import OperationalError

from frontispiece import commands, drawing, parent
from frontispiece.config import load
from frontispiece.errors import ConfigProblem, Problem


class InWords(click.Group):
    """Prints a problem as words and ends with 1; a traceback is for mistakes of ours."""

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the command."""
        try:
            return super().invoke(ctx)
        except Problem as problem:
            raise click.ClickException(problem.words) from None
        except OSError as problem:  # a folder that cannot be written, a port that is taken
            raise click.ClickException(str(problem)) from None
        except OperationalError as problem:  # also where there are no tables yet; the statement would say too much
            words = str(problem.orig).splitlines()[0]
            raise click.ClickException(f"the database: {words}. Has `frontispiece db upgrade` been run?") from None


@click.group(cls=InWords, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="frontispiece")
def main() -> None:
    """Pictures for articles and products: drawn when they are published, decided by an editor."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    parent.die_with_up()
    for chatty in ("httpx", "alembic", "rq.worker"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


@main.command()
@click.option("--once", is_flag=True, help="Walk the whole journey unattended, print each step, and end.")
@click.option("--port", type=int, default=None, help="Port of the service; the newsroom takes the next one.")
@click.option("--folder", type=click.Path(path_type=Path), default=Path("demo"), help="Where the demo keeps its data.")
def demo(*, once: bool, port: int | None, folder: Path) -> None:
    """Everything in one terminal, with a small newspaper to publish in."""
    from frontispiece.demo.run import run  # noqa: PLC0415 - the service itself never needs the newsroom

    raise SystemExit(run(once=once, port=port, folder=folder))


@main.command()
def up() -> None:
    """Web, workers and watcher together, with an embedded Valkey unless a Redis is configured."""
    from frontispiece import migrate, supervisor  # noqa: PLC0415 - each command loads only what it needs

    settings = load()
    supervisor.may_listen(settings)
    migrate.upgrade(settings)
    click.echo(f"Frontispiece answers at {settings.server.url} soon; the desk is at /desk. Ctrl-C ends it.", err=True)
    supervisor.up(settings)


@main.command()
def web() -> None:
    """The web side alone: hooks, desk, API."""
    from granian.constants import Interfaces  # noqa: PLC0415
    from granian.server import Server  # noqa: PLC0415

    server = load().server
    Server(
        "frontispiece.app:create_asgi",
        factory=True,
        address=server.host,
        port=server.port,
        interface=Interfaces.ASGINL,
        workers=1,
        backpressure=1024,
        respawn_failed_workers=True,
        workers_kill_timeout=5,  # seconds for what is being answered; the streams of open pages would never end
        log_enabled=False,
    ).serve()


@main.command()
@click.option("--burst", is_flag=True, help="End when the queue is empty.")
def worker(*, burst: bool) -> None:
    """One RQ worker."""
    from frontispiece import app, jobs  # noqa: PLC0415
    from frontispiece.house import House  # noqa: PLC0415

    settings = load()
    jobs.work(House(settings), jobs.connect(app.redis_url(settings)), burst=burst)


@main.command()
@click.argument("generator", default="diffusers")
def local(generator: str) -> None:
    """The local pipeline alone: keeps a model warm and draws; GENERATOR is the table of its settings."""
    from frontispiece.generators.diffusers import DiffusersSettings  # noqa: PLC0415
    from frontispiece.local import start  # noqa: PLC0415

    settings = load()
    _, given = settings.generator(generator)
    if not isinstance(given, DiffusersSettings):
        raise ConfigProblem(f"{generator} does not draw on this machine; local is for generators of kind diffusers")
    start.serve(given, settings.data / "local" / generator)


@main.command()
def watch() -> None:
    """The watcher: hints for what is due, answers for open tickets."""
    from frontispiece import app, jobs  # noqa: PLC0415
    from frontispiece.house import House  # noqa: PLC0415
    from frontispiece.watch import Watcher  # noqa: PLC0415

    settings, stop = load(), threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    Watcher(House(settings), jobs.connect(app.redis_url(settings))).watch(stop)


@main.group()
def db() -> None:
    """The database."""


@db.command()
def upgrade() -> None:
    """Makes the tables, or brings them up to this version."""
    from frontispiece import migrate  # noqa: PLC0415

    migrate.upgrade(load())
    click.echo("the database is up to date")


for _command in (*commands.ALL, drawing.models, drawing.generate):
    main.add_command(_command)
