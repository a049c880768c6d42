"""The database: SQLite in WAL mode or PostgreSQL, with short write transactions.

SQLite lets one writer in at a time and wakes the others by sleeping and trying again, which starves some of them for
half a second. A thread lock and a file lock around each write let the kernel wake the next one instead.
"""

import fcntl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from frontispiece.errors import ConfigProblem


class Database:
    """Hands out sessions: `read` for looking, `write` for one short transaction that commits at its end."""

    def __init__(self, url: str) -> None:
        self.url = make_url(url)
        if self.url.drivername == "postgresql":
            self.url = self.url.set(drivername="postgresql+psycopg")
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.engine = _sqlite(self.url) if self.is_sqlite else _postgres(self.url)
        self._writing = self.engine.execution_options(writes=True)
        self._thread_lock = threading.Lock()
        self._lock_file = Path(f"{self.url.database}.lock")

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session for reading; never keep one open across a network call."""
        with Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """One transaction: committed at the end, rolled back by any exception. No network calls inside."""
        with self.locked(), Session(self._writing, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Holds SQLite's one place for a writer over threads and processes; with PostgreSQL there is no need."""
        if not self.is_sqlite:
            yield
            return
        with self._thread_lock, _flock(self._lock_file):
            yield

    def ping(self) -> None:
        """Raises `SQLAlchemyError` where the database does not answer."""
        with self.engine.connect() as connection:
            connection.exec_driver_sql("SELECT 1")

    @staticmethod
    def one_at_a_time(session: Session, what: str) -> None:
        """Until the end of this transaction nobody else passes here for `what`; SQLite has one writer anyway."""
        if session.get_bind().dialect.name == "postgresql":
            session.execute(text("SELECT pg_advisory_xact_lock(hashtext(:what))"), {"what": f"frontispiece {what}"})

    def after_fork(self) -> None:
        """Forgets the parent's connections, without closing them under its feet."""
        self.engine.dispose(close=False)
        self._thread_lock = threading.Lock()


def upsert(session: Session, table: Any, unique: list[str], values: dict[str, Any], change: list[str]) -> int | None:
    """Inserts a row, or changes those columns of the one that is there; its id, or None if nothing was to change."""
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    row: Any = dialect.insert(table).values(**values)
    if change:
        row = row.on_conflict_do_update(index_elements=unique, set_={name: row.excluded[name] for name in change})
    else:
        row = row.on_conflict_do_nothing(index_elements=unique)
    found: int | None = session.execute(row.returning(table.id)).scalar()
    return found


@contextmanager
def _flock(path: Path) -> Iterator[None]:
    with path.open("a") as file:  # opened anew each time: a lock belongs to an open file, which a fork would share
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _postgres(url: URL) -> Engine:
    """Without parameters in error words: they hold prompts, bodies and hashes, and words end up in logs."""
    try:
        return create_engine(url, pool_pre_ping=True, hide_parameters=True)
    except ModuleNotFoundError as problem:
        words = f"{problem.name} is missing, which database_url needs: pip install 'frontispiece[postgres]'"
        raise ConfigProblem(words) from problem


def _sqlite(url: Any) -> Engine:
    Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, connect_args={"timeout": 30}, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver must not begin transactions by itself
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "busy_timeout = 30000"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine
