"""What people who review together leave for each other, and what is kept so that nothing is done twice."""

import time

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from frontispiece.models.base import Base


class Comment(Base):
    """What somebody wrote beside an illustration, for the others."""

    __tablename__ = "comments"

    id: Mapped[int] = mapped_column(primary_key=True)
    illustration_id: Mapped[int] = mapped_column(ForeignKey("illustrations.id"), index=True)
    by: Mapped[str] = mapped_column(String(80))
    text: Mapped[str]
    at: Mapped[float] = mapped_column(default=time.time)


class Presence(Base):
    """Somebody has an illustration open; whoever was not seen for a while is gone."""

    __tablename__ = "presences"
    __table_args__ = (UniqueConstraint("illustration_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    illustration_id: Mapped[int] = mapped_column(ForeignKey("illustrations.id"))
    name: Mapped[str] = mapped_column(String(80))
    seen: Mapped[float]


class SavedView(Base):
    """A search of the queue that somebody gave a name; `query` is its query string."""

    __tablename__ = "saved_views"
    __table_args__ = (UniqueConstraint("user_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(80))
    query: Mapped[str]


class Link(Base):
    """A link that decides once, without a login: `key` is the SHA-256 of what stands in it, `notice` where it went."""

    __tablename__ = "links"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(64), unique=True)
    notice: Mapped[str] = mapped_column(String(64))
    illustration_id: Mapped[int] = mapped_column(ForeignKey("illustrations.id"), index=True)
    candidate_id: Mapped[int]
    created: Mapped[float] = mapped_column(default=time.time)
    expires: Mapped[float]
    used: Mapped[float | None]


class KeptAnswer(Base):
    """What a POST of the API was answered, for the program that sends it again under the same idempotency key.

    `request` is the SHA-256 of what was sent; `status` is 0 while the first one is still at work.
    """

    __tablename__ = "kept_answers"
    __table_args__ = (UniqueConstraint("who", "key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    who: Mapped[str] = mapped_column(String(100))
    key: Mapped[str] = mapped_column(String(200))
    request: Mapped[str] = mapped_column(String(64))
    status: Mapped[int] = mapped_column(default=0)
    body: Mapped[str] = mapped_column(default="")
    at: Mapped[float] = mapped_column(default=time.time, index=True)


class TemplateVersion(Base):
    """The text that a template had when it first wrote a prompt under this version."""

    __tablename__ = "template_versions"
    __table_args__ = (UniqueConstraint("name", "version"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64))
    version: Mapped[str] = mapped_column(String(12))
    source: Mapped[str]
    first: Mapped[float] = mapped_column(default=time.time)
