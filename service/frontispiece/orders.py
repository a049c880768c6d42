"""Renders ordered: which model draws, how large, for how much, and what the next one is when it cannot."""

import logging
import math
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any, cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from frontispiece import money, notices, prompts, records, renders, states, tasks, wishes
from frontispiece.errors import ConfigProblem, Declined, GeneratorProblem, Outage, OverBudget, Problem, Unknown
from frontispiece.generators import Finished, GeneratorSettings, Margins, Order, Task, Ticket, Waiting
from frontispiece.generators.catalogue import megapixels
from frontispiece.house import House
from frontispiece.models import Candidate, Illustration, Render, RenderState, Review, State
from frontispiece.tables import Rule
from frontispiece.wishes import AS_THE_RULE, Ask, Wish, quote

__all__ = [
    "AS_THE_RULE",
    "Ask",
    "Final",
    "Wish",
    "as_order",
    "asked",
    "final_of",
    "following_model",
    "gave_up",
    "lacked_money",
    "lacks_final",
    "place",
    "place_again",
    "place_final",
    "stop",
    "wants_final",
]

log = logging.getLogger("frontispiece")


def place(house: House, session: Session, one: Illustration, wish: Wish = AS_THE_RULE, **fields: Any) -> None:
    """Orders a render of an illustration and moves it to `rendering`; to `held` where there is no money for it.

    `fields` are set on the illustration; a `prompt` among them is what will be drawn. Raises `Problem` where the model
    cannot do what is wished.
    """
    try:
        render = _render(house, session, one, wish, fields.get("photos"))
    except OverBudget as problem:
        _hold(session, one, problem, fields)
        notices.about(house, session, one.id)
        return
    render.prompt = wish.words or fields.get("prompt", one.prompt)
    render.template = "" if wish.words else fields.get("template", one.template)
    if one.state != State.RENDERING:
        states.move(session, one.id, one.state, State.RENDERING, **{"chosen_id": None} | fields)
    _add(session, render)


def place_final(house: House, session: Session, one: Illustration, draft: Candidate, **fields: Any) -> None:
    """Has the rule's final model draw an approved draft once more. Raises `OverBudget`."""
    ask = Ask("edit", (draft.image,), megapixels=megapixels(draft.width, draft.height))
    wish = Wish(house.rule(one.rule).final, ask=ask, parent=draft.id)
    render = _render(house, session, one, wish)
    render.prompt, render.final = (draft.render.prompt, True) if draft.render else (one.prompt, True)
    render.template = draft.render.template if draft.render else ""
    states.move(session, one.id, one.state, State.RENDERING, chosen_id=draft.id, **fields)
    _add(session, render)


def place_again(house: House, session: Session, one: Illustration) -> None:
    """Orders once more what failed or was lost: the final of an approved draft, a change of a picture, or the prompt.

    Raises `OverBudget`, `Problem`.
    """
    last = renders.newest(session, one.id)
    begun_with = records.candidate_with_render(session, last.parent_id) if last and last.parent_id else None
    if last is None or begun_with is None:
        place(house, session, one, prompt=one.prompt)
    elif last.final:
        place_final(house, session, one, begun_with)
    else:
        place(house, session, one, _same(one, last, begun_with), prompt=one.prompt)


def lacks_final(session: Session, one: Illustration) -> bool:
    """Whether what was approved is only the draft of a final that never came, and nobody wanted it as it is."""
    last = renders.newest(session, one.id)
    if last is None or not last.final or last.parent_id != one.chosen_id or last.state == RenderState.DONE:
        return False
    since = select(Review.id).where(Review.illustration_id == one.id, Review.at > last.created)
    return session.scalar(since.where(Review.decision == "approve", Review.undone.is_(None)).limit(1)) is None


def lacked_money(session: Session, one: Illustration) -> bool:
    """Whether an illustration is held for want of money, and not for a submit that we know nothing of."""
    last = renders.newest(session, one.id)
    unknown = last is not None and last.state == RenderState.UNKNOWN
    return one.state == State.HELD and one.chosen_id is None and not unknown


def _same(one: Illustration, render: Render, parent: Candidate) -> Wish:
    """What an order wished for beside the prompt; the seed is another."""
    pixels = megapixels(parent.width, parent.height)
    ask = Ask(cast("Task", render.task), tuple(render.given), render.mask, Margins(**render.margins), pixels)
    return Wish(
        render.model,
        size=(render.width, render.height),
        options=render.options,
        words=render.prompt if render.prompt != one.prompt else "",
        ask=ask,
        parent=render.parent_id,
        by=render.by,
    )


def wants_final(house: House, one: Illustration, candidate: Candidate) -> bool:
    """Whether this candidate is only a draft of what its rule's final model shall draw."""
    rule = _rule(house, one)
    return rule is not None and candidate.render is not None and rule.final not in ("", candidate.render.model)


@dataclass(frozen=True, slots=True)
class Final:
    """The model that draws what is approved once more, and what it takes for that by the catalogue (US dollars)."""

    model: str
    title: str
    price: float


def final_of(house: House, one: Illustration) -> Final | None:
    """What an approval brings about first, where the rule has a final model."""
    rule = _rule(house, one)
    if rule is None or not rule.final or one.slot not in house.settings.slots:
        return None
    row, slot = house.models[rule.final], house.slot(one.slot)
    draft = megapixels(slot.width, slot.height)
    return Final(rule.final, row.title, float(row.price(*row.fit(slot.width, slot.height), given=draft)))


def _rule(house: House, one: Illustration) -> Rule | None:
    """Its rule, unless that has left the configuration meanwhile."""
    return next((rule for rule in house.settings.rules if rule.name == one.rule), None)


def _render(house: House, session: Session, one: Illustration, wish: Wish, photos: list[str] | None = None) -> Render:
    """A render that the money is reserved for, not yet added. Raises `OverBudget`, `ConfigProblem`, `Problem`."""
    seed, due = wishes.seed(wish), quote(house, one, wish, photos)
    money.reserve(session, house.settings.budget, due.price)
    return Render(
        illustration_id=one.id,
        model=due.model,
        options=wishes.settled(house, one, wish, due.row),
        width=due.width,
        height=due.height,
        reserved=due.price,
        seed=seed,
        task=due.ask.task,
        given=list(due.ask.given),
        mask=due.ask.mask,
        margins=asdict(due.ask.margins),
        parent_id=wish.parent,
        by=wish.by,
    )


def _add(session: Session, render: Render) -> None:
    session.add(render)
    session.flush()
    tasks.add(session, "render", render.id)


def _hold(session: Session, one: Illustration, problem: OverBudget, fields: dict[str, Any]) -> None:
    """Without money an illustration waits for the next day; where a person asks for it they are told at once."""
    if one.state not in (State.COMPOSING, State.RENDERING):
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
        task=cast("Task", render.task),
        images=tuple(house.storage.get(key) for key in render.given),
        mask=house.storage.get(render.mask) if render.mask else b"",
        margins=Margins(**render.margins),
    )


def gave_up(house: House, session: Session, number: int, problem: Problem) -> None:
    """A render that will bring nothing: the rule's next model draws, or a person is told why nobody does."""
    unknown = isinstance(problem, Unknown)
    if not renders.close(session, number, RenderState.UNKNOWN if unknown else RenderState.FAILED, problem.words):
        return
    render = renders.row(session, number)
    if isinstance(problem, Declined):  # no service charges for what it refuses
        render.cost = 0.0
    one = records.illustration(session, render.illustration_id, locked=True)
    if one.state != State.RENDERING or not renders.is_newest(session, render):
        return
    following = "" if unknown or isinstance(problem, Declined) else following_model(house, render, one)
    if following:
        wish = Wish(following, ratio=_ratio(house, render, one), parent=render.parent_id, by=render.by)
        place(house, session, one, wish, prompt=render.prompt, template=render.template)
    elif unknown:
        states.move(session, one.id, State.RENDERING, State.HELD, reason=problem.words)
    elif render.final:
        words = f"the final picture by {render.model} could not be drawn: {problem.words}"
        states.move(session, one.id, State.RENDERING, State.IN_REVIEW, reason=words, chosen_id=None)
    else:
        stays = State.IN_REVIEW if records.has_candidates(session, one.id) else State.FAILED
        states.move(session, one.id, State.RENDERING, stays, reason=problem.words)
    notices.about(house, session, one.id)


def _ratio(house: House, render: Render, one: Illustration) -> str:
    """The ratio that was asked for instead of the slot's: models round their sides, so nearly the slot's is that."""
    slot = house.slot(one.slot)
    if abs(math.log(render.width * slot.height / (render.height * slot.width))) < math.log(1.06):
        return ""
    known = Fraction(render.width, render.height).limit_denominator(21)
    return f"{known.numerator}:{known.denominator}"


def following_model(house: House, render: Render, one: Illustration) -> str:
    """The model that draws where this one cannot; none where rule or slot have left the configuration meanwhile."""
    rule = _rule(house, one)
    if rule is None or render.task not in ("text-to-image", "references") or render.model not in rule.models:
        return ""
    place_ = rule.models.index(render.model) + 1
    return rule.models[place_] if place_ < len(rule.models) and one.slot in house.settings.slots else ""


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


def stop(house: House, model: str, ticket: Ticket) -> None:
    """Stops what nobody waits for any more, where the service can; that it could not changes nothing here."""
    try:
        house.generator(house.models[model].generator).cancel(ticket)
    except GeneratorProblem as problem:
        log.warning("%s was not stopped: %s", ticket.remote_id, problem)
