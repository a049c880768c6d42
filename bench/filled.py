"""A desk with ten thousand waiting illustrations and fifty thousand that are decided, for `full_desk.py`."""

import random
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from desk.furnish import PROMPT, SECRET, picture
from sqlalchemy import insert, text
from sqlalchemy.orm import Session

from frontispiece import migrate
from frontispiece.cms import Entry
from frontispiece.config import Settings
from frontispiece.house import House
from frontispiece.models import Candidate, Illustration, Publication, Render, Review, State, Task
from frontispiece.models import Entry as EntryRow
from frontispiece.records import sought
from frontispiece.tables import Rule

SITES = ("gazette", "shop", "magazine", "museum")
SECTIONS = (
    "City",
    "Science",
    "Food",
    "Travel",
    "Culture",
    "Sport",
    "Business",
    "Letters",
    "Garden",
    "Weather",
    "Film",
    "Sea",
)
PEOPLE = ("Jo Editor", "Kim", "Ann", "Ole", "Pia", "Sam")
WORDS = """the a of and harbour lamp keeper winter river council museum bridge market night train bread garden library
storm painter glass island school election harvest orchestra bicycle lighthouse kitchen forest letter summer clock tea
Straße Bäcker Frühling Brücke Zug Wetter Markt Hafen Kirche Museum neue alte große kleine unter über zwischen"""
STATES = {  # how many of each a newsroom has that decided fifty thousand
    State.PUBLISHED: 40_000, State.REJECTED: 6_000, State.SKIPPED: 3_500, State.REVERTED: 500,
    State.HELD: 80, State.FAILED: 60, State.RENDERING: 30, State.QUEUED: 20, State.APPROVED: 10,
    State.IN_REVIEW: 10_000,
}  # fmt: skip
DECIDED = {State.PUBLISHED: "approve", State.REVERTED: "approve", State.APPROVED: "approve", State.REJECTED: "reject"}
MONTH = 30 * 86_400.0
DRAWN = 128  # pictures that are really there, those of the newest that wait; the others share the first


@dataclass(frozen=True)
class Row:
    """One illustration and what belongs to it, with its id, which all its rows share."""

    number: int
    state: State
    entry: Entry
    site: str
    updated: float


def settings(folder: Path, database: str) -> Settings:
    """Four sites with three rules each."""
    site = {"plugin": "generic", "url": "http://127.0.0.1:9", "webhook_secret": SECRET, "api_token": "t"}
    rules = [Rule(name=f"{name}-{at}", site=name, models=["sketch"]) for name in SITES for at in range(3)]
    given: dict[str, Any] = {
        "data": folder,
        "sites": dict.fromkeys(SITES, site),
        "rules": rules,
        "database_url": database,
    }
    return Settings(**given)


def fill(given: Settings, share: float = 1.0) -> House:
    """Makes the tables by the migrations and fills them; `share` of everything, for a quick look."""
    migrate.upgrade(given)
    house = House(given)
    rows = list(_rows(share))
    for number in range(DRAWN):
        house.storage.put(f"renders/{number}", picture(number), "image/png")
    with house.database.write() as session:
        for table, made in _tables(rows).items():
            for start in range(0, len(made), 5_000):
                session.execute(insert(table), made[start : start + 5_000])
        _settle(session)
    with house.database.engine.connect() as connection:  # as PostgreSQL does by itself within a minute
        words = "ANALYZE" if house.database.is_sqlite else "VACUUM ANALYZE"
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(text(words))
    return house


def _rows(share: float) -> Iterator[Row]:
    """Decided ones over half a year, the newest last; what waits came in the last three days."""
    dice, now, number = random.Random(5), time.time(), 0
    for state, many in STATES.items():
        span = 0.1 * MONTH if state == State.IN_REVIEW else 6 * MONTH
        for moved in sorted(dice.uniform(now - span, now - 60) for _ in range(round(many * share))):
            number += 1
            yield Row(number, state, _entry(dice, number), dice.choice(SITES), moved)


def _entry(dice: random.Random, number: int) -> Entry:
    """Between two and three kilobytes as JSON."""
    words = WORDS.split()
    title = " ".join(dice.choices(words, k=dice.randint(4, 11))).capitalize()
    body = " ".join(dice.choices(words, k=290))
    address = f"https://example.org/{number}"
    return Entry(
        f"posts/{number}", "article" if number % 5 else "product", title,
        excerpt=body[:240], body=body, section=dice.choice(SECTIONS),
        tags=tuple(dice.sample(words, 4)), url=address, edit_url=f"{address}/edit",
    )  # fmt: skip


def _tables(rows: Sequence[Row]) -> Mapping[Any, list[dict[str, Any]]]:
    waiting = [row.number for row in rows if row.state == State.IN_REVIEW]
    drawn = {number: at for at, number in enumerate(reversed(waiting[-DRAWN:]))}
    pictured = [row for row in rows if row.state not in (State.QUEUED, State.RENDERING, State.SKIPPED)]
    out = [row for row in rows if row.state in (State.PUBLISHED, State.REVERTED)]
    return {
        EntryRow: [_entry_row(row) for row in rows],
        Illustration: [_illustration_row(row) for row in rows],
        Render: [_render_row(row) for row in rows if row.state not in (State.QUEUED, State.SKIPPED)],
        Candidate: [_candidate_row(row, drawn.get(row.number, 0)) for row in pictured],
        Review: [_review_row(row) for row in rows if row.state in DECIDED],
        Publication: [_publication_row(row) for row in out],
        Task: [{"step": step, "subject": row.number, "state": "done"} for row in out for step in ("render", "publish")],
    }


def _entry_row(row: Row) -> dict[str, Any]:
    told = row.entry
    named = {"id": row.number, "site": row.site, "ref": told.ref, "kind": told.kind, "title": told.title}
    return named | {"section": told.section, "snapshot": asdict(told), "fetched": row.updated}


def _illustration_row(row: Row) -> dict[str, Any]:
    chosen = row.number if DECIDED.get(row.state) == "approve" else None
    reason = "there is no credit left" if row.state in (State.HELD, State.FAILED) else ""
    given = PEOPLE[row.number % 24] if row.number % 24 < len(PEOPLE) else ""
    told = {"prompt": PROMPT * 2, "template": "article/hero@3f2a", "alt": f"Drawing for “{row.entry.title}”"}
    return told | sought(row.site, row.entry) | {
        "id": row.number, "entry_id": row.number, "rule": f"{row.site}-{row.number % 3}", "slot": "hero",
        "state": row.state, "reason": reason, "assignee": given, "chosen_id": chosen,
        "created": row.updated - 90, "updated": row.updated,
    }  # fmt: skip


def _render_row(row: Row) -> dict[str, Any]:
    state = "open" if row.state == State.RENDERING else "done"
    return {
        "id": row.number, "illustration_id": row.number, "state": state, "model": "sketch", "prompt": PROMPT * 2,
        "seed": row.number, "width": 1600, "height": 900, "cost": 0.03, "template": "article/hero@3f2a",
        "created": row.updated - 80, "finished": row.updated,
    }  # fmt: skip


def _candidate_row(row: Row, drawn: int) -> dict[str, Any]:
    return {
        "id": row.number, "illustration_id": row.number, "render_id": row.number, "number": 0,
        "image": f"renders/{drawn}", "mime": "image/png", "width": 1600, "height": 900,
        "colour": f"#{row.number * 7919 % 0x1000000:06x}", "created": row.updated,
    }  # fmt: skip


def _review_row(row: Row) -> dict[str, Any]:
    decision = DECIDED[row.state]
    chips = ["text"] if decision == "reject" and row.number % 3 else []
    return {
        "illustration_id": row.number, "decision": decision, "candidate_id": row.number, "by": PEOPLE[row.number % 6],
        "chips": chips, "before": "in_review", "at": row.updated,
    }  # fmt: skip


def _publication_row(row: Row) -> dict[str, Any]:
    return {
        "illustration_id": row.number, "candidate_id": row.number, "site": row.site, "name": f"hero-{row.number}",
        "media_id": f"m{row.number}", "url": row.entry.url, "receipt": {}, "finished": row.updated,
    }  # fmt: skip


def _settle(session: Session) -> None:
    """PostgreSQL's counters do not see ids that were given."""
    if session.get_bind().dialect.name != "postgresql":
        return
    for table in ("entries", "illustrations", "renders", "candidates"):
        session.execute(text(f"SELECT setval('{table}_id_seq', (SELECT max(id) FROM {table}))"))
