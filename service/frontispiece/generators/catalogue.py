"""The models one can order from, and their generators.

The rows are in the `<generator>.toml` files beside this one and in an operator's own files.
"""

import importlib
import math
import pkgutil
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveInt,
    ValidationError,
    model_validator,
)

from frontispiece import generators
from frontispiece.errors import ConfigProblem
from frontispiece.generators import Generator, Task

MEGAPIXEL = 1024 * 1024
_SHIPPED = tuple(sorted(Path(__file__).parent.glob("*.toml")))

Value = Annotated[bool | int | float | str, Field(union_mode="smart")]
Words = Annotated[str, Field(min_length=1)]
Dollars = Annotated[Decimal, Field(ge=0)]


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Price(_Row):
    """US dollars: the first megapixel, each further one begun, and each one begun of the pictures handed over."""

    first: Dollars
    further: Dollars = Decimal(0)
    given: Dollars = Decimal(0)


class Option(_Row):
    """One thing a model can be told beside prompt, size and seed."""

    default: Value
    min: float | None = None
    max: float | None = None
    choices: tuple[Value, ...] = ()

    @model_validator(mode="after")
    def _default_fits(self) -> Self:
        if not self.takes(self.default):
            raise ValueError(f"the default {self.default!r} is not {self.expected}")
        return self

    @property
    def expected(self) -> str:
        if self.choices:
            return "one of " + ", ".join(map(str, self.choices))
        limits = [f"{word} {limit:g}" for word, limit in (("from", self.min), ("to", self.max)) if limit is not None]
        return " ".join([_KINDS[type(self.default)], *limits])

    def takes(self, value: object) -> bool:
        if isinstance(self.default, float) and type(value) is int:
            value = float(value)
        if type(value) is not type(self.default) or (self.choices and value not in self.choices):
            return False
        return not isinstance(value, int | float) or (
            (self.min is None or value >= self.min) and (self.max is None or value <= self.max)
        )


_KINDS = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}


class Model(_Row):
    """One row of the catalogue. Sides are in pixels, a megapixel is 1024 × 1024 of them."""

    generator: Words
    title: Words
    name: Words
    tasks: Annotated[tuple[Task, ...], Field(min_length=1)]
    images: NonNegativeInt = 0  # pictures that may be handed over
    licence: Words
    commercial: bool = True  # whether the licence lets a business use the pictures' model
    active: NonNegativeInt = 0  # tasks of this model at once, where its service has a lower limit for it
    multiple: PositiveInt = 1
    min_side: PositiveInt
    max_side: PositiveInt
    max_megapixels: NonNegativeFloat
    dollars: Price
    options: Mapping[str, Option] = {}

    @model_validator(mode="after")
    def _sizes_agree(self) -> Self:
        if self.min_side % self.multiple or self.max_side % self.multiple:
            raise ValueError(f"min_side and max_side must be multiples of {self.multiple}")
        if not self.min_side <= self.max_side:
            raise ValueError(f"max_side must be at least min_side, which is {self.min_side}")
        if self.min_side * self.max_side > self.max_pixels:
            raise ValueError(f"min_side × max_side must be within max_megapixels, which is {self.max_megapixels:g}")
        return self

    @property
    def max_pixels(self) -> int:
        return int(self.max_megapixels * MEGAPIXEL)

    def fit(self, width: int, height: int) -> tuple[int, int]:
        """The size to order for a picture of width × height pixels, which is cropped from it later.

        That is the smallest that covers it at nearly its ratio, else the largest of that ratio. A ratio beyond what
        the sides allow gets the longest picture there is.
        """
        if width < 1 or height < 1:
            raise ConfigProblem(f"{width} × {height} is no size for a picture")
        short = min(width, height)
        grown = max(short, self.min_side)
        covering = (self._up(width * grown, short), self._up(height * grown, short))
        return covering if self._can(*covering) else (self._largest(width, height), self._largest(height, width))

    def _up(self, side: int, divisor: int) -> int:
        return -(-side // (divisor * self.multiple)) * self.multiple

    def _can(self, width: int, height: int) -> bool:
        return max(width, height) <= self.max_side and width * height <= self.max_pixels

    def _largest(self, side: int, other: int) -> int:
        by_area = math.isqrt(self.max_pixels * side // other)
        by_side = self.max_side * side // max(side, other)
        return max(self.min_side, min(by_area, by_side) // self.multiple * self.multiple)

    def price(self, width: int, height: int, given: int = 0) -> Decimal:
        """What a picture of width × height pixels costs by the price list, in US dollars.

        `given` is how many megapixels of pictures are handed over.
        """
        further = max(0, megapixels(width, height) - 1)
        return self.dollars.first + self.dollars.further * further + self.dollars.given * given

    def settle(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """The options of an order: the model's defaults with the given ones over them; empty texts are left out.

        Raises `ConfigProblem`.
        """
        for name, value in options.items():
            if name not in self.options:
                known = ", ".join(self.options) or "none"
                raise ConfigProblem(f"{self.title} has no option {name!r}; it has: {known}")
            if not self.options[name].takes(value):
                raise ConfigProblem(
                    f"option {name} of {self.title} is {value!r}, expected {self.options[name].expected}"
                )
        settled = {name: option.default for name, option in self.options.items()} | dict(options)
        return {name: value for name, value in settled.items() if value != ""}


def megapixels(width: int, height: int) -> int:
    """Those begun by a picture of width × height pixels, as price lists count them."""
    return -(-width * height // MEGAPIXEL)


def load(extra: Sequence[Path] = ()) -> dict[str, Model]:
    """All models by the name that rules use; a later file replaces rows of an earlier one. Raises `ConfigProblem`."""
    return {name: model for path in (*_SHIPPED, *extra) for name, model in _rows(path)}


def _rows(path: Path) -> Iterator[tuple[str, Model]]:
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        raise ConfigProblem(f"{path}: the catalogue cannot be read: {problem}") from problem
    for name, table in tables.items():
        try:
            yield name, Model.model_validate(table)
        except ValidationError as problem:
            raise ConfigProblem(f"{path}: [{name}] {_words(problem)}") from problem


def _words(problem: ValidationError) -> str:
    return "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}".lstrip(": ") for each in problem.errors())


def must_do(name: str, model: Model, task: Task, pictures: int) -> None:
    """Raises `ConfigProblem` where the model of that name cannot do a task, or not with so many pictures."""
    if task not in model.tasks:
        raise ConfigProblem(f"{name} cannot do {task}; it can do: {', '.join(model.tasks)}")
    if pictures > model.images:
        raise ConfigProblem(f"{name} takes {model.images} pictures at most, not {pictures}")


def names() -> list[str]:
    """The generators at hand: every file beside this one."""
    return sorted(module.name for module in pkgutil.iter_modules(generators.__path__) if module.name != "catalogue")


def make(name: str) -> type[Generator]:
    """The generator class in `generators/<name>.py`, imported only now. Raises `ConfigProblem`."""
    if name not in names():
        raise ConfigProblem(f"there is no generator {name!r}; there are: {', '.join(names())}")
    module = importlib.import_module(f"{generators.__name__}.{name}")
    found = [kind for kind in vars(module).values() if _is_generator(kind, module.__name__)]
    if len(found) != 1:
        raise ConfigProblem(f"{module.__file__} must define exactly one subclass of Generator, it defines {len(found)}")
    generator: type[Generator] = found[0]
    return generator


def _is_generator(kind: object, module: str) -> bool:
    return isinstance(kind, type) and issubclass(kind, Generator) and kind.__module__ == module
