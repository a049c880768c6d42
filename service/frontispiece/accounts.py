"""Who may do what: users and their logins, programs and their tokens."""

import secrets
import threading
import time
from hashlib import sha256

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from frontispiece import brake
from frontispiece.database import Database
from frontispiece.errors import Problem
from frontispiece.models import Login, Token, User

ROLES = ("viewer", "editor", "lead", "admin")  # each may do what those before it may
SCOPES = ("read", "review", "manage")  # of tokens; likewise
PREFIX = "fp_"  # of tokens, so that scanners for leaked secrets can find them

IDLE = 12 * 3600  # seconds without a request after which a login is over
ABSOLUTE = 7 * 86400  # seconds after which it is over in any case
VOUCHED = 18 * 3600  # likewise where an identity provider vouched, which may think otherwise the next day
SEEN_EVERY = 60  # seconds between two notes that somebody is still here

MOST_NAME = 80  # characters, as wide as the columns are

_hasher = PasswordHasher()  # argon2id, RFC 9106's second choice: 64 MiB, three rounds
_NOBODY = _hasher.hash(secrets.token_urlsafe())
_two_at_once = threading.BoundedSemaphore(2)  # each takes 64 MiB


class NoRole(Problem):
    """The identity provider gives somebody no role here."""


def add_user(database: Database, name: str, role: str, password: str) -> None:
    """A new person. Raises `Problem` where the name is taken, the role unknown or the password short."""
    name = _name(name)
    hashed = _hash(password)
    with database.write() as session:
        Database.one_at_a_time(session, "names of users")
        if _user(session, name) is not None:
            raise Problem(f"there is a user {name!r} already")
        session.add(User(name=name, role=_role(role), password=hashed))


def set_password(database: Database, name: str, password: str) -> None:
    """A new password for somebody, who is logged out everywhere. Raises `Problem`."""
    hashed = _hash(password)
    with database.write() as session:
        user = _there(session, name)
        if user.subject:
            raise Problem(f"{user.name} logs in at the identity provider and has no password here")
        user.password = hashed
        session.execute(delete(Login).where(Login.user_id == user.id))


def set_role(database: Database, name: str, role: str) -> None:
    """Another role for somebody, from their next request on. Raises `Problem`, also for the last admin."""
    with database.write() as session:
        user = _there(session, name)
        if _role(role) != "admin":
            _not_the_last_admin(session, user)
        user.role = role


def set_language(database: Database, name: str, language: str) -> None:
    """The language in which somebody reads the desk; "" = what their browser asks for. Raises `Problem`."""
    with database.write() as session:
        _there(session, name).language = language


def remove_user(database: Database, name: str) -> None:
    """Takes somebody's access away, at once. What they decided stays. Raises `Problem`, also for the last admin."""
    with database.write() as session:
        user = _there(session, name)
        _not_the_last_admin(session, user)
        session.execute(delete(Login).where(Login.user_id == user.id))
        session.delete(user)


def log_out_everywhere(database: Database, name: str, but: str = "") -> None:
    """Ends all logins of somebody, except the one with the key `but`. Raises `Problem`."""
    with database.write() as session:
        user = _there(session, name)
        session.execute(delete(Login).where(Login.user_id == user.id, Login.key != _digest(but)))


def users(database: Database) -> list[tuple[User, float | None, int]]:
    """Everybody by name, with when they were last seen (None = no login is left) and how many logins they have."""
    wanted = select(User, func.max(Login.seen), func.count(Login.key)).outerjoin(Login).group_by(User.id)
    with database.read() as session:
        rows = session.execute(wanted.order_by(func.lower(User.name))).all()
    return [(user, seen, number) for user, seen, number in rows]


def logins(database: Database, user: int, key: str) -> list[tuple[Login, bool]]:
    """The logins of the user with that id that are not over, newest first, and whether it is the one of that key."""
    with database.read() as session:
        rows = session.scalars(select(Login).where(Login.user_id == user).order_by(Login.created.desc())).all()
    return [(row, row.key == _digest(key)) for row in rows if not _is_over(row)]


def log_in(database: Database, name: str, password: str, address: str) -> str:
    """The key of a new login, for the cookie. Raises `Slower`, or `Problem` with the same words for all mistakes.

    The attempt is noted before the password is looked at, so that a hundred guesses at once count a hundred times.
    """
    name = name.strip()[:MOST_NAME]
    with database.write() as session:
        mine = [brake.note(session, kind, who) for kind, who in (("name", name.lower()), ("address", address))]
    with database.read() as session:
        user = _user(session, name) if name.isprintable() else None
    right = _matches((user and user.password) or _NOBODY, password)
    if user is None or not right:
        raise Problem("That name and password do not belong together.")
    with database.write() as session:
        brake.forgive(session, name.lower(), mine)
        return _new_login(session, user.id)


def change_password(database: Database, name: str, old: str, new: str, address: str) -> str:
    """One's own new password; the key of the one login that is left. Raises `Problem`; `Slower` as `log_in` does."""
    hashed = _hash(new)
    log_in(database, name, old, address)
    with database.write() as session:
        user = _there(session, name)
        user.password = hashed
        session.execute(delete(Login).where(Login.user_id == user.id))
        return _new_login(session, user.id)


def vouched_for(database: Database, subject: str, name: str, role: str | None, first: str) -> str:
    """The key of a new login for whom the identity provider calls `subject`, known here from the first time on.

    `role` None leaves theirs as it is, or `first` for somebody new; "" takes their logins away. Raises `NoRole` then.
    They are found by `subject` alone, so that a name or an address at the provider opens nobody else's account.
    """
    with database.write() as session:
        Database.one_at_a_time(session, "names of users")
        user = session.scalar(select(User).where(User.subject == subject))
        given = role if role is not None else user.role if user else first
        if given and user is None:
            user = User(name=_free(session, _name(name)), role=_role(given), password="", subject=subject)
            session.add(user)
            session.flush()
        if given and user:
            user.role = _role(given)
            return _new_login(session, user.id)
        if user:
            session.execute(delete(Login).where(Login.user_id == user.id))
    raise NoRole(f"{name} has no role here")


def logged_in(database: Database, key: str) -> User | None:
    """The person who has that key in a cookie; None where the login is over."""
    now = time.time()
    with database.read() as session:
        login = session.get(Login, _digest(key))
    if login is None or _is_over(login):
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
        Database.one_at_a_time(session, "names of tokens")
        if session.scalar(select(Token.id).where(Token.name == name)) is not None:
            raise Problem(f"there is a token {name!r} already")
        session.add(Token(key=_digest(key), name=name, scope=scope, site=site))
    return key


def tokens(database: Database) -> list[Token]:
    """All tokens by name."""
    with database.read() as session:
        return list(session.scalars(select(Token).order_by(func.lower(Token.name))))


def remove_token(database: Database, name: str) -> None:
    """Makes a token worthless, at once. Raises `Problem`."""
    with database.write() as session:
        if session.scalar(delete(Token).where(Token.name == name).returning(Token.id)) is None:
            raise Problem(f"there is no token {name!r}")


def covers(ladder: tuple[str, ...], held: str, wanted: str) -> bool:
    """Whether the role (or scope) that is held includes the one that is wanted; `ladder` is `ROLES` (or `SCOPES`)."""
    return held in ladder and ladder.index(held) >= ladder.index(wanted)


def token(database: Database, key: str) -> Token | None:
    """The token that was sent, if it is one of ours."""
    with database.read() as session:
        return session.scalar(select(Token).where(Token.key == _digest(key)))


def _new_login(session: Session, user: int) -> str:
    key = secrets.token_urlsafe(32)
    session.execute(delete(Login).where(Login.created < time.time() - ABSOLUTE))
    session.add(Login(key=_digest(key), user_id=user))
    return key


def _is_over(login: Login) -> bool:
    most = VOUCHED if login.user.subject else ABSOLUTE
    return login.created < time.time() - most or login.seen < time.time() - IDLE


def _not_the_last_admin(session: Session, user: User) -> None:
    Database.one_at_a_time(session, "admins")  # or two could remove each other
    if user.role == "admin" and session.scalar(select(func.count(User.id)).where(User.role == "admin")) == 1:
        raise Problem(f"{user.name} is the last admin; make somebody else an admin first")


def _free(session: Session, name: str) -> str:
    """The name, or with a number where somebody has it already."""
    number = 1
    while _user(session, name if number == 1 else f"{name} ({number})") is not None:
        number += 1
    return name if number == 1 else f"{name} ({number})"


def _user(session: Session, name: str) -> User | None:
    return session.scalar(select(User).where(func.lower(User.name) == func.lower(name.strip())))


def _there(session: Session, name: str) -> User:
    user = _user(session, name)
    if user is None:
        raise Problem(f"there is no user {name!r}")
    return user


def _role(role: str) -> str:
    if role not in ROLES:
        raise Problem(f"there is no role {role!r}; there are: {', '.join(ROLES)}")
    return role


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
