"""Who may do it: people, their logins, and the tokens of programs."""

import time

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from frontispiece.models.base import Base


class User(Base):
    """A person who may log in; `role` is viewer, editor, lead or admin.

    `subject` is the identity provider's name for them (issuer and sub), for those who log in there; `language` is the
    one they chose for the desk, "" = what their browser asks for.
    """

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    role: Mapped[str] = mapped_column(String(16))
    password: Mapped[str]  # argon2id; "" where they log in at an identity provider
    subject: Mapped[str | None] = mapped_column(String(400), unique=True)
    language: Mapped[str] = mapped_column(String(8), default="", server_default="")
    created: Mapped[float] = mapped_column(default=time.time)


class Login(Base):
    """A session of a browser; the cookie holds the key, the row only its SHA-256."""

    __tablename__ = "logins"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    created: Mapped[float] = mapped_column(default=time.time)
    seen: Mapped[float] = mapped_column(default=time.time)

    user: Mapped[User] = relationship(lazy="joined")


class Token(Base):
    """A program's bearer token, kept as its SHA-256; `scope` is read, review or manage, `site` limits it ("" = all)."""

    __tablename__ = "tokens"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(80))
    scope: Mapped[str] = mapped_column(String(16))
    site: Mapped[str] = mapped_column(String(64), default="")
    created: Mapped[float] = mapped_column(default=time.time)


class Attempt(Base):
    """A failed login, for slowing the next one down; `who` is a user's name or an address."""

    __tablename__ = "attempts"

    id: Mapped[int] = mapped_column(primary_key=True)
    who: Mapped[str] = mapped_column(String(120), index=True)
    at: Mapped[float] = mapped_column(default=time.time)
