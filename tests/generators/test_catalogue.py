"""The catalogue of models: sizes, prices, options, an operator's own rows."""

from decimal import Decimal
from pathlib import Path

import pytest

from frontispiece.errors import ConfigProblem
from frontispiece.generators.bfl import Bfl
from frontispiece.generators.catalogue import MEGAPIXEL, Model, load, make

ROW = """
[house-flux]
generator = "bfl"
title = "House Flux"
name = "flux-2-pro"
tasks = ["text-to-image"]
licence = "ours"
multiple = 16
min_side = 256
max_side = 1024
max_megapixels = 1
dollars = { first = 0.5 }
"""
SIZES = [(1, 1), (100, 60), (256, 256), (1023, 577), (1200, 630), (1600, 900), (1430, 1430), (3000, 2000), (90, 9000)]
MODELS = load()


def _extra(folder: Path, text: str) -> Path:
    path = folder / "models.toml"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("model", "wanted", "ordered"),
    [
        ("flux-2-pro", (1600, 900), (1600, 912)),
        ("flux-2-pro", (1024, 1024), (1024, 1024)),
        ("flux-2-pro", (100, 60), (432, 256)),  # grown to the shortest side
        ("flux-2-pro", (3000, 2000), (2496, 1664)),  # 4 megapixels at 3:2
        ("flux-2-pro", (5000, 5000), (2048, 2048)),
        ("flux-pro-1.1", (1430, 800), (1440, 800)),
        ("flux-pro-1.1", (1600, 900), (1440, 800)),  # no side beyond 1440
        ("flux-pro-1.1", (900, 1600), (800, 1440)),
        ("flux-pro-1.1", (9000, 90), (1440, 256)),  # a ratio that it cannot do
        ("flux-pro-1.1-ultra", (1600, 900), (2276, 1280)),  # what comes is large whatever was asked
        ("flux-kontext-pro", (1600, 900), (1365, 768)),  # about a megapixel
        ("flux-kontext-pro", (9000, 90), (1568, 640)),  # nothing longer than 21:9
        ("flux-3-image", (1600, 900), (1365, 768)),
        ("flux-3-image-2k", (1600, 900), (2276, 1280)),
        ("sketch", (1201, 631), (1201, 631)),
    ],
)
def test_a_wanted_size_becomes_one_the_model_can_do(
    model: str, wanted: tuple[int, int], ordered: tuple[int, int]
) -> None:
    assert MODELS[model].fit(*wanted) == ordered


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
@pytest.mark.parametrize("wanted", SIZES, ids=str)
def test_no_fitted_size_breaks_a_rule_of_its_model(model: Model, wanted: tuple[int, int]) -> None:
    width, height = model.fit(*wanted)

    assert (width % model.multiple, height % model.multiple) == (0, 0)
    assert model.min_side <= min(width, height) <= max(width, height) <= model.max_side
    assert width * height <= model.max_megapixels * MEGAPIXEL


def test_a_size_of_nothing_is_refused() -> None:
    with pytest.raises(ConfigProblem, match="0 × 900 is no size"):
        MODELS["sketch"].fit(0, 900)


@pytest.mark.parametrize(
    ("model", "size", "dollars"),
    [
        ("flux-2-pro", (1024, 1024), "0.03"),
        ("flux-2-pro", (1440, 1440), "0.045"),  # BFL's own example: 1.98 megapixels cost 4.5 cents
        ("flux-2-pro", (2048, 2048), "0.075"),
        ("flux-2-klein-4b", (1600, 912), "0.015"),
        ("flux-2-klein-9b", (1440, 1440), "0.017"),
        ("flux-2-max", (2048, 2048), "0.16"),
        ("flux-2-flex", (1600, 912), "0.10"),
        ("flux-dev", (1440, 1440), "0.025"),
        ("flux-pro-1.1", (1440, 1440), "0.04"),
        ("flux-pro-1.1-ultra", (2720, 1536), "0.06"),
        ("flux-kontext-pro", (1365, 768), "0.04"),
        ("flux-kontext-max", (1365, 768), "0.08"),
        ("flux-3-image", (1365, 768), "0.048"),
        ("flux-3-image-2k", (2720, 1536), "0.1"),
        ("flux-3-image-4k", (5440, 3072), "0.607"),
        ("sketch", (4096, 4096), "0"),
    ],
)
def test_a_picture_costs_its_first_and_each_further_megapixel_begun(
    model: str, size: tuple[int, int], dollars: str
) -> None:
    assert MODELS[model].price(*size) == Decimal(dollars)


def test_options_are_the_defaults_with_the_given_ones_over_them() -> None:
    assert MODELS["flux-2-pro"].settle({"safety_tolerance": 5}) == {"safety_tolerance": 5, "output_format": "png"}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"raw": True}, r"FLUX.2 \[pro\] has no option 'raw'; it has: safety_tolerance, output_format"),
        ({"safety_tolerance": 6}, "expected a whole number from 0 to 5"),
        ({"safety_tolerance": True}, "expected a whole number from 0 to 5"),
        ({"output_format": "gif"}, "is 'gif', expected one of png, jpeg"),
    ],
)
def test_an_option_that_the_model_cannot_take_is_refused(options: dict[str, object], words: str) -> None:
    with pytest.raises(ConfigProblem, match=words):
        MODELS["flux-2-pro"].settle(options)


def test_an_operators_file_adds_a_model(tmp_path: Path) -> None:
    models = load([_extra(tmp_path, ROW)])

    assert models["house-flux"].dollars.first == Decimal("0.5")
    assert set(models) == {*MODELS, "house-flux"}


def test_an_operators_file_replaces_a_model(tmp_path: Path) -> None:
    models = load([_extra(tmp_path, ROW.replace("house-flux", "sketch"))])
    assert models["sketch"].title == "House Flux"


@pytest.mark.parametrize(
    ("right", "wrong", "words"),
    [
        ("min_side = 256", "min_sid = 256", "min_sid"),
        ('licence = "ours"', "", "licence: Field required"),
        ("first = 0.5", "first = -1", "dollars.first: Input should be greater"),
        ("max_side = 1024", "max_side = 1000", "must be multiples of 16"),
        ("max_side = 1024", "max_side = 128", "max_side must be at least min_side"),
        ("max_megapixels = 1", "max_megapixels = 0.1", "must be within max_megapixels, which is 0.1"),
    ],
)
def test_a_bad_row_is_refused_with_file_row_and_key(tmp_path: Path, right: str, wrong: str, words: str) -> None:
    path = _extra(tmp_path, ROW.replace(right, wrong))
    with pytest.raises(ConfigProblem) as told:
        load([path])
    assert f"{path}: [house-flux] " in str(told.value)
    assert words in str(told.value)


def test_a_default_outside_its_limits_is_refused(tmp_path: Path) -> None:
    path = _extra(tmp_path, ROW + "[house-flux.options]\nsteps = { default = 60, max = 50 }\n")
    with pytest.raises(ConfigProblem, match=r"options.steps: .* the default 60 is not a whole number to 50"):
        load([path])


@pytest.mark.parametrize("text", ["[open", None])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "models.toml" if text is None else _extra(tmp_path, text)
    with pytest.raises(ConfigProblem, match=r"models\.toml: the catalogue cannot be read"):
        load([path])


def test_a_generator_is_found_by_its_name() -> None:
    assert make("bfl") is Bfl


@pytest.mark.parametrize("name", ["midsummer", "catalogue", "../net"])
def test_a_generator_that_is_not_there_is_told_with_those_that_are(name: str) -> None:
    with pytest.raises(ConfigProblem, match="there are: bfl"):
        make(name)
