"""Templates: their versions with approval rates, their text with advice, and the prompts it writes for real entries."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import Blueprint, abort, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from frontispiece import figures, prompts, sandbox
from frontispiece.figures import EVER, Rate
from frontispiece.models import Candidate, Entry, Illustration, Render, TemplateVersion
from frontispiece.web import security
from frontispiece.web.i18n import gettext as _
from frontispiece.web.lead import diffs, trials
from frontispiece.web.lead.board import FEW
from frontispiece.web.lead.trials import Recipe

recipes = Blueprint("recipes", __name__, url_prefix="/templates")
recipes.before_request(security.refuse_foreign_forms)

ONE = "/<folder>/<name>"
SHOWN = 24  # pictures of a version


@dataclass(frozen=True)
class Version:
    """One version of a template: when it wrote its first and last prompt, and how its pictures were judged.

    `source` is None where its text was not kept; `is_now` for the one that the file has.
    """

    version: str
    source: str | None
    is_now: bool
    first: float | None
    last: float | None
    pictures: int
    rate: Rate


@recipes.get("")
@security.needs("lead")
def show() -> ResponseReturnValue:
    """All templates: those that lie in files, and those that made pictures and are gone."""
    house = security.house()
    with house.database.read() as session:
        used = figures.versions(session)
        rates = figures.rates(figures.verdicts(session, EVER), lambda one: one.template.rpartition("@")[0])
    names = dict.fromkeys([*prompts.names(), *sorted({one.name for one in used})])
    rows = [
        {
            "recipe": (recipe := trials.recipe(name)),
            "rules": trials.using(house, name),
            "findings": len(trials.findings(recipe.source)) if recipe.path else 0,
            "versions": sum(one.name == name for one in used),
            "pictures": sum(one.pictures for one in used if one.name == name),
            "rate": rates.get(name, Rate(0, 0)),
        }
        for name in names
    ]
    return render_template("recipes.html", rows=rows, few=FEW)


@recipes.get(ONE)
@security.needs("lead")
def show_one(folder: str, name: str) -> ResponseReturnValue:
    """One template: versions, pictures of one of them, the text with advice, the prompts for the last entries."""
    house, recipe = security.house(), trials.recipe(f"{folder}/{name}")
    with house.database.read() as session:
        found = _versions(session, recipe)
        if not (found or recipe.is_there):
            abort(404, recipe.problem)
        shown = request.args.get("version", "") or next((one.version for one in found if one.pictures), "")
        pictures, some = _pictures(session, f"{recipe.name}@{shown}"), trials.cases(session, house, recipe.name)
    facts = {"versions": found, "shown": shown, "pictures": pictures, "findings": trials.findings(recipe.source)}
    written = trials.write(house, recipe.name, recipe.source, some) if recipe.path else []
    facts |= {"cases": list(zip(some, written, strict=False)), "rules": trials.using(house, recipe.name)}
    return render_template("recipe.html", recipe=recipe, few=FEW, limit=sandbox.SOURCE_LIMIT, **facts)


@recipes.get(f"{ONE}/compare")
@security.needs("lead")
def compare(folder: str, name: str) -> ResponseReturnValue:
    """Two versions beside each other: texts, rates, and the prompts they write for the same entries."""
    recipe = trials.recipe(f"{folder}/{name}")
    with security.house().database.read() as session:
        found = {one.version: one for one in _versions(session, recipe)}
    old, new = (_asked(found, request.args.get(which) or recipe.version) for which in ("old", "new"))
    return _beside(recipe, old.source or "", new.source or "", old=old, new=new)


@recipes.post(f"{ONE}/try")
@security.needs("lead")
def attempt(folder: str, name: str) -> ResponseReturnValue:
    """A changed text beside the one in the file, for the same entries. Nothing is kept: templates live in files."""
    recipe = trials.recipe(f"{folder}/{name}")
    if recipe.path is None:
        abort(404, recipe.problem)
    source = request.form.get("source", "").replace("\r\n", "\n").replace("\0", "\ufffd")
    problem = trials.refusal(recipe.name, source)
    return _beside(recipe, recipe.source, source, tried=source, problem=problem, status=422 if problem else 200)


def _beside(recipe: Recipe, before: str, after: str, *, status: int = 200, **facts: object) -> ResponseReturnValue:
    house = security.house()
    with house.database.read() as session:
        some = trials.cases(session, house, recipe.name)
    wrote = [trials.write(house, recipe.name, source, some) for source in (before, after)]
    pairs = [(case, a, b, diffs.words(a.text, b.text)) for case, a, b in zip(some, *wrote, strict=True)]
    long = max(len(before), len(after)) > sandbox.SOURCE_LIMIT
    differ = sum(a != b for _case, a, b, _parts in pairs)
    shown = {
        "differ": differ,
        "lines": [] if long else diffs.lines(before, after),
        "pairs": pairs,
        "findings": trials.findings(after),
    }
    return render_template("compare.html", recipe=recipe, few=FEW, limit=sandbox.SOURCE_LIMIT, **shown, **facts), status


def _asked(found: dict[str, Version], version: str) -> Version:
    if version not in found:
        abort(404, _("This template has no such version."))
    if found[version].source is None:
        abort(404, _("The text of this version was not kept, so it cannot be compared."))
    return found[version]


def _versions(session: Session, recipe: Recipe) -> list[Version]:
    """The version that the file has first, then by last use."""
    kept = select(TemplateVersion).where(TemplateVersion.name == recipe.name).order_by(TemplateVersion.first.desc())
    texts = {one.version: one for one in session.scalars(kept)}
    used = {one.version: one for one in figures.versions(session, recipe.name)}
    rates = figures.rates(figures.verdicts(session, EVER, recipe.name), lambda one: one.template.rpartition("@")[2])
    names = dict.fromkeys([*([recipe.version] if recipe.version else []), *used, *texts])
    return [_version(recipe, name, texts.get(name), used.get(name), rates.get(name, Rate(0, 0))) for name in names]


def _version(
    recipe: Recipe, name: str, kept: TemplateVersion | None, used: figures.Version | None, rate: Rate
) -> Version:
    is_now = name == recipe.version
    source = recipe.source if is_now else kept.source if kept else None
    first = kept.first if kept else used.first if used else None
    return Version(name, source, is_now, first, used.last if used else None, used.pictures if used else 0, rate)


def _pictures(session: Session, template: str) -> Sequence[Row[int, int, int, int, str]]:
    """The last pictures that a version made: candidate, its size, illustration, title."""
    wanted = select(Candidate.id, Candidate.width, Candidate.height, Illustration.id.label("number"), Entry.title)
    wanted = wanted.join(Render, Render.id == Candidate.render_id).where(Render.template == template)
    wanted = wanted.join(Illustration, Illustration.id == Candidate.illustration_id).join(Illustration.entry)
    return session.execute(wanted.order_by(Candidate.id.desc()).limit(SHOWN)).all()
