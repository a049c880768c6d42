"""A process killed with SIGKILL at each line that matters: nothing lost, nothing rendered or published twice."""

import pytest
from servers.bfl import BflServer
from world import World

from frontispiece import review
from frontispiece.models import State


def finish(world: World) -> None:
    """What a new worker and the watcher do afterwards, with an editor who approves."""
    world.draw()
    if world.state() == State.IN_REVIEW:
        review.approve(world.house, 1, 1, "an editor")
    world.run()


@pytest.mark.parametrize(
    ("step", "fault"),
    [
        ("plan", "after_claim"),
        ("compose", "after_claim"),
        ("render", "after_claim"),
        ("collect", "after_claim"),
    ],
)
def test_a_kill_before_the_review_loses_nothing_and_pays_once(
    hosted: World, bfl: BflServer, step: str, fault: str
) -> None:
    hosted.deliver(hosted.publish())
    hosted.run(until=step)
    if step == "collect":
        hosted.follow()
    hosted.die(fault)
    finish(hosted)

    assert (bfl.submits, hosted.state()) == (1, State.PUBLISHED)


@pytest.mark.parametrize("fault", ["render:before_submit", "render:after_submit"])
def test_a_kill_around_the_submit_is_shown_and_never_paid_twice(hosted: World, bfl: BflServer, fault: str) -> None:
    hosted.deliver(hosted.publish())
    hosted.run(until="render")
    hosted.die(fault)
    finish(hosted)

    assert bfl.submits <= 1
    assert (hosted.state(), "may have been charged" in hosted.one().reason) == (State.HELD, True)


@pytest.mark.parametrize("fault", ["before_submit", "after_submit", "after_store"])
def test_a_kill_around_a_free_render_just_draws_again(world: World, fault: str) -> None:
    world.deliver(world.publish())
    world.run(until="render")
    world.die(f"render:{fault}")
    finish(world)

    assert world.state() == State.PUBLISHED


@pytest.mark.parametrize("fault", ["after_claim", "publish:before_attach", "publish:after_attach"])
def test_a_kill_during_the_write_back_leaves_one_picture(world: World, fault: str) -> None:
    article = world.publish()
    world.deliver(article)
    world.draw()
    review.approve(world.house, 1, 1, "an editor")
    world.die(fault)
    world.run()

    written = world.archive.article(article)
    assert (world.state(), world.pictures()) == (State.PUBLISHED, 1)
    assert written is not None
    assert written.picture is not None
