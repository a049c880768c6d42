"""Renders at a hosted service: money, tickets, and refusals."""

import base64
from collections.abc import Callable

import pytest
from servers.bfl import BflServer
from servers.replicate import ReplicateServer
from sqlalchemy import select, update
from world import World

from frontispiece import planning, review, setbacks, tasks
from frontispiece.errors import OverBudget
from frontispiece.models import Pause, Render, RenderState, State, Task
from frontispiece.pauses import listed
from frontispiece.renders import without_place


def renders(world: World) -> list[Render]:
    with world.house.database.read() as session:
        return list(session.scalars(select(Render).order_by(Render.id)))


def test_a_hosted_model_draws_a_candidate_and_its_cost_is_noted(hosted: World, bfl: BflServer) -> None:
    hosted.deliver(hosted.publish())
    hosted.draw()

    assert hosted.state() == State.IN_REVIEW
    assert renders(hosted)[0].cost == pytest.approx(bfl.charged / 100)


def test_the_ticket_is_noted_before_anybody_asks_for_it(hosted: World, bfl: BflServer) -> None:
    hosted.deliver(hosted.publish())
    hosted.run()

    assert (renders(hosted)[0].state, bfl.polls) == (RenderState.OPEN, 0)


def test_a_submit_without_an_answer_is_shown_and_never_sent_again(hosted: World, bfl: BflServer) -> None:
    bfl.misbehave("lost")
    hosted.deliver(hosted.publish())
    hosted.draw()
    hosted.make_due()
    hosted.draw()

    assert (bfl.submits, hosted.state(), renders(hosted)[0].state) == (1, State.HELD, RenderState.UNKNOWN)


def test_a_refused_subject_is_final_and_says_why(hosted: World, bfl: BflServer) -> None:
    bfl.misbehave("content-moderated")
    hosted.deliver(hosted.publish())
    hosted.draw()
    hosted.make_due()
    hosted.draw()

    assert (bfl.submits, hosted.state()) == (1, State.FAILED)
    assert "safety rules refused" in hosted.one().reason


def test_a_refused_subject_costs_nothing(hosted: World, bfl: BflServer) -> None:
    bfl.misbehave("request-moderated")
    hosted.deliver(hosted.publish())
    hosted.draw()

    assert renders(hosted)[0].cost == 0


def test_an_outage_is_waited_for(hosted: World, bfl: BflServer) -> None:
    bfl.misbehave("down")
    hosted.deliver(hosted.publish())
    hosted.draw()
    assert hosted.state() == State.RENDERING

    hosted.make_due()
    hosted.draw()
    assert hosted.state() == State.IN_REVIEW


def test_an_empty_account_hands_over_to_the_next_model(build: Callable[..., World], bfl: BflServer) -> None:
    keys = f'[generators.bfl]\napi_key = "{bfl.key}"\nbase_url = "{bfl.url}"'
    world = build(rule='models = ["flux-2-pro", "sketch"]', rest=keys)
    bfl.misbehave("no-credit")
    world.deliver(world.publish())
    world.draw()

    assert [render.model for render in renders(world)] == ["flux-2-pro", "sketch"]
    assert world.state() == State.IN_REVIEW


def test_a_picture_that_is_cut_off_is_a_clear_failure(hosted: World, bfl: BflServer) -> None:
    bfl.misbehave("truncated")
    hosted.deliver(hosted.publish())
    hosted.draw()
    assert hosted.state() == State.RENDERING

    hosted.make_late()
    hosted.draw()
    assert (bfl.submits, hosted.state()) == (1, State.FAILED)


def test_what_would_pass_the_budget_is_held_before_anything_is_sent(
    build: Callable[..., World], bfl: BflServer
) -> None:
    keys = f'[generators.bfl]\napi_key = "{bfl.key}"\nbase_url = "{bfl.url}"\n[budget]\nday = 0.001'
    world = build(rule='models = ["flux-2-pro"]', rest=keys)
    world.deliver(world.publish())
    world.draw()

    assert (bfl.submits, world.state()) == (0, State.HELD)
    assert "budget of the day" in world.one().reason


def test_what_was_held_for_want_of_money_is_drawn_the_next_day(build: Callable[..., World], bfl: BflServer) -> None:
    keys = f'[generators.bfl]\napi_key = "{bfl.key}"\nbase_url = "{bfl.url}"\n[budget]\nday = 0.05'
    world = build(rule='models = ["flux-2-pro"]', rest=keys)
    for _ in range(2):
        world.deliver(world.publish())
    world.draw()
    assert (world.state(1), world.state(2)) == (State.IN_REVIEW, State.HELD)

    with world.house.database.write() as session:
        session.execute(update(Render).values(created=1.0))
    world.make_due()
    world.draw()
    assert world.state(2) == State.IN_REVIEW


def test_a_submit_of_unknown_outcome_is_not_resumed_the_next_day(hosted: World, bfl: BflServer) -> None:
    bfl.misbehave("lost")
    hosted.deliver(hosted.publish())
    hosted.draw()
    with hosted.house.database.write() as session:
        tasks.add(session, "resume", 1)
    hosted.draw()

    assert (bfl.submits, hosted.state()) == (1, State.HELD)


def test_a_picture_that_nobody_waits_for_frees_its_money(hosted: World, bfl: BflServer) -> None:
    article = hosted.publish()
    hosted.deliver(article)
    hosted.run(until="render")
    hosted.deliver(article, "entry.deleted")
    with hosted.house.database.write() as session:
        planning.forget(session, "gazette", str(article))
    hosted.draw()

    assert (bfl.submits, renders(hosted)[0].cost, hosted.state()) == (0, 0, State.SKIPPED)


def test_no_more_than_the_service_allows_are_active(hosted: World, bfl: BflServer) -> None:
    for _ in range(26):
        hosted.deliver(hosted.publish())
    bfl.seconds = 1000
    hosted.run(limit=120)

    assert (bfl.max_active, bfl.submits) == (24, 24)


def test_a_regenerated_picture_has_another_seed_and_joins_the_first(hosted: World) -> None:
    hosted.deliver(hosted.publish())
    hosted.draw()
    review.regenerate(hosted.house, 1, "an editor")
    hosted.draw()

    first, second = renders(hosted)
    assert (first.seed != second.seed, first.prompt == second.prompt, hosted.state()) == (True, True, State.IN_REVIEW)


def test_an_edited_prompt_is_what_is_drawn(hosted: World, bfl: BflServer) -> None:
    hosted.deliver(hosted.publish())
    hosted.draw()
    review.regenerate(hosted.house, 1, "an editor", prompt="A lighthouse at dusk, seen from the sea.")
    hosted.draw()

    last = list(bfl.tasks.values())[-1].body.model_dump()
    assert last["prompt"] == "A lighthouse at dusk, seen from the sea."


def test_a_failed_second_try_leaves_the_first_candidate_to_decide_on(hosted: World, bfl: BflServer) -> None:
    hosted.deliver(hosted.publish())
    hosted.draw()
    bfl.misbehave("content-moderated")
    review.regenerate(hosted.house, 1, "an editor")
    hosted.draw()

    assert hosted.state() == State.IN_REVIEW
    assert "safety rules refused" in hosted.one().reason


def keys(bfl: BflServer) -> str:
    return f'[generators.bfl]\napi_key = "{bfl.key}"\nbase_url = "{bfl.url}"\n'


def test_an_empty_account_is_asked_once_and_then_left_alone(hosted: World, bfl: BflServer) -> None:
    bfl.misbehave("no-credit")
    for _ in range(3):
        hosted.deliver(hosted.publish())
    hosted.draw()

    assert (1, {State.RENDERING}) == (bfl.submits, {hosted.state(number) for number in (1, 2, 3)})
    assert "no credit" in hosted.one(3).reason


def test_after_the_pause_everything_is_drawn(hosted: World, bfl: BflServer) -> None:
    bfl.misbehave("no-credit")
    for _ in range(2):
        hosted.deliver(hosted.publish())
    hosted.draw()
    with hosted.house.database.write() as session:
        session.execute(update(Pause).values(until=1.0))
    hosted.make_due()
    hosted.draw()

    with hosted.house.database.read() as session:
        assert ([State.IN_REVIEW] * 2, []) == ([hosted.state(1), hosted.state(2)], list(listed(session)))


def test_what_took_too_long_is_stopped_where_the_service_can(build: Callable[..., World]) -> None:
    with ReplicateServer() as replicate:
        replicate.waits = 99
        rest = f'[generators.replicate]\napi_key = "{replicate.key}"\nbase_url = "{replicate.url}"'
        world = build(rule='models = ["replicate-flux-schnell"]', rest=rest)
        world.deliver(world.publish())
        world.run()
        world.make_late()
        world.follow()

    assert (State.FAILED, [True]) == (world.state(), [task.canceled for task in replicate.tasks.values()])


def test_a_long_outage_hands_over_to_the_next_model(build: Callable[..., World], bfl: BflServer) -> None:
    world = build(rule='models = ["flux-2-pro", "sketch"]', rest=keys(bfl))
    world.deliver(world.publish())
    for _ in range(setbacks.PATIENCE):
        bfl.misbehave("down")
        world.make_due()
        world.draw()

    assert ["flux-2-pro", "sketch"] == [render.model for render in renders(world)]


def test_kontext_max_has_a_limit_of_its_own(build: Callable[..., World], bfl: BflServer) -> None:
    world = build(rule='models = ["flux-kontext-max"]', rest=keys(bfl))
    for _ in range(8):
        world.deliver(world.publish())
    world.run()

    assert 6 == bfl.submits


def test_no_hint_is_sent_for_what_would_find_no_place(build: Callable[..., World]) -> None:
    world = build(rule='models = ["flux-kontext-max"]', rest='[generators.bfl]\napi_key = "k"')
    for _ in range(8):
        world.deliver(world.publish())
    world.run(until="render")
    with world.house.database.read() as session:
        blocked = without_place(session, world.house.models, world.house.settings.most_at_once)

        later = sorted(session.scalars(blocked))

    assert ([7, 8], [1, 2, 3, 4, 5, 6]) == (
        later,
        rendered_by(tasks.due(world.house.database, 99, but=blocked), world),
    )


def rendered_by(hints: list[int], world: World) -> list[int]:
    """The renders that these hints are for."""
    with world.house.database.read() as session:
        return [session.get_one(Task, hint).subject for hint in hints]


FINAL = 'models = ["sketch"]\nfinal = "flux-2-pro"'


@pytest.fixture(name="drafted")
def _drafted(build: Callable[..., World], bfl: BflServer) -> World:
    """A draft waits for an editor."""
    world = build(rule=FINAL, rest=keys(bfl))
    world.deliver(world.publish())
    world.draw()
    return world


def test_a_draft_costs_nothing_until_it_is_approved(drafted: World, bfl: BflServer) -> None:
    assert (State.IN_REVIEW, 0) == (drafted.state(), bfl.submits)


def test_an_approved_draft_is_drawn_by_the_final_model_and_published(drafted: World) -> None:
    review.approve(drafted.house, 1, 1, "Jo")
    drafted.draw()

    assert (State.PUBLISHED, 2, 1) == (drafted.state(), drafted.one().chosen_id, drafted.pictures())


def test_the_final_model_is_given_the_draft_and_its_prompt(drafted: World, bfl: BflServer) -> None:
    review.approve(drafted.house, 1, 1, "Jo")
    drafted.draw()

    body = next(iter(bfl.tasks.values())).body.model_dump()
    draft = drafted.house.storage.get(renders(drafted)[0].images[0])
    assert (drafted.one().prompt, draft) == (body["prompt"], base64.b64decode(body["input_image"]))


def test_a_draft_can_be_published_as_it_is(drafted: World, bfl: BflServer) -> None:
    review.approve(drafted.house, 1, 1, "Jo", as_it_is=True)
    drafted.draw()

    assert (State.PUBLISHED, 1, 0) == (drafted.state(), drafted.one().chosen_id, bfl.submits)


def test_a_final_that_fails_brings_the_draft_back_to_the_editor(drafted: World, bfl: BflServer) -> None:
    bfl.misbehave("content-moderated")
    review.approve(drafted.house, 1, 1, "Jo")
    drafted.draw()

    assert (State.IN_REVIEW, 0) == (drafted.state(), drafted.pictures())
    assert "the final picture by flux-2-pro could not be drawn" in drafted.one().reason


def test_a_final_over_the_budget_is_said_and_changes_nothing(build: Callable[..., World], bfl: BflServer) -> None:
    world = build(rule=FINAL, rest=keys(bfl) + "[budget]\nday = 0.001")
    world.deliver(world.publish())
    world.draw()

    with pytest.raises(OverBudget):
        review.approve(world.house, 1, 1, "Jo")
    assert (State.IN_REVIEW, 0) == (world.state(), bfl.submits)
