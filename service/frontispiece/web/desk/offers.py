"""What the page of an illustration offers for changing its picture: reasons, models, seeds, tools, and their prices."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask import request

from frontispiece import changes, reasons, review, wishes
from frontispiece.changes import TOOLS, Tool
from frontispiece.differences import Run
from frontispiece.errors import Problem
from frontispiece.models import Candidate, Illustration
from frontispiece.web import i18n, plain, security
from frontispiece.web.desk import asking
from frontispiece.web.i18n import Lazy, gettext
from frontispiece.web.i18n import lazy as _
from frontispiece.web.said import told

ORIGINS = {
    "entry": _("the entry"),
    "brand": _("the brand"),
    "slot": _("the slot"),
    "template": _("the template"),
    "reason": _("a reason"),
    "person": _("a person"),
}
NAMES: Mapping[str, Lazy] = {
    "words": _("Edit by words"),
    "repaint": _("Repaint a region"),
    "extend": _("Extend the canvas"),
    "like": _("More like this"),
    "own": _("Upload a picture"),
    "pick": _("Pick another picture"),
}


@dataclass(frozen=True)
class Chip:
    """A reason: its id, its words, whether it is ticked, and whether the prompt carries it already."""

    id: str
    words: str
    ticked: bool
    said: bool


@dataclass(frozen=True)
class Choice:
    """A model that can be chosen, and what it takes for this in US dollars."""

    name: str
    title: str
    price: float
    commercial: bool


@dataclass(frozen=True)
class Use:
    """A tool: the models that can do it, the one that is taken first in front; else the titles of those that could."""

    tool: str
    words: str
    choices: Sequence[Choice] = ()
    would: Sequence[str] = ()


@dataclass(frozen=True)
class Offer:
    """All of it. `kept` is what was typed and not used; `problem` says what is wrong with the configuration."""

    chips: Sequence[Chip] = ()
    models: Mapping[str, Sequence[Choice]] = field(default_factory=dict)  # by generator
    seeds: Sequence[int] = ()
    origins: Sequence[Run] = ()
    tools: Sequence[Use] = ()
    kept: Mapping[str, Any] = field(default_factory=dict)
    preview: asking.Preview | None = None
    usual: str = ""  # the model that draws where none is chosen
    problem: str = ""


def offer(one: Illustration, picked: Candidate | None = None) -> Offer:
    """What can be changed about an illustration, beginning with the candidate that is shown."""
    asked = request.method == "POST" and (request.view_args or {}).get("act", "regenerate") == "regenerate"
    kept = asking.kept() if asked else {}
    try:
        return _offer(one, picked or (one.candidates[-1] if one.candidates else None), kept)
    except Problem as problem:
        return Offer(kept=kept, problem=told(problem.words))


def _offer(one: Illustration, picked: Candidate | None, kept: Mapping[str, Any]) -> Offer:
    house = security.house()
    prompt = kept.get("prompt") or one.prompt
    known = changes.about(house, one)
    said = reasons.said_in(prompt, known)
    chips = [
        Chip(name, i18n.known(reason.title), name in kept.get("wrong", ()), name in said)
        for name, reason in reasons.offered(one.entry.kind).items()
    ]
    return Offer(
        chips,
        _models(one),
        list(dict.fromkeys(c.render.seed for c in reversed(one.candidates) if c.render))[:6],
        changes.origins(house, one, prompt, known) if len(prompt) <= 2 * review.MAX_PROMPT else [],
        [use(one, tool, picked) for tool in TOOLS] if picked else [],
        kept,
        asking.preview(one) if kept else None,
        house.models[house.rule(one.rule).models[0]].title,
    )


def _models(one: Illustration) -> dict[str, list[Choice]]:
    """Those that draw from words, the rule's own under "", the others by generator."""
    house = security.house()
    own = house.rule(one.rule).models
    found: dict[str, list[Choice]] = {"": []}
    for name, row in wishes.ready(house).items():
        if "text-to-image" in row.tasks:
            price = wishes.quote(house, one, wishes.Wish(name)).price
            group = "" if name in own else row.generator
            found.setdefault(group, []).append(Choice(name, row.title, price, row.commercial))
    found[""].sort(key=lambda choice: own.index(choice.name))
    return {group: choices for group, choices in found.items() if choices}


def origins(one: Illustration, prompt: str) -> list[Run]:
    """Where each word of a prompt comes from; nothing where there is none."""
    house = security.house()
    return changes.origins(house, one, prompt, changes.about(house, one)) if prompt else []


def use(one: Illustration, tool: Tool, picked: Candidate) -> Use:
    """Which models can do that with a candidate, and for how much."""
    house = security.house()
    rows = changes.able(house, one, tool)
    size = (picked.width, picked.height)
    choices = [
        Choice(name, row.title, changes.price(house, one, tool, name, size), row.commercial)
        for name, row in rows.items()
    ]
    return Use(tool, str(NAMES[tool]), choices, () if choices else changes.would(house, tool))


def says(origin: str) -> str:
    """Where words come from, in words."""
    return gettext(ORIGINS[origin].words)


def price_says(price: float, left: float | None) -> str:
    """What the next picture takes, and what is left for today (US dollars; None = no cap)."""
    if not price:
        return gettext("This costs nothing.")
    facts = {"price": plain.dollars(price), "left": plain.dollars(left)}
    if left is None:
        return gettext("About %(price)s.", **facts)
    if price > left:
        return gettext("About %(price)s, and only %(left)s are left for today.", **facts)
    return gettext("About %(price)s; %(left)s are left for today.", **facts)
