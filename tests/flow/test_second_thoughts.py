"""What is decided anew while an earlier decision is still on its way: the last one counts, nothing is paid twice."""

import pytest
from servers.bfl import BflServer
from sqlalchemy import select, update
from sqlalchemy.orm import joinedload
from world import Build, World

from frontispiece import orders, review
from frontispiece.errors import OverBudget, StaleState
from frontispiece.models import Candidate, Illustration, Render, RenderState, Review, State, Task, TaskState

FINAL = 'models = ["sketch"]\nfinal = "flux-2-pro"'
TWO = 'models = ["sketch"]\napprovals = 2'


@pytest.fixture(name="drafts")
def _drafts(build: Build, bfl: BflServer) -> World:
    """A house where Black Forest Labs' stand-in draws once more what is approved, with a draft in review."""
    world = build(rule=FINAL, rest=f'[generators.bfl]\napi_key = "{bfl.key}"\nbase_url = "{bfl.url}"')
    return begun(world)


@pytest.fixture(name="poor")
def _poor(build: Build, bfl: BflServer) -> World:
    """A house with money for one picture a day, which is spent."""
    keys = f'[generators.bfl]\napi_key = "{bfl.key}"\nbase_url = "{bfl.url}"\n[budget]\nday = 0.05'
    return begun(build(rule='models = ["flux-2-pro"]', rest=keys))


def begun(world: World) -> World:
    world.deliver(world.publish())
    world.draw()
    assert world.state() == State.IN_REVIEW
    return world


def renders(world: World) -> list[Render]:
    with world.house.database.read() as session:
        return list(session.scalars(select(Render).order_by(Render.id)))


def chosen_by_a_person(world: World, name: str = "own.png") -> None:
    world.archive.choose(1, name, "A photo")


# Orders


def test_a_final_that_was_taken_back_is_not_published_when_it_comes(drafts: World) -> None:
    review.approve(drafts.house, 1, 1, "Jo")
    drafts.run()
    review.undo(drafts.house, 1, "Jo")
    review.regenerate(drafts.house, 1, "Jo", wish=orders.Wish("flux-2-pro"))
    drafts.draw()
    assert (drafts.state(), drafts.pictures()) == (State.IN_REVIEW, 0)


def test_of_two_finals_the_one_that_was_ordered_last_is_published(drafts: World) -> None:
    review.regenerate(drafts.house, 1, "Jo")
    drafts.draw()
    review.approve(drafts.house, 1, 1, "Jo")
    drafts.run()
    review.undo(drafts.house, 1, "Jo")
    review.approve(drafts.house, 1, 2, "Jo")
    drafts.draw()
    with drafts.house.database.read() as session:
        chosen = session.get_one(Candidate, drafts.one().chosen_id, options=[joinedload(Candidate.render)])
        assert chosen.render
        assert (drafts.state(), chosen.render.parent_id) == (State.PUBLISHED, 2)


def test_an_earlier_order_that_comes_late_does_not_end_the_wait_for_the_new_one(hosted: World) -> None:
    begun(hosted)
    review.regenerate(hosted.house, 1, "Jo", "One lamp.")
    hosted.run()
    review.undo(hosted.house, 1, "Jo")
    review.regenerate(hosted.house, 1, "Jo", "Two lamps.")
    hosted.follow()
    hosted.run()
    assert [row.state for row in renders(hosted)[1:]] == [RenderState.DONE, RenderState.OPEN]
    assert hosted.state() == State.RENDERING


def test_an_order_taken_back_while_it_is_prepared_is_not_sent(
    hosted: World, bfl: BflServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun(hosted)
    sent, prepare = bfl.submits, orders.as_order
    review.regenerate(hosted.house, 1, "Jo", "A lamp in fog.")

    def slow(*given: object) -> object:
        review.undo(hosted.house, 1, "Jo")
        return prepare(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(orders, "as_order", slow)
    hosted.run()
    hosted.make_due()
    hosted.run()
    assert (bfl.submits, renders(hosted)[-1].state, hosted.state()) == (sent, RenderState.FAILED, State.IN_REVIEW)


def test_undoing_an_order_brings_the_prompt_back(world: World) -> None:
    begun(world)
    before = world.one()
    review.regenerate(world.house, 1, "Jo", "A lamp in fog.")
    review.undo(world.house, 1, "Jo")
    assert (world.one().prompt, world.one().template) == (before.prompt, before.template)


def test_a_final_that_was_lost_is_ordered_again_when_somebody_tries_again(drafts: World, bfl: BflServer) -> None:
    bfl.misbehave("lost")
    review.approve(drafts.house, 1, 1, "Jo")
    drafts.run()
    assert drafts.state() == State.HELD
    review.retry(drafts.house, 1, "Jo")
    drafts.draw()
    assert [row.final for row in renders(drafts)] == [False, True, True]
    assert drafts.state() == State.PUBLISHED


def test_a_change_that_was_lost_is_ordered_again_as_it_was(hosted: World, bfl: BflServer) -> None:
    begun(hosted)
    with hosted.house.database.read() as session:
        picture = session.scalars(select(Render)).one().images[0]
    bfl.misbehave("lost")
    wish = orders.Wish(ask=orders.Ask("edit", (picture,)), words="make it evening", parent=1)
    review.regenerate(hosted.house, 1, "Jo", wish=wish)
    hosted.run()
    review.retry(hosted.house, 1, "Jo")
    first, again = renders(hosted)[1:]
    assert (again.task, again.given, again.prompt, again.parent_id) == ("edit", first.given, "make it evening", 1)


# Money


def test_without_money_on_the_next_day_either_it_waits_for_another(poor: World) -> None:
    poor.deliver(poor.publish())
    poor.run()
    poor.make_due()
    poor.run()
    with poor.house.database.read() as session:
        waiting = session.scalars(select(Task).where(Task.step == "resume", Task.state == TaskState.READY)).all()
    assert (poor.state(2), [row.subject for row in waiting]) == (State.HELD, [2])


def test_what_was_lost_long_ago_does_not_keep_a_picture_waiting_for_ever(poor: World) -> None:
    poor.deliver(poor.publish())
    poor.run()
    with poor.house.database.write() as session:
        lost = session.get_one(Render, 1)
        values = {"state": RenderState.UNKNOWN, "created": 1.0}
        session.execute(update(Render).where(Render.id == lost.id).values(illustration_id=2, **values))
        session.add(Render(illustration_id=2, model="flux-2-pro", prompt="A lamp.", seed=1, width=64, height=64))
        session.flush()
        session.execute(update(Render).where(Render.id != lost.id).values(state=RenderState.FAILED, created=1.0))
    poor.make_due()
    poor.draw()
    assert poor.state(2) == State.IN_REVIEW


def test_whoever_asks_for_another_picture_without_money_is_told_and_nothing_changes(poor: World) -> None:
    review.reject(poor.house, 1, "Jo", "no")
    with pytest.raises(OverBudget):
        review.regenerate(poor.house, 1, "Jo", "A lamp in fog.")
    assert (poor.state(), poor.one().reason) == (State.REJECTED, "no")


# Approvals and reverts


def test_a_revert_that_was_asked_for_never_takes_off_what_is_approved_later(world: World) -> None:
    begun(world)
    review.regenerate(world.house, 1, "Jo")
    world.draw()
    review.approve(world.house, 1, 1, "Jo")
    world.run()
    review.revert(world.house, 1, "Jo")
    with pytest.raises(StaleState):
        review.approve(world.house, 1, 2, "Kim")
    world.run()
    assert world.state() == State.REVERTED


def test_leave_to_replace_an_image_is_for_that_image(world: World) -> None:
    begun(world)
    chosen_by_a_person(world)
    for _ in range(2):  # stopped, then replaced by choice
        review.approve(world.house, 1, 1, "Jo")
        world.run()
    review.revert(world.house, 1, "Jo")
    world.run()
    chosen_by_a_person(world, "newer.png")
    review.approve(world.house, 1, 1, "Kim")
    world.run()
    assert world.state() == State.HELD


def test_what_is_held_for_another_reason_replaces_no_image_unasked(hosted: World, bfl: BflServer) -> None:
    begun(hosted)
    bfl.misbehave("lost")
    review.regenerate(hosted.house, 1, "Jo")
    hosted.run()
    chosen_by_a_person(hosted)
    review.approve(hosted.house, 1, 1, "Jo")
    hosted.run()
    assert "somebody has set another image" in hosted.one().reason


def test_the_image_that_is_in_the_way_is_noted_for_the_editor_to_see(world: World) -> None:
    begun(world)
    chosen_by_a_person(world)
    review.approve(world.house, 1, 1, "Jo")
    world.run()
    with world.house.database.read() as session:
        one = session.scalars(select(Illustration)).one()
        session.refresh(one, ["entry"])
        assert one.entry.snapshot["image"]["url"].endswith("own.png")


def test_undoing_the_choice_to_replace_leaves_what_was_approved(world: World) -> None:
    begun(world)
    chosen_by_a_person(world)
    review.approve(world.house, 1, 1, "Jo")
    world.run()
    reason = world.one().reason
    review.approve(world.house, 1, 1, "Jo", hold=3600)
    review.undo(world.house, 1, "Jo")
    assert (world.state(), world.one().chosen_id, world.one().reason) == (State.HELD, 1, reason)


@pytest.mark.parametrize("decision", ["revert", "reject"])
def test_an_approval_from_before_it_was_set_aside_counts_no_more(build: Build, decision: str) -> None:
    world = begun(build(rule=TWO))
    review.approve(world.house, 1, 1, "Jo")
    if decision == "revert":
        review.approve(world.house, 1, 1, "Kim")
        world.run()
        review.revert(world.house, 1, "Sam")
        world.run()
    else:
        review.reject(world.house, 1, "Sam")
        review.regenerate(world.house, 1, "Sam")
        world.draw()
    assert review.approve(world.house, 1, 1, "Kim") == "endorsed"


def test_an_undo_that_means_an_earlier_decision_takes_back_no_later_one(world: World) -> None:
    begun(world)
    review.reject(world.house, 1, "Jo")
    review.regenerate(world.house, 1, "Jo")
    with pytest.raises(StaleState):
        review.undo(world.house, 1, "Jo", meant=1)
    with world.house.database.read() as session:
        assert [row.undone for row in session.scalars(select(Review))] == [None, None]


def test_an_approval_undone_while_a_worker_has_it_is_no_problem_to_anybody(world: World) -> None:
    begun(world)
    review.approve(world.house, 1, 1, "Jo")
    with world.house.database.write() as session:
        session.execute(update(Task).where(Task.step == "publish").values(state=TaskState.RUNNING, lease=1.0))
    review.undo(world.house, 1, "Jo")
    world.run()
    assert (world.state(), world.one().reason, world.pictures()) == (State.IN_REVIEW, "", 0)
