"""What somebody asks for beside the prompt, and what that comes to: model, task, size and price, as it is ordered."""

import math
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from frontispiece.errors import ConfigProblem, Problem
from frontispiece.generators import Margins, Task, catalogue
from frontispiece.generators.catalogue import Model
from frontispiece.house import House
from frontispiece.models import Illustration

SEEDS = 2**32  # no model tells larger ones apart
_RATIO = re.compile(r"([1-9][0-9]?):([1-9][0-9]?)")


@dataclass(frozen=True, slots=True)
class Ask:
    """What a render shall do beside text to image; `given` and `mask` are storage keys.

    `megapixels` are those begun of the given pictures, which are paid for; where it is not told, one each.
    """

    task: Task = "text-to-image"
    given: tuple[str, ...] = ()
    mask: str = ""
    margins: Margins = field(default_factory=Margins)
    megapixels: int | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody asks for beside the prompt; what is left out is as the rule has it.

    `ratio` is width:height in whole numbers ("16:9"), `size` the pixels to cover instead of the slot's, `options` are
    the model's own over the rule's, `words` are drawn instead of the illustration's prompt, which stays as it is,
    `parent` is the candidate it begins with, `by` who asks.
    """

    model: str = ""
    seed: int | None = None
    ratio: str = ""
    size: tuple[int, int] | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    words: str = ""
    ask: Ask | None = None
    parent: int | None = None
    by: str = ""


AS_THE_RULE = Wish()


@dataclass(frozen=True, slots=True)
class Start:
    """A picture to begin with: the candidate, the storage key of its bytes and its size in pixels."""

    candidate: int
    key: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Quote:
    """An order before it is placed: `width` × `height` in pixels as the model draws them, `price` in US dollars."""

    model: str
    row: Model
    ask: Ask
    width: int
    height: int
    price: float


def quote(house: House, one: Illustration, wish: Wish = AS_THE_RULE, photos: list[str] | None = None) -> Quote:
    """What a wish comes to; `photos` stand for the illustration's own. Raises `ConfigProblem`, `Problem`."""
    model = wish.model or house.rule(one.rule).models[0]
    row = drawable(house, model)
    ask = wish.ask or _from_words(row, one.photos if photos is None else photos)
    catalogue.must_do(model, row, ask.task, len(ask.given))
    width, height = row.fit(*_drawn_size(house, one, wish))
    given = len(ask.given) if ask.megapixels is None else ask.megapixels
    return Quote(model, row, ask, width, height, float(row.price(width, height, given=given)))


def settled(house: House, one: Illustration, wish: Wish, row: Model) -> dict[str, Any]:
    """The options of an order: the wish's over the rule's over the model's, as far as this model takes them."""
    wanted = {**house.rule(one.rule).options, **wish.options}
    return row.settle({key: to for key, to in wanted.items() if key in row.options and row.options[key].takes(to)})


def _from_words(row: Model, photos: list[str]) -> Ask:
    """What a prompt alone asks for: with the product's own photographs where the model can use them."""
    if photos and "references" in row.tasks:
        return Ask("references", tuple(photos[: row.images]))
    return Ask()


def ready(house: House) -> dict[str, Model]:
    """The models that can draw here: those of generators that are configured, or that a rule draws with."""
    used = {house.models[name].generator for rule in house.settings.rules for name in rule.draw_with}
    return {name: row for name, row in house.models.items() if row.generator in {*house.settings.generators, *used}}


def drawable(house: House, model: str) -> Model:
    """The catalogue's row of a model that can draw here. Raises `ConfigProblem`."""
    if model not in house.models:
        raise ConfigProblem(f"there is no model {model[:100]!r} in the catalogue (any more)")
    found = ready(house).get(model)
    if found is None:
        generator = house.models[model].generator
        raise ConfigProblem(f"{model} cannot draw here: [generators.{generator}] is not in the configuration")
    return found


def seed(wish: Wish) -> int:
    """The one that is wished, or any. Raises `Problem` where it is none."""
    if wish.seed is None:
        return secrets.randbelow(SEEDS)
    if not 0 <= wish.seed < SEEDS:
        raise Problem(f"A seed is a whole number from 0 to {SEEDS - 1}.")
    return wish.seed


def _drawn_size(house: House, one: Illustration, wish: Wish) -> tuple[int, int]:
    """Width and height in pixels: the slot's, as many pixels in another ratio, or the size that is wished."""
    slot = house.slot(one.slot)
    if wish.size or not wish.ratio:
        return wish.size or (slot.width, slot.height)
    across, down = _sides(wish.ratio)
    scale = math.sqrt(slot.width * slot.height / (across * down))
    return round(across * scale), round(down * scale)


def _sides(ratio: str) -> tuple[int, int]:
    found = _RATIO.fullmatch(ratio)
    if found is None:
        raise Problem(f"{ratio[:20]!r} is no ratio; one is written as 16:9, each number from 1 to 99.")
    return int(found[1]), int(found[2])
