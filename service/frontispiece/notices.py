"""Who hears of what elsewhere than at the desk: messages in chat and mail, each told once to each address.

A message about a picture is a task of its own (`notify`), so that a chat server that is away holds nothing up. A row
of `links` is written before a candidate is told to an address, and taken back where it was not: a crash in between
loses a message, but nobody hears of the same candidate twice.
"""

import re
import secrets
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

from pydantic import SecretStr
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from frontispiece import messenger, pauses, records, tasks
from frontispiece.errors import Problem
from frontispiece.house import House
from frontispiece.languages import SPEAKERS, Speaker, later
from frontispiece.messenger import Event, NoticeSettings
from frontispiece.models import Candidate, Illustration, Link, State
from frontispiece.tasks import Claim

EVENTS: dict[State, Event] = {State.IN_REVIEW: "in_review", State.FAILED: "failed", State.HELD: "held"}
MOST_TITLE = 150  # characters
AWAY = 60.0  # seconds for which an address that took nothing is left alone
_NONE = 0  # stands for the candidate where a message is about none
_TITLES = {
    State.IN_REVIEW: later("A picture to review: %(title)s"),
    State.FAILED: later("Failed: %(title)s"),
    State.HELD: later("Held: %(title)s"),
}


class NotSent(Problem):
    """An address took no message; trying again may help."""

    retry = True


@dataclass(frozen=True, slots=True)
class Address:
    """One place to send to: a URL of a notice. `key` is how `links` names it."""

    notice: str
    number: int
    url: SecretStr
    settings: NoticeSettings

    @property
    def key(self) -> str:
        return f"{self.notice[:58]}/{self.number}"

    @property
    def speaker(self) -> Speaker:
        """Says sentences in the language of those who read there."""
        return SPEAKERS[self.settings.language]


def addresses(house: House, event: Event) -> Iterator[Address]:
    """Everybody who wants to hear of such an event."""
    for name, settings in house.settings.notices.items():
        for number, url in enumerate(settings.urls):
            if event in settings.on:
                yield Address(name, number, url, settings)


def about(house: House, session: Session, number: int) -> None:
    """Has those told who want to hear of the state that an illustration has come to in this transaction."""
    if not house.settings.notices:
        return
    state = session.scalar(select(Illustration.state).where(Illustration.id == number))
    event = EVENTS.get(state) if state else None
    if event and any(_for(house, event, records.illustration(session, number))):
        tasks.add(session, "notify", number)


def _for(house: House, event: Event, one: Illustration) -> Iterator[Address]:
    for address in addresses(house, event):
        wanted = address.settings
        pairs = ((wanted.sites, one.entry.site), (wanted.sections, one.entry.section), (wanted.rules, one.rule))
        if all(not listed or is_ in listed for listed, is_ in pairs):
            yield address


def notify(house: House, claim: Claim) -> None:
    """Tells everybody who wants to hear of it how an illustration stands. Raises `NotSent` where one took nothing."""
    with house.database.read() as session:
        one = records.illustration(session, claim.subject)
        fresh = _newest(session, one.id)
    event = EVENTS.get(one.state)
    if event in ("failed", "held") and claim.attempts == 1:
        _forget(house, one.id)
    failed = [
        address.notice
        for address in (_for(house, event, one) if event else ())
        if not _tell(house, address, one, fresh if event == "in_review" else [_NONE])
    ]
    if failed:
        raise NotSent(f"the notice {', '.join(dict.fromkeys(failed))} was not taken", seconds=AWAY)
    with house.database.write() as session:
        claim.finish(session)


def _newest(session: Session, number: int) -> list[int]:
    """The candidates of the last render that brought any."""
    mine = Candidate.illustration_id == number
    last = select(func.max(Candidate.render_id)).where(mine).scalar_subquery()
    return list(session.scalars(select(Candidate.id).where(mine, Candidate.render_id == last).order_by(Candidate.id)))


def _forget(house: House, number: int) -> None:
    """Whoever heard that it failed before shall hear that it failed again."""
    with house.database.write() as session:
        session.execute(delete(Link).where(Link.illustration_id == number, Link.candidate_id == _NONE))


def _tell(house: House, address: Address, one: Illustration, candidates: Sequence[int]) -> bool:
    """Tells one address of what it was not told before; False where it was not taken."""
    keys = _note(house, address, one.id, candidates)
    if not keys:
        return True
    title, text = _message(house, address, one, list(keys.values()))
    sent = False
    try:
        sent = send(house, address, title, text, bad=one.state != State.IN_REVIEW)
    finally:
        if not sent:
            with house.database.write() as session:
                session.execute(delete(Link).where(Link.key.in_([digest(key) for key in keys.values()])))
    return sent


def send(house: House, address: Address, title: str, text: str, *, bad: bool) -> bool:
    """Sends to one address; whether it was taken. One that takes nothing is left alone for a while.

    Else each message would keep a worker waiting for a chat server that does not answer, and pictures with it.
    """
    name = pauses.of_notice(address.key)
    with house.database.read() as session:
        pause = pauses.known(session, name)
    if pause and pause.running:
        return False
    sent = messenger.send(address.url, title, text, bad=bad)
    if pause or not sent:
        with house.database.write() as session:
            if sent:
                pauses.end(session, name)
            else:
                pauses.begin(session, name, "a message was not taken; Apprise's log says why", AWAY)
    return sent


def _note(house: House, address: Address, number: int, candidates: Sequence[int]) -> dict[int, str]:
    """Notes that the address was told of these candidates: the keys of their links, for those that are new to it."""
    with house.database.write() as session:
        mine = (Link.notice == address.key, Link.illustration_id == number)
        told = set(session.scalars(select(Link.candidate_id).where(*mine)))
        keys = {candidate: secrets.token_urlsafe(32) for candidate in candidates if candidate not in told}
        for candidate, key in keys.items():
            lasts = address.settings.link_hours * 3600 if address.settings.links and candidate != _NONE else 0
            row = Link(key=digest(key), notice=address.key, illustration_id=number, candidate_id=candidate)
            row.expires = time.time() + lasts
            session.add(row)
    return keys


def digest(key: str) -> str:
    """What the table has of a key: with 256 random bits no salt is needed, and no guess finds one."""
    return sha256(key.encode("utf8", "replace")).hexdigest()


def _message(house: House, address: Address, one: Illustration, keys: Sequence[str]) -> tuple[str, str]:
    """Title and text, in plain words."""
    say, base = address.speaker, house.settings.server.url.rstrip("/")
    title = plain(one.entry.title)
    where = f"{one.entry.site}, {plain(one.entry.section)}" if one.entry.section else one.entry.site
    lines = [say.gettext("“%(title)s” (%(where)s)", title=title, where=where)]
    if one.state != State.IN_REVIEW:
        lines.append(plain(one.reason, 500))
    lines += ["", say.gettext("At the desk: %(url)s", url=f"{base}/desk/{one.id}")]
    if one.state == State.IN_REVIEW and address.settings.links:
        lines += ["", _invitation(say, address.settings.link_hours), *(f"{base}/l/{key}" for key in keys)]
    return say.gettext(_TITLES[one.state], title=title), "\n".join(lines)


def _invitation(say: Speaker, hours: float) -> str:
    """The sentence above the links. Where an hour is not whole, there are hours, as of none: 0.5 hours."""
    return say.ngettext(
        "Look and decide without a login; each link works once, for %(num)s hour:",
        "Look and decide without a login; each link works once, for %(num)s hours:",
        0 if hours % 1 else int(hours),
        num=say.figures(f"{hours:g}"),
    )


def plain(text: str, most: int = MOST_TITLE) -> str:
    """A text from outside on one line, in which no chat finds a mention, a link or a mark-up."""
    flat = " ".join(text.split())
    flat = flat if len(flat) <= most else flat[: most - 1] + "…"
    flat = flat.translate({ord("<"): "‹", ord(">"): "›", ord("`"): "'"})
    return re.sub(r"([@#])(?=\S)", "\\1\u2060", flat).replace("](", "] (").replace("://", ":\u2060//")


def tidy(session: Session, days: int) -> None:
    """Forgets links that were over so many days ago."""
    before = time.time() - days * 86_400
    session.execute(delete(Link).where(Link.expires < before, Link.created < before))
