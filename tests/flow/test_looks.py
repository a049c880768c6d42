"""What no delivery told of is found all the same, and a CMS that refuses our credentials is left alone."""

from collections.abc import Callable

import pytest
from sqlalchemy import select, update
from world import World

from frontispiece import pauses, sites
from frontispiece.models import Illustration, Pause, Site, State, Task, TaskState


def look(world: World) -> None:
    sites.look_soon(world.house)
    world.run()


@pytest.fixture
def watched(world: World) -> World:
    """A world whose newspaper has been looked at before."""
    look(world)
    return world


def test_the_first_look_draws_nothing_of_what_lay_there(world: World) -> None:
    world.publish()
    look(world)
    assert world.count() == 0


def test_an_article_that_no_delivery_told_of_is_drawn(watched: World) -> None:
    watched.publish()
    look(watched)
    assert watched.state() == State.IN_REVIEW


def test_an_article_is_drawn_once_however_often_one_looks(watched: World) -> None:
    watched.deliver(watched.publish())
    watched.run()
    look(watched)
    look(watched)
    assert watched.count() == 1


def test_a_rejected_picture_is_not_drawn_again_by_a_look(watched: World) -> None:
    watched.publish()
    look(watched)
    with watched.house.database.write() as session:
        session.execute(update(Illustration).values(state=State.REJECTED))
    look(watched)
    assert (watched.count(), watched.state()) == (1, State.REJECTED)


def test_a_draft_is_not_what_a_rule_for_published_articles_waits_for(watched: World) -> None:
    watched.publish(status="draft")
    look(watched)
    assert watched.count() == 0


def test_a_look_is_followed_by_the_next(watched: World) -> None:
    with watched.house.database.read() as session:
        ahead = session.scalars(select(Task).where(Task.step == "look", Task.state == TaskState.READY)).one()
        looked = session.scalars(select(Site.looked)).one()
    assert ahead.due == pytest.approx(looked + 900)


def test_a_look_at_a_cms_that_is_away_misses_nothing(watched: World) -> None:
    watched.publish()
    watched.hang_up()
    look(watched)
    watched.pick_up()
    watched.make_due()
    watched.run()
    assert watched.count() == 1


def test_a_site_that_is_not_to_be_looked_at_is_not(
    build: Callable[..., World], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FRONTISPIECE_SITES__GAZETTE__LOOK_EVERY", "0")
    world = build()
    look(world)
    with world.house.database.read() as session:
        assert session.scalars(select(Task)).all() == []


@pytest.fixture
def locked_out(watched: World) -> World:
    """The newspaper takes our token no more, and a picture is wanted."""
    watched.paper.locked = True
    watched.deliver(watched.publish())
    watched.run()
    return watched


def test_refused_credentials_pause_the_site(locked_out: World) -> None:
    with locked_out.house.database.read() as session:
        assert [one.name for one in pauses.listed(session)] == ["site gazette"]


def test_what_meets_refused_credentials_waits_however_long(locked_out: World) -> None:
    for _ in range(20):
        locked_out.make_due()
        locked_out.run()
    with locked_out.house.database.read() as session:
        assert session.scalars(select(Task.state).where(Task.step == "plan")).all() == [TaskState.READY]


def test_a_paused_site_is_not_asked_again_too_soon(locked_out: World) -> None:
    locked_out.paper.asked.clear()
    locked_out.make_due()
    locked_out.run()
    assert not locked_out.paper.asked.is_set()


def test_when_the_credentials_are_good_again_everything_is_drawn(locked_out: World) -> None:
    locked_out.paper.locked = False
    with locked_out.house.database.write() as session:
        session.execute(update(Pause).values(until=1.0))
    locked_out.make_due()
    locked_out.run()
    with locked_out.house.database.read() as session:
        assert (locked_out.state(), list(pauses.listed(session))) == (State.IN_REVIEW, [])
