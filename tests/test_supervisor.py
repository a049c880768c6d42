"""`frontispiece up`: what ends is started again, and nothing is left behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from frontispiece.config import Settings
from frontispiece.supervisor import Child, children, end


@pytest.fixture(name="child")
def _child() -> Iterator[Child]:
    made = Child("sleeper", [sys.executable, "-c", "import time; time.sleep(60)"])
    made.start()
    yield made
    if made.process:
        end([made.process])


def until(true: Callable[[], bool]) -> None:
    give_up = time.monotonic() + 60
    while not true():
        assert time.monotonic() < give_up
        time.sleep(0.05)


def tended(child: Child) -> "subprocess.Popen[bytes] | None":
    child.tend()
    return child.process


def test_a_running_child_is_left_alone(child: Child) -> None:
    before = child.process
    child.tend()

    assert child.process is before


def test_a_child_that_ended_with_0_is_started_again() -> None:
    child = Child("quick", [sys.executable, "-c", "pass"])
    child.start()
    assert child.process
    assert child.process.wait(30) == 0
    first = child.process
    until(lambda: tended(child) is not first)

    assert child.process.wait(30) == 0
    assert child.pause > 0


def test_a_killed_child_is_started_again(child: Child) -> None:
    assert child.process
    os.kill(child.process.pid, signal.SIGKILL)
    killed = child.process
    killed.wait(30)
    until(lambda: tended(child) is not killed)

    assert child.process.poll() is None


def test_a_child_that_ignores_sigterm_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("frontispiece.supervisor.GRACE", 0.2)
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(60)"
    process = subprocess.Popen([sys.executable, "-c", deaf], stdout=subprocess.PIPE, process_group=0)
    assert process.stdout
    with process.stdout as heard:
        heard.readline()
        end([process])

    assert process.returncode == -signal.SIGKILL


@pytest.mark.skipif(sys.platform != "linux", reason="finds the processes in /proc")
def test_up_serves_and_ends_everything_it_started(tmp_path: Path) -> None:
    (tmp_path / "frontispiece.toml").write_text(f'data = "{tmp_path / "data"}"\n[server]\nport = 0\nworkers = 1\n')
    environment = {**os.environ, "FRONTISPIECE_CONFIG": str(tmp_path / "frontispiece.toml")}
    process = subprocess.Popen([sys.executable, "-m", "frontispiece", "up"], env=environment, process_group=0)
    until((tmp_path / "data" / "valkey.sock").exists)
    until(lambda: len(ours(tmp_path)) >= 4)
    process.terminate()

    assert process.wait(60) == 0
    assert ours(tmp_path) == []


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nothing tells a child that its parent is gone")
def test_a_killed_up_takes_its_children_with_it(tmp_path: Path) -> None:
    (tmp_path / "frontispiece.toml").write_text(f'data = "{tmp_path / "data"}"\n[server]\nport = 0\nworkers = 1\n')
    environment = {**os.environ, "FRONTISPIECE_CONFIG": str(tmp_path / "frontispiece.toml")}
    process = subprocess.Popen([sys.executable, "-m", "frontispiece", "up"], env=environment, process_group=0)
    until(lambda: len(ours(tmp_path, "frontispiece")) >= 4)
    process.kill()
    process.wait(30)

    until(lambda: ours(tmp_path, "frontispiece") == [])
    for left in ours(tmp_path):  # the embedded Valkey stays for the next start
        os.kill(left, signal.SIGKILL)


def ours(folder: Path, program: str = "") -> list[int]:
    """The processes whose environment or command names the folder, and whose command names the program."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            command = (place / "cmdline").read_text()
            if program in command and str(folder) in (place / "environ").read_text() + command:
                found.append(int(place.name))
        except OSError:
            continue
    return found


SITE = {"plugin": "generic", "url": "http://127.0.0.1:9", "webhook_secret": "whsec_c2VjcmV0"}


@pytest.mark.parametrize(
    ("model", "base_url", "there"),
    [
        ("diffusers-schnell", "http://127.0.0.1:8461", ["local diffusers"]),
        ("diffusers-schnell", "http://192.168.1.7:8461", []),  # somebody else's to start
        ("sketch", "http://127.0.0.1:8461", ["local diffusers"]),  # it has a table, so it is meant to be used
    ],
)
def test_up_runs_the_local_pipeline_that_is_on_this_machine(model: str, base_url: str, there: list[str]) -> None:
    rule = {"name": "articles", "site": "blog", "models": [model]}
    settings = Settings.model_validate(
        {"sites": {"blog": SITE}, "rules": [rule], "generators": {"diffusers": {"base_url": base_url}}}
    )

    assert there == [child.name for child in children(settings) if child.name.startswith("local")]


def test_without_a_local_model_nothing_of_it_runs() -> None:
    assert [] == [child.name for child in children(Settings()) if child.name.startswith("local")]
