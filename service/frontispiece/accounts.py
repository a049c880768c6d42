"""Who may do what: users and their logins, programs and their tokens, and the brake on guessed passwords."""

import secrets
import threading
import time
from hashlib import sha256

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from frontispiece.database import Database
from frontispiece.errors import Problem
from frontispiece.models import Attempt, Login, Token, User

ROLES = ("viewer", "editor", "lead", "admin")  # each may do what those before it may
SCOPES = ("read", "review")
PREFIX = "fp_"  # of tokens, so that scanners for leaked secrets can find them

IDLE = 12 * 3600  # seconds without a request after which a login is over
ABSOLUTE = 7 * 86400  # seconds after which it is over in any case
SEEN_EVERY = 60  # seconds between two notes that somebody is still here

MOST_NAME = 80  # characters, as wide as the columns are
FREE = {"name": 5, "address": 20}  # failures before one has to wait; many people may share an address
WINDOW = 3600  # seconds for which a failure counts
LONGEST = 900  # seconds one has to wait at most, so that nobody can be locked out for good

_hasher = PasswordHasher()  # argon2id, RFC 9106's second choice: 64 MiB, three rounds
_NOBODY = _hasher.hash(secrets.token_urlsafe())
_two_at_once = threading.BoundedSemaphore(2)  # each takes 64 MiB


class Slower(Problem):
    """Too many failures: `seconds` to wait."""


def add_user(database: Database, name: str, role: str, password: str) -> None:
    """A new person. Raises `Problem` where the name is taken, the role unknown or the password short."""
    name = _name(name)
    if role not in ROLES:
        raise Problem(f"there is no role {role!r}; there are: {', '.join(ROLES)}")
    hashed = _hash(password)
    with database.write() as session:
        if _user(session, name) is not None:
            raise Problem(f"there is a user {name!r} already")
        session.add(User(name=name, role=role, password=hashed))


def set_password(database: Database, name: str, password: str) -> None:
    """A new password for somebody, who is logged out everywhere. Raises `Problem`."""
    hashed = _hash(password)
    with database.write() as session:
        user = _user(session, name)
        if user is None:
            raise Problem(f"there is no user {name!r}")
        user.password = hashed
        session.execute(delete(Login).where(Login.user_id == user.id))


def remove_user(database: Database, name: str) -> None:
    """Takes somebody's access away, at once. What they decided stays. Raises `Problem`."""
    with database.write() as session:
        user = _user(session, name)
        if user is None:
            raise Problem(f"there is no user {name!r}")
        session.execute(delete(Login).where(Login.user_id == user.id))
        session.delete(user)


def log_in(database: Database, name: str, password: str, address: str) -> str:
    """The key of a new login, for the cookie. Raises `Slower`, or `Problem` with the same words for every mistake.

    The attempt is noted before the password is looked at, so that a hundred guesses at once count a hundred times.
    """
    name = name.strip()[:MOST_NAME]
    with database.write() as session:
        mine = [_attempt(session, kind, who) for kind, who in (("name", name.lower()), ("address", address))]
    with database.read() as session:
        user = _user(session, name) if name.isprintable() else None
    right = _matches(user.password if user else _NOBODY, password)
    if user is None or not right:
        raise Problem("That name and password do not belong together.")
    key = secrets.token_urlsafe(32)
    with database.write() as session:
        session.execute(delete(Attempt).where((Attempt.who == f"name {name.lower()}") | Attempt.id.in_(mine)))
        session.execute(delete(Login).where(Login.created < time.time() - ABSOLUTE))
        session.execute(delete(Attempt).where(Attempt.at < time.time() - WINDOW))
        session.add(Login(key=_digest(key), user_id=user.id))
    return key


def logged_in(database: Database, key: str) -> User | None:
    """The person who has that key in a cookie; None where the login is over."""
    now = time.time()
    with database.read() as session:
        login = session.get(Login, _digest(key))
    if login is None or login.created < now - ABSOLUTE or login.seen < now - IDLE:
        return None
    if login.seen < now - SEEN_EVERY:
        with database.write() as session:
            session.execute(update(Login).where(Login.key == login.key).values(seen=now))
    return login.user


def log_out(database: Database, key: str) -> None:
    """Ends a login; the key is of no use from here on."""
    with database.write() as session:
        session.execute(delete(Login).where(Login.key == _digest(key)))


def add_token(database: Database, name: str, scope: str, site: str = "") -> str:
    """A new bearer token for a program, limited to one site unless that is "". It can be shown only now."""
    name = _name(name)
    if scope not in SCOPES:
        raise Problem(f"there is no scope {scope!r}; there are: {', '.join(SCOPES)}")
    key = PREFIX + secrets.token_urlsafe(32)
    with database.write() as session:
        if session.scalar(select(Token.id).where(Token.name == name)) is not None:
            raise Problem(f"there is a token {name!r} already")
        session.add(Token(key=_digest(key), name=name, scope=scope, site=site))
    return key


def remove_token(database: Database, name: str) -> None:
    """Makes a token worthless, at once. Raises `Problem`."""
    with database.write() as session:
        if session.scalar(delete(Token).where(Token.name == name).returning(Token.id)) is None:
            raise Problem(f"there is no token {name!r}")


def token(database: Database, key: str) -> Token | None:
    """The token that was sent, if it is one of ours."""
    with database.read() as session:
        return session.scalar(select(Token).where(Token.key == _digest(key)))


def _attempt(session: Session, kind: str, who: str) -> int:
    """Notes an attempt; its id. Raises `Slower` where the last failures ask for a pause."""
    who = f"{kind} {who}"[:120].replace("\0", "")
    since = time.time() - WINDOW
    wanted = select(func.count(Attempt.id), func.max(Attempt.at)).where(Attempt.who == who, Attempt.at > since)
    failures, last = session.execute(wanted).one()
    over = failures - FREE[kind]
    wait = last + min(60 * 2.0 ** min(over, 10), LONGEST) - time.time() if over >= 0 else 0
    if wait > 0:
        raise Slower(f"Too many failed attempts. Try again in {_minutes(wait)}.", seconds=wait)
    row = Attempt(who=who)
    session.add(row)
    session.flush()
    return row.id


def _minutes(seconds: float) -> str:
    minutes = -int(-seconds // 60)
    return "a minute" if minutes <= 1 else f"{minutes} minutes"


def _user(session: Session, name: str) -> User | None:
    return session.scalar(select(User).where(func.lower(User.name) == func.lower(name.strip())))


def _name(name: str) -> str:
    name = name.strip()
    if not name or len(name) > MOST_NAME or not name.isprintable():
        raise Problem(f"a name has 1 to {MOST_NAME} printable characters, this one is {name[:MOST_NAME]!r}")
    return name


def _hash(password: str) -> str:
    if not 8 <= len(password) <= 1000:
        raise Problem(f"a password has 8 to 1000 characters, this one has {len(password)}")
    return _hasher.hash(password)


def _matches(hashed: str, password: str) -> bool:
    with _two_at_once:
        try:
            return _hasher.verify(hashed, password[:1000])
        except (VerifyMismatchError, InvalidHashError):
            return False


def _digest(key: str) -> str:
    return sha256(key.encode("utf8", "replace")).hexdigest()
