"""The rows of the journey: deliveries, entries, illustrations, and all that becomes of them."""

import time
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, String, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column, relationship

from frontispiece.models.base import Base, words

QUEUE = ("state", "updated", "id", "site", "kind", "section", "assignee", "rule", "sought")  # what its index holds


class State(StrEnum):
    """Where an illustration stands; `states.py` says which moves there are."""

    QUEUED = "queued"
    COMPOSING = "composing"
    RENDERING = "rendering"
    IN_REVIEW = "in_review"
    APPROVED = "approved"
    PUBLISHING = "publishing"
    PUBLISHED = "published"
    REVERTED = "reverted"
    HELD = "held"
    FAILED = "failed"
    REJECTED = "rejected"
    SKIPPED = "skipped"

    @property
    def words(self) -> str:
        """As a person would write it."""
        return self.value.replace("_", " ")


class RenderState(StrEnum):
    """Where one call of a generator stands. `unknown` = sent, and we never learnt what became of it."""

    PLANNED = "planned"
    SUBMITTING = "submitting"
    OPEN = "open"
    FETCHED = "fetched"
    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "unknown"


class Delivery(Base):
    """One webhook request as received. `key` is the sender's id, or a hash of the bytes where it has none."""

    __tablename__ = "deliveries"
    __table_args__ = (UniqueConstraint("site", "key"), Index("ix_deliveries_heard", "site", "received"))

    id: Mapped[int] = mapped_column(primary_key=True)
    site: Mapped[str] = mapped_column(String(64))
    key: Mapped[str] = mapped_column(String(200))
    received: Mapped[float] = mapped_column(index=True)
    headers: Mapped[str]  # JSON list of pairs, in the order they came
    body: Mapped[bytes]
    outcome: Mapped[str] = mapped_column(String(16), default="received")
    words: Mapped[str] = mapped_column(default="")


class Entry(Base):
    """An entry as the CMS last told it; `snapshot` holds the normalised fields."""

    __tablename__ = "entries"
    __table_args__ = (UniqueConstraint("site", "ref"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    site: Mapped[str] = mapped_column(String(64))
    ref: Mapped[str] = mapped_column(String(200))
    locale: Mapped[str] = mapped_column(String(35), default="")
    kind: Mapped[str] = mapped_column(String(16))
    title: Mapped[str]
    section: Mapped[str] = mapped_column(String(200), default="", server_default="")
    snapshot: Mapped[dict[str, Any]]
    fetched: Mapped[float]


class Illustration(Base):
    """The picture that one slot of one entry is waiting for. `known_image` is what the entry may have
    when we write: what it had when we planned, or what an editor who was asked chose to replace.

    `alt` and `caption` are in the entry's own locale, `alts` and `captions` hold what an editor wrote for others;
    `focal` is the point that no crop may lose, as fractions of width and height from the top left.

    `site`, `kind`, `section` and `sought` are its entry's (`records.sought`), kept here as well: the queue is ordered,
    filtered, searched and counted in one index, and never looks at entries, whose rows are forty times as large.
    """

    __tablename__ = "illustrations"
    __table_args__ = (
        UniqueConstraint("entry_id", "slot"),
        Index(
            "ix_illustrations_queue",
            *QUEUE,
        ),
        Index("ix_illustrations_section", "section"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey("entries.id"))
    site: Mapped[str] = mapped_column(String(64), default="", server_default="")
    kind: Mapped[str] = mapped_column(String(16), default="", server_default="")
    section: Mapped[str] = mapped_column(String(200), default="", server_default="")
    sought: Mapped[str] = mapped_column(default="", server_default="")
    rule: Mapped[str] = mapped_column(String(64))
    slot: Mapped[str] = mapped_column(String(32))
    state: Mapped[State] = mapped_column(words(State), default=State.QUEUED)
    reason: Mapped[str] = mapped_column(default="")
    prompt: Mapped[str] = mapped_column(default="")
    template: Mapped[str] = mapped_column(String(80), default="")  # name@version
    alt: Mapped[str] = mapped_column(default="")
    caption: Mapped[str] = mapped_column(default="")
    alts: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    captions: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    focal: Mapped[list[Any] | None] = mapped_column(JSON(none_as_null=True))
    assignee: Mapped[str] = mapped_column(String(80), default="", server_default="")  # the name of a user
    photos: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")  # storage keys; the product's own
    known_image: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    chosen_id: Mapped[int | None]  # the approved candidate
    created: Mapped[float] = mapped_column(default=time.time)
    updated: Mapped[float] = mapped_column(default=time.time)  # when it was last moved; the queue is in this order

    entry: Mapped[Entry] = relationship(lazy="raise")
    candidates: Mapped[list["Candidate"]] = relationship(order_by="Candidate.id", lazy="raise")
    renders: Mapped[list["Render"]] = relationship(order_by="Render.id", lazy="raise")
    reviews: Mapped[list["Review"]] = relationship(order_by="Review.id", lazy="raise")


class Render(Base):
    """One call of a generator. `reserved` dollars are counted against the caps until `cost` is known.

    `given` and `mask` are storage keys of the pictures handed over; `final` draws an approved draft once more.
    `template` is the name@version that wrote the prompt, "" where an editor did; `parent_id` the candidate it began
    with; `by` who asked for it, "" where a rule did.
    """

    __tablename__ = "renders"

    id: Mapped[int] = mapped_column(primary_key=True)
    illustration_id: Mapped[int] = mapped_column(ForeignKey("illustrations.id"), index=True)
    state: Mapped[RenderState] = mapped_column(words(RenderState), default=RenderState.PLANNED, index=True)
    model: Mapped[str] = mapped_column(String(64))
    prompt: Mapped[str]
    seed: Mapped[int] = mapped_column(BigInteger)  # 0 to 2**32 - 1
    width: Mapped[int]
    height: Mapped[int]
    options: Mapped[dict[str, Any]] = mapped_column(default=dict)
    task: Mapped[str] = mapped_column(String(16), default="text-to-image", server_default="text-to-image")
    given: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")
    mask: Mapped[str] = mapped_column(default="", server_default="")
    margins: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    final: Mapped[bool] = mapped_column(default=False, server_default=false())
    template: Mapped[str] = mapped_column(String(80), default="", server_default="")
    parent_id: Mapped[int | None]
    by: Mapped[str] = mapped_column(String(80), default="", server_default="")
    reserved: Mapped[float] = mapped_column(default=0.0)
    cost: Mapped[float | None]
    ticket: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    images: Mapped[list[Any]] = mapped_column(default=list)  # storage keys of what came back
    error: Mapped[str] = mapped_column(default="")
    created: Mapped[float] = mapped_column(default=time.time, index=True)
    submitted: Mapped[float | None]
    finished: Mapped[float | None]


class Candidate(Base):
    """One image that a render brought, or that a person gave (`by`, no render).

    `image` is the storage key of the original bytes, sizes are pixels, `colour` (#rrggbb) stands in until it is loaded.
    """

    __tablename__ = "candidates"
    __table_args__ = (UniqueConstraint("render_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    illustration_id: Mapped[int] = mapped_column(ForeignKey("illustrations.id"), index=True)
    render_id: Mapped[int | None] = mapped_column(ForeignKey("renders.id"))
    number: Mapped[int]
    image: Mapped[str]
    mime: Mapped[str] = mapped_column(String(32))
    width: Mapped[int]
    height: Mapped[int]
    colour: Mapped[str] = mapped_column(String(7), default="", server_default="")
    by: Mapped[str] = mapped_column(String(80), default="", server_default="")
    created: Mapped[float] = mapped_column(default=time.time)

    render: Mapped[Render | None] = relationship(lazy="raise")


class Review(Base):
    """An editor's decision, or the rule's; review.py has the words that `decision` may be.

    `chips` are the reasons that were picked, `before` is the state it was taken in, `was` what else the illustration
    was then, `undone` when it was taken back.
    """

    __tablename__ = "reviews"

    id: Mapped[int] = mapped_column(primary_key=True)
    illustration_id: Mapped[int] = mapped_column(ForeignKey("illustrations.id"), index=True)
    decision: Mapped[str] = mapped_column(String(16))
    candidate_id: Mapped[int | None]
    by: Mapped[str]
    reason: Mapped[str] = mapped_column(default="")
    chips: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")
    before: Mapped[str] = mapped_column(String(16), default="", server_default="")
    was: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    at: Mapped[float] = mapped_column(default=time.time, index=True)
    undone: Mapped[float | None]


class Publication(Base):
    """One write-back. `previous` is noted before the write, so that no crash can lose it."""

    __tablename__ = "publications"

    id: Mapped[int] = mapped_column(primary_key=True)
    illustration_id: Mapped[int] = mapped_column(ForeignKey("illustrations.id"), index=True)
    candidate_id: Mapped[int]
    site: Mapped[str] = mapped_column(String(64))
    previous: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    name: Mapped[str]  # of the file; the same on every try
    media_id: Mapped[str] = mapped_column(String(200), default="", index=True)
    url: Mapped[str] = mapped_column(default="")
    receipt: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    started: Mapped[float] = mapped_column(default=time.time)
    finished: Mapped[float | None]
    reverted: Mapped[float | None]
