"""`frontispiece demo`: the service and The Gazette beside it, started, used or walked through, and ended."""

import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import click

from frontispiece.demo import processes
from frontispiece.demo.once import Walk
from frontispiece.demo.processes import Running
from frontispiece.demo.setting import Setting, prepare
from frontispiece.errors import Problem

INVITATION = """
  The Gazette   {newsroom}
                write an article there and publish it; its picture comes by itself
  Review desk   {service}/desk
                log in as editor with the password {password}
  Logs          {folder}/service.log

  Ctrl-C ends everything.
"""


def run(*, once: bool, port: int | None, folder: Path) -> int:
    """Runs the demo until Ctrl-C, or with `once` until one picture is on its page; the exit code for the shell."""
    setting = prepare(folder, port)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    running: list[Running] = []
    try:
        _start(setting, running)
        if once:
            Walk(setting, _token(setting)).go()
        else:
            click.echo(_invitation(setting))
            _watch(running)
    except Problem as problem:
        click.echo(f"\n{problem}", err=True)
        for one in running:
            click.echo(f"\nThe end of {one.log}:\n{one.tail()}", err=True)
        return 1
    except KeyboardInterrupt:
        click.echo("\nEnding everything …")
    finally:
        processes.stop(running)
    return 0


def _start(setting: Setting, running: list[Running]) -> None:
    """Starts both sides and waits until they answer; each is in `running` as soon as it is there to be ended."""
    click.echo("Starting Frontispiece and The Gazette …")
    service = processes.start("service", ["frontispiece", "up"], setting.folder / "service.log", setting.env)
    running.append(service)
    newspaper = processes.start("newsroom", _newsroom(setting), setting.folder / "newsroom.log", setting.env)
    running.append(newspaper)
    processes.wait_for(service, f"{setting.service}/readyz")
    processes.wait_for(newspaper, setting.newsroom)
    if "password" not in setting.secrets:
        password = secrets.token_urlsafe(12)
        _frontispiece(setting, ["user", "add", "editor", "--role", "editor"], f"{password}\n")
        setting.keep("password", password)


def _newsroom(setting: Setting) -> Sequence[str]:
    where = ["--port", str(setting.newsroom_port), "--data", str(setting.gazette)]
    them = ["--hook", f"{setting.service}/hooks/gazette", "--desk", f"{setting.service}/desk"]
    return ["frontispiece.demo.newsroom", *where, *them]


def _token(setting: Setting) -> str:
    if "review_token" not in setting.secrets:
        setting.keep("review_token", _frontispiece(setting, ["token", "add", "demo", "--scope", "review"]))
    return setting.secrets["review_token"]


def _frontispiece(setting: Setting, words: Sequence[str], given: str = "") -> str:
    """What a command of ours prints. Raises `Problem` with its own words."""
    command = [sys.executable, "-m", "frontispiece", *words]
    done = subprocess.run(command, input=given, env=setting.env, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    if done.returncode:
        raise Problem(f"frontispiece {' '.join(words)}: {done.stderr.strip()}")
    return done.stdout.strip()


def _invitation(setting: Setting) -> str:
    password = setting.secrets["password"]
    return INVITATION.format(
        service=setting.service, newsroom=setting.newsroom, password=password, folder=setting.folder
    )


def _watch(running: Sequence[Running]) -> None:
    while True:
        for one in running:
            one.must_live()
        time.sleep(0.5)
