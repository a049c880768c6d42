"""Rows read and written on the journey's behalf, so that `flow.py` can be read as a story."""

import json
import re
import time
import unicodedata
from dataclasses import asdict
from typing import Any

from sqlalchemy import ColumnElement, delete, func, or_, select, update
from sqlalchemy.orm import Session, joinedload

from frontispiece.cms import Current, Delivery, Entry, Headers, Receipt
from frontispiece.database import upsert
from frontispiece.errors import Problem
from frontispiece.models import (
    Candidate,
    Illustration,
    Publication,
    State,
    Task,
    TaskState,
    TemplateVersion,
)
from frontispiece.models import Delivery as DeliveryRow
from frontispiece.models import Entry as EntryRow
from frontispiece.prompts import Template
from frontispiece.tables import Rule


def storable(text: str) -> str:
    """The text without what PostgreSQL (NUL) or UTF-8 (half of a pair) has no place for."""
    return text.encode("utf8", "replace").decode("utf8").replace("\0", "\ufffd")


def keep_entry(session: Session, site: str, entry: Entry) -> int:
    """Notes the entry as the CMS told it just now; the id of its row."""
    values: dict[str, Any] = {
        "site": site,
        "ref": entry.ref,
        "locale": entry.locale,
        "kind": entry.kind,
        "title": storable(entry.title),
    }
    values |= {"section": _section(entry), "snapshot": asdict(entry), "fetched": time.time()}
    row = upsert(session, EntryRow, ["site", "ref"], values, ["title", "section", "snapshot", "fetched"])
    assert row is not None
    told = sought(site, entry)
    other = or_(Illustration.section != told["section"], Illustration.sought != told["sought"])
    session.execute(update(Illustration).where(Illustration.entry_id == row, other).values(told))
    return row


def sought(site: str, entry: Entry) -> dict[str, str]:
    """What the queue looks for in the illustrations of an entry; `sought` has a line of its title, and one of its ref.

    They are cut to what fits, with all else, into an index of PostgreSQL: 2704 bytes.
    """
    lines = f"{_line(entry.title, 1000)}\n{_line(entry.ref, 300)}"
    return {"site": site, "kind": entry.kind, "section": _section(entry), "sought": lines}


def in_title(text: str) -> ColumnElement[bool]:
    """Whether this searchable text is a part of the title."""
    return Illustration.sought.like(f"%{_plainly(text)}%\n%", escape="/")


def in_ref(text: str) -> ColumnElement[bool]:
    """Whether this searchable text is a part of the entry's ref."""
    return Illustration.sought.like(f"%\n%{_plainly(text)}%", escape="/")


def searchable(text: str) -> str:
    """A text as it is compared in a search: no upper case, no marks at the letters."""
    flat = unicodedata.normalize("NFKD", storable(text).casefold())
    return "".join(sign for sign in flat if not unicodedata.combining(sign))


def _line(text: str, most: int) -> str:
    """One line to search in, of so many bytes."""
    return " ".join(searchable(text).split()).encode()[:most].decode(errors="ignore")


def _plainly(text: str) -> str:
    """Without a meaning for LIKE."""
    return text.replace("/", "//").replace("%", "/%").replace("_", "/_")


def _section(entry: Entry) -> str:
    return storable(entry.section)[:200]


def entry_of(row: EntryRow) -> Entry:
    """The entry as it was when it was noted."""
    fields = dict(row.snapshot)
    fields["image"] = as_current(fields["image"])
    for several in ("tags", "sections", "photos"):
        fields[several] = tuple(fields[several])
    return Entry(**fields)


def as_current(image: dict[str, Any] | None) -> Current | None:
    """An image as it comes out of JSON."""
    return None if image is None else Current(**image)


def keep_template(session: Session, template: Template) -> str:
    """Notes the text of a template the first time that it writes a prompt; its name@version."""
    values = {
        "name": template.name,
        "version": template.version,
        "source": storable(template.source),
        "first": time.time(),
    }
    upsert(session, TemplateVersion, ["name", "version"], values, [])
    return f"{template.name}@{template.version}"


def new_illustration(session: Session, number: int, entry: Entry, rule: Rule) -> int | None:
    """A queued illustration of the entry in row `number`; None where its slot has one already."""
    values: dict[str, Any] = {"entry_id": number, "rule": rule.name, "slot": rule.slot, "caption": rule.caption}
    values |= sought(rule.site, entry) | {"known_image": asdict(entry.image) if entry.image else None}
    return upsert(session, Illustration, ["entry_id", "slot"], values, [])


def illustrations_of(session: Session, site: str, ref: str) -> list[Illustration]:
    """The illustrations that an entry has so far, one a slot."""
    wanted = select(Illustration).join(EntryRow).where(EntryRow.site == site, EntryRow.ref == ref)
    return list(session.scalars(wanted.order_by(Illustration.id)))


def illustration(session: Session, number: int, *, locked: bool = False) -> Illustration:
    """One illustration with its entry. Raises `Problem` where there is none.

    Of a `locked` one nobody else decides anything until this transaction ends.
    """
    wanted = select(Illustration).where(Illustration.id == number).options(joinedload(Illustration.entry))
    found = session.scalar(wanted.with_for_update(of=Illustration) if locked else wanted)
    if found is None:
        raise Problem(f"there is no illustration {number}")
    return found


def delivery(session: Session, number: int) -> DeliveryRow:
    """One delivery. Raises `Problem` where there is none."""
    found = session.get(DeliveryRow, number)
    if found is None:
        raise Problem(f"there is no delivery {number}")
    return found


def last_delivery(session: Session, site: str) -> float | None:
    """When the last authentic delivery of a site came, in seconds since the epoch."""
    return session.scalar(select(func.max(DeliveryRow.received)).where(DeliveryRow.site == site))


def chosen(session: Session, one: Illustration) -> tuple[Candidate, str]:
    """The approved candidate and the name of the model that drew it ("" = a person gave it)."""
    candidate = candidate_with_render(session, one.chosen_id or 0)
    if candidate is None:
        raise Problem(f"illustration {one.id} has no approved candidate")
    return candidate, candidate.render.model if candidate.render else ""


def candidate_with_render(session: Session, number: int) -> Candidate | None:
    """One candidate, if there is one of this number, and the render that brought it."""
    return session.scalar(select(Candidate).where(Candidate.id == number).options(joinedload(Candidate.render)))


def open_publication(session: Session, illustration_: int, candidate: int) -> Publication | None:
    """The write-back that was begun and not ended, if there is one."""
    wanted = select(Publication).where(
        Publication.illustration_id == illustration_, Publication.candidate_id == candidate
    )
    return session.scalar(wanted.where(Publication.finished.is_(None)).order_by(Publication.id.desc()))


def published(session: Session, illustration_: int) -> Publication | None:
    """What was written to the CMS last and not reverted, if anything was."""
    wanted = select(Publication).where(Publication.illustration_id == illustration_, Publication.finished.is_not(None))
    return session.scalar(wanted.where(Publication.reverted.is_(None)).order_by(Publication.id.desc()).limit(1))


def last_publication(session: Session, illustration_: int) -> Publication:
    """What was written to the CMS last and not reverted. Raises `Problem` where nothing was."""
    found = published(session, illustration_)
    if found is None:
        raise Problem(f"nothing of illustration {illustration_} is in the CMS")
    return found


def is_there(one: Illustration, written: Publication) -> bool:
    """Whether the entry had that picture when we last looked, or was not looked at since it got it."""
    image = as_current(one.entry.snapshot["image"])
    return image is None or image.id in (written.media_id, (written.previous or {}).get("id"))


def is_ours(session: Session, site: str, image: Current | None) -> bool:
    """Whether the image that the CMS has is one we put there."""
    if image is None:
        return False
    wanted = select(Publication.id).where(Publication.site == site, Publication.media_id == image.id)
    return session.scalar(wanted.where(Publication.reverted.is_(None)).limit(1)) is not None


def has_candidates(session: Session, illustration_: int) -> bool:
    """Whether there is any picture to choose."""
    return session.scalar(select(Candidate.id).where(Candidate.illustration_id == illustration_).limit(1)) is not None


def skipped(session: Session, entry: int, slot: str) -> int | None:
    """The illustration of that slot, if it was skipped; for another look at it."""
    wanted = select(Illustration.id).where(Illustration.entry_id == entry, Illustration.slot == slot)
    return session.scalar(wanted.where(Illustration.state == State.SKIPPED))


def as_delivery(row: DeliveryRow) -> Delivery:
    """The delivery as it was received."""
    headers = Headers(json.loads(row.headers))
    return Delivery(headers, row.body, f"/hooks/{row.site}", row.received)


def tell(session: Session, delivery_: int, told: list[tuple[str, str]]) -> None:
    """Notes on a delivery what came of it: the first outcome, and all the words."""
    words = "; ".join(dict.fromkeys(words for _, words in told if words))
    row = delivery(session, delivery_)
    row.outcome, row.words = (told[0][0] if told else "ignored"), words


def tidy(session: Session, days: int) -> None:
    """Forgets tasks that were settled so many days ago, and the bytes of deliveries, which may name people.

    The row of a delivery stays: its key says that a resend was seen before.
    """
    before = time.time() - days * 86_400
    settled = Task.state.in_((TaskState.DONE, TaskState.DEAD))
    session.execute(delete(Task).where(settled, Task.due < before, Task.lease < before))
    old = update(DeliveryRow).where(DeliveryRow.received < before, DeliveryRow.outcome != "received")
    session.execute(old.where(DeliveryRow.headers != "[]").values(body=b"", headers="[]"))


def begin_publication(session: Session, one: Illustration, picked: Candidate, entry: Entry) -> Publication | None:
    """The write-back that is under way, or a new one that notes what the CMS has now.

    None where somebody has set an image since we planned, unless an editor has seen that one and chose to replace it.
    """
    under_way = open_publication(session, one.id, picked.id)
    if under_way is not None:
        return under_way
    if is_in_the_way(session, one, entry.image):
        return None
    now = asdict(entry.image) if entry.image else None
    name = f"{slug(entry.title)}-{one.id}-{picked.id}"
    made = Publication(illustration_id=one.id, candidate_id=picked.id, site=one.entry.site, previous=now, name=name)
    session.add(made)
    session.flush()
    return made


def is_in_the_way(session: Session, one: Illustration, image: Current | None) -> bool:
    """Whether the entry has an image that is neither ours nor one that may be replaced."""
    known = (one.known_image or {}).get("id")
    return image is not None and image.id != known and not is_ours(session, one.entry.site, image)


def drop_publication(session: Session, one: Illustration) -> None:
    """The CMS has another image than ours: the write-back that was begun starts anew, with what is there by then."""
    begun = delete(Publication).where(Publication.illustration_id == one.id, Publication.candidate_id == one.chosen_id)
    session.execute(begun.where(Publication.finished.is_(None)))


def end_publication(session: Session, number: int, receipt: Receipt) -> None:
    """The CMS has the picture."""
    values = {
        "media_id": receipt.media_id,
        "url": receipt.url,
        "receipt": dict(receipt.previous),
        "finished": time.time(),
    }
    session.execute(update(Publication).where(Publication.id == number).values(values))


def reverted(session: Session, number: int) -> None:
    """The CMS has again what it had before."""
    session.execute(update(Publication).where(Publication.id == number).values(reverted=time.time()))


def slug(title: str) -> str:
    """The start of a file name made of a title: ASCII letters, digits and hyphens, at most 60."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain)[:60].strip("-") or "picture"
