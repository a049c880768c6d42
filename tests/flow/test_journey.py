"""The journey of a picture, from a signed delivery to the newspaper's page."""

from flow.conftest import World

from frontispiece import review
from frontispiece.models import State


def test_a_published_article_gets_a_picture_that_waits_for_an_editor(world: World) -> None:
    delivery = world.deliver(world.publish())

    world.run()

    assert (world.outcome(delivery)[0], world.state()) == ("queued", State.IN_REVIEW)


def test_an_approved_picture_is_on_the_article_with_its_alt_text(world: World) -> None:
    article = world.publish()
    world.deliver(article)
    world.run()

    review.approve(world.house, 1, 1, "an editor", alt="A lighthouse")
    world.run()

    written = world.archive.article(article)
    assert world.state() == State.PUBLISHED
    assert written and written.picture and written.picture.alt == "A lighthouse"
