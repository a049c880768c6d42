"""Renders ordered: which model draws, how large, for how much, and what the next one is when it cannot."""

import secrets
from typing import Any

from sqlalchemy.orm import Session

from frontispiece import money, prompts, records, states, tasks
from frontispiece.config import Rule
from frontispiece.errors import Declined, OverBudget, Problem, Unknown
from frontispiece.generators import Order
from frontispiece.house import House
from frontispiece.models import Illustration, Render, RenderState, State


def place(house: House, session: Session, one: Illustration, *, model: str = "", **fields: Any) -> None:
    """Orders a render of an illustration and moves it to `rendering`; to `held` where there is no money for it.

    `fields` are set on the illustration; a `prompt` among them is what will be drawn.
    """
    rule, slot = house.rule(one.rule), house.slot(one.slot)
    name = model or rule.models[0]
    row = house.models[name]
    width, height = row.fit(slot.width, slot.height)
    price = float(row.price(width, height))
    try:
        money.reserve(session, house.settings.budget, price)
    except OverBudget as problem:
        _hold(session, one, problem, fields)
        return
    if one.state != State.RENDERING:
        states.move(session, one.id, one.state, State.RENDERING, **fields)
    options = row.settle({key: value for key, value in rule.options.items() if key in row.options})
    render = Render(illustration_id=one.id, model=name, prompt=fields.get("prompt", one.prompt), options=options)
    render.width, render.height, render.reserved, render.seed = width, height, price, secrets.randbelow(2**32)
    session.add(render)
    session.flush()
    tasks.add(session, "render", render.id)


def _hold(session: Session, one: Illustration, problem: OverBudget, fields: dict[str, Any]) -> None:
    """Without money an illustration waits for the next day; where a person asks for it they are told at once."""
    if State.HELD not in states.MOVES[one.state]:
        raise problem
    states.move(session, one.id, one.state, State.HELD, **fields | {"reason": problem.words})
    tasks.add(session, "resume", one.id, due=money.tomorrow())


def as_order(house: House, render: Render, one: Illustration) -> Order:
    """What the generator is asked for."""
    brand, entry = prompts.brand(house.rule(one.rule).brand), records.entry_of(one.entry)
    return Order(
        model=house.models[render.model].name,
        prompt=render.prompt,
        width=render.width,
        height=render.height,
        seed=render.seed,
        headline=entry.title,
        section=entry.section,
        language=entry.locale or house.settings.sites[one.entry.site].language,
        palette=tuple(brand.palette),
        options=render.options,
    )


def gave_up(house: House, session: Session, number: int, problem: Problem) -> None:
    """A render that will bring nothing: the rule's next model draws, or a person is told why nobody does."""
    unknown = isinstance(problem, Unknown)
    if not records.close(session, number, RenderState.UNKNOWN if unknown else RenderState.FAILED, problem.words):
        return
    render = records.render(session, number)
    if isinstance(problem, Declined):  # no service charges for what it refuses
        render.cost = 0.0
    one = records.illustration(session, render.illustration_id)
    if one.state != State.RENDERING:
        return
    following = "" if unknown or isinstance(problem, Declined) else _next(house.rule(one.rule), render.model)
    if following:
        place(house, session, one, model=following, prompt=render.prompt)
    elif unknown:
        states.move(session, one.id, State.RENDERING, State.HELD, reason=problem.words)
    else:
        stays = State.IN_REVIEW if records.has_candidates(session, one.id) else State.FAILED
        states.move(session, one.id, State.RENDERING, stays, reason=problem.words)


def _next(rule: Rule, model: str) -> str:
    if model not in rule.models:
        return ""
    place_ = rule.models.index(model) + 1
    return rule.models[place_] if place_ < len(rule.models) else ""
