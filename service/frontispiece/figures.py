"""What a lead is told of a period: decisions, waiting times, approval rates and costs, each counted in one query.

A picture counts as approved where a person's approval names a candidate of its render. What somebody took back, what a
rule decided by itself, and a final picture drawn from an approved draft say nothing about template or model.
"""

import json
import math
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import ColumnElement, String, and_, case, cast, exists, func, literal, select
from sqlalchemy.orm import Session, aliased

from frontispiece.models import Candidate, Illustration, Publication, Render, RenderState, Review, State

JUDGED = ("approve", "reject", "regenerate")  # decisions that say something about every picture on the table


class Period(NamedTuple):
    """From `start` up to, not including, `end`: seconds since the epoch."""

    start: float
    end: float


EVER = Period(0.0, 1e11)


@dataclass(frozen=True)
class Rate:
    """Of `judged` pictures so many were `approved`; `share` is None where there were none."""

    judged: int
    approved: int

    @property
    def share(self) -> float | None:
        return self.approved / self.judged if self.judged else None


class Verdict(NamedTuple):
    """The judged pictures of one template version (name@version, "" = words of an editor) drawn by one model."""

    template: str
    model: str
    judged: int
    approved: int


class Version(NamedTuple):
    """A template version that made so many pictures, `first` and `last` in seconds since the epoch."""

    name: str
    version: str
    pictures: int
    first: float
    last: float


class Reason(NamedTuple):
    """How often a reason was picked, and after how many of these times a picture was approved in the end."""

    chip: str
    named: int
    approved: int


class Cost(NamedTuple):
    """What renders of one site, rule and model cost, or have reserved, in US dollars."""

    site: str
    rule: str
    model: str
    renders: int
    dollars: float


@dataclass(frozen=True)
class Decisions:
    """How many decisions of each kind people took, and how many pictures rules approved by themselves."""

    people: Counter[str]
    rules: int

    @property
    def decided(self) -> int:
        """Pictures that somebody had the last word on."""
        return self.people["approve"] + self.people["reject"]


def states(session: Session) -> Counter[State]:
    """How many illustrations are in each state now."""
    return Counter(dict(session.execute(select(Illustration.state, func.count()).group_by(Illustration.state)).all()))


def decisions(session: Session, period: Period) -> Decisions:
    """What was decided in the period and not taken back."""
    person = _is_person()
    wanted = select(Review.decision, person, func.count()).join(Illustration, Illustration.id == Review.illustration_id)
    people, rules = Counter[str](), 0
    for decision, by_person, number in session.execute(wanted.where(_stands(period)).group_by(Review.decision, person)):
        if by_person:
            people[decision] += number
        else:
            rules += number
    return Decisions(people, rules)


def waits(session: Session, period: Period, *shares: float) -> list[float | None]:
    """Seconds from the event to the picture in the CMS, of what was published in the period.

    For each share (0.5 = half of them) the time within which so many were there; None where nothing was published.
    """
    earlier = aliased(Publication)
    before = exists().where(
        earlier.illustration_id == Publication.illustration_id, earlier.finished < Publication.finished
    )
    wanted = select(Publication.finished - Illustration.created)
    wanted = wanted.join(Illustration, Illustration.id == Publication.illustration_id)
    wanted = wanted.where(Publication.finished >= period.start, Publication.finished < period.end, ~before)
    took = sorted(seconds for seconds in session.scalars(wanted) if seconds is not None)
    return [took[max(0, math.ceil(len(took) * share) - 1)] if took else None for share in shares]


def verdicts(session: Session, period: Period, template: str = "") -> list[Verdict]:
    """What was judged in the period, by template version and model; of all templates, or of the one named.

    A picture counts once, and a draft for the model that drew it.
    """
    said = (
        select(Review.illustration_id, Review.decision, Review.at, Candidate.render_id)
        .join(Illustration, Illustration.id == Review.illustration_id)
        .outerjoin(Candidate, Candidate.id == Review.candidate_id)
        .where(_stands(period), Review.decision.in_(JUDGED), _is_person())
        .cte("said")
        .prefix_with("MATERIALIZED")  # else SQLite begins with every render there is
    )
    won = case((and_(said.c.decision == "approve", said.c.render_id == Render.id), 1), else_=0)
    each = (
        select(Render.template, Render.model, func.max(won).label("approved"))
        .join(said, and_(said.c.illustration_id == Render.illustration_id, said.c.at >= Render.created))
        .where(
            Render.state == RenderState.DONE, Render.final.is_(False), *([_by_template(template)] if template else [])
        )
        .group_by(Render.id)
        .subquery()
    )
    rows = select(each.c.template, each.c.model, func.count(), func.sum(each.c.approved))
    return [Verdict(*row) for row in session.execute(rows.group_by(each.c.template, each.c.model))]


def versions(session: Session, name: str = "") -> list[Version]:
    """Which template versions have made pictures, the last used first; those of one template where `name` is given."""
    of = (Render.template, func.count(), func.min(Render.created), func.max(Render.created))
    wanted = select(*of).where(Render.state == RenderState.DONE, _by_template(name)).group_by(Render.template)
    found = []
    for template, pictures, first, last in session.execute(wanted):
        of_name, _, version = template.rpartition("@")
        found.append(Version(of_name, version, pictures, first, last))
    return sorted(found, key=lambda one: -one.last)


def _by_template(name: str) -> ColumnElement[bool]:
    return Render.template.startswith(f"{name}@", autoescape=True) if name else Render.template != ""


def rates(found: Iterable[Verdict], key: Callable[[Verdict], str]) -> dict[str, Rate]:
    """Verdicts added up by template version or model, the most judged first."""
    judged, approved = Counter[str](), Counter[str]()
    for one in found:
        judged[key(one)] += one.judged
        approved[key(one)] += one.approved
    return {name: Rate(number, approved[name]) for name, number in judged.most_common()}


def reasons(session: Session, period: Period) -> list[Reason]:
    """The reasons that people picked in the period, the most frequent first."""
    later = aliased(Review)
    good = exists().where(later.illustration_id == Review.illustration_id, later.id > Review.id)
    good = good.where(later.decision == "approve", later.undone.is_(None))
    chips = cast(Review.chips, String)
    picked = select(chips.label("chips"), good.label("good")).where(_stands(period), chips != "[]").subquery()
    wanted = select(picked.c.chips, picked.c.good, func.count()).group_by(picked.c.chips, picked.c.good)
    named, approved = Counter[str](), Counter[str]()
    for text, was_good, number in session.execute(wanted):
        for chip in json.loads(text):
            named[chip] += number
            approved[chip] += number if was_good else 0
    return [Reason(chip, number, approved[chip]) for chip, number in named.most_common()]


def costs(session: Session, period: Period) -> list[Cost]:
    """What the renders begun in the period cost, by site, rule and model; the dearest first."""
    spent = func.sum(func.coalesce(Render.cost, Render.reserved))
    of = (Illustration.site, Illustration.rule, Render.model)
    wanted = select(*of, func.count(), spent).select_from(Render)
    wanted = wanted.join(Illustration, Illustration.id == Render.illustration_id)
    wanted = wanted.where(Render.created >= period.start, Render.created < period.end).group_by(*of)
    found = [
        Cost(site, rule, model, number, float(sum_)) for site, rule, model, number, sum_ in session.execute(wanted)
    ]
    return sorted(found, key=lambda one: (-one.dollars, -one.renders, one))


def summed(found: Iterable[Cost], key: Callable[[Cost], str]) -> dict[str, tuple[int, float]]:
    """Renders and dollars added up by site, rule or model, the dearest first."""
    sums: dict[str, tuple[int, float]] = {}
    for one in found:
        number, dollars = sums.get(key(one), (0, 0.0))
        sums[key(one)] = number + one.renders, dollars + one.dollars
    return dict(sorted(sums.items(), key=lambda pair: (-pair[1][1], -pair[1][0], pair[0])))


def _stands(period: Period) -> ColumnElement[bool]:
    return and_(Review.at >= period.start, Review.at < period.end, Review.undone.is_(None))


def _is_person() -> ColumnElement[bool]:
    return Review.by != literal("rule ").concat(Illustration.rule)
