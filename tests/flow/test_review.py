"""What editors do, against the journey: two approvals, taking back, another picture, a picture of one's own."""

import io

import pytest
from PIL import Image
from sqlalchemy import select
from world import Build, World

from frontispiece import orders, retouch, review
from frontispiece.errors import PictureProblem, Problem, StaleState
from frontispiece.models import Candidate, Render, Review, State, Task, TaskState

TWO = 'models = ["sketch"]\napprovals = 2'
HELD_BACK = 3600.0  # seconds


def photograph(width: int = 1800, height: int = 1000, xmp: bytes = b"") -> bytes:
    out = io.BytesIO()
    Image.linear_gradient("L").resize((width, height)).convert("RGB").save(out, "JPEG", xmp=xmp)
    return out.getvalue()


def begun(world: World) -> None:
    world.deliver(world.publish())
    world.draw()
    assert world.state() == State.IN_REVIEW


def reviews(world: World) -> list[tuple[str, bool]]:
    with world.house.database.read() as session:
        return [(row.decision, row.undone is not None) for row in session.scalars(select(Review).order_by(Review.id))]


def renders(world: World) -> list[Render]:
    with world.house.database.read() as session:
        return list(session.scalars(select(Render).order_by(Render.id)))


def test_where_two_have_to_approve_the_first_publishes_nothing(build: Build) -> None:
    world = build(rule=TWO)
    begun(world)
    assert review.approve(world.house, 1, 1, "Jo") == "endorsed"
    world.run()
    assert (world.state(), world.pictures()) == (State.IN_REVIEW, 0)


def test_the_second_of_two_approvals_publishes(build: Build) -> None:
    world = build(rule=TWO)
    begun(world)
    review.approve(world.house, 1, 1, "Jo")
    assert review.approve(world.house, 1, 1, "Kim") == "approved"
    world.run()
    assert world.state() == State.PUBLISHED


@pytest.mark.parametrize("again", ["Jo", "jo", "Jo via WordPress"])
def test_nobody_is_both_of_two(build: Build, again: str) -> None:
    world = build(rule=TWO)
    begun(world)
    review.approve(world.house, 1, 1, "Jo")
    with pytest.raises(Problem, match="a second person has to"):
        review.approve(world.house, 1, 1, again)


def test_two_approvals_are_of_the_same_picture(build: Build) -> None:
    world = build(rule=TWO)
    begun(world)
    other = review.give(world.house, 1, "Sam", photograph())
    review.approve(world.house, 1, 1, "Jo")
    assert review.approve(world.house, 1, other, "Kim") == "endorsed"


def test_nobody_approves_the_picture_they_gave_where_two_have_to(build: Build) -> None:
    world = build(rule=TWO)
    begun(world)
    own = review.give(world.house, 1, "Jo", photograph())
    with pytest.raises(Problem, match="your own"):
        review.approve(world.house, 1, own, "Jo")


def test_an_approval_that_was_taken_back_does_not_count(build: Build) -> None:
    world = build(rule=TWO)
    begun(world)
    review.approve(world.house, 1, 1, "Jo")
    review.undo(world.house, 1, "Jo")
    assert review.approve(world.house, 1, 1, "Kim") == "endorsed"


def test_an_approval_can_be_taken_back_before_it_is_written(world: World) -> None:
    begun(world)
    review.approve(world.house, 1, 1, "Jo", hold=HELD_BACK)
    assert review.undo(world.house, 1, "Jo") == "approve"
    world.make_due()
    world.run()
    assert (world.state(), world.one().chosen_id, world.pictures()) == (State.IN_REVIEW, None, 0)


def test_an_approval_is_not_written_before_its_time(world: World) -> None:
    begun(world)
    review.approve(world.house, 1, 1, "Jo", hold=HELD_BACK)
    world.run()
    assert world.state() == State.APPROVED
    world.make_due()
    world.run()
    assert world.state() == State.PUBLISHED


def test_taking_back_what_is_published_reverts_it(world: World) -> None:
    begun(world)
    review.approve(world.house, 1, 1, "Jo")
    world.run()
    review.undo(world.house, 1, "Jo")
    world.run()
    assert world.state() == State.REVERTED
    assert reviews(world) == [("approve", True), ("revert", False)]


def test_what_is_being_written_cannot_be_taken_back(world: World) -> None:
    begun(world)
    review.approve(world.house, 1, 1, "Jo")
    world.hang_up()
    world.run()
    assert world.state() == State.PUBLISHING
    with pytest.raises(StaleState):
        review.undo(world.house, 1, "Jo")


def test_a_rejection_can_be_taken_back(world: World) -> None:
    begun(world)
    review.reject(world.house, 1, "Jo", "wrong", ["subject"])
    review.undo(world.house, 1, "Jo")
    assert (world.state(), world.one().reason) == (State.IN_REVIEW, "")


def test_an_order_that_is_taken_back_is_never_sent(world: World) -> None:
    begun(world)
    review.regenerate(world.house, 1, "Jo", "A lamp in fog.")
    review.undo(world.house, 1, "Jo")
    world.run()
    assert world.state() == State.IN_REVIEW
    assert [row.error for row in renders(world)] == ["", "taken back before it was sent"]


def test_an_order_that_is_drawn_already_is_not_taken_back(world: World) -> None:
    begun(world)
    review.regenerate(world.house, 1, "Jo", "A lamp in fog.")
    world.draw()
    with pytest.raises(Problem, match="drawn already"):
        review.undo(world.house, 1, "Jo")


def test_nobody_takes_back_the_decision_of_another(world: World) -> None:
    begun(world)
    review.reject(world.house, 1, "Jo")
    with pytest.raises(Problem, match="Jo's"):
        review.undo(world.house, 1, "Kim")


def test_a_decision_is_taken_back_once(world: World) -> None:
    begun(world)
    review.reject(world.house, 1, "Jo")
    review.undo(world.house, 1, "Jo")
    with pytest.raises(Problem, match="no decision to take back"):
        review.undo(world.house, 1, "Jo")


def test_a_second_click_takes_back_no_second_decision(world: World) -> None:
    begun(world)
    review.reject(world.house, 1, "Jo")
    review.undo(world.house, 1, "Jo", meant=1)
    review.reject(world.house, 1, "Jo", "again")
    review.undo(world.house, 1, "Jo", meant=1)
    assert reviews(world) == [("reject", True), ("reject", False)]


def test_an_editor_chooses_model_seed_and_ratio(world: World) -> None:
    begun(world)
    review.regenerate(world.house, 1, "Jo", wish=orders.Wish("sketch", seed=7, ratio="1:1", parent=1, by="Jo"))
    last = renders(world)[-1]
    assert (last.seed, last.width, last.parent_id, last.by) == (7, last.height, 1, "Jo")


def test_a_prompt_by_hand_is_no_template_s(world: World) -> None:
    begun(world)
    review.regenerate(world.house, 1, "Jo", "A lamp in fog.")
    assert [row.template.partition("@")[0] for row in renders(world)] == ["article/hero", ""]


def test_words_and_focal_point_are_kept_without_deciding(world: World) -> None:
    begun(world)
    review.describe(world.house, 1, review.Details(alt="A lamp", alts={"de": "Eine Lampe"}, focal=(0.2, 0.8)))
    one = world.one()
    assert (one.state, one.alt, one.alts, one.focal) == (State.IN_REVIEW, "A lamp", {"de": "Eine Lampe"}, [0.2, 0.8])


def test_a_picture_of_one_s_own_goes_out_without_the_mark_of_a_machine(world: World) -> None:
    begun(world)
    own = review.give(world.house, 1, "Jo", photograph(xmp=b"<x:xmpmeta>photo by Kim</x:xmpmeta>"))
    review.approve(world.house, 1, own, "Jo")
    world.run()
    written = next(world.paper.folder.glob("pictures/*")).read_bytes()
    assert world.state() == State.PUBLISHED
    assert b"photo by Kim" in written
    assert b"trainedAlgorithmicMedia" not in written


def test_a_picture_given_twice_is_one_candidate(world: World) -> None:
    begun(world)
    assert review.give(world.house, 1, "Jo", photograph()) == review.give(world.house, 1, "Jo", photograph())


def test_what_is_no_picture_is_not_taken(world: World) -> None:
    begun(world)
    with pytest.raises(PictureProblem):
        review.give(world.house, 1, "Jo", b"<svg/>")
    with world.house.database.read() as session:
        assert len(session.scalars(select(Candidate)).all()) == 1


def test_a_picture_of_one_s_own_opens_a_rejected_one_again(world: World) -> None:
    begun(world)
    review.reject(world.house, 1, "Jo")
    review.give(world.house, 1, "Jo", photograph())
    assert world.state() == State.IN_REVIEW


def test_another_candidate_replaces_what_we_published(world: World) -> None:
    begun(world)
    review.approve(world.house, 1, 1, "Jo")
    world.run()
    own = review.give(world.house, 1, "Jo", photograph())
    review.approve(world.house, 1, own, "Jo")
    world.run()
    assert (world.state(), world.one().chosen_id, world.pictures()) == (State.PUBLISHED, own, 2)


def test_taking_back_the_other_candidate_leaves_the_first_published(world: World) -> None:
    begun(world)
    review.approve(world.house, 1, 1, "Jo")
    world.run()
    own = review.give(world.house, 1, "Jo", photograph())
    review.approve(world.house, 1, own, "Jo", hold=HELD_BACK)
    review.undo(world.house, 1, "Jo")
    assert (world.state(), world.one().chosen_id) == (State.PUBLISHED, 1)


def test_an_undone_approval_leaves_no_task(world: World) -> None:
    begun(world)
    review.approve(world.house, 1, 1, "Jo", hold=HELD_BACK)
    review.undo(world.house, 1, "Jo")
    with world.house.database.read() as session:
        open_ = session.scalars(select(Task).where(Task.step == "publish", Task.state == TaskState.READY))
        assert open_.all() == []


def test_a_photograph_that_a_machine_changed_is_marked_as_both(hosted: World) -> None:
    hosted.deliver(hosted.publish())
    hosted.draw()
    own = review.give(hosted.house, 1, "Jo", photograph())
    with hosted.house.database.read() as session:
        begun = retouch.start(hosted.house, session.get_one(Candidate, own))
    wish = orders.Wish(ask=orders.Ask("edit", (begun.key,)), words="make it evening", parent=own)
    review.regenerate(hosted.house, 1, "Jo", wish=wish)
    hosted.draw()
    review.approve(hosted.house, 1, own + 1, "Jo")
    hosted.run()
    assert b"compositeWithTrainedAlgorithmicMedia" in next(hosted.paper.folder.glob("pictures/*")).read_bytes()
