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
        if one.state == State.HELD:
            raise
        states.move(session, one.id, one.state, State.HELD, **fields | {"reason": problem.words})
        return
    if one.state != State.RENDERING:
        states.move(session, one.id, one.state, State.RENDERING, **fields)
    options = row.settle({key: value for key, value in rule.options.items() if key in row.options})
    render = Render(illustration_id=one.id, model=name, prompt=fields.get("prompt", one.prompt), options=options)
    render.width, render.height, render.reserved, render.seed = width, height, price, secrets.randbelow(2**32)
    session.add(render)
    session.flush()
    tasks.add(session, "render", render.id)


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


def gave_up(house: House, session: Session, render: Render, problem: Problem) -> None:
    """A render that will bring nothing: the rule's next model draws, or a person is told why nobody does."""
    render.error = problem.words
    render.state = RenderState.UNKNOWN if isinstance(problem, Unknown) else RenderState.FAILED
    if isinstance(problem, Declined):  # no service charges for what it refuses
        render.cost = 0.0
    elif not isinstance(problem, Unknown):
        render.cost = render.cost or 0.0
    one = records.illustration(session, render.illustration_id)
    if one.state != State.RENDERING:
        return
    following = "" if isinstance(problem, (Declined, Unknown)) else _next(house.rule(one.rule), render.model)
    if following:
        place(house, session, one, model=following, prompt=render.prompt)
    elif isinstance(problem, Unknown):
        states.move(session, one.id, State.RENDERING, State.HELD, reason=problem.words)
    elif records.has_candidates(session, one.id):
        states.move(session, one.id, State.RENDERING, State.IN_REVIEW, reason=problem.words)
    else:
        states.move(session, one.id, State.RENDERING, State.FAILED, reason=problem.words)


def _next(rule: Rule, model: str) -> str:
    if model not in rule.models:
        return ""
    place_ = rule.models.index(model) + 1
    return rule.models[place_] if place_ < len(rule.models) else ""
