"""Each row of the catalogue, drawn by its name and with its own defaults, with a tiny model in its model's place."""

import io
from pathlib import Path

import pytest
from PIL import Image
from servers.checkpoints import OWNER
from servers.local import Local, mask, picture

from frontispiece.generators import Margins, Order, Task
from frontispiece.generators.catalogue import load

pytestmark = pytest.mark.local

ROWS = {name: row for name, row in load().items() if row.generator == "diffusers"}
TINY = {
    "FLUX.1-schnell": "schnell",
    "FLUX.1-dev": "dev",
    "FLUX.2-klein-4B": "klein",
    "FLUX.2-klein-9B": "klein",
    "FLUX.2-dev": "flux-2-dev",
    "FLUX.1-Fill-dev": "fill",
    "FLUX.1-Kontext-dev": "kontext",
    "FLUX.1-Canny-dev": "control",
    "FLUX.1-Depth-dev": "control",
    "FLUX.1-Redux-dev": "redux",
    "depth-anything-large-hf": "depth",
}
CASES = [(name, task) for name, row in ROWS.items() for task in row.tasks]


@pytest.fixture(scope="module", autouse=True)
def _by_their_names(models: Path) -> None:
    for name, tiny in TINY.items():
        (models / name).symlink_to(Path(OWNER) / tiny)


@pytest.mark.parametrize(("name", "task"), CASES, ids=[f"{name}-{task}" for name, task in CASES])
def test_each_row_of_the_catalogue_draws_its_tasks_with_its_own_defaults(local: Local, name: str, task: Task) -> None:
    row = ROWS[name]
    given = {"text-to-image": 0, "references": row.images}.get(task, 1)
    order = Order(
        row.name,
        "A red door.",
        task=task,
        width=96,
        height=64,
        seed=7,
        images=(picture(),) * given,
        mask=mask() if task == "fill" else b"",
        margins=Margins(8, 4, 2, 1) if task == "expand" else Margins(),
        options={key: option.default for key, option in row.options.items()},
    )
    assert (96, 64) == Image.open(io.BytesIO(local.finished(order).images[0])).size
