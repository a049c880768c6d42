"""Real PostgreSQL and Redis servers for tests, in folders and on ports of their own."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def binaries() -> Path:
    """The folder of the newest PostgreSQL's programs."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        raise FileNotFoundError("PostgreSQL is not installed: apt-get install --no-install-recommends postgresql")
    return found[-1].parent


def as_nobody_special() -> Sequence[str]:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return ()
    user = pwd.getpwnam("postgres")
    return ("setpriv", "--reuid", str(user.pw_uid), "--regid", str(user.pw_gid), "--clear-groups")


@contextmanager
def postgres() -> Iterator[str]:
    """A PostgreSQL of its own; gives the URL of an empty database."""
    place, port, prefix = Path(tempfile.mkdtemp(prefix="frontispiece-postgres-")), free_port(), as_nobody_special()
    if prefix:
        shutil.chown(place, "postgres", "postgres")
    data = str(place / "data")

    def run(tool: str, *words: str) -> None:
        command = [*prefix, str(binaries() / tool), "-D", data, *words]
        subprocess.run(command, cwd="/", check=True, stdout=subprocess.DEVNULL, timeout=60)

    run("initdb", "-A", "trust", "-U", "test", "--no-sync")
    options = f"-p {port} -k {place} -c listen_addresses=127.0.0.1 -c fsync=off"
    run("pg_ctl", "-o", options, "-l", str(place / "log"), "-w", "start")
    try:
        yield f"postgresql://test@127.0.0.1:{port}/postgres"
    finally:
        run("pg_ctl", "-m", "immediate", "-w", "stop")
        shutil.rmtree(place)


@contextmanager
def redis(folder: Path) -> Iterator[str]:
    """A Redis of its own with an append-only file; gives its URL."""
    port = free_port()
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--appendonly", "yes"]
    server = subprocess.Popen([*command, "--save", ""], stdout=subprocess.DEVNULL, process_group=0)
    try:
        _wait(port)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        server.terminate()
        server.wait(30)


def _wait(port: int) -> None:
    give_up = time.monotonic() + 20
    with Redis(port=port) as client:
        while True:
            try:
                client.ping()
            except RedisError:
                if time.monotonic() > give_up:
                    raise
                time.sleep(0.05)
            else:
                return
