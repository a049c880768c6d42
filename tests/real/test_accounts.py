"""Users on a real PostgreSQL, where two may write at once."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from servers.database import postgres
from sqlalchemy import delete

from frontispiece import accounts
from frontispiece.database import Database
from frontispiece.errors import Problem
from frontispiece.models import Base, Login, User

pytestmark = pytest.mark.real

PASSWORD = "correct horse battery"


@pytest.fixture(scope="module", name="server")
def _server() -> Iterator[Database]:
    with postgres() as url:
        database = Database(url)
        Base.metadata.create_all(database.engine)
        yield database
        database.engine.dispose()


@pytest.fixture
def here(server: Database) -> Database:
    with server.write() as session:
        session.execute(delete(Login))
        session.execute(delete(User))
    return server


def at_once(*acts: Callable[[], object]) -> list[str]:
    """Does all of them at the same moment; what each was told, "" where nothing."""
    ready = Barrier(len(acts))

    def do(act: Callable[[], object]) -> str:
        ready.wait()
        try:
            act()
        except Problem as problem:
            return problem.words
        return ""

    with ThreadPoolExecutor(len(acts)) as threads:
        return list(threads.map(do, acts))


def test_two_admins_who_remove_each_other_at_once_leave_one(here: Database) -> None:
    for _ in range(20):  # a race is not lost every time
        with here.write() as session:
            session.execute(delete(User))
            session.add_all([User(name=name, role="admin", password="!") for name in ("Jo", "Kim")])
        told = at_once(lambda: accounts.remove_user(here, "Jo"), lambda: accounts.set_role(here, "Kim", "viewer"))
        assert sorted("last admin" in words for words in told) == [False, True]


def test_two_first_logins_at_once_are_one_person(here: Database) -> None:
    acts = [lambda: accounts.vouched_for(here, "https://id.example 1", "Kim", "editor", "")] * 4
    assert at_once(*acts) == [""] * 4
    assert [(user.name, number) for user, _, number in accounts.users(here)] == [("Kim", 4)]


def test_a_name_that_is_given_twice_at_once_is_given_once(here: Database) -> None:
    acts = [lambda: accounts.add_user(here, "Kim", "editor", PASSWORD)] * 2
    assert sorted(at_once(*acts)) == ["", "there is a user 'Kim' already"]
    tokens = [lambda: accounts.add_token(here, "panel", "read")] * 2
    assert sorted(at_once(*tokens))[1] == "there is a token 'panel' already"


def test_two_people_of_one_name_who_come_at_once_get_different_ones(here: Database) -> None:
    acts = [
        lambda number=number: accounts.vouched_for(here, f"https://id.example {number}", "Kim", "editor", "")
        for number in range(4)
    ]
    assert at_once(*acts) == [""] * 4
    assert sorted(user.name for user, *_ in accounts.users(here)) == ["Kim", "Kim (2)", "Kim (3)", "Kim (4)"]
