"""What is sent to fal, held against the types of fal's own client library, which are made from its OpenAPI files."""

import re
import subprocess
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from servers.bfl import draw
from servers.installed import installed

from frontispiece.generators import Margins, Order
from frontispiece.generators.catalogue import load
from frontispiece.generators.fal.body import asked

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]

CLIENT = "@fal-ai/client@1.10.1"
UNKNOWN = {"fal-ai/flux-2/klein/4b"}  # to this client, which has its /edit and the 9b
ROWS = {name: row for name, row in load().items() if row.generator == "fal" and row.name not in UNKNOWN}
CASES = [(name, task) for name, row in ROWS.items() for task in row.tasks]
DOOR = draw("flux-schnell", "A green door.", 1, (96, 64), "png")


def _fetch(folder: Path) -> None:
    subprocess.run(["npm", "pack", "--silent", CLIENT], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["tar", "xzf", next(folder.glob("*.tgz"))], cwd=folder, check=True)


@cache
def types() -> str:
    return (installed("fal-client", [Path(__file__)], _fetch) / "package/src/types/endpoints.d.ts").read_text("utf8")


def fields(path: str) -> dict[str, bool]:
    """The fields that an app takes, and whether it must have them."""
    found = re.search(rf'"{re.escape(path)}": {{\s+input: (\w+);', types())
    assert found, f"the client knows no {path}"
    name = found[1]
    while alias := re.search(rf"export type {name} = (\w+);", types()):
        name = alias[1]
    body = re.search(rf"export type {name} = {{\n(.*?)\n}};", types(), re.DOTALL)
    assert body, f"the client has no type {name}"
    return {field: not mark for field, mark in re.findall(r"^    (\w+)(\??):", body[1], re.MULTILINE)}


@pytest.mark.parametrize(("name", "task"), CASES)
def test_an_order_has_what_the_app_takes_and_nothing_else(name: str, task: str) -> None:
    row, pictures = ROWS[name], (DOOR,) if task != "text-to-image" else ()
    order = Order(row.name, "A red door.", *row.fit(1024, 768), 7, options=row.settle({}), task=task, images=pictures)  # type: ignore[arg-type]
    order = _with_mask(order)
    path, body = asked(order)
    known = fields(path)
    assert set(body) <= set(known)
    assert {field for field, must in known.items() if must} <= set(body)


def _with_mask(order: Order) -> Order:
    if order.task == "fill":
        return replace(order, mask=DOOR)
    return replace(order, margins=Margins(left=16)) if order.task == "expand" else order
