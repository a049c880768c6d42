"""The commands around models: which there are, and one picture from the command line."""

import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast, get_args
from uuid import uuid4

import click

from frontispiece import images, inputs
from frontispiece.config import load
from frontispiece.errors import ConfigProblem, Problem
from frontispiece.generators import Finished, Margins, Order, Task, Waiting, catalogue
from frontispiece.generators.catalogue import Model
from frontispiece.generators.diffusers import DiffusersSettings
from frontispiece.house import House
from frontispiece.local import start as local

HEAD = ("name", "model", "tasks", "generator", "sides in pixels", "at most", "price", "licence")
FORMATS: dict[str, images.Format] = {".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".webp": "webp", ".avif": "avif"}
MOST_BYTES = 40_000_000


@click.command()
@click.option("--task", type=click.Choice(get_args(Task)), help="Only those that can do this.")
@click.option("--markdown", is_flag=True, help="The table as docs/models.md has it.")
def models(task: str | None, *, markdown: bool) -> None:
    """Prints the catalogue: what each model can do, and what it costs."""
    there = catalogue.load() if markdown else House(load()).models
    table = [row(name, model) for name, model in there.items() if task is None or task in model.tasks]
    click.echo(as_markdown(HEAD, table) if markdown else _as_columns([HEAD, *table]))


def as_markdown(head: Sequence[str], table: Sequence[Sequence[str]]) -> str:
    """A table as pages of the documentation have it, the name that each line begins with as code."""
    lines = [head, ["---"] * len(head), *([f"`{name}`", *rest] for name, *rest in table)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def row(name: str, model: Model) -> tuple[str, ...]:
    """A model as a line of the table, in the order of `HEAD`."""
    sides = f"{model.min_side}–{model.max_side}"
    parts = [f"{model.dollars.first:f}"]
    parts += [f"{model.dollars.further:f}"] if model.dollars.further else []
    price = " + ".join(parts) + (f"; {model.dollars.given:f} given" if model.dollars.given else "")
    licence = model.licence + ("" if model.commercial else " (not for business)")
    return (
        name,
        model.title,
        ", ".join(model.tasks),
        model.generator,
        sides,
        f"{model.max_megapixels:g} MP",
        price,
        licence,
    )


def _as_columns(table: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in table)


class Sides(click.ParamType[tuple[int, int]]):
    """WIDTHxHEIGHT in pixels."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        """Width and height."""
        sides = str(value).split("x")
        if len(sides) != 2 or not all(side.isdecimal() and 16 <= int(side) <= 8192 for side in sides):
            self.fail("must be like 1600x900, each side from 16 to 8192", param, ctx)
        return int(sides[0]), int(sides[1])


@click.command()
@click.argument("prompt")
@click.option("--model", default="sketch", show_default=True, help="A model of the catalogue: frontispiece models.")
@click.option("--task", type=click.Choice(get_args(Task)), help="Default: edit where an image is given.")
@click.option("--image", "files", multiple=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--mask", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="White is painted anew.")
@click.option("--margins", nargs=4, type=click.IntRange(0, 4096), metavar="TOP RIGHT BOTTOM LEFT", help="For expand.")
@click.option("--option", "options", multiple=True, metavar="NAME=VALUE", help="Such as steps=4.")
@click.option("--size", type=Sides(), help="Width x height in pixels; 1600x900, or that of the image.")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=1, show_default=True)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="A .png, .jpg, .webp or .avif file.")
def generate(  # noqa: PLR0913 - one for each option
    prompt: str,
    *,
    model: str,
    task: str | None,
    files: tuple[Path, ...],
    mask: Path | None,
    margins: tuple[int, int, int, int] | None,
    options: tuple[str, ...],
    size: tuple[int, int] | None,
    seed: int,
    out: Path,
) -> None:
    """Draws one picture from the command line; `sketch` takes the prompt as its headline."""
    house = House(load())
    if model not in house.models:
        raise ConfigProblem(f"there is no model {model!r}: frontispiece models lists them")
    if out.suffix.lower() not in FORMATS:
        raise Problem(f"--out must end in {', '.join(FORMATS)}")
    row, given, around = house.models[model], tuple(map(_picture, files)), Margins(*(margins or ()))
    wanted = cast("Task", task or ("edit" if given else "text-to-image"))
    catalogue.must_do(model, row, wanted, len(given))
    if wanted != "text-to-image" and not given:
        raise ConfigProblem(f"{wanted} starts from a picture: give one with --image")
    width, height = row.fit(*(size or _whole(given, around)))
    order = Order(
        row.name, prompt, width, height, seed, headline=prompt, options=row.settle(_options(row, options)),
        task=wanted, images=given, mask=_picture(mask) if mask else b"", margins=around,
    )  # fmt: skip
    _write(out, _drawn(house, row, order), size, row)


def _picture(path: Path) -> bytes:
    data = path.read_bytes()
    images.check(data)
    return data


def _whole(given: Sequence[bytes], margins: Margins) -> tuple[int, int]:
    if not given:
        return 1600, 900
    width, height = inputs.size(given[0])
    return width + margins.left + margins.right, height + margins.top + margins.bottom


def _options(row: Model, said: Sequence[str]) -> dict[str, object]:
    pairs = [one.partition("=") for one in said]
    if bad := [name for name, equals, _ in pairs if not equals]:
        raise ConfigProblem(f"--option {bad[0]} must be {bad[0]}=VALUE")
    return {name: _typed(row, name, value) for name, _, value in pairs}


def _typed(row: Model, name: str, value: str) -> object:
    """The value as the option's kind, where it is one; `Model.settle` says what is wrong with any other."""
    kind = type(row.options[name].default) if name in row.options else str
    if kind is bool:
        return {"true": True, "false": False}.get(value, value)
    try:
        return kind(value)
    except ValueError:
        return value


def _drawn(house: House, row: Model, order: Order) -> bytes:
    asked = house.generator(row.generator)
    with _ready(house, row.generator), click.progressbar(length=100, label=row.title) as bar:
        answer: Any = asked.submit(order)
        while not isinstance(answer, Finished):
            if isinstance(answer, Waiting):
                bar.update(int((answer.progress or 0) * 100) - bar.pos)
                time.sleep(answer.seconds)
            else:
                ticket = answer
            answer = asked.poll(ticket)
        bar.update(100 - bar.pos)
    return answer.images[0]


def _ready(house: House, generator: str) -> AbstractContextManager[None]:
    """What must run while a generator draws: the local pipeline, where `up` does not keep one."""
    _, settings = house.settings.generator(generator)
    if isinstance(settings, DiffusersSettings):
        return local.running(settings, house.settings.data / "local" / generator)
    return nullcontext()


def _write(out: Path, data: bytes, size: tuple[int, int] | None, row: Model) -> None:
    facts = images.check(data)
    width, height = size or (facts.width, facts.height)
    made = images.Provenance(row.title, datetime.now(UTC), f"frontispiece:{uuid4()}")
    fitted = images.finish(
        data, width=width, height=height, format=FORMATS[out.suffix.lower()], max_bytes=MOST_BYTES, facts=made
    )
    out.write_bytes(fitted.data)
    click.echo(f"{out}: {fitted.width} × {fitted.height} pixels, {fitted.mime}")
