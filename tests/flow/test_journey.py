"""The journey of a picture, from a signed delivery to the newspaper's page and back."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select
from world import World

from frontispiece import pictures, records, review
from frontispiece.errors import StaleState
from frontispiece.models import Candidate, State


def waiting(world: World, **texts: Any) -> int:
    """An article whose picture waits for an editor."""
    article = world.publish(**texts)
    world.deliver(article)
    world.run()
    assert world.state() == State.IN_REVIEW
    return article


def picture(world: World, article: int) -> int | None:
    written = world.archive.article(article)
    assert written is not None
    return written.picture


def test_a_published_article_gets_a_picture_that_waits_for_an_editor(world: World) -> None:
    delivery = world.deliver(world.publish())
    world.run()

    assert (world.outcome(delivery)[0], world.state()) == ("queued", State.IN_REVIEW)


def test_an_approved_picture_is_on_the_article_with_its_alt_text(world: World) -> None:
    article = waiting(world)
    review.approve(world.house, 1, 1, "an editor", review.Details(alt="A lighthouse"))
    world.run()

    written = world.archive.picture(picture(world, article))
    assert (world.state(), written.alt if written else "") == (State.PUBLISHED, "A lighthouse")


def test_a_rule_without_review_publishes_by_itself(build: Callable[..., World]) -> None:
    world = build(rule='review = "never"')
    article = world.publish()
    world.deliver(article)
    world.run()

    assert (world.state(), picture(world, article) is None) == (State.PUBLISHED, False)


def test_a_rejected_picture_changes_nothing_in_the_cms(world: World) -> None:
    article = waiting(world)
    review.reject(world.house, 1, "an editor", "wrong subject")
    world.run()

    assert (world.state(), picture(world, article)) == (State.REJECTED, None)


def test_the_second_of_two_editors_gets_a_clear_word(world: World) -> None:
    waiting(world)
    review.approve(world.house, 1, 1, "the first")

    with pytest.raises(StaleState, match="somebody decided first"):
        review.reject(world.house, 1, "the second")


def test_five_saves_in_a_row_make_one_picture(world: World) -> None:
    article = world.publish()
    outcomes = [world.deliver(article) for _ in range(5)]
    world.run()

    assert [world.outcome(one)[0] for one in outcomes] == ["queued"] + ["coalesced"] * 4
    assert world.count() == 1


def test_an_article_with_an_image_is_left_alone(world: World) -> None:
    article = world.publish()
    world.archive.choose(article, "own.png", "A photo")
    delivery = world.deliver(article)
    world.run()

    assert (world.outcome(delivery), world.state()) == (("skipped", "it has an image already"), State.SKIPPED)


def test_an_article_that_was_skipped_is_looked_at_again(world: World) -> None:
    story = {"title": "A Quiet Day", "standfirst": "-", "body": "-", "section": "City", "status": "published"}
    article = world.publish(**story, tags=["no-image"])
    world.deliver(article)
    world.run()
    assert world.state() == State.SKIPPED

    world.archive.rewrite(article, **story, tags=["harbour"])
    world.deliver(article)
    world.run()
    assert world.state() == State.IN_REVIEW


def test_an_editor_sees_the_entry_as_it_was_saved_last(world: World) -> None:
    story = {"standfirst": "-", "body": "-", "section": "City", "tags": [], "status": "published"}
    article = waiting(world, **story)
    world.archive.rewrite(article, title="The Lighthouse Went Out", **story)
    world.deliver(article)
    world.run()
    with world.house.database.read() as session:
        one = records.illustration(session, 1)
    assert (one.state, one.entry.title) == (State.IN_REVIEW, "The Lighthouse Went Out")


def test_our_own_write_does_not_come_back_as_work(world: World) -> None:
    article = waiting(world)
    review.approve(world.house, 1, 1, "an editor")
    world.run()
    echo = world.deliver(article)
    world.run()

    assert (world.outcome(echo)[0], world.count()) == ("coalesced", 1)


def test_an_image_that_a_person_set_meanwhile_is_never_replaced(world: World) -> None:
    article = waiting(world)
    world.archive.choose(article, "own.png", "A photo")
    before = picture(world, article)
    review.approve(world.house, 1, 1, "an editor")
    world.run()

    assert (world.state(), picture(world, article)) == (State.HELD, before)
    assert "somebody has set another image" in world.one().reason


def test_an_editor_may_replace_it_all_the_same(world: World) -> None:
    article = waiting(world)
    world.archive.choose(article, "own.png", "A photo")
    before = picture(world, article)
    review.approve(world.house, 1, 1, "an editor")
    world.run()
    review.approve(world.house, 1, 1, "an editor")
    world.run()

    assert (world.state(), picture(world, article) == before) == (State.PUBLISHED, False)


def test_a_revert_brings_back_what_was_there(world: World) -> None:
    article = waiting(world)
    review.approve(world.house, 1, 1, "an editor")
    world.run()
    review.revert(world.house, 1, "an editor")
    world.run()

    assert (world.state(), picture(world, article)) == (State.REVERTED, None)


def test_a_draft_stays_a_draft(build: Callable[..., World]) -> None:
    world = build(rule='events = ["created"]')
    article = world.publish(status="draft")
    world.deliver(article, "entry.created")
    world.run()
    review.approve(world.house, 1, 1, "an editor")
    world.run()

    written = world.archive.article(article)
    assert (world.state(), written.status if written else "") == (State.PUBLISHED, "draft")


def test_an_entry_deleted_before_we_fetch_it_is_skipped_in_words(world: World) -> None:
    delivery = world.deliver(4711)
    world.run()

    assert world.outcome(delivery)[0] == "skipped"


def test_an_entry_deleted_later_drops_its_picture(world: World) -> None:
    article = waiting(world)
    world.archive.delete(article)
    world.deliver(article, "entry.deleted")
    world.run()

    assert (world.state(), world.one().reason) == (State.SKIPPED, "the entry was deleted")


def test_a_cms_that_is_away_gets_the_picture_later(world: World) -> None:
    article = waiting(world)
    review.approve(world.house, 1, 1, "an editor")
    world.hang_up()
    world.run()
    assert world.state() == State.PUBLISHING

    world.pick_up()
    world.make_due()
    world.run()
    assert (world.state(), picture(world, article) is None) == (State.PUBLISHED, False)


def test_a_cms_that_stays_away_is_a_failure_that_one_may_try_again(world: World) -> None:
    article = waiting(world)
    review.approve(world.house, 1, 1, "an editor")
    world.hang_up()
    for _ in range(12):
        world.make_due()
        world.run()
    assert world.state() == State.FAILED

    world.pick_up()
    review.retry(world.house, 1, "an editor")
    world.run()
    assert (world.state(), picture(world, article) is None) == (State.PUBLISHED, False)


def test_no_editor_waits_for_a_thumbnail(hosted: World) -> None:
    hosted.deliver(hosted.publish())
    hosted.draw()
    with hosted.house.database.read() as session:
        image = session.scalars(select(Candidate.image)).one()
    for width in pictures.SHOWN:
        assert hosted.house.storage.get(pictures.thumbnail_key(image, width))
