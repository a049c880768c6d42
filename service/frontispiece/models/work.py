"""What is to be done, and what keeps it from being done."""

import time
from enum import StrEnum

from sqlalchemy import Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from frontispiece.models.base import Base, words


class TaskState(StrEnum):
    """Where a task stands. `dead` = given up; the row it was for says why."""

    READY = "ready"
    RUNNING = "running"
    DONE = "done"
    DEAD = "dead"


class Task(Base):
    """What is to be done next: `step` of `flow.py` for the row `subject`. This row is the truth, RQ's message a hint.

    Whoever works holds `token` until `lease`; each of its writes is fenced by that token.
    """

    __tablename__ = "tasks"
    __table_args__ = (
        Index(
            "uq_tasks_open",
            "step",
            "subject",
            unique=True,
            sqlite_where=text("state IN ('ready', 'running')"),
            postgresql_where=text("state IN ('ready', 'running')"),
        ),
        Index("ix_tasks_due", "state", "due"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    step: Mapped[str] = mapped_column(String(16))
    subject: Mapped[int]
    state: Mapped[TaskState] = mapped_column(words(TaskState), default=TaskState.READY)
    due: Mapped[float] = mapped_column(default=0.0)
    hinted: Mapped[float] = mapped_column(default=0.0)
    attempts: Mapped[int] = mapped_column(default=0)
    token: Mapped[str] = mapped_column(String(32), default="")
    lease: Mapped[float] = mapped_column(default=0.0)
    error: Mapped[str] = mapped_column(default="")


class Pause(Base):
    """A service that is asked nothing until `until`, because it takes nothing from us; the row goes when it does.

    `name` is a generator's, whose account is empty, or "site " and a site's, which does not accept our credentials.
    """

    __tablename__ = "pauses"

    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    words: Mapped[str]
    since: Mapped[float] = mapped_column(default=time.time)
    until: Mapped[float]

    @property
    def running(self) -> bool:
        """Whether it is too early to try the service again."""
        return self.until > time.time()


class Site(Base):
    """A configured site: `looked` is the time up to which its CMS was asked for what deliveries did not tell."""

    __tablename__ = "sites"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    looked: Mapped[float] = mapped_column(default=0.0)
