"""Some of everything that a lead may look at, for the tests of those pages."""

import csv
import io
import json
import time
from typing import Any

from desk.furnish import SECRET, Web
from sqlalchemy import update

from frontispiece import pauses, prompts
from frontispiece.models import Delivery, Render, Review, State, TemplateVersion

OLD = "0123456789ab"  # a version of the template article/hero
TEMPLATE = f"article/hero@{OLD}"
STATES = (State.IN_REVIEW, State.PUBLISHED, State.REJECTED, State.HELD, State.FAILED)
OUTCOMES = (
    ("queued", "illustration 1 for hero"),
    ("coalesced", "illustration 2 is published already"),
    ("echo", "the image it has is our own"),
    ("skipped", "it has an image already"),
    ("skipped", "pictures are switched off for this entry"),
    ("unreadable", "this is no JSON"),
)


def furnished(web: Web) -> None:
    """Some of everything."""
    for number in range(10):
        one = web.illustration(STATES[number % 5], number, site="gazette" if number % 3 else "shop")
        with web.house.database.write() as session:
            version = prompts.load("article/hero").version if number % 4 else OLD
            model = ("sketch", "flux-2-pro")[number % 2]
            mine = update(Render).where(Render.illustration_id == one)
            session.execute(mine.values(template=f"article/hero@{version}", model=model))
            if number % 5 == 2:
                session.add(Review(illustration_id=one, decision="reject", by="Kim", chips=["crop", "subject"]))
    with web.house.database.write() as session:
        source = "A beautiful photograph of {{ entry.title }}, without any text.\n"
        session.add(TemplateVersion(name="article/hero", version=OLD, source=source))
        pauses.begin(session, pauses.of_site("shop"), "GET http://127.0.0.1:9/x answered 401")
        for number, (outcome, words) in enumerate(OUTCOMES):
            session.add(delivery(number, outcome, words))
    web.house.refuse("gazette", "the signature does not fit the body")


def delivery(number: int, outcome: str = "queued", words: str = "") -> Delivery:
    told = {"type": "entry.published", "timestamp": "2026-11-21T10:00:00Z", "data": {"id": f"posts/{number}"}}
    headers = json.dumps([["content-type", "application/json"], ["webhook-signature", SECRET]])
    made = Delivery(site="gazette", key=f"msg_{number}", received=time.time() - number, headers=headers)
    made.body, made.outcome, made.words = json.dumps(told).encode(), outcome, words
    return made


def drawn(web: Web, number: int = 0, candidates: int = 1, **fields: Any) -> int:
    """An illustration in review whose renders have these fields."""
    one = web.illustration(number=number, candidates=candidates)
    with web.house.database.write() as session:
        values = {"template": TEMPLATE, **fields}
        session.execute(update(Render).where(Render.illustration_id == one).values(values))
    return one


def say(web: Web, number: int, decision: str, candidate: int | None = None, **fields: Any) -> None:
    """A decision on an illustration."""
    with web.house.database.write() as session:
        session.add(Review(illustration_id=number, decision=decision, candidate_id=candidate, **{"by": "Jo", **fields}))


def add(web: Web, row: Any) -> None:
    """Puts a row into the database."""
    with web.house.database.write() as session:
        session.add(row)


def rows(text: str) -> list[list[str]]:
    """The cells of a CSV that opens in a spreadsheet."""
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))
