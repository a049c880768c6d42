"""`frontispiece demo`: the service and The Gazette beside it, started, used or walked through, and ended."""

import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import click
import httpx

from frontispiece.demo import once as walked
from frontispiece.demo import processes, stories
from frontispiece.demo.processes import Running
from frontispiece.demo.setting import Setting, prepare
from frontispiece.errors import Problem

PERSON = "demo"
INVITATION = """
  Review desk   {service}/desk
                log in as {person} with the password {password}
                pictures wait there for your word: A approves, R rejects, ? tells the other keys
  The Gazette   {newsroom}
                the newspaper they are for; publish a story there, and its picture comes by itself
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
            walked.Walk(setting, _token(setting)).go()
        else:
            open_desk(setting)
            click.echo(invitation(setting))
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


def open_desk(setting: Setting) -> None:
    """At the first start: somebody who may do everything at the desk, and stories whose pictures wait there."""
    if "desk_password" in setting.secrets:
        return
    password = secrets.token_hex(6)  # no sign in it at which a double click would stop
    _frontispiece(setting, ["user", "add", PERSON, "--role", "admin"], f"{password}\n")
    setting.keep("desk_password", password)
    with httpx.Client(base_url=setting.newsroom, trust_env=False, timeout=30) as newsroom:
        publish_all(newsroom)


def publish_all(newsroom: httpx.Client) -> None:
    """Publishes the stories of the first day."""
    for story in stories.TODAY:
        walked.publish(newsroom, story)


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


def invitation(setting: Setting) -> str:
    """What is printed when everything is ready."""
    known = {"person": PERSON, "password": setting.secrets["desk_password"]}
    return INVITATION.format(service=setting.service, newsroom=setting.newsroom, folder=setting.folder, **known)


def _watch(running: Sequence[Running]) -> None:
    while True:
        for one in running:
            one.must_live()
        time.sleep(0.5)
