"""Template + entry + brand → prompt; and a first alt text beside it."""

import hashlib
import math
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from frontispiece import cms, sandbox, shelf
from frontispiece.errors import ConfigProblem, TemplateProblem
from frontispiece.wording import colour, cut, plain, unquoted, unstopped

ALT_LIMIT = 191  # characters: what the tightest CMS keeps of an alt text (Ghost)
_READ_LIMIT = 20_000  # characters of a field that are looked at before it is cleaned and cut
_CUTS = {"title": 300, "excerpt": 600, "body": 1500, "section": 100, "tag": 60, "attribute": 80}
_RATIOS = ("21:9", "16:9", "3:2", "4:3", "5:4", "1:1", "4:5", "3:4", "2:3", "9:16")
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*/[a-z0-9][a-z0-9_-]*")

_ENTRY_FIELDS = {
    **dict.fromkeys(("title", "excerpt", "body", "section", "kind", "language", "photos"), "text"),
    "tags": "list",
    "details": "list",
    "attributes": "map",
}
_BRAND_TEXTS = ("setting", "stage", "light", "camera", "texture", "look")
_BRAND_FIELDS = {**dict.fromkeys(("title", "main", "accent", *_BRAND_TEXTS), "text"), "palette": "list"}
_SLOT_FIELDS = dict.fromkeys(("name", "ratio", "frame"), "text")
FIELDS: sandbox.Fields = {"entry": _ENTRY_FIELDS, "brand": _BRAND_FIELDS, "slot": _SLOT_FIELDS}

_Text = Annotated[str, StringConstraints(max_length=300)]
_Colour = Annotated[str, StringConstraints(pattern=r"^#[0-9a-fA-F]{6}$")]


@dataclass(frozen=True, slots=True)
class Template:
    """A prompt recipe that has passed the checks; `version` changes with every change of its text."""

    name: str
    source: str = field(repr=False)
    version: str
    path: Path


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a generator is asked for, and which recipe in which version made it."""

    text: str
    template: str
    version: str


class Brand(BaseModel):
    """A house style, from `templates/brands/<name>.toml`; templates/README.md says what each key does."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: _Text
    palette: Annotated[tuple[_Colour, ...], Field(min_length=1, max_length=8)]
    setting: _Text = ""
    stage: _Text = ""
    light: _Text = ""
    camera: _Text = ""
    texture: _Text = ""
    look: _Text = ""


def names() -> list[str]:
    """The templates at hand, such as `article/hero`, ours and the operator's own."""
    return sorted({f"{path.parent.name}/{path.stem}" for root in shelf.templates() for path in root.glob("*/*.j2")})


def brands() -> list[str]:
    """The brands at hand, ours and the operator's own."""
    return sorted({path.stem for root in shelf.templates() for path in root.glob("brands/*.toml")})


def load(name: str) -> Template:
    """The template of a name such as `article/hero`; an operator's own goes before ours.

    Raises `TemplateProblem` if there is none or it may not run.
    """
    path, source = read(name)
    return checked(name, source, path)


def read(name: str) -> tuple[Path, str]:
    """Where the template of that name lies, and its text, whether it may run or not. Raises `TemplateProblem`."""
    path = _find(f"{name}.j2") if _NAME.fullmatch(name) else None
    if path is None:
        raise TemplateProblem(f"there is no template {name[:100]!r}; there are: {', '.join(names())}")
    try:
        return path, path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise TemplateProblem(f"{path} cannot be read: {problem}") from problem


def checked(name: str, source: str, path: Path) -> Template:
    """A text as the template of that name. Raises `TemplateProblem` if it may not run."""
    try:
        found = sandbox.findings(sandbox.parse(source), FIELDS)
    except TemplateProblem as problem:
        raise TemplateProblem(f"{path}: {problem}") from problem
    if found:
        raise TemplateProblem(f"{path}: line {found[0].line}: {found[0].words}")
    return Template(name, source, version(source), path)


def version(source: str) -> str:
    """Twelve hexadecimal digits that stand for a text."""
    return hashlib.sha256(source.encode()).hexdigest()[:12]


def brand(name: str) -> Brand:
    """The brand of a name such as `house`. Raises `ConfigProblem` with the file and the key."""
    path = _find(f"brands/{name}.toml") if _NAME.fullmatch(f"brands/{name}") else None
    if path is None:
        raise ConfigProblem(f"there is no brand {name[:100]!r}; there are: {', '.join(brands())}")
    try:
        return Brand.model_validate(tomllib.loads(path.read_text("utf-8")))
    except ValidationError as problem:
        wrong = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in problem.errors())
        raise ConfigProblem(f"{path}: {wrong}") from problem
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as problem:
        raise ConfigProblem(f"{path}: {problem}") from problem


def _find(inside: str) -> Path | None:
    return next((root / inside for root in shelf.templates() if (root / inside).is_file()), None)


def compose(
    template: Template, entry: cms.Entry, brand: Brand, slot: str = "hero", ratio: str = "16:9", *, photos: int = 0
) -> Prompt:
    """The prompt that a template makes of an entry for a slot of a ratio such as "16:9" (width:height, whole numbers).

    The frame is said as the well-known ratio nearest to it, so 40:21 (1200 × 630 pixels) is "wide 16:9 frame".
    `photos` is how many photographs of the product go along with the prompt. The entry's text goes in as data: cleaned,
    without markup and quotation marks, cut to a length. Raises `TemplateProblem` with the template's name and line.
    """
    return composed(template, facts_of(entry, brand, slot, ratio, photos))


def composed(template: Template, facts: sandbox.Facts) -> Prompt:
    """As `compose`, of facts that are there already: where several templates are filled with the same ones."""
    return Prompt(_rendered(template, facts), template.name, template.version)


def facts_of(entry: cms.Entry, brand: Brand, slot: str, ratio: str, photos: int) -> sandbox.Facts:
    """What a template can name, in words; see `compose`."""
    of = {0: "", 1: "the reference photograph"}.get(photos, f"the {photos} reference photographs")
    about = _entry_facts(entry) | {"photos": of}
    return {"entry": about, "brand": _brand_facts(brand), "slot": _slot_facts(slot, ratio)}


def longest_facts() -> sandbox.Facts:
    """Those of an entry and a brand that fill every field; see `compose`."""
    long = {name: ("word " * 300)[: _CUTS.get(name, 100)] for name in _ENTRY_FIELDS}
    lists = {
        "tags": ["x" * _CUTS["tag"]] * sandbox.LIST_LIMIT,
        "details": ["x" * (_CUTS["tag"] + _CUTS["attribute"])] * sandbox.LIST_LIMIT,
    }
    texts = dict.fromkeys(_BRAND_TEXTS, "word " * 20)
    brand = _brand_facts(Brand(title="Brand", palette=("#123456",) * 4, **texts))
    return {"entry": {**long, **lists, "attributes": _Anything()}, "brand": brand, "slot": _slot_facts("hero", "16:9")}


def alt_text(entry: cms.Entry, language: str) -> str:
    """A first alt text in a language ("de", "de-AT"; English where there is no `alt/<language>.j2`).

    It says what the picture is for, as nobody has looked at it yet: whoever shows it marks it as to be checked by a
    person. At most 191 characters.
    """
    own = f"alt/{re.split('[-_]', language.lower())[0]}"
    facts = _entry_facts(entry)
    facts["title"] = facts["title"] if len(facts["title"]) <= 130 else f"{cut(facts['title'], 129)}…"
    # every fact is there, so that an operator's own may use them; the brand has no part in a description
    rest = {"brand": _brand_facts(Brand(title="", palette=("#000000",))), "slot": _slot_facts("", "1:1")}
    return cut(_rendered(load(own if own in names() else "alt/en"), {"entry": facts, **rest}), ALT_LIMIT)


def _rendered(template: Template, facts: sandbox.Facts) -> str:
    try:
        text = plain(sandbox.render(template.source, facts))
    except TemplateProblem as problem:
        raise TemplateProblem(f"{template.name}: {problem}") from problem
    if not text:
        raise TemplateProblem(f"{template.name}: makes an empty prompt of this entry")
    if len(text) > sandbox.OUTPUT_LIMIT:
        raise TemplateProblem(
            f"{template.name}: makes a prompt of {len(text)} characters of this entry, and {sandbox.OUTPUT_LIMIT} are "
            "the most; shorten with | words(30) or | limit(5)"
        )
    return text


def _entry_facts(entry: cms.Entry) -> dict[str, Any]:
    attributes = _attributes(entry.attributes)
    return {
        "title": unstopped(_clean(entry.title, "title")),
        "excerpt": _clean(entry.excerpt, "excerpt"),
        "body": _clean(entry.body, "body"),
        "section": _clean(entry.section, "section"),
        "kind": entry.kind,
        "language": _clean(entry.locale, "section"),
        "tags": [tag for tag in (_clean(each, "tag") for each in entry.tags[: sandbox.LIST_LIMIT]) if tag],
        "details": [f"{name.replace('_', ' ')} {value}" for name, value in attributes.items()],
        "attributes": attributes,
        "photos": "",
    }


def _attributes(attributes: Mapping[str, str]) -> dict[str, str]:
    """Names as a template can write them: "Seat height" is `entry.attributes.seat_height`."""
    some = list(attributes.items())[: sandbox.LIST_LIMIT]
    named = ((re.sub(r"\W+", "_", _clean(name, "tag").lower()).strip("_"), value) for name, value in some)
    cleaned = ((name, _clean(value, "attribute")) for name, value in named)
    return {name: value for name, value in cleaned if name and value}


def _clean(text: str, field: str) -> str:
    return cut(unquoted(plain(text[:_READ_LIMIT])), _CUTS[field])


def _brand_facts(brand: Brand) -> dict[str, Any]:
    palette = [colour(code) for code in brand.palette]
    texts = {name: unstopped(plain(getattr(brand, name))) for name in _BRAND_TEXTS}
    accent = palette[1] if len(palette) > 1 else palette[0]
    return {"title": plain(brand.title), "palette": palette, "main": palette[0], "accent": accent, **texts}


def _slot_facts(slot: str, ratio: str) -> dict[str, Any]:
    across = _across(ratio)
    known = min(_RATIOS, key=lambda each: abs(math.log(across / _across(each))))  # 40:21 means nothing to a model
    shape = "wide" if across > 1.1 else "tall" if across < 0.9 else "square"
    return {"name": plain(slot), "ratio": known, "frame": f"{shape} {known} frame"}


def _across(ratio: str) -> float:
    width, _, height = ratio.partition(":")
    return int(width) / int(height)


class _Anything(dict[str, str]):
    """Attributes of any name, each as long as one may be."""

    def __contains__(self, name: object) -> bool:
        return True

    def __missing__(self, name: str) -> str:
        return "x" * _CUTS["attribute"]
