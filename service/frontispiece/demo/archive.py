"""What the newsroom keeps: articles, their pictures and the messages that are still to be sent, in one SQLite file."""

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SCHEMA = """
CREATE TABLE IF NOT EXISTS articles (
    id INTEGER PRIMARY KEY AUTOINCREMENT, title TEXT, standfirst TEXT, body TEXT, section TEXT, tags TEXT, status TEXT,
    created REAL, changed REAL, picture INTEGER);
CREATE TABLE IF NOT EXISTS pictures (
    id INTEGER PRIMARY KEY, article INTEGER, key TEXT, file TEXT, alt TEXT, caption TEXT, previous INTEGER,
    UNIQUE (article, key));
CREATE TABLE IF NOT EXISTS messages (
    id TEXT PRIMARY KEY, article INTEGER, body TEXT, due REAL, tries INTEGER, answer TEXT, state TEXT);
"""
TEXTS = ("title", "standfirst", "body", "section", "tags", "status")


class OtherPicture(Exception):  # noqa: N818 - what is in the way, not a mistake
    """The article has another picture than the one that may be replaced."""


@dataclass(frozen=True, slots=True)
class Article:
    """A story; `status` is "draft" or "published", times are seconds since the epoch, `picture` is an id."""

    id: int
    title: str
    standfirst: str
    body: str
    section: str
    tags: list[str]
    status: str
    created: float
    changed: float
    picture: int | None


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of an article; `key` names the sender's picture, or is empty for one that a person chose."""

    id: int
    article: int
    key: str | None
    file: str
    alt: str
    caption: str
    previous: int | None


@dataclass(frozen=True, slots=True)
class Message:
    """A webhook on its way; `state` is "waiting", "accepted" or "refused", `due` in seconds since the epoch."""

    id: str
    article: int | None
    body: str
    due: float
    tries: int
    answer: str
    state: str


class Archive:
    """The newsroom's memory, in `folder`: `gazette.db`, and the picture files in `pictures/`."""

    def __init__(self, folder: Path) -> None:
        self.pictures = folder / "pictures"
        self.pictures.mkdir(parents=True, exist_ok=True)
        self._file = folder / "gazette.db"
        with self._open() as db:
            db.executescript(SCHEMA)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._file, timeout=10, isolation_level=None)) as db:
            db.row_factory = sqlite3.Row
            db.execute("PRAGMA foreign_keys = ON")
            yield db

    @contextmanager
    def _change(self) -> Iterator[sqlite3.Connection]:
        with self._open() as db, db:
            db.execute("BEGIN IMMEDIATE")
            yield db

    def articles(self, *, changed_since: float = 0.0, without_picture: bool = False) -> list[Article]:
        """Newest first."""
        where = "changed >= ?" + (" AND picture IS NULL" if without_picture else "")
        with self._open() as db:
            rows = db.execute(f"SELECT * FROM articles WHERE {where} ORDER BY created DESC", (changed_since,))  # noqa: S608 - two fixed texts
            return [_article(row) for row in rows]

    def article(self, number: int) -> Article | None:
        with self._open() as db:
            row = db.execute("SELECT * FROM articles WHERE id = ?", (number,)).fetchone()
            return _article(row) if row else None

    def write(self, created: float | None = None, **texts: Any) -> int:
        """Keeps a new article and returns its number."""
        now = time.time() if created is None else created
        values = [_column(texts[name]) for name in TEXTS]
        with self._change() as db:
            done = db.execute(
                "INSERT INTO articles (title, standfirst, body, section, tags, status, created, changed)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (*values, now, now),
            )
            return int(done.lastrowid or 0)

    def rewrite(self, number: int, **texts: Any) -> None:
        values = [_column(texts[name]) for name in TEXTS]
        with self._change() as db:
            db.execute(
                "UPDATE articles SET title = ?, standfirst = ?, body = ?, section = ?, tags = ?, status = ?,"
                " changed = ? WHERE id = ?",
                (*values, time.time(), number),
            )

    def delete(self, number: int) -> None:
        with self._change() as db:
            db.execute("DELETE FROM articles WHERE id = ?", (number,))

    def picture(self, number: int | None) -> Picture | None:
        with self._open() as db:
            row = db.execute("SELECT * FROM pictures WHERE id = ?", (number,)).fetchone()
            return Picture(**dict(row)) if row else None

    def choose(self, article: int, file: str, alt: str, caption: str = "") -> None:
        """A person's own picture, whatever was there before."""
        with self._change() as db:
            number = _add(db, article, None, file, alt, caption)
            db.execute("UPDATE articles SET picture = ?, changed = ? WHERE id = ?", (number, time.time(), article))

    def attach(self, article: int, key: str, expects: str, file: str, alt: str, caption: str) -> Picture:
        """The picture known by `key` is the article's, however often it is sent. Raises `OtherPicture`."""
        with self._change() as db:
            present = _present(db, article)
            known = db.execute("SELECT id FROM pictures WHERE article = ? AND key = ?", (article, key)).fetchone()
            if known is None or known["id"] != present:
                if str(present or "") != expects:
                    raise OtherPicture
                number = known["id"] if known else _add(db, article, key, file, alt, caption)
                db.execute("UPDATE pictures SET previous = ? WHERE id = ?", (present, number))
                db.execute("UPDATE articles SET picture = ? WHERE id = ?", (number, article))
            else:
                number = present
            db.execute("UPDATE pictures SET alt = ?, caption = ? WHERE id = ?", (alt, caption, number))
            return Picture(**dict(db.execute("SELECT * FROM pictures WHERE id = ?", (number,)).fetchone()))

    def detach(self, article: int, expects: str, restore: str) -> None:
        """Puts the picture `restore` (none if empty) in the place of `expects`. Raises `OtherPicture`."""
        with self._change() as db:
            if str(_present(db, article) or "") != expects:
                raise OtherPicture
            old = db.execute("SELECT id FROM pictures WHERE article = ? AND id = ?", (article, restore)).fetchone()
            db.execute("UPDATE articles SET picture = ? WHERE id = ?", (old["id"] if old else None, article))

    def post(self, sent_id: str, article: int | None, body: str) -> None:
        """Keeps a message until it is delivered."""
        with self._change() as db:
            values = (sent_id, article, body, time.time())
            db.execute("INSERT INTO messages VALUES (?, ?, ?, ?, 0, '', 'waiting')", values)

    def next_message(self) -> Message | None:
        """The message that is due first, in the order in which they were posted."""
        with self._open() as db:
            row = db.execute("SELECT * FROM messages WHERE state = 'waiting' ORDER BY due, rowid LIMIT 1").fetchone()
            return Message(**dict(row)) if row else None

    def answered(self, sent_id: str, state: str, answer: str, due: float = 0.0) -> None:
        with self._change() as db:
            db.execute(
                "UPDATE messages SET state = ?, answer = ?, due = ?, tries = tries + 1 WHERE id = ?",
                (state, answer, due, sent_id),
            )

    def last_message(self, article: int | None) -> Message | None:
        """What was last told of an article; None: the last test of the connection."""
        with self._open() as db:
            order = "SELECT * FROM messages WHERE article IS ? ORDER BY rowid DESC LIMIT 1"
            row = db.execute(order, (article,)).fetchone()
            return Message(**dict(row)) if row else None


def _article(row: sqlite3.Row) -> Article:
    return Article(**{**dict(row), "tags": json.loads(row["tags"])})


def _column(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _present(db: sqlite3.Connection, article: int) -> int | None:
    row = db.execute("SELECT picture FROM articles WHERE id = ?", (article,)).fetchone()
    return row["picture"] if row else None


def _add(db: sqlite3.Connection, article: int, key: str | None, file: str, alt: str, caption: str) -> int:
    done = db.execute(
        "INSERT INTO pictures (article, key, file, alt, caption) VALUES (?, ?, ?, ?, ?)",
        (article, key, file, alt, caption),
    )
    return int(done.lastrowid or 0)
