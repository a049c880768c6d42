"""Pauses of services that take nothing from us: a generator without credit, a site that refuses our credentials."""

import logging
import time
from collections.abc import Sequence

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from frontispiece.models import Pause

log = logging.getLogger("frontispiece")

PAUSE = 900.0  # seconds for which a service is left alone before it is tried again


def of_site(site: str) -> str:
    """The name under which a site pauses."""
    return f"site {site}"


def of_notice(address: str) -> str:
    """The name under which an address of a notice pauses."""
    return f"notice {address}"


def begin(session: Session, name: str, words: str, seconds: float = PAUSE) -> None:
    """Asks a service nothing for a while; the first time, the operator is told so."""
    row, now = session.get(Pause, name), time.time()
    if row is None:
        log.error("%s is paused: %s; it is tried again every %d minutes", name, words, seconds // 60)
        session.add(Pause(name=name, words=words, until=now + seconds))
    elif row.until < now:
        row.until = now + seconds


def known(session: Session, name: str) -> Pause | None:
    """The pause that a service is in, or that nothing has ended yet although it is to be tried again."""
    return session.get(Pause, name)


def listed(session: Session) -> Sequence[Pause]:
    """All services that took nothing when they were last asked, without the addresses of notices."""
    wanted = select(Pause).where(Pause.name.not_like(of_notice("%")))
    return session.scalars(wanted.order_by(Pause.since)).all()


def end(session: Session, name: str) -> None:
    """The service has taken something, so whatever paused it is over."""
    session.execute(delete(Pause).where(Pause.name == name))
