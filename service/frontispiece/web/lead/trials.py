"""A template's text tried on real entries: the prompts it would write, and what is wrong with it, line by line."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from frontispiece import lint, prompts, records
from frontispiece.cms import Entry
from frontispiece.errors import ConfigProblem, TemplateProblem
from frontispiece.house import House
from frontispiece.models import Entry as EntryRow
from frontispiece.tables import Rule

ENTRIES = 20
LOOKED_AT = 100  # of the last entries, as a rule may want some sections only
_LINE = re.compile(r"(?:.*?: )?line (\d+): ")


@dataclass(frozen=True)
class Case:
    """An entry and the rule that would have a picture drawn for it; None where no rule uses the template."""

    site: str
    entry: Entry
    rule: Rule | None


@dataclass(frozen=True)
class Written:
    """The prompt for an entry, or why there is none."""

    text: str = ""
    problem: str = ""


@dataclass(frozen=True)
class Finding:
    """What is wrong or unwise, and in which line (from 1; 0 = the whole text)."""

    line: int
    words: str


@dataclass(frozen=True)
class Recipe:
    """A template as its file has it: `problem` says why it may not run, or why there is no text at all.

    `path` is None where it cannot be read, `is_there` says whether there is such a file.
    """

    name: str
    path: Path | None
    source: str
    version: str
    problem: str
    is_there: bool


def recipe(name: str) -> Recipe:
    """The template of that name, also where it is broken."""
    try:
        path, source = prompts.read(name)
    except TemplateProblem as problem:
        return Recipe(name, None, "", "", problem.words, name in prompts.names())
    return Recipe(name, path, source, prompts.version(source), refusal(name, source), is_there=True)


def refusal(name: str, source: str) -> str:
    """Why this text may not run as a template; "" where it may."""
    try:
        prompts.checked(name, source, Path(f"{name}.j2"))
    except TemplateProblem as problem:
        return problem.words
    return ""


def findings(source: str) -> list[Finding]:
    """What `lint.lint` finds, in the order of the lines."""
    found = []
    for words in lint.lint(source):
        line = _LINE.match(words)
        found.append(Finding(int(line[1]), words[line.end() :]) if line else Finding(0, words))
    return sorted(found, key=lambda one: one.line)


def using(house: House, name: str) -> list[Rule]:
    """The rules that draw by this template."""
    return [rule for rule in house.settings.rules if rule.template == name]


def cases(session: Session, house: House, name: str) -> list[Case]:
    """The last entries that a rule with this template is for; where no rule has it, the last ones of its kind."""
    rules = using(house, name)
    wanted = select(EntryRow).order_by(EntryRow.id.desc()).limit(LOOKED_AT)
    if rules:
        # coalesce keeps SQLite from the index by site: it would find all of the sites' entries there, and sort them
        of = func.coalesce(EntryRow.site, "").in_({rule.site for rule in rules})
        wanted = wanted.where(of, func.coalesce(EntryRow.kind, "").in_({rule.kind for rule in rules}))
    elif (kind := name.partition("/")[0]) in ("article", "product"):
        wanted = wanted.where(EntryRow.kind == kind)
    return list(_cases(session.scalars(wanted).all(), rules))[:ENTRIES]


def _cases(rows: Sequence[EntryRow], rules: list[Rule]) -> Iterator[Case]:
    for row in rows:
        entry = records.entry_of(row)
        rule = next((rule for rule in rules if _is_for(rule, row.site, entry)), None)
        if rule or not rules:
            yield Case(row.site, entry, rule)


def _is_for(rule: Rule, site: str, entry: Entry) -> bool:
    sections = {section.casefold() for section in rule.sections}
    has = {section.casefold() for section in (entry.section, *entry.sections)}
    return rule.site == site and rule.kind == entry.kind and (not sections or bool(sections & has))


def write(house: House, name: str, source: str, some: Sequence[Case]) -> list[Written]:
    """The prompt that a text writes for each of the cases; nothing is kept."""
    try:
        template = prompts.checked(name, source, Path(f"{name}.j2"))
    except TemplateProblem as problem:
        return [Written(problem=problem.words)] * len(some)
    return [_written(house, template, case) for case in some]


def _written(house: House, template: prompts.Template, case: Case) -> Written:
    rule = case.rule or Rule(name="preview", site=case.site)
    try:
        ratio, brand = house.slot(rule.slot).ratio, prompts.brand(rule.brand)
        photos = min(rule.photos, len(case.entry.photos)) if case.rule else 0
        return Written(prompts.compose(template, case.entry, brand, rule.slot, ratio, photos=photos).text)
    except (TemplateProblem, ConfigProblem) as problem:
        return Written(problem=problem.words)
