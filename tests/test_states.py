"""Moves of an illustration between its states."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from frontispiece import states
from frontispiece.database import Database
from frontispiece.errors import StaleState
from frontispiece.models import Base, Entry, Illustration, State


@pytest.fixture(name="database")
def _database(tmp_path: Path) -> Iterator[Database]:
    made = Database(f"sqlite:///{tmp_path / 'test.db'}")
    Base.metadata.create_all(made.engine)
    with made.write() as session:
        session.add(Entry(id=1, site="blog", ref="posts/1", kind="article", title="A", snapshot={}, fetched=0))
        session.flush()
        session.add(Illustration(id=1, entry_id=1, rule="articles", slot="hero", state=State.IN_REVIEW, reason="look"))
    yield made
    made.engine.dispose()


def state(database: Database) -> Illustration:
    with database.read() as session:
        return session.get_one(Illustration, 1)


def test_a_move_from_the_present_state_is_made(database: Database) -> None:
    with database.write() as session:
        states.move(session, 1, State.IN_REVIEW, State.APPROVED, chosen_id=3)

    assert (state(database).state, state(database).chosen_id) == (State.APPROVED, 3)


def test_the_second_of_two_editors_is_told(database: Database) -> None:
    with database.write() as session:
        states.move(session, 1, State.IN_REVIEW, State.APPROVED)

    with pytest.raises(StaleState, match="no longer in review"), database.write() as session:
        states.move(session, 1, State.IN_REVIEW, State.REJECTED)


def test_a_move_empties_the_reason_of_the_state_before(database: Database) -> None:
    with database.write() as session:
        states.move(session, 1, State.IN_REVIEW, State.APPROVED)

    assert state(database).reason == ""


def test_a_move_that_is_not_on_the_map_is_a_mistake_of_ours(database: Database) -> None:
    with pytest.raises(AssertionError, match="no move"), database.write() as session:
        states.move(session, 1, State.IN_REVIEW, State.REVERTED)


def test_every_state_can_be_reached() -> None:
    reached = {new for moves in states.MOVES.values() for new in moves}

    assert set(states.MOVES) == set(State)
    assert reached == set(State)
