"""`make bench-hooks`: signed deliveries a second, verified, stored with fsync and answered, beside a Node.js receiver.

Every side gets the same load in turn, round after round, on the same two cores. README.md says how to read the table.
"""

import argparse
import json
import os
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from sides import HERE, SECRET, Side, frontispiece, install_peer, peer, postgresql, postgresql_programs

from frontispiece.signatures import sign_standard_webhooks

MOST = 12_000  # deliveries a second that are signed beforehand; no side comes near it
P99 = 25.0  # ms, the target at 16 connections


@dataclass(frozen=True)
class Round:
    """What one run of the load generator saw; times in ms.

    `cpu` is the receiver's processor time in microseconds a request, `load` the load generator's share of one core.
    """

    rps: float
    p50: float
    p99: float
    max: float
    trouble: int
    cpu: float
    load: float


def main() -> None:
    """Starts the sides, measures them, prints the tables and what became of the targets."""
    asked = _asked()
    if missing := [name for name in ("wrk", "node", "npm") if not shutil.which(name)]:
        raise SystemExit(f"make bench-hooks needs {', '.join(missing)} (Debian: apt-get install wrk nodejs npm)")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what was started is ended
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])
    install_peer()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-", dir=asked.folder)))
        folder.chmod(0o755)  # PostgreSQL's user looks inside
        sides = _start(stack, folder)
        print(_machine(), f"{asked.rounds} rounds of {asked.seconds} s, bodies of {len(_body())} bytes", sep="\n")
        tables = {number: _measure(sides, number, asked, folder) for number in asked.connections}
    _verdict(tables)


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=6, help="length of a round (6)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds for each side (3)")
    parser.add_argument("--connections", type=int, nargs="+", default=[16, 64])
    parser.add_argument("--folder", default="/var/tmp", help="where the databases lie (/var/tmp)")
    parser.add_argument("--quick", action="store_true", help="one round of 3 seconds")
    asked = parser.parse_args()
    if asked.quick:
        asked.seconds, asked.rounds = 3, 1
    return asked


def _start(stack: ExitStack, folder: Path) -> list[Side]:
    sides = [
        stack.enter_context(frontispiece(folder / "sqlite")),
        stack.enter_context(peer(folder / "node")),
        stack.enter_context(peer(folder / "grouped", grouped=True)),
    ]
    if programs := postgresql_programs():
        url = stack.enter_context(postgresql(programs, folder / "server"))
        sides.insert(1, stack.enter_context(frontispiece(folder / "postgresql", url)))
    else:
        print("PostgreSQL is not installed: its row is left out")
    return sides


def _measure(sides: list[Side], connections: int, asked: argparse.Namespace, folder: Path) -> dict[str, list[Round]]:
    for side in sides:
        _load(side, connections, 2, folder)
    table: dict[str, list[Round]] = {side.name: [] for side in sides}
    for _ in range(asked.rounds):
        for side in sides:
            table[side.name].append(_load(side, connections, asked.seconds, folder))
    _print(sides, connections, table)
    return table


def _load(side: Side, connections: int, seconds: int, folder: Path) -> Round:
    body, lines = folder / "body.json", folder / "signed.txt"
    body.write_bytes(_body())
    lines.write_text("".join(_signed(_body()) for _ in range(MOST * seconds)), "utf8")
    before, used, burnt = side.rows(), _children(), side.cpu()
    command = ["wrk", "-t", "1", "-c", str(connections), "-d", f"{seconds}s", "--timeout", "10s"]
    command += ["-s", str(HERE / "deliveries.lua"), side.url, "--", str(body), str(lines)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    load, burnt = _children() - used, side.cpu() - burnt
    saw = json.loads(said.splitlines()[-1])
    stored = side.rows() - before
    if not 0 <= stored - (saw["requests"] - saw["refused"]) <= connections:  # those under way when the time was over
        print(f"! {side.name}: {saw['requests']} answers, {stored} stored")
    times = saw["p50"], saw["p99"], saw["max"]
    cpu = burnt / max(saw["requests"], 1) * 1e6
    return Round(saw["requests"] / saw["seconds"], *times, saw["refused"] + saw["lost"], cpu, load / seconds)


def _signed(body: bytes) -> str:
    headers = sign_standard_webhooks(SECRET, f"msg_{uuid.uuid4().hex}", int(time.time()), body)
    return " ".join(headers.values()) + "\n"


def _body() -> bytes:
    data = {
        "id": "articles/4711",
        "title": "The lighthouse keeper who wrote to every ship",
        "url": "https://gazette.example/2026/the-lighthouse-keeper-who-wrote-to-every-ship",
        "edit_url": "https://gazette.example/edit/4711",
        "excerpt": "For forty years Ada Holm signalled more than the way: she asked each crew for a story.",
        "body": "The lamp of Skerry Point turns every twelve seconds. " * 12,
        "tags": ["sea", "portrait", "history"],
        "section": "features",
        "author": "Jonas Weld",
        "language": "en",
        "status": "published",
    }
    return json.dumps({"type": "entry.published", "timestamp": "2026-11-21T10:00:00Z", "data": data}).encode()


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _machine() -> str:
    cpu = "unknown processor"
    facts = Path("/proc/cpuinfo")
    if facts.exists():
        cpu = next(line.split(":")[1].strip() for line in facts.read_text().splitlines() if "model name" in line)
    return f"\n{cpu}, {len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count()} cores"


def _print(sides: list[Side], connections: int, table: dict[str, list[Round]]) -> None:
    columns = "  req/s   p50 ms   p99 ms   max ms   RSS MB   cpu us   failed   load   rounds (req/s)"
    print(f"\n{f'{connections} connections':30}{columns}")
    for side in sides:
        rounds = table[side.name]
        rps, p50, p99, cpu = (_median(rounds, field) for field in ("rps", "p50", "p99", "cpu"))
        most, trouble = max(one.max for one in rounds), sum(one.trouble for one in rounds)
        each = " ".join(f"{one.rps:.0f}" for one in rounds)
        figures = f"{rps:7.0f} {p50:8.1f} {p99:8.1f} {most:8.1f} {side.rss():8.0f} {cpu:8.0f} {trouble:8}"
        print(f"{side.name:30}{figures} {_median(rounds, 'load'):6.0%}   {each}", flush=True)


def _median(rounds: list[Round], field: str) -> float:
    return statistics.median(float(getattr(one, field)) for one in rounds)


def _verdict(tables: dict[int, dict[str, list[Round]]]) -> None:
    print()
    for connections, table in tables.items():
        ours, node = table["Frontispiece, SQLite"], table["Node + better-sqlite3"]
        mine, theirs = _median(ours, "rps"), _median(node, "rps")
        _say(f"{connections} connections: {mine:.0f} requests/s, Node's {theirs:.0f}", reached=mine >= theirs)
        if connections == 16:
            p99 = _median(ours, "p99")
            _say(f"{connections} connections: p99 {p99:.1f} ms, at most {P99:.0f} ms", reached=p99 <= P99)
        else:
            failed, most = sum(one.trouble for one in ours), max(one.max for one in ours)
            _say(f"{connections} connections: slowest answer {most:.0f} ms, {failed} failed", reached=not failed)


def _say(words: str, *, reached: bool) -> None:
    print(f"{'reached' if reached else 'MISSED '}  {words}")


if __name__ == "__main__":
    main()
