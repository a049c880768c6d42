"""How a picture shall be changed, as an editor says it, made into a prompt and a wish; and what that will cost.

Nothing here decides: `review.regenerate` does, with what comes from here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Literal

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from frontispiece import differences, money, pieces, prompts, reasons, records, retouch, states, wishes
from frontispiece.differences import Run
from frontispiece.errors import Problem, TemplateProblem
from frontispiece.generators import Margins, Task
from frontispiece.generators.catalogue import Model, megapixels
from frontispiece.house import House
from frontispiece.models import Candidate, Entry, Illustration, Render, State
from frontispiece.reasons import About
from frontispiece.wishes import Ask, Quote, Start, Wish

Tool = Literal["words", "repaint", "extend", "like"]
TOOLS: dict[Tool, tuple[Task, ...]] = {  # what a model must be able to do; the first that it can is asked for
    "words": ("edit",),
    "repaint": ("fill",),
    "extend": ("expand",),
    "like": ("variation", "references"),
}
LIKE = "The scene, the light and the colours are those of the reference picture, at another moment."
MOST_MARGIN = 2_048  # pixels beyond one side; BFL's limit
PAGE = 24  # pictures to pick from


@dataclass(frozen=True, slots=True)
class Asked:
    """What the next picture shall be; what is left out stays as it is, or as the rule has it."""

    prompt: str = ""
    chips: tuple[str, ...] = ()
    model: str = ""
    seed: int | None = None
    ratio: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """What `review.regenerate` is to be told: the prompt as it then is, and the wish; and what that comes to."""

    prompt: str
    wish: Wish
    quote: Quote

    @property
    def drawn(self) -> str:
        """The words that the model is given."""
        return self.wish.words or self.prompt

    def is_what(self, render: Render) -> bool:
        """Whether this very change was ordered with a render; without a wish for a seed any will do."""
        quote, ask = self.quote, self.quote.ask
        asked = (quote.model, self.drawn, ask.task, list(ask.given), ask.mask, asdict(ask.margins))
        same = asked == (render.model, render.prompt, render.task, render.given, render.mask, render.margins)
        size = (quote.width, quote.height) == (render.width, render.height)
        return same and size and self.wish.seed in (None, render.seed)


def redrawn(house: House, one: Illustration, asked: Asked, candidate: Candidate | None = None) -> Change:
    """Another picture after the prompt, with what the reasons change. Raises `Problem`, `ConfigProblem`."""
    known = about(house, one, asked.model, candidate if asked.chips else None)
    prompt, wish = reasons.changed(asked.prompt or one.prompt, asked.chips, known)
    wish = replace(wish, model=wish.model or asked.model, seed=asked.seed, ratio=asked.ratio)
    return Change(prompt, wish, wishes.quote(house, one, wish))


def retouched(
    house: House,
    one: Illustration,
    candidate: Candidate,
    tool: Tool,
    asked: Asked,
    *,
    mask: bytes = b"",
    margins: Margins = Margins(),  # noqa: B008 - frozen
) -> Change:
    """The candidate changed with a tool; `asked.prompt` are the words for it. Raises `Problem`, `PictureProblem`."""
    model = asked.model or next(iter(able(house, one, tool)), "")
    if not model:
        raise Problem("No model that is set up here can do that.")
    task = _task(wishes.drawable(house, model), tool)
    start = retouch.start(house, candidate)
    key = retouch.mask(house, mask, start) if tool == "repaint" else ""
    size = (start.width, start.height) if tool != "extend" else _whole(start, margins)
    words = f"{asked.prompt or one.prompt} {LIKE}".strip() if task == "references" else asked.prompt
    if not words and tool == "words":
        raise Problem("Say what shall be different.")
    ask = Ask(task, (start.key,), key, margins, megapixels(start.width, start.height))
    wish = Wish(model, asked.seed, size=size, words=words, ask=ask, parent=candidate.id)
    return Change(one.prompt, wish, wishes.quote(house, one, wish))


def able(house: House, one: Illustration, tool: Tool) -> dict[str, Model]:
    """The models here that can do it: the rule's first, the others by what they cost, those for business first."""
    ready = wishes.ready(house)
    own = next((rule.draw_with for rule in house.settings.rules if rule.name == one.rule), ())
    order = [*own, *sorted(ready, key=lambda name: (not ready[name].commercial, ready[name].dollars.first))]
    return {name: ready[name] for name in order if name in ready and set(TOOLS[tool]) & {*ready[name].tasks}}


def would(house: House, tool: Tool) -> list[str]:
    """The titles of models that could do it if their generator were set up, one of each generator."""
    found = {row.generator: row.title for row in reversed(house.models.values()) if set(TOOLS[tool]) & {*row.tasks}}
    return sorted(found.values())


def price(house: House, one: Illustration, tool: Tool, model: str, size: tuple[int, int]) -> float:
    """What a model takes for one use of a tool on a picture of that size, in US dollars."""
    row = wishes.drawable(house, model)
    ask = Ask(_task(row, tool), ("",), megapixels=megapixels(*size))
    return wishes.quote(house, one, Wish(model, size=size, ask=ask)).price


def about(house: House, one: Illustration, model: str = "", candidate: Candidate | None = None) -> About:
    """What reasons have to know of an illustration. Raises `ConfigProblem` where its rule or slot is gone."""
    rule, slot = house.rule(one.rule), house.slot(one.slot)
    names = dict.fromkeys([model or rule.models[0], *rule.draw_with])
    return About(
        records.entry_of(one.entry),
        prompts.brand(rule.brand),
        one.slot,
        slot.ratio,
        {name: wishes.drawable(house, name) for name in names},
        tuple(one.photos),
        rule.options,
        retouch.start(house, candidate) if candidate else None,
    )


def origins(house: House, one: Illustration, prompt: str, known: About) -> list[Run]:
    """Where each word of a prompt comes from, by the template and the brand as they are now. Raises `ConfigProblem`."""
    try:
        composed = pieces.of(prompts.load(house.rule(one.rule).template), known.facts)
    except TemplateProblem:
        composed = []
    return differences.origins(prompt, composed, reasons.added_to(prompt, known))


def left(house: House, session: Session) -> float | None:
    """How many US dollars may still be spent today; None = there is no cap."""
    budget, now = house.settings.budget, datetime.now(UTC)
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    caps = [(budget.day, day), (budget.month, day.replace(day=1))]
    rest = [cap - money.spent_since(session, since.timestamp()) for cap, since in caps if cap is not None]
    return max(0.0, min(rest)) if rest else None


def others(session: Session, one: Illustration, words: str = "", before: int = 0) -> list[Candidate]:
    """Pictures of other illustrations of the site, the newest first, one more than a page where there are more."""
    wanted = (
        select(Candidate)
        .join(Illustration, Illustration.id == Candidate.illustration_id)
        .where(Illustration.site == one.site, Illustration.id != one.id)
        .options(joinedload(Candidate.render))
    )
    for word in records.searchable(words).split()[:8]:
        wanted = wanted.where(records.in_title(word))
    wanted = wanted.where(Candidate.id < before) if before else wanted
    return list(session.scalars(wanted.order_by(Candidate.id.desc()).limit(PAGE + 1)))


def titles_of(session: Session, candidates: list[Candidate]) -> Mapping[int, str]:
    """The titles of the entries that candidates were made for, by the candidates' ids."""
    wanted = select(Candidate.id, Entry.title).join(Illustration, Illustration.id == Candidate.illustration_id)
    rows = session.execute(wanted.join(Entry).where(Candidate.id.in_([one.id for one in candidates])))
    return {row[0]: row[1] for row in rows}


def pick(house: House, number: int, candidate: int) -> int:
    """A picture of the same site becomes a candidate here as well; its id, the same where it was picked before.

    It stays what it was: drawn by a machine, and marked as that, or given by a person. Raises `Problem`, `StaleState`.
    """
    with house.database.write() as session:
        one = records.illustration(session, number, locked=True)
        other = records.candidate_with_render(session, candidate)
        site = other and records.illustration(session, other.illustration_id).entry.site
        if other is None or site != one.entry.site:
            raise Problem(f"There is no picture {candidate} of this site.")
        if one.state not in _MAY_PICK:
            raise states.stale(number, one.state)
        there = select(Candidate.id).where(Candidate.illustration_id == number, Candidate.image == other.image)
        found = session.scalar(there) or _copied(session, other, number)
        if one.state in (State.REJECTED, State.FAILED):
            states.move(session, number, one.state, State.IN_REVIEW)
        return found


_MAY_PICK = (
    State.IN_REVIEW,
    State.HELD,
    State.REVERTED,
    State.RENDERING,
    State.REJECTED,
    State.FAILED,
    State.PUBLISHED,
)


def _copied(session: Session, other: Candidate, number: int) -> int:
    kept = {name: getattr(other, name) for name in ("render_id", "image", "mime", "width", "height", "colour", "by")}
    last = select(func.max(Candidate.number)).where(Candidate.render_id == other.render_id)
    made = Candidate(illustration_id=number, number=(session.scalar(last) or 0) + 1, created=other.created, **kept)
    session.add(made)
    session.flush()
    return made.id


def _task(row: Model, tool: Tool) -> Task:
    found = next((task for task in TOOLS[tool] if task in row.tasks), None)
    if found is None:
        raise Problem(f"{row.title} cannot do that.")
    return found


def _whole(start: Start, margins: Margins) -> tuple[int, int]:
    """The size with the margins around it. Raises `Problem` for margins that cannot be."""
    sides = list(_margins(margins))
    if not any(sides) or min(sides) < 0 or max(sides) > MOST_MARGIN:
        raise Problem(f"Give at least one side a margin, of 1 to {MOST_MARGIN} pixels.")
    return start.width + margins.left + margins.right, start.height + margins.top + margins.bottom


def _margins(margins: Margins) -> Iterator[int]:
    yield from asdict(margins).values()
