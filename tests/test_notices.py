"""Notices: who is told of what, once each, however chat and mail servers behave."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from servers.receiving import Chat, chat, links, mail, notice
from sqlalchemy import delete, select, update
from world import Build, World

from frontispiece import notices, pauses, review, setbacks, tasks
from frontispiece.errors import Problem
from frontispiece.models import Link, Pause, State, Task

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")  # Apprise's, before 3.13


@pytest.fixture(name="room")
def _room() -> Iterator[Chat]:
    with chat() as server:
        yield server


def begun(world: World, **entry: str) -> None:
    world.deliver(world.publish(**entry))
    world.run()


def later(world: World) -> None:
    """All waiting times pass, and what is due then is done."""
    world.make_due()
    with world.house.database.write() as session:
        session.execute(update(Pause).values(until=1.0))
    world.run()


def fail(world: World, step: str) -> None:
    """The open task of that step meets a problem that no other try helps."""
    with world.house.database.read() as session:
        open_ = session.scalars(select(Task.id).where(Task.step == step).order_by(Task.id)).all()[-1]
    claim = tasks.claim(world.house.database, open_)
    assert claim
    setbacks.stumble(world.house, claim, Problem("the paint ran out"))


def rows(world: World) -> list[Link]:
    with world.house.database.read() as session:
        return list(session.scalars(select(Link).order_by(Link.id)))


def test_a_picture_to_review_is_told_with_a_link_to_the_desk(build: Build, room: Chat) -> None:
    begun(build(rest=notice(room.room("editors"))))
    (message,) = room.messages
    assert (message["title"], message["room"]) == ("A picture to review: The Lighthouse Is Lit Again", "editors")
    assert message["message"] == (
        "“The Lighthouse Is Lit Again” (gazette, City)\n\nAt the desk: http://127.0.0.1:8460/desk/1"
    )


def test_a_letter_carries_the_link_that_decides(build: Build) -> None:
    with mail() as box:
        world = build(rest=notice(box.box, links=True))
        begun(world)
        subject, text = box.read()
    (key,) = links(text)
    assert subject == "A picture to review: The Lighthouse Is Lit Again"
    assert [row.key for row in rows(world)] == [notices.digest(key)]


@pytest.mark.parametrize("keys", [{"sites": ["gazette"]}, {"sections": ["City"]}, {"rules": ["articles"]}])
def test_a_notice_of_this_kind_of_picture_hears_of_it(build: Build, room: Chat, keys: dict[str, Any]) -> None:
    begun(build(rest=notice(room.room("a"), **keys)))
    assert len(room.messages) == 1


def test_a_notice_of_other_sections_hears_nothing(build: Build, room: Chat) -> None:
    begun(build(rest=notice(room.room("a"), sections=["City"])), section="Sport")
    assert room.messages == []


def test_a_notice_of_other_events_hears_nothing_of_a_review(build: Build, room: Chat) -> None:
    begun(build(rest=notice(room.room("a"), on=["failed", "held", "budget", "paused"])))
    assert room.messages == []


def test_without_links_no_key_opens_anything(build: Build, room: Chat) -> None:
    world = build(rest=notice(room.room("a")))
    begun(world)
    assert links(room.texts()[0]) == []
    assert [row.expires <= row.created for row in rows(world)] == [True]


def test_a_chat_that_is_away_holds_no_picture_up(build: Build, room: Chat) -> None:
    room.away = True
    world = build(rest=notice(room.room("a")))
    begun(world)
    review.approve(world.house, 1, 1, "Jo")
    world.run()
    assert (world.state(), room.messages) == (State.PUBLISHED, [])


def test_an_address_that_took_nothing_is_left_alone_for_a_while(build: Build, room: Chat) -> None:
    room.away = True
    world = build(rest=notice(room.room("a")))
    for title in ("One", "Two", "Three"):
        begun(world, title=title)
    assert room.asked == 1


def test_no_banner_at_the_desk_speaks_of_a_chat_that_is_away(build: Build, room: Chat) -> None:
    room.away = True
    world = build(rest=notice(room.room("a")))
    begun(world)
    with world.house.database.read() as session:
        assert (len(pauses.listed(session)), pauses.known(session, "notice chat/0") is None) == (0, False)


def test_a_chat_that_is_back_hears_once(build: Build, room: Chat) -> None:
    room.away = True
    world = build(rest=notice(room.room("a"), links=True))
    begun(world)
    assert rows(world) == []
    room.away = False
    later(world)
    assert (len(room.messages), len(rows(world))) == (1, 1)


def test_an_address_that_took_it_is_not_told_again_for_another_that_did_not(build: Build, room: Chat) -> None:
    with chat() as other:
        other.away = True
        world = build(rest=notice(room.room("a"), other.room("b"), links=True))
        begun(world)
        other.away = False
        later(world)
        assert (len(room.messages), len(other.messages)) == (1, 1)
    assert links(room.texts()[0]) != links(other.texts()[0])


def test_nobody_is_told_twice_of_the_same_picture(build: Build, room: Chat) -> None:
    world = build(rest=notice(room.room("a")))
    begun(world)
    with world.house.database.write() as session:
        tasks.add(session, "notify", 1)
    world.run()
    assert len(room.messages) == 1


def test_another_picture_is_told_by_itself(build: Build, room: Chat) -> None:
    world = build(rest=notice(room.room("a"), links=True))
    begun(world)
    review.regenerate(world.house, 1, "Jo")
    world.run()
    assert [len(links(text)) for text in room.texts()] == [1, 1]


def test_pictures_from_before_the_notice_was_set_up_are_not_told_again(build: Build, room: Chat) -> None:
    world = build(rest=notice(room.room("a"), links=True))
    begun(world)
    with world.house.database.write() as session:
        session.execute(delete(Link))
    review.regenerate(world.house, 1, "Jo")
    world.run()
    assert [row.candidate_id for row in rows(world)] == [2]


def test_a_picture_that_was_decided_meanwhile_is_not_told(build: Build, room: Chat) -> None:
    world = build(rest=notice(room.room("a")))
    world.deliver(world.publish())
    world.run(until="notify")
    review.reject(world.house, 1, "Jo")
    world.run()
    assert room.messages == []


def test_a_notice_that_nobody_ever_took_leaves_the_picture_alone(build: Build, room: Chat) -> None:
    world = build(rest=notice(room.room("a")))
    world.deliver(world.publish())
    world.run(until="notify")
    fail(world, "notify")
    assert (world.state(), world.one().reason) == (State.IN_REVIEW, "")


def test_a_failure_is_told_with_its_reason_each_time(build: Build, room: Chat) -> None:
    world = build(rest=notice(room.room("a"), on=["failed"]))
    world.deliver(world.publish())
    world.run(until="render")
    for _ in range(2):
        fail(world, "render")
        world.run()
        review.retry(world.house, 1, "Jo")
        world.run(until="render")
    assert [message["title"] for message in room.messages] == ["Failed: The Lighthouse Is Lit Again"] * 2
    assert "the paint ran out" in room.texts()[0]


def test_a_picture_held_for_want_of_money_is_told(build: Build, room: Chat) -> None:
    rest = notice(room.room("a"), on=["held"]) + "\n[budget]\nday = 0.001\n[generators.bfl]\napi_key = 'x'"
    begun(build(rule='models = ["flux-2-pro"]', rest=rest))
    assert "would pass the budget of the day" in room.texts()[0]


def test_the_sentence_above_the_links_is_whole(build: Build, room: Chat) -> None:
    begun(build(rest=notice(room.room("a"), links=True)))
    (key,) = links(room.texts()[0])
    assert room.texts()[0].endswith(
        "/desk/1\n\nLook and decide without a login; each link works once, for 72 hours:\n"
        f"http://127.0.0.1:8460/l/{key}"
    )


def test_a_german_notice_is_told_in_german(build: Build, room: Chat) -> None:
    begun(build(rest=notice(room.room("a"), language="de", links=True)))
    (message,) = room.messages
    (key,) = links(message["message"])
    assert message["title"] == "Zur Freigabe vorgelegt: The Lighthouse Is Lit Again"
    assert message["message"] == (
        "„The Lighthouse Is Lit Again“ (gazette, City)\n\nIn der Bildredaktion: http://127.0.0.1:8460/desk/1\n\n"
        "Ansehen und ohne Anmeldung entscheiden; jeder Link gilt einmal, 72 Stunden lang:\n"
        f"http://127.0.0.1:8460/l/{key}"
    )


def test_a_german_failure_keeps_the_reason_as_it_is_stored(build: Build, room: Chat) -> None:
    world = build(rest=notice(room.room("a"), on=["failed"], language="de"))
    world.deliver(world.publish())
    world.run(until="render")
    fail(world, "render")
    world.run()
    (message,) = room.messages
    assert message["title"] == "Fehlgeschlagen: The Lighthouse Is Lit Again"
    assert message["message"].startswith("„The Lighthouse Is Lit Again“ (gazette, City)\nthe paint ran out\n\nIn der")


def test_two_notices_are_told_each_in_its_language(build: Build, room: Chat) -> None:
    german = notice(room.room("b"), name="verlag", language="de")
    begun(build(rest=notice(room.room("a")) + "\n" + german))
    told = {message["room"]: message["title"].split(":")[0] for message in room.messages}
    assert told == {"a": "A picture to review", "b": "Zur Freigabe vorgelegt"}


@pytest.mark.parametrize(
    ("language", "hours", "words"),
    [
        ("en", 1.0, "for 1 hour:"),
        ("en", 0.5, "for 0.5 hours:"),
        ("en", 1.5, "for 1.5 hours:"),
        ("de", 1.0, "einmal, 1 Stunde lang:"),
        ("de", 1.5, "einmal, 1,5 Stunden lang:"),
    ],
)
def test_hours_are_counted_as_the_readers_do(build: Build, room: Chat, language: str, hours: float, words: str) -> None:
    begun(build(rest=notice(room.room("a"), links=True, link_hours=hours, language=language)))
    assert words in room.texts()[0]


def test_a_title_is_never_taken_for_a_format(build: Build, room: Chat) -> None:
    begun(build(rest=notice(room.room("a"), language="de")), title="100 % %s %(title)s")
    assert "„100 % %s %(title)s“" in room.texts()[0]


def test_what_a_cms_sends_calls_nobody_and_links_nowhere(build: Build, room: Chat) -> None:
    begun(build(rest=notice(room.room("a"))), title="<!channel> @everyone [here](https://evil.example)")
    text = room.texts()[0]
    assert not [sign for sign in ("<", "@e", "](", "https://") if sign in text]


def test_links_that_are_long_over_are_forgotten(build: Build, room: Chat) -> None:
    world = build(rest=notice(room.room("a"), links=True))
    begun(world)
    with world.house.database.write() as session:
        row = session.get_one(Link, 1)
        row.created = row.expires = time.time() - 8 * 86_400
        notices.tidy(session, 7)
    assert rows(world) == []
