"""The receivers that `hooks.py` compares, each started in a folder of its own and ended with everything it started."""

import base64
import os
import secrets
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from frontispiece import valkey

HERE = Path(__file__).resolve().parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "frontispiece-bench" / "peer"
BIN = Path(sys.executable).parent
SECRET = "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()
CONFIG = """\
data = "{folder}"
database_url = "{database}"
[server]
port = {port}
[sites.blog]
plugin = "generic"
url = "http://127.0.0.1:9"
webhook_secret = "{secret}"
[[rules]]
name = "articles"
site = "blog"
"""


@dataclass(frozen=True)
class Side:
    """A running receiver. `rows` counts its deliveries."""

    name: str
    port: int
    pid: int
    rows: Callable[[], int]

    @property
    def url(self) -> str:
        """Where deliveries go."""
        return f"http://127.0.0.1:{self.port}/hooks/blog"

    def rss(self) -> float:
        """Resident memory in MB of the process and its descendants; shared pages count once for each."""
        return sum(_status(pid, "VmRSS") for pid in self._family()) / 1024

    def cpu(self) -> float:
        """Seconds of processor time that the process and its descendants have used."""
        ticks = [(Path("/proc") / pid / "stat").read_text().rpartition(")")[2].split() for pid in self._family()]
        return sum(int(fields[11]) + int(fields[12]) for fields in ticks) / os.sysconf("SC_CLK_TCK")

    def _family(self) -> set[str]:
        pids = [path.name for path in Path("/proc").glob("[0-9]*")]
        parents = {pid: str(_status(pid, "PPid")) for pid in pids}
        family = {str(self.pid)}
        while grown := {pid for pid, parent in parents.items() if parent in family} - family:
            family |= grown
        return family


def _status(pid: str, name: str) -> int:
    try:
        lines = (Path("/proc") / pid / "status").read_text().splitlines()
    except OSError:  # it has ended meanwhile
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith(f"{name}:")), 0)


@contextmanager
def frontispiece(folder: Path, database: str = "") -> Iterator[Side]:
    """The product as `frontispiece web` runs it, with an embedded Valkey; on SQLite, or the PostgreSQL given."""
    port = free_port()
    folder.mkdir()
    (folder / "frontispiece.toml").write_text(
        CONFIG.format(folder=folder, database=database, port=port, secret=SECRET), "utf8"
    )
    environment = os.environ | {"FRONTISPIECE_CONFIG": str(folder / "frontispiece.toml")}
    subprocess.run([BIN / "frontispiece", "db", "upgrade"], env=environment, check=True, capture_output=True)
    with _valkey(folder), _server([str(BIN / "frontispiece"), "web"], environment, port, folder / "web.log") as pid:
        if database:
            yield Side("Frontispiece, PostgreSQL", port, pid, lambda: _postgresql_rows(database))
        else:
            yield Side("Frontispiece, SQLite", port, pid, lambda: _sqlite_rows(folder / "frontispiece.db"))


@contextmanager
def peer(folder: Path, *, grouped: bool = False) -> Iterator[Side]:
    """Node's http and better-sqlite3: a transaction for each delivery, or one for all of a turn of the event loop."""
    port, database = free_port(), folder / "peer.db"
    folder.mkdir()
    environment = os.environ | {"PORT": str(port), "DATABASE": str(database), "SECRET": SECRET}
    environment |= {"NODE_PATH": str(CACHE / "node_modules"), "NODE_ENV": "production", "GROUP": "1" if grouped else ""}
    name = "Node + better-sqlite3, grouped" if grouped else "Node + better-sqlite3"
    with _server(["node", str(HERE / "peer" / "server.js")], environment, port, folder / "peer.log") as pid:
        yield Side(name, port, pid, lambda: _sqlite_rows(database))


def install_peer() -> None:
    """Puts better-sqlite3 into the cache folder; it is compiled where there is no built one to be had."""
    CACHE.mkdir(parents=True, exist_ok=True)
    wanted = HERE / "peer" / "package.json"
    installed = CACHE / "package.json"
    if installed.exists() and installed.read_bytes() == wanted.read_bytes():
        return
    environment = dict(os.environ)
    if Path("/usr/include/node/node.h").exists():
        environment["npm_config_nodedir"] = "/usr"  # the headers of Debian's Node, so that nothing is downloaded for it
    print("Installing better-sqlite3, which may take some minutes the first time ...", flush=True)
    shutil.copy(wanted, CACHE / "wanted.json")
    (CACHE / "wanted.json").rename(installed)
    try:
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--no-package-lock"], cwd=CACHE, env=environment,
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
    except BaseException:
        installed.unlink()
        raise


def postgresql_programs() -> Path | None:
    """The folder of `initdb` and `postgres`; None where PostgreSQL is not installed."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    on_path = shutil.which("initdb")
    return debian[-1] if debian else Path(on_path).parent if on_path else None


@contextmanager
def postgresql(programs: Path, folder: Path) -> Iterator[str]:
    """A PostgreSQL server of our own with its default, durable settings; its URL."""
    port = free_port()
    folder.mkdir()
    as_user: list[str] = []
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        as_user = ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--clear-groups"]
        shutil.chown(folder, "postgres", "postgres")
    make = [*as_user, str(programs / "initdb"), "-D", str(folder / "data"), "-A", "trust", "-U", "bench", "--no-sync"]
    subprocess.run(make, check=True, capture_output=True, cwd="/")
    serve = [*as_user, str(programs / "postgres"), "-D", str(folder / "data"), "-p", str(port), "-k", str(folder),
             "-c", "listen_addresses=127.0.0.1"]  # fmt: skip
    url = f"postgresql://bench@127.0.0.1:{port}/postgres"
    with _process(serve, dict(os.environ), folder / "postgresql.log", signal.SIGINT) as server:
        _until(lambda: _connects(url), server, folder / "postgresql.log")
        yield url


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
def _server(command: list[str], environment: dict[str, str], port: int, log: Path) -> Iterator[int]:
    with _process(command, environment, log, signal.SIGTERM) as server:
        _until(lambda: _answers(port), server, log)
        yield server.pid


@contextmanager
def _process(
    command: list[str], environment: dict[str, str], log: Path, goodbye: signal.Signals
) -> Iterator["subprocess.Popen[bytes]"]:
    with log.open("ab") as output, ExitStack() as stack:
        server = subprocess.Popen(
            command, env=environment, stdout=output, stderr=output, stdin=subprocess.DEVNULL, process_group=0, cwd="/"
        )
        stack.callback(_end, server, goodbye)
        yield server


def _end(server: "subprocess.Popen[bytes]", goodbye: signal.Signals) -> None:
    server.send_signal(goodbye)
    try:
        server.wait(15)
    except subprocess.TimeoutExpired:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def _until(ready: Callable[[], bool], server: "subprocess.Popen[bytes]", log: Path) -> None:
    give_up = time.monotonic() + 30
    while not ready():
        if server.poll() is not None or time.monotonic() > give_up:
            raise SystemExit(f"a server did not start:\n{log.read_text(errors='replace')[-2000:]}")
        time.sleep(0.05)


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def _connects(url: str) -> bool:
    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError:
        return False
    return True


def _sqlite_rows(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("SELECT count(*) FROM deliveries").fetchone()[0])


def _postgresql_rows(url: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT count(*) FROM deliveries").fetchone()
        return int(row[0]) if row else 0


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
