"""The rows of renders: a place among a service's tasks, the ticket, what came back."""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import TypeVarTuple

from sqlalchemy import ColumnElement, Select, func, select, update
from sqlalchemy.orm import Session

from frontispiece.database import Database, upsert
from frontispiece.errors import Problem
from frontispiece.generators import Ticket
from frontispiece.generators.catalogue import Model
from frontispiece.images import Facts
from frontispiece.models import Candidate, Render, RenderState, Task, TaskState

Columns = TypeVarTuple("Columns")


def row(session: Session, number: int) -> Render:
    """One render. Raises `Problem` where there is none."""
    found = session.get(Render, number)
    if found is None:
        raise Problem(f"there is no render {number}")
    return found


def take_place(session: Session, models: Mapping[str, Model], row: Render, most: int) -> bool:
    """Moves a planned render to `submitting` if the service has a place for it and nobody took the order back.

    `most` is how many tasks it takes at once (0 = any); a model may have a limit of its own below that.
    """
    model = models[row.model]
    if most or model.active:
        Database.one_at_a_time(session, model.generator)
        if not _Places(models, _going(session, row.id)).take(row.model, most):
            return False
    taken = update(Render).where(Render.id == row.id, Render.state.in_((RenderState.PLANNED, RenderState.SUBMITTING)))
    values = {"state": RenderState.SUBMITTING, "submitted": time.time()}
    return session.execute(taken.values(values).returning(Render.id)).scalar() is not None


def without_place(session: Session, models: Mapping[str, Model], most: Callable[[str], int]) -> Select[int]:
    """The renders that need not be tried yet: so many before them will take all places of their service or model.

    A query, as there may be thousands; what is read here is for each model as many as could have a place at all.
    """
    planned = select(Render.model).where(Render.state == RenderState.PLANNED).distinct()
    limits = {name: most(models[name].generator) for name in session.scalars(planned) if name in models}
    limited = [name for name, limit in limits.items() if limit or models[name].active]
    places = _Places(models, _going(session))
    oldest = sorted(found for name in limited for found in _oldest(session, name, limits[name] or models[name].active))
    placed = [number for _, _, number, name in oldest if places.take(name, limits[name])]
    return _waiting(select(Render.id), Render.model.in_(limited), Render.id.not_in(placed))


def _oldest(session: Session, model: str, most: int) -> list[tuple[float, int, int, str]]:
    """When due, task, render and model of those that have waited longest."""
    wanted = _waiting(select(Task.due, Task.id, Render.id, Render.model), Render.model == model)
    rows = session.execute(wanted.order_by(Task.due, Task.id).limit(most))
    return [(due, task, number, name) for due, task, number, name in rows]


def _waiting(wanted: Select[*Columns], *which: ColumnElement[bool]) -> Select[*Columns]:
    """Renders whose task is due and that nothing was sent for yet."""
    found = wanted.join(Task, (Task.step == "render") & (Task.subject == Render.id))
    return found.where(
        Task.state == TaskState.READY, Task.due <= time.time(), Render.state == RenderState.PLANNED, *which
    )


def _going(session: Session, but: int = 0) -> Counter[str]:
    """How many tasks each model has at its service."""
    going = select(Render.model, func.count()).where(Render.state.in_((RenderState.SUBMITTING, RenderState.OPEN)))
    found = Counter[str]()
    for model, number in session.execute(going.where(Render.id != but).group_by(Render.model)):
        found[model] = number
    return found


class _Places:
    """The places that are left, of services and of models with a limit of their own."""

    def __init__(self, models: Mapping[str, Model], going: Counter[str]) -> None:
        self.models = models
        self.services, self.twins = Counter[str](), Counter[tuple[str, str]]()
        for name, number in going.items():
            self._add(name, number)

    def _add(self, name: str, number: int) -> None:
        if model := self.models.get(name):
            self.services[model.generator] += number
            self.twins[model.generator, model.name] += number

    def take(self, name: str, most: int) -> bool:
        """Takes a place for one more, if there is one; `most` is the service's limit (0 = none)."""
        model = self.models[name]
        for limit, taken in (
            (most, self.services[model.generator]),
            (model.active, self.twins[model.generator, model.name]),
        ):
            if limit and taken >= limit:
                return False
        self._add(name, 1)
        return True


def give_back_place(session: Session, number: int) -> None:
    """The service accepted nothing: the render is planned again."""
    mine = update(Render).where(Render.id == number, Render.state == RenderState.SUBMITTING)
    session.execute(mine.values(state=RenderState.PLANNED))


def close(session: Session, number: int, state: RenderState, error: str) -> bool:
    """Ends a render that brings nothing, and frees what it reserved; False if it was ended before."""
    over = [RenderState.DONE, RenderState.FAILED, RenderState.UNKNOWN]
    if state == RenderState.UNKNOWN:  # a ticket that came after all is better than that
        over += [RenderState.OPEN, RenderState.FETCHED]
    going = update(Render).where(Render.id == number, Render.state.not_in(over))
    cost = Render.cost if state == RenderState.UNKNOWN else func.coalesce(Render.cost, 0.0)
    values = {"state": state, "error": error, "cost": cost, "finished": time.time()}
    return session.execute(going.values(values).returning(Render.id)).scalar() is not None


def drop_planned(session: Session, illustration: int, why: str) -> None:
    """Ends the renders of an illustration that nothing was sent for yet; the money is free again."""
    planned = update(Render).where(Render.illustration_id == illustration, Render.state == RenderState.PLANNED)
    values = {"state": RenderState.FAILED, "error": why, "cost": 0.0, "finished": time.time()}
    session.execute(planned.values(values))


def open_ticket(session: Session, number: int, ticket: Ticket) -> None:
    """The service has the order, also where nobody hoped for it any more; from here on we only ask for its ticket."""
    sent = Render.state.in_((RenderState.SUBMITTING, RenderState.UNKNOWN))
    values = {"state": RenderState.OPEN, "ticket": asdict(ticket), "cost": ticket.cost, "error": "", "finished": None}
    session.execute(update(Render).where(Render.id == number, sent).values(values))


def still_open(session: Session, number: int) -> bool:
    """Whether a ticket is still to be asked for; nobody else settles it until this transaction ends."""
    mine = select(Render.id).where(Render.id == number, Render.state == RenderState.OPEN)
    return session.scalar(mine.with_for_update()) is not None


def fetched(session: Session, number: int, keys: list[str], cost: float | None) -> bool:
    """The pictures of a render are in our storage; False if somebody else noted it first."""
    open_ = update(Render).where(Render.id == number, Render.state.in_((RenderState.SUBMITTING, RenderState.OPEN)))
    values = {"state": RenderState.FETCHED, "images": keys, "finished": time.time()}
    values["cost"] = func.coalesce(cost, Render.cost, Render.reserved)
    return session.execute(open_.values(values).returning(Render.id)).scalar() is not None


def newest(session: Session, illustration: int) -> Render | None:
    """What was ordered last for an illustration: what earlier orders bring is no answer to it."""
    mine = select(Render).where(Render.illustration_id == illustration)
    return session.scalar(mine.order_by(Render.id.desc()).limit(1))


def is_newest(session: Session, row: Render) -> bool:
    """Whether nothing was ordered for its illustration since."""
    last = newest(session, row.illustration_id)
    return last is not None and last.id == row.id


def candidate(session: Session, row: Render, number: int, key: str, facts: Facts) -> int:
    """The candidate for one image of a render, made once."""
    values = {"illustration_id": row.illustration_id, "render_id": row.id, "number": number, "image": key}
    values |= {"mime": facts.mime, "width": facts.width, "height": facts.height, "colour": facts.colour}
    values["created"] = time.time()
    made = upsert(session, Candidate, ["render_id", "number"], values, ["image"])
    assert made is not None
    return made
