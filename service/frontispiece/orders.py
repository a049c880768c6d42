"""Renders ordered: which model draws, how large, for how much, and what the next one is when it cannot."""

import secrets
from typing import Any

from sqlalchemy.orm import Session

from frontispiece import money, prompts, records, states, tasks
from frontispiece.errors import ConfigProblem, Declined, GeneratorProblem, Outage, OverBudget, Problem, Unknown
from frontispiece.generators import Finished, GeneratorSettings, Order, Ticket, Waiting
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
        states.move(session, one.id, one.state, State.RENDERING, chosen_id=None, **fields)
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
        language=entry.locale or house.adapter(one.entry.site).settings.language,
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
    following = "" if unknown or isinstance(problem, Declined) else _next(house, one, render.model)
    if following:
        place(house, session, one, model=following, prompt=render.prompt)
    elif unknown:
        states.move(session, one.id, State.RENDERING, State.HELD, reason=problem.words)
    else:
        stays = State.IN_REVIEW if records.has_candidates(session, one.id) else State.FAILED
        states.move(session, one.id, State.RENDERING, stays, reason=problem.words)


def _next(house: House, one: Illustration, model: str) -> str:
    """The model that draws after this one; none where rule or slot have left the configuration meanwhile."""
    rule = next((rule for rule in house.settings.rules if rule.name == one.rule), None)
    if rule is None or model not in rule.models or one.slot not in house.settings.slots:
        return ""
    place_ = rule.models.index(model) + 1
    return rule.models[place_] if place_ < len(rule.models) else ""


def asked(house: House, model: str, ticket: Ticket) -> tuple[Waiting | Finished | GeneratorProblem, float]:
    """What a service says of a ticket, and how many seconds it may take in all."""
    try:
        generator = house.generator(house.models[model].generator)
    except (KeyError, ValueError, ConfigProblem):  # a restart with the old settings may still fetch the picture
        words = f"{model} or its key is not in the configuration any more, so its picture is out of reach"
        return Outage(words), GeneratorSettings().deadline
    try:
        return generator.poll(ticket), generator.settings.deadline
    except GeneratorProblem as problem:
        return problem, generator.settings.deadline
