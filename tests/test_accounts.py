"""Users, logins, tokens and the brake on guessed passwords."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import select, update

from frontispiece import accounts, brake
from frontispiece.database import Database
from frontispiece.errors import Problem
from frontispiece.models import Attempt, Base, Login, Token, User

PASSWORD = "correct horse battery"


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'people.db'}")
    Base.metadata.create_all(database.engine)
    yield database
    database.engine.dispose()


def fails(database: Database, times: int, name: str = "nobody", address: str = "192.0.2.1") -> list[type[Problem]]:
    told = []
    for _ in range(times):
        with pytest.raises(Problem) as problem:
            accounts.log_in(database, name, "wrong password", address)
        told.append(problem.type)
    return told


def test_a_password_is_kept_as_argon2id_only(here: Database) -> None:
    accounts.add_user(here, "Jo", "editor", PASSWORD)
    with here.read() as session:
        assert session.scalars(select(User.password)).one().startswith("$argon2id$")


def test_a_right_password_gives_a_key_that_is_that_person(here: Database) -> None:
    accounts.add_user(here, "Jo", "editor", PASSWORD)
    user = accounts.logged_in(here, accounts.log_in(here, " jo ", PASSWORD, "192.0.2.1"))
    assert user
    assert (user.name, user.role) == ("Jo", "editor")


def test_the_table_holds_no_key_that_would_open_a_login(here: Database) -> None:
    accounts.add_user(here, "Jo", "editor", PASSWORD)
    key = accounts.log_in(here, "Jo", PASSWORD, "192.0.2.1")
    with here.read() as session:
        kept = session.scalars(select(Login.key)).one()
    assert kept != key
    assert accounts.logged_in(here, kept) is None


@pytest.mark.parametrize(("column", "age"), [("seen", accounts.IDLE), ("created", accounts.ABSOLUTE)])
def test_a_login_ends_by_itself(here: Database, column: str, age: int) -> None:
    accounts.add_user(here, "Jo", "editor", PASSWORD)
    key = accounts.log_in(here, "Jo", PASSWORD, "192.0.2.1")
    with here.write() as session:
        session.execute(update(Login).values({column: time.time() - age - 1}))
    assert accounts.logged_in(here, key) is None


def test_being_there_keeps_a_login_alive(here: Database) -> None:
    accounts.add_user(here, "Jo", "editor", PASSWORD)
    key = accounts.log_in(here, "Jo", PASSWORD, "192.0.2.1")
    with here.write() as session:
        session.execute(update(Login).values(seen=time.time() - accounts.IDLE + 100))
    accounts.logged_in(here, key)
    with here.read() as session:
        assert session.scalars(select(Login.seen)).one() > time.time() - 60


@pytest.mark.parametrize(
    "act",
    [
        lambda here, _: accounts.set_password(here, "Jo", "another password"),
        lambda here, _: accounts.remove_user(here, "Jo"),
        accounts.log_out,
    ],
    ids=["new password", "removed", "logged out"],
)
def test_a_key_is_worth_nothing_after(here: Database, act: Callable[[Database, str], None]) -> None:
    accounts.add_user(here, "Jo", "editor", PASSWORD)
    key = accounts.log_in(here, "Jo", PASSWORD, "192.0.2.1")
    act(here, key)
    assert accounts.logged_in(here, key) is None


def test_an_unknown_name_and_a_wrong_password_get_the_same_words(here: Database) -> None:
    accounts.add_user(here, "Jo", "editor", PASSWORD)
    words = []
    for name in ("Jo", "Ann"):
        with pytest.raises(Problem) as problem:
            accounts.log_in(here, name, "wrong password", "192.0.2.1")
        words.append(problem.value.words)
    assert words[0] == words[1]


def test_the_sixth_guess_for_a_name_has_to_wait_from_wherever_it_comes(here: Database) -> None:
    told = [fails(here, 1, "Jo", f"192.0.2.{number}")[0] for number in range(6)]
    assert told == [Problem] * 5 + [brake.Slower]


def test_the_right_password_has_to_wait_as_well(here: Database) -> None:
    accounts.add_user(here, "Jo", "editor", PASSWORD)
    fails(here, 5, "Jo")
    with pytest.raises(brake.Slower, match="Try again in a minute"):
        accounts.log_in(here, "Jo", PASSWORD, "192.0.2.1")


def test_each_further_failure_doubles_the_wait(here: Database) -> None:
    with here.write() as session:
        session.add_all([Attempt(who="name jo") for _ in range(7)])
    with pytest.raises(brake.Slower) as problem:
        accounts.log_in(here, "Jo", PASSWORD, "192.0.2.1")
    assert round(problem.value.seconds, -1) == 240


def test_an_address_has_to_wait_however_many_names_it_tries(here: Database) -> None:
    with here.write() as session:
        session.add_all([Attempt(who="address 192.0.2.1") for _ in range(20)])
    assert fails(here, 1, "somebody new") == [brake.Slower]


def test_a_wait_is_over_in_time(here: Database) -> None:
    accounts.add_user(here, "Jo", "editor", PASSWORD)
    with here.write() as session:
        session.add_all([Attempt(who="name jo", at=time.time() - 61) for _ in range(5)])
    assert accounts.log_in(here, "Jo", PASSWORD, "192.0.2.1")


def test_a_login_forgives_the_failures_before_it(here: Database) -> None:
    accounts.add_user(here, "Jo", "editor", PASSWORD)
    fails(here, 4, "Jo")
    accounts.log_in(here, "Jo", PASSWORD, "192.0.2.1")
    assert fails(here, 5, "Jo") == [Problem] * 5


def test_a_login_clears_away_what_nobody_needs_any_more(here: Database) -> None:
    accounts.add_user(here, "Jo", "editor", PASSWORD)
    accounts.log_in(here, "Jo", PASSWORD, "192.0.2.1")
    with here.write() as session:
        session.add(Attempt(who="name ann", at=time.time() - brake.WINDOW - 1))
        session.execute(update(Login).values(created=time.time() - accounts.ABSOLUTE - 1))
    accounts.log_in(here, "Jo", PASSWORD, "192.0.2.1")
    with here.read() as session:
        assert (len(session.scalars(select(Login)).all()), session.scalars(select(Attempt)).all()) == (1, [])


def test_a_token_is_found_by_its_key_and_kept_as_a_digest(here: Database) -> None:
    key = accounts.add_token(here, "WordPress", "review", "blog")
    found = accounts.token(here, key)
    assert found
    assert (key[:3], found.name, found.scope, found.site) == ("fp_", "WordPress", "review", "blog")
    assert key[3:] not in found.key


def test_a_removed_token_is_not_found(here: Database) -> None:
    key = accounts.add_token(here, "WordPress", "review", "")
    accounts.remove_token(here, "WordPress")
    assert accounts.token(here, key) is None


@pytest.mark.parametrize(
    ("name", "role", "password", "words"),
    [
        ("jo", "editor", PASSWORD, "a user 'jo' already"),
        ("Ann", "boss", PASSWORD, "there are: viewer, editor, lead, admin"),
        ("Ann", "editor", "short", "8 to 1000 characters, this one has 5"),
        (" ", "editor", PASSWORD, "1 to 80 printable"),
        ("A\x00nn", "editor", PASSWORD, "1 to 80 printable"),
    ],
)
def test_a_user_who_cannot_be_is_refused_in_words(
    here: Database, name: str, role: str, password: str, words: str
) -> None:
    accounts.add_user(here, "Jo", "editor", PASSWORD)
    with pytest.raises(Problem, match=words):
        accounts.add_user(here, name, role, password)


def test_a_token_of_an_unknown_scope_is_refused(here: Database) -> None:
    with pytest.raises(Problem, match="there are: read, review, manage"):
        accounts.add_token(here, "WordPress", "everything")
    with here.read() as session:
        assert session.scalars(select(Token)).all() == []


def test_somebody_without_a_password_cannot_log_in_with_one(here: Database) -> None:
    accounts.vouched_for(here, "https://id.example 1", "Kim", None, "viewer")
    for password in ("", "!", "correct horse"):
        with pytest.raises(Problem, match="do not belong together"):
            accounts.log_in(here, "Kim", password, "192.0.2.1")


def test_who_is_vouched_for_is_found_by_subject_and_keeps_their_name(here: Database) -> None:
    for name, role in (("Kim", "editor"), ("Kimberly", "lead")):
        accounts.vouched_for(here, "https://id.example 1", name, role, "")
    assert [(user.name, user.role, number) for user, _, number in accounts.users(here)] == [("Kim", "lead", 2)]


def test_a_name_that_somebody_has_gets_a_number(here: Database) -> None:
    accounts.add_user(here, "kim", "admin", PASSWORD)
    for number in range(2):
        accounts.vouched_for(here, f"https://id.example {number}", "Kim", None, "viewer")
    assert [user.name for user, *_ in accounts.users(here)] == ["kim", "Kim (2)", "Kim (3)"]


def test_a_role_that_an_admin_gave_stays_where_the_provider_says_nothing_of_it(here: Database) -> None:
    accounts.vouched_for(here, "https://id.example 1", "Kim", None, "viewer")
    accounts.set_role(here, "Kim", "lead")
    user = accounts.logged_in(here, accounts.vouched_for(here, "https://id.example 1", "Kim", None, "viewer"))
    assert user
    assert user.role == "lead"


def test_without_a_role_nobody_is_let_in_and_their_logins_end(here: Database) -> None:
    key = accounts.vouched_for(here, "https://id.example 1", "Kim", "editor", "")
    for subject in ("https://id.example 1", "https://id.example 2"):
        with pytest.raises(accounts.NoRole):
            accounts.vouched_for(here, subject, "Kim", "", "")
    assert accounts.logged_in(here, key) is None
    assert len(accounts.users(here)) == 1


def test_a_login_that_was_vouched_for_is_over_the_next_day(here: Database) -> None:
    key = accounts.vouched_for(here, "https://id.example 1", "Kim", "editor", "")
    with here.write() as session:
        session.execute(update(Login).values(created=time.time() - accounts.VOUCHED - 1))
    assert accounts.logged_in(here, key) is None


def test_the_list_of_logins_has_only_those_that_are_not_over(here: Database) -> None:
    accounts.add_user(here, "Jo", "editor", PASSWORD)
    for _ in range(2):
        key = accounts.log_in(here, "Jo", PASSWORD, "192.0.2.1")
        with here.write() as session:
            session.execute(update(Login).values(seen=Login.seen - accounts.IDLE + 60))
    ((user, _, number),) = accounts.users(here)
    assert number == 2
    assert [mine for _, mine in accounts.logins(here, user.id, key)] == [True]


@pytest.mark.parametrize("held", range(3))
def test_a_scope_covers_itself_and_those_before_it(held: int) -> None:
    covered = [accounts.covers(accounts.SCOPES, accounts.SCOPES[held], wanted) for wanted in accounts.SCOPES]
    assert covered == [True] * (held + 1) + [False] * (2 - held)


def test_a_scope_that_is_not_known_covers_nothing() -> None:
    assert not accounts.covers(accounts.SCOPES, "everything", "read")


@pytest.mark.parametrize("act", [accounts.remove_user, lambda here, name: accounts.set_role(here, name, "lead")])
def test_the_last_admin_is_neither_removed_nor_demoted(here: Database, act: Callable[[Database, str], None]) -> None:
    for name in ("Jo", "Kim"):
        accounts.add_user(here, name, "admin", PASSWORD)
    act(here, "Jo")
    with pytest.raises(Problem, match="Kim is the last admin"):
        act(here, "Kim")
