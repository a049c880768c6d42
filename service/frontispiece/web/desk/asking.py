"""What an editor asks for in the form of an illustration's page: read, shown as a change, and ordered."""

from dataclasses import dataclass
from typing import Any

from flask import g, request

from frontispiece import changes, differences, review, wishes
from frontispiece.changes import Asked, Change
from frontispiece.differences import Run
from frontispiece.errors import Problem, StaleState
from frontispiece.models import Candidate, Illustration
from frontispiece.web import acts, plain, security, views
from frontispiece.web.desk import typed
from frontispiece.web.i18n import gettext as _
from frontispiece.web.i18n import ngettext
from frontispiece.web.said import told

CHIPS = 12  # reasons at once
RATIOS = ("21:9", "16:9", "3:2", "4:3", "1:1", "3:4", "2:3", "9:16")


@dataclass(frozen=True)
class Preview:
    """What would be drawn: the prompt compared with the one before, notes on the rest, the price in US dollars.

    `left` is what may still be spent today (None = no cap); `problem` says why it cannot be drawn.
    """

    runs: list[Run]
    notes: list[str]
    prompt: str = ""
    price: float = 0.0
    left: float | None = None
    problem: str = ""

    @property
    def changed(self) -> bool:
        """Whether another prompt would be drawn than the last time."""
        return any(run.kind != "same" for run in self.runs)

    @property
    def over(self) -> bool:
        """Whether the money is not there."""
        return self.left is not None and self.price > self.left


def asked() -> Asked:
    """What the form says. Raises `Problem` in words."""
    form = request.form
    return Asked(
        acts.clean(form.get("prompt", ""), review.MAX_PROMPT, "prompt"),
        tuple(dict.fromkeys(form.getlist("wrong")))[:CHIPS],
        form.get("model", ""),
        seed(form.get("seed_own", "").strip() or form.get("seed", "")),
        form.get("ratio", ""),
    )


def seed(given: str) -> int | None:
    """The seed that somebody typed or chose; None for any. Raises `Problem` where it is none."""
    if not given:
        return None
    if not (given.isascii() and given.isdigit() and len(given) < 11 and int(given) < wishes.SEEDS):
        raise Problem(_("A seed is a whole number from 0 to %(most)s.", most=wishes.SEEDS - 1))
    return int(given)


def start(one: Illustration) -> Candidate | None:
    """The candidate that the form was filled in for, else the newest."""
    wanted = typed.number(request.values.get("start", ""))
    found = next((candidate for candidate in one.candidates if candidate.id == wanted), None)
    return found or (one.candidates[-1] if one.candidates else None)


def redraw(number: int) -> None:
    """Orders the picture that the form asks for; twice is once. Raises `StaleState`, `OverBudget`, `Problem`."""
    with security.house().database.read() as session:
        whole = views.whole(session, number)
    if whole is None:
        raise Problem(_("There is no illustration %(number)s.", number=number))
    wanted = asked()
    change = changes.redrawn(security.house(), whole.one, wanted, start(whole.one))
    order(whole.one, change, wanted.chips)


def order(one: Illustration, change: Change, chips: tuple[str, ...] = ()) -> None:
    """Has a change drawn, unless this form has had it drawn already. Raises as `redraw` does."""
    newer = [render for render in one.renders if render.id > _seen(one)]
    if any(render.by == g.person.name and change.is_what(render) for render in newer):
        return
    if newer:
        raise StaleState("another picture was asked for meanwhile")
    comment = acts.clean(request.form.get("comment", ""), acts.REASON, "comment")
    prompt = "" if change.prompt == one.prompt else change.prompt
    acts.regenerate(security.house(), one.id, g.person.name, prompt, change.wish, comment, chips)


def _seen(one: Illustration) -> int:
    """The last render that there was when the form was made."""
    given = typed.number(request.form.get("seen", ""))
    return max((render.id for render in one.renders), default=0) if given is None else given


def preview(one: Illustration) -> Preview:
    """What the form would have drawn, compared with what was drawn last."""
    house = security.house()
    try:
        wanted = asked()
        change = changes.redrawn(house, one, wanted, start(one))
        with house.database.read() as session:
            left = changes.left(house, session)
    except Problem as problem:
        return Preview([], [], problem=told(problem.words))
    if len(change.prompt) > review.MAX_PROMPT:
        words = _("With that the prompt has %(length)s characters; %(most)s are the most.",
                  length=len(change.prompt), most=review.MAX_PROMPT)  # fmt: skip
        return Preview([], [], problem=words)
    runs = differences.between(one.prompt, change.prompt)
    return Preview(runs, list(_notes(one, wanted, change)), change.prompt, change.quote.price, left)


def _notes(one: Illustration, wanted: Asked, change: Change) -> list[str]:
    quote, wish = change.quote, change.wish
    notes = []
    if wish.model and (wish.model != wanted.model or wanted.model):
        notes.append(_("Drawn by %(model)s.", model=quote.row.title))
    if "guidance" in wish.options:
        was = wishes.settled(security.house(), one, wishes.Wish(), quote.row).get("guidance", "")
        now = plain.number(wish.options["guidance"], 1)
        notes.append(_("Guidance %(now)s instead of %(was)s.", now=now, was=plain.number(float(was), 1)))
    if quote.ask.task in ("references", "edit"):
        number = len(quote.ask.given)
        notes.append(
            ngettext("With %(num)s photograph of the product.", "With %(num)s photographs of the product.", number)
        )
    elif "product" in wanted.chips:
        notes.append(_("There is no photograph of the product here that a model could use; only the words change."))
    if quote.ask.task == "expand":
        notes.append(_("The picture stays, and more is painted around it."))
    if wanted.seed is not None:
        notes.append(_("Seed %(seed)s.", seed=wanted.seed))
    if wanted.ratio:
        notes.append(_("Drawn as %(ratio)s and cut to the slot.", ratio=wanted.ratio))
    return notes


def kept() -> dict[str, Any]:
    """What was typed into the form, to be shown again where it could not be used."""
    form = request.form
    names = ("model", "seed", "seed_own", "ratio", "comment", "prompt")
    return {name: form[name] for name in names if name in form} | {"wrong": form.getlist("wrong")[:CHIPS]}
