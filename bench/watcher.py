"""`make bench-watcher`: how many hosted pictures one watcher keeps under way, beside workers that wait for theirs.

A stand-in of BFL takes some seconds a picture and allows 24 at once. README.md says how to read the table.
"""

import argparse
import math
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from redis import Redis
from rq import Queue
from sqlalchemy import func, select

from frontispiece import migrate, orders, records, states, valkey
from frontispiece.cms import Entry
from frontispiece.config import load
from frontispiece.house import House
from frontispiece.models import Render, RenderState, State

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "tests"))

import plain  # noqa: E402 - a script beside this one
from servers.bfl import BflServer  # noqa: E402 - the stand-in lives with the tests

AT_ONCE = 24  # BFL's limit
RATIO = 1.15  # to the ideal time, the target
MEMORY = 150.0  # MB of the watcher, the target
CONFIG = """\
data = "{folder}"
[sites.blog]
plugin = "generic"
url = "http://127.0.0.1:9"
webhook_secret = "whsec_YSBzZWNyZXQgdGhhdCBub2JvZHkgdXNlcyBoZXJlLi4="
[slots.small]
width = 256
height = 256
[[rules]]
name = "articles"
site = "blog"
slot = "small"
models = ["flux-2-pro"]
[generators.bfl]
api_key = "{key}"
base_url = "{url}"
"""


@dataclass(frozen=True)
class Run:
    """What one way took: `memory` is that of the processes that wait, in MB, `cpu` that of all, in seconds.

    `jobs` is how often a worker has forked.
    """

    name: str
    renders: int
    seconds: float
    most: int
    submits: int
    jobs: int
    memory: float
    cpu: float


def main() -> None:
    """Measures both ways, prints the table and what became of the targets."""
    asked = _asked()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what was started is ended
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])
    runs = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-", dir=asked.folder)))
        stack.enter_context(_valkey(folder))
        for measure in (_watcher, _plain):
            with BflServer(seconds=asked.seconds, limit=AT_ONCE) as bfl:
                runs.append(measure(bfl, folder, asked))
    _print(runs, asked)
    _verdict(runs[0], asked)


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--renders", type=int, default=240, help="pictures to draw (240)")
    parser.add_argument("--seconds", type=float, default=5.0, help="that a picture takes (5)")
    parser.add_argument("--workers", type=int, default=2, help="RQ workers of either way (2)")
    parser.add_argument("--plain", type=int, default=0, help="pictures the plain way (as many as take a minute)")
    parser.add_argument("--folder", default="/var/tmp", help="where the database lies (/var/tmp)")
    asked = parser.parse_args()
    asked.plain = asked.plain or min(asked.renders, max(asked.workers, int(60 / asked.seconds * asked.workers)))
    return asked


def _watcher(bfl: BflServer, folder: Path, asked: argparse.Namespace) -> Run:
    """`frontispiece watch` and workers that submit; the time runs from the orders to the last picture looked at."""
    config = folder / "frontispiece.toml"
    config.write_text(CONFIG.format(folder=folder, key=bfl.key, url=bfl.url), "utf8")
    settings = load(config)
    migrate.upgrade(settings)
    house = House(settings)
    environment = os.environ | {"FRONTISPIECE_CONFIG": str(config)}
    ours = [sys.executable, "-m", "frontispiece"]
    with ExitStack() as stack:
        stack.callback(house.close)
        workers = [
            stack.enter_context(_process([*ours, "worker"], environment, folder / f"worker-{number}.log"))
            for number in range(asked.workers)
        ]
        watcher = stack.enter_context(_process([*ours, "watch"], environment, folder / "watch.log"))
        _until_idle(folder, asked.workers, watcher)
        start, burnt = time.monotonic(), _cpu(watcher, *workers)
        _order(house, asked.renders)
        _wait(lambda: _over(house), asked, watcher, "renders")
        seconds, burnt = time.monotonic() - start, _cpu(watcher, *workers) - burnt
        for words in _failures(house):
            print(f"! {words}")
        name = f"one watcher, {asked.workers} workers"
        return Run(name, asked.renders, seconds, bfl.max_active, bfl.submits, _jobs(folder), _peak(watcher), burnt)


def _order(house: House, renders: int) -> None:
    """So many renders, each of an illustration of its own, as `compose` leaves them behind."""
    rule = house.rule("articles")
    with house.database.write() as session:
        for number in range(renders):
            entry = Entry(f"articles/{number}", "article", f"The lighthouse, number {number}")
            illustration = records.new_illustration(session, records.keep_entry(session, "blog", entry), entry, rule)
            assert illustration is not None
            states.move(session, illustration, State.QUEUED, State.COMPOSING)
            one = records.illustration(session, illustration)
            orders.place(house, session, one, prompt=f"A lighthouse in a storm, number {number}.")


def _over(house: House) -> int:
    return _count(house, RenderState.DONE, RenderState.FAILED, RenderState.UNKNOWN)


def _failures(house: House) -> list[str]:
    """Why renders brought no picture, each reason once."""
    with house.database.read() as session:
        return list(session.scalars(select(Render.error).where(Render.state != RenderState.DONE).distinct()))


def _count(house: House, *wanted: RenderState) -> int:
    with house.database.read() as session:
        return session.execute(select(func.count(Render.id)).where(Render.state.in_(wanted))).scalar_one()


def _plain(bfl: BflServer, folder: Path, asked: argparse.Namespace) -> Run:
    """Workers that each wait for their picture; the time runs from the orders to the last file."""
    files, socket = folder / "plain", valkey.socket(folder)
    files.mkdir()
    with ExitStack() as stack:
        command = [sys.executable, str(HERE / "plain.py"), str(socket)]
        workers = [
            stack.enter_context(_process(command, dict(os.environ), folder / f"plain-{number}.log"))
            for number in range(asked.workers)
        ]
        redis = stack.enter_context(Redis(unix_socket_path=str(socket)))
        _until_idle(folder, asked.workers, *workers, queue=plain.QUEUE)
        start, burnt = time.monotonic(), _cpu(*workers)
        hints = Queue(plain.QUEUE, connection=redis)
        for number in range(asked.plain):
            hints.enqueue("plain.draw", bfl.key, bfl.url, str(files), number)
        _wait(lambda: sum(1 for _ in files.glob("*.png")), asked, workers[0], "plain")
        seconds, burnt = time.monotonic() - start, _cpu(*workers) - burnt
        jobs = _jobs(folder, plain.QUEUE)
        name = f"{asked.workers} workers that wait"
        return Run(name, asked.plain, seconds, bfl.max_active, bfl.submits, jobs, _peak(*workers), burnt)


def _wait(there: Callable[[], int], asked: argparse.Namespace, process: "subprocess.Popen[bytes]", wanted: str) -> None:
    number: int = getattr(asked, wanted)
    give_up = time.monotonic() + 60 + 4 * number * asked.seconds / min(AT_ONCE, asked.workers)
    while there() < number:
        if process.poll() is not None or time.monotonic() > give_up:
            raise SystemExit(f"only {there()} of {number} pictures came; what was started has ended or is stuck")
        time.sleep(0.1)


def _until_idle(folder: Path, workers: int, *started: "subprocess.Popen[bytes]", queue: str = "frontispiece") -> None:
    """Waits until the workers have told Redis that they listen, so that no start is measured."""
    give_up = time.monotonic() + 60
    with Redis(unix_socket_path=str(valkey.socket(folder))) as redis:
        while redis.scard(f"rq:workers:{queue}") < workers:
            if any(one.poll() is not None for one in started) or time.monotonic() > give_up:
                logs = "".join(log.read_text(errors="replace")[-2000:] for log in sorted(folder.glob("*.log")))
                raise SystemExit(f"what is measured did not start:\n{logs}")
            time.sleep(0.1)
    time.sleep(1)  # the watcher has no way to say that it is there; it takes less


def _jobs(folder: Path, queue: str = "frontispiece") -> int:
    """How many jobs the workers of a queue have done."""
    with Redis(unix_socket_path=str(valkey.socket(folder)), decode_responses=True) as redis:
        workers = redis.smembers(f"rq:workers:{queue}")
        return sum(int(redis.hget(worker, "successful_job_count") or 0) for worker in workers)


@contextmanager
def _valkey(folder: Path) -> Iterator[None]:
    server = valkey.start(folder)
    assert server is not None
    try:
        yield
    finally:
        server.terminate()
        server.wait()


@contextmanager
def _process(command: list[str], environment: dict[str, str], log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, env=environment, stdout=output, stderr=output, stdin=subprocess.DEVNULL, process_group=0, cwd=HERE
        )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _peak(*processes: "subprocess.Popen[bytes]") -> float:
    """The most memory that each of the processes has held, added up, in MB; without the children that they forked."""
    status = [Path(f"/proc/{one.pid}/status").read_text().splitlines() for one in processes]
    return sum(int(line.split()[1]) for lines in status for line in lines if line.startswith("VmHWM")) / 1024


def _cpu(*processes: "subprocess.Popen[bytes]") -> float:
    """Seconds of processor time that the processes and their ended children have used."""
    stats = [Path(f"/proc/{one.pid}/stat").read_text().rpartition(")")[2].split() for one in processes]
    ticks = float(os.sysconf("SC_CLK_TCK"))
    return sum(int(each) for fields in stats for each in fields[11:15]) / ticks


def _ideal(asked: argparse.Namespace) -> float:
    return float(math.ceil(asked.renders / AT_ONCE) * asked.seconds)


def _print(runs: list[Run], asked: argparse.Namespace) -> None:
    print(f"\n{asked.renders} pictures of {asked.seconds:g} s, {AT_ONCE} allowed at once: {_ideal(asked):g} s at best")
    print(f"{'':24}{'drawn':>8}{'seconds':>9}{f'for {asked.renders}':>9}{'ratio':>8}{'most':>6}{'submits':>9}", end="")
    print(f"{'jobs':>7}{'MB':>7}{'cpu s':>7}")
    for run in runs:
        whole = run.seconds * asked.renders / run.renders
        figures = (
            f"{run.renders:8}{run.seconds:9.1f}{whole:9.1f}{whole / _ideal(asked):8.2f}{run.most:6}{run.submits:9}"
        )
        print(f"{run.name:24}{figures}{run.jobs:7}{run.memory:7.0f}{run.cpu:7.1f}")


def _verdict(run: Run, asked: argparse.Namespace) -> None:
    print()
    ratio = run.seconds / _ideal(asked)
    _say(f"{run.seconds:.1f} s, {ratio:.2f} times the ideal; at most {RATIO:.2f}", reached=ratio <= RATIO)
    _say(f"{run.most} pictures at once; never above {AT_ONCE}", reached=run.most <= AT_ONCE)
    _say(f"{run.submits} submits for {run.renders} pictures; none twice", reached=run.submits == run.renders)
    _say(f"{run.memory:.0f} MB held by the watcher; below {MEMORY:.0f}", reached=run.memory < MEMORY)


def _say(words: str, *, reached: bool) -> None:
    print(f"{'reached' if reached else 'MISSED '}  {words}")


if __name__ == "__main__":
    main()
