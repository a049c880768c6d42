"""What is in the CMS already, when somebody wants it taken off or replaced: the desk says what is true there."""

import pytest
from sqlalchemy import update
from world import World

from frontispiece import review
from frontispiece.errors import CmsProblem, Conflict, Gone, Problem
from frontispiece.models import Illustration, State


def published(world: World, candidates: int = 1) -> None:
    world.deliver(world.publish())
    world.draw()
    for _ in range(candidates - 1):
        review.regenerate(world.house, 1, "Jo")
        world.draw()
    review.approve(world.house, 1, 1, "Jo")
    world.run()
    assert world.state() == State.PUBLISHED


@pytest.mark.parametrize("kind", [CmsProblem, Conflict, Gone])
def test_what_a_failed_revert_left_in_the_cms_is_published_and_can_be_reverted_again(
    world: World, monkeypatch: pytest.MonkeyPatch, kind: type[Problem]
) -> None:
    published(world)

    def refuse(*_: object) -> None:
        raise kind("no, not now")

    with monkeypatch.context() as away:
        away.setattr(type(world.house.adapter("gazette")), "revert", refuse)
        review.revert(world.house, 1, "Jo")
        world.run()
        assert (world.state(), world.one().reason) == (State.PUBLISHED, "no, not now")
    review.revert(world.house, 1, "Jo")
    world.run()
    assert world.state() == State.REVERTED


def test_rejecting_what_stood_behind_a_person_s_image_does_not_claim_that_ours_is_there(world: World) -> None:
    published(world, candidates=2)
    world.archive.choose(1, "own.png", "A photo")
    review.approve(world.house, 1, 2, "Jo")
    world.run()
    assert world.state() == State.HELD
    review.reject(world.house, 1, "Jo")
    assert world.state() == State.REJECTED


def replacing(world: World) -> None:
    """The first picture is published; the second was to replace it, and could not be written."""
    published(world, candidates=2)
    world.paper.locked = True
    review.approve(world.house, 1, 2, "Kim")
    with world.house.database.write() as session:
        session.execute(update(Illustration).values(state=State.FAILED))  # as after many tries
    world.paper.locked = False


@pytest.mark.parametrize("drawn", [False, True])
def test_rejecting_what_should_have_replaced_ours_leaves_ours_published(world: World, drawn: bool) -> None:
    replacing(world)
    if drawn:
        review.regenerate(world.house, 1, "Kim")
        world.draw()
    review.reject(world.house, 1, "Kim")
    review.revert(world.house, 1, "Kim")
    world.run()
    article = world.archive.article(1)
    assert (world.state(), article and article.picture) == (State.REVERTED, None)


def test_such_a_rejection_can_be_taken_back(world: World) -> None:
    replacing(world)
    review.reject(world.house, 1, "Kim")
    review.undo(world.house, 1, "Kim")
    assert (world.state(), world.one().chosen_id) == (State.FAILED, 2)
