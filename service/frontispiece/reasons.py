"""What is wrong with a picture, said once: each reason changes the next prompt and order in a fixed way.

The words are in `templates/reasons.toml`, docs/reasons.md explains them. A prompt carries what was said already, so
nothing is said twice, and the order in which reasons are given changes nothing.
"""

import re
import tomllib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from frontispiece import cms, lint, prompts, shelf
from frontispiece.errors import ConfigProblem, Problem, TemplateProblem
from frontispiece.generators import Margins
from frontispiece.generators.catalogue import Model, megapixels
from frontispiece.sandbox import Facts
from frontispiece.wishes import Ask, Start, Wish
from frontispiece.wording import opening

Place = Literal["first", "second", "last"]
PLACES: tuple[Place, ...] = ("first", "second", "last")
_Text = Annotated[str, StringConstraints(max_length=2_000, strip_whitespace=True)]
_ID = re.compile(r"[a-z][a-z0-9-]{0,30}")

_ABOUT = r"(?:the\s+)?(?:words?|text|lettering|slogan|headline|caption|title|name)"
_LEAD = (
    r"(?:(?:that|which)\s+)?(?:(?:read|say|spell)(?:s|ing)?|(?:labell?|letter|titl)ed|"
    rf"(?:with|showing|bearing)(?:\s+{_ABOUT})?|{_ABOUT})"
)
_QUOTED = re.compile(
    rf"(?:(?:^|(?<=\s)){_LEAD}[\s,:]*)?"
    r"(?:(?<!\d)\"[^\"]{1,200}\"|[“„”][^“”„]{1,200}[“”]|[«»][^«»]{1,200}[«»]|「[^」]{1,200}」|『[^』]{1,200}』"
    r"|‘[^‘’]{1,200}’(?!\w)|(?<!\w)'[^']{1,200}'(?!\w))",
    re.IGNORECASE,
)
_LONE = re.compile(r"(?<!\d)\"|[“”„«»「」『』]")


class Reason(BaseModel):
    """One chip; templates/reasons.toml says what each key does."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: Annotated[str, StringConstraints(min_length=1, max_length=60)]
    kind: Literal["", "article", "product"] = ""
    first: _Text = ""
    second: _Text = ""
    last: _Text = ""
    unquote: bool = False
    guidance: float = Field(default=1.0, gt=0, le=1)
    photos: bool = False
    expand: float = Field(default=0.0, ge=0, le=0.5)


@dataclass(frozen=True)
class About:
    """What a prompt is about. `models` may draw, the wanted one first; `photos` are storage keys, the product's own."""

    entry: cms.Entry
    brand: prompts.Brand
    slot: str
    ratio: str
    models: Mapping[str, Model]
    photos: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)  # the rule's
    start: Start | None = None

    @cached_property
    def facts(self) -> Facts:
        """What the words of reasons can name, as in a template."""
        return prompts.facts_of(self.entry, self.brand, self.slot, self.ratio, len(self.photos))

    @cached_property
    def pieces(self) -> dict[tuple[str, Place], str]:
        """All that reasons can add to its prompt, by reason and place, in the order of the file."""
        return {
            (name, place): _rendered(f"reasons/{name}", text, self.facts)
            for name, reason in offered(self.entry.kind).items()
            for place in PLACES
            if (text := getattr(reason, place))
        }


def load() -> dict[str, Reason]:
    """The reasons by their ids, in the order of the file. Raises `ConfigProblem` with the file and what is wrong."""
    path = next(root / "reasons.toml" for root in shelf.templates() if (root / "reasons.toml").is_file())
    return _read(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=4)
def _read(path: Path, _changed: int) -> dict[str, Reason]:
    try:
        tables = tomllib.loads(path.read_text("utf-8"))
        found = {name: Reason.model_validate(keys) for name, keys in tables.items()}
    except ValidationError as problem:
        wrong = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in problem.errors())
        raise ConfigProblem(f"{path}: {wrong}") from problem
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as problem:
        raise ConfigProblem(f"{path}: {problem}") from problem
    for wrong in _findings(found):
        raise ConfigProblem(f"{path}: {wrong}")
    return found


def _findings(reasons: Mapping[str, Reason]) -> Iterable[str]:
    """What may not stand in a prompt: the same that is said of a template."""
    for name, reason in reasons.items():
        if not _ID.fullmatch(name):
            yield f"[{name}]: a name has small letters, digits and hyphens, at most 31"
        for place in PLACES:
            for words in lint.lint(getattr(reason, place)):
                yield f"[{name}] {place}: {words}"


def offered(kind: str) -> dict[str, Reason]:
    """Those that can be wrong with the picture of an article or a product. Raises as `load` does."""
    return {name: reason for name, reason in load().items() if reason.kind in ("", kind)}


def titles() -> dict[str, str]:
    """What each chip says, by its id, in English."""
    return {name: reason.title for name, reason in load().items()}


def changed(prompt: str, picked: Collection[str], about: About) -> tuple[str, Wish]:
    """The prompt with what these reasons add to it, and what else is wished for them.

    Depends on nothing but what is handed over. Given again it changes nothing more. Raises `Problem` for a reason that
    there is not.
    """
    reasons = load()
    unknown = sorted(set(picked) - set(reasons))
    if unknown:
        raise Problem(f"There is no reason {unknown[0][:40]!r}; there are: {', '.join(reasons)}.")
    if not picked:
        return prompt, Wish()
    wanted = [reason for name, reason in offered(about.entry.kind).items() if name in picked]
    return _worded(prompt, reasons, picked, about), _wished(wanted, about) if wanted else Wish()


def said_in(prompt: str, about: About) -> set[str]:
    """The reasons whose words the prompt carries already."""
    return {name for (name, _), piece in about.pieces.items() if piece in prompt}


def added_to(prompt: str, about: About) -> list[str]:
    """The words in the prompt that reasons have put there."""
    return [piece for piece in about.pieces.values() if piece in prompt]


def _worded(prompt: str, reasons: Mapping[str, Reason], picked: Collection[str], about: About) -> str:
    pieces = about.pieces
    base, stay = prompt.strip(), {key: piece for key, piece in pieces.items() if key[0] in picked or piece in prompt}
    for piece in sorted(set(pieces.values()), key=len, reverse=True):
        base = _without(base, piece)
    if any(reasons[name].unquote for name in picked):
        base = _unquoted(base)
    return _assembled(base, {place: [piece for (_, at), piece in stay.items() if at == place] for place in PLACES})


def _rendered(name: str, source: str, facts: Facts) -> str:
    try:
        return prompts.composed(prompts.Template(name, source, "", Path("reasons.toml")), facts).text
    except TemplateProblem as problem:
        raise ConfigProblem(str(problem)) from problem


def _without(text: str, piece: str) -> str:
    before, found, after = text.partition(piece)
    while found:
        text = f"{before.removesuffix(' ')}{after}" if before.strip() else after.lstrip()
        before, found, after = text.partition(piece)
    return text


def _unquoted(text: str) -> str:
    text = _LONE.sub("", _QUOTED.sub("", text))
    return re.sub(r" +(?=[ .,;:!?])", "", text).strip()


def _assembled(base: str, pieces: Mapping[Place, list[str]]) -> str:
    head = opening(base)
    after = _stopped(head) if pieces["second"] else head
    whole = _joined(*pieces["first"], after, *pieces["second"]) + base[len(head) :]
    return _joined(_stopped(whole), *pieces["last"]) if pieces["last"] else whole


def _joined(*parts: str) -> str:
    return " ".join(part for part in parts if part)


def _stopped(text: str) -> str:
    text = text.rstrip()
    return text if not text or text.endswith((".", "!", "?", "…", "。", "！", "？")) else f"{text}."


def _wished(wanted: list[Reason], about: About) -> Wish:
    wish = Wish()
    if any(reason.photos for reason in wanted):
        wish = _from_photos(about) or wish
    elif len(wanted) == 1 and wanted[0].expand:
        wish = _expanded(wanted[0].expand, about) or wish
    share = min(reason.guidance for reason in wanted)
    drawn_by = about.models.get(wish.model) or next(iter(about.models.values()), None)
    if share == 1 or drawn_by is None:
        return wish
    return replace(wish, options=_guided(drawn_by, share, about.options))


def _from_photos(about: About) -> Wish | None:
    """From the product's own photographs, by the first model that can draw after them, else that can change one."""
    if not about.photos:
        return None
    for name, row in about.models.items():
        if "references" in row.tasks and row.images:
            return Wish(name, ask=Ask("references", about.photos[: row.images]))
    for name, row in about.models.items():
        if "edit" in row.tasks:
            return Wish(name, ask=Ask("edit", about.photos[:1]))
    return None


def _expanded(share: float, about: About) -> Wish | None:
    start, name = about.start, next((name for name, row in about.models.items() if "expand" in row.tasks), "")
    if start is None or not name:
        return None
    across, down = round(start.width * share), round(start.height * share)
    margins, given = Margins(down, across, down, across), megapixels(start.width, start.height)
    ask = Ask("expand", (start.key,), margins=margins, megapixels=given)
    return Wish(name, size=(start.width + 2 * across, start.height + 2 * down), ask=ask, parent=start.candidate)


def _guided(row: Model, share: float, options: Mapping[str, Any]) -> dict[str, Any]:
    """Less guidance than the rule has it, never less than the model takes; nothing where it has no such option."""
    option = row.options.get("guidance")
    if option is None or not isinstance(option.default, int | float):
        return {}
    now = options["guidance"] if option.takes(options.get("guidance")) else option.default
    less = max(round(float(now) * share, 2), option.min if option.min is not None else 0.0)
    return {"guidance": type(option.default)(less)} if less < now else {}
