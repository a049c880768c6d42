"""What a lead sees, for programs: how the sites stand, what they sent, and the figures of the board."""

from typing import Annotated, Any, Literal

from flask import abort
from pydantic import BaseModel, Field
from sqlalchemy import select

from frontispiece import planning, standing
from frontispiece.models import Delivery, State
from frontispiece.standing import Standing
from frontispiece.web import plain, security
from frontispiece.web.api import callers, shapes
from frontispiece.web.api.routes import get, post
from frontispiece.web.api.shapes import Act, Asked, clean
from frontispiece.web.lead import arrivals, outcomes

OUTCOMES = Literal[
    "received", "queued", "coalesced", "echo", "opted-out", "has-image", "skipped", "over-budget", "ignored",
    "unreadable", "failed",
]  # fmt: skip


class PauseShape(BaseModel):
    """Why a site is asked nothing, and until when."""

    words: str
    since: str
    until: str


class SiteShape(BaseModel):
    """How one site stands; null is what never was."""

    name: str
    plugin: str
    paused: PauseShape | None
    delivery: Annotated[str | None, Field(description="When the last authentic delivery came")]
    looked: Annotated[str | None, Field(description="Up to when it was asked what no delivery told")]
    trouble: Annotated[str, Field(description="What last went wrong, in words")]
    illustrations: Annotated[dict[State, int], Field(description="How many there are in each state")]


class Sites(BaseModel):
    """The sites in the configuration that the token may see."""

    sites: list[SiteShape]


class DeliveryQuery(Asked):
    """Which deliveries to list."""

    site: Annotated[str, clean(64, "name of the site", lines=False)] = ""
    outcome: OUTCOMES | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 50
    before: Annotated[shapes.Number | None, Field(description="Only those with a smaller id; for the next page")] = None


class DeliveryShape(BaseModel):
    """One webhook request, and what came of it. `key` is the sender's id of it, or a hash of its bytes."""

    id: int
    site: str
    key: str
    received: str
    outcome: str
    words: str


class Deliveries(BaseModel):
    """A page of them, the newest first."""

    deliveries: list[DeliveryShape]


class HeaderShape(BaseModel):
    """One header, in its place."""

    name: str
    value: str


class WholeDelivery(DeliveryShape):
    """One delivery as it came, without secrets and signatures; headers and body are kept for a time."""

    headers: list[HeaderShape]
    body: Annotated[str, Field(description="As text, at most 50,000 characters of it")]
    size: Annotated[int, Field(description="Bytes of the body")]


@get("/sites", scope="manage")
def sites() -> Sites:
    """How the sites stand."""
    house = security.house()
    names = [name for name in house.settings.sites if callers.limit() in ("", name)]
    with house.database.read() as session:
        return Sites(sites=[_site(one) for one in standing.every(session, names)])


@get("/deliveries", scope="manage")
def deliveries(query: DeliveryQuery) -> Deliveries:
    """Lists what the sites sent, the newest first."""
    if query.site:
        callers.must_see(query.site, f"This token knows no site {query.site!r}.")
    site = query.site or callers.limit()
    with security.house().database.read() as session:
        wanted = select(Delivery).order_by(Delivery.id.desc()).limit(query.limit)
        wanted = wanted.where(Delivery.site == site) if site else wanted
        wanted = wanted.where(Delivery.id < query.before) if query.before else wanted
        wanted = wanted.where(outcomes.clause(session, query.outcome)) if query.outcome else wanted
        rows = session.scalars(wanted).all()
        known = outcomes.about(session, [(row.outcome, row.words) for row in rows])
    return Deliveries(
        deliveries=[DeliveryShape(**_facts(row), outcome=outcomes.of(row.outcome, row.words, known)) for row in rows]
    )


@get("/deliveries/{number}", scope="manage")
def delivery(number: int) -> WholeDelivery:
    """One delivery as it came."""
    house, words = security.house(), f"There is no delivery {number}."
    with house.database.read() as session:
        row = session.get(Delivery, number)
        if row is None:
            abort(404, words)
        known = outcomes.about(session, [(row.outcome, row.words)])
    callers.must_see(row.site, words)
    site = house.settings.sites.get(row.site)
    hidden = site.secrets if site else []
    shown = arrivals.body(row.body, hidden)
    return WholeDelivery(
        **_facts(row),
        outcome=outcomes.of(row.outcome, row.words, known),
        headers=[HeaderShape(name=name, value=value) for name, value in arrivals.headers(row.headers, hidden)],
        body=shown.text,
        size=shown.size,
    )


@post("/deliveries/{number}/replay", scope="manage")
def replay(number: int, body: Act) -> WholeDelivery:
    """Have it read and planned once more."""
    del body
    delivery(number)
    planning.again(security.house(), number)
    security.nudge()
    return delivery(number)


def _facts(row: Delivery) -> dict[str, Any]:
    facts = {name: getattr(row, name) for name in ("id", "site", "key", "words")}
    return {**facts, "received": plain.iso(row.received)}


def _site(one: Standing) -> SiteShape:
    pause = one.pause
    told = None
    if pause is not None:
        told = PauseShape(words=pause.words, since=plain.iso(pause.since), until=plain.iso(pause.until))
    return SiteShape(
        name=one.name,
        plugin=security.house().settings.sites[one.name].plugin,
        paused=told,
        delivery=None if one.delivery is None else plain.iso(one.delivery),
        looked=None if one.looked is None else plain.iso(one.looked),
        trouble=one.trouble.words if one.trouble else "",
        illustrations=dict(one.states),
    )
