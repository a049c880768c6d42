"""Which precision and which places a model gets on a card, and how that is said. Nothing here needs torch."""

import pytest

from frontispiece.generators.diffusers import DiffusersSettings
from frontispiece.local import memory
from frontispiece.local.memory import Card, Plan

SCHNELL = {
    "transformer": 11_900_000_000,
    "text_encoder": 123_000_000,
    "text_encoder_2": 4_760_000_000,
    "vae": 84_000_000,
}
KLEIN = {"transformer": 3_880_000_000, "text_encoder": 4_020_000_000, "vae": 84_000_000}
DEV_2 = {"transformer": 32_000_000_000, "text_encoder": 24_000_000_000, "vae": 84_000_000}
AUTO = DiffusersSettings()


@pytest.mark.parametrize(
    ("model", "gigabytes", "plan"),
    [
        (SCHNELL, 80, Plan("bf16", "none")),
        (SCHNELL, 48, Plan("bf16", "none")),
        (SCHNELL, 32, Plan("bf16", "model")),
        (SCHNELL, 24, Plan("fp8-storage", "model")),
        (SCHNELL, 16, Plan("fp8-storage", "model")),
        (SCHNELL, 8, Plan("bf16", "group")),
        (KLEIN, 24, Plan("bf16", "none")),
        (KLEIN, 12, Plan("bf16", "model")),
        (KLEIN, 6, Plan("bf16", "group")),
        (DEV_2, 141, Plan("bf16", "none")),
        (DEV_2, 80, Plan("bf16", "model")),
        (DEV_2, 48, Plan("fp8-storage", "model")),
        (DEV_2, 24, Plan("bf16", "group")),
    ],
)
def test_the_fastest_plan_that_fits_the_card_is_taken(model: dict[str, int], gigabytes: float, plan: Plan) -> None:
    assert plan == memory.plan(model, Card("cuda", gigabytes), AUTO)


@pytest.mark.parametrize(("kind", "precision"), [("cpu", "fp32"), ("mps", "bf16")])
def test_without_an_nvidia_card_nothing_is_moved_about(kind: str, precision: str) -> None:
    assert Plan(precision, "none") == memory.plan(SCHNELL, Card(kind, 0), AUTO)


def test_what_the_operator_has_set_is_kept_also_where_it_does_not_fit() -> None:
    asked = DiffusersSettings(precision="bf16", offload="none")
    assert Plan("bf16", "none") == memory.plan(SCHNELL, Card("cuda", 24), asked)


def test_only_a_model_that_stays_on_the_card_is_compiled() -> None:
    asked = DiffusersSettings(compile=True)
    assert memory.plan(SCHNELL, Card("cuda", 80), asked).compile
    assert not memory.plan(SCHNELL, Card("cuda", 24), asked).compile


def test_after_the_memory_was_too_small_less_is_kept_on_the_card() -> None:
    first = Plan("bf16", "none", compile=True)
    second = first.smaller()
    assert second == Plan("bf16", "model")
    assert second.smaller() == Plan("bf16", "group")
    assert Plan("bf16", "group").smaller() is None


@pytest.mark.parametrize(
    ("plan", "card", "words"),
    [
        (Plan("bf16", "none", compile=True), Card("cuda", 24), "FLUX.2 klein 4B, bf16, 13 GB of 24 GB, compiled"),
        (
            Plan("fp8-storage", "model"),
            Card("cuda", 16),
            "FLUX.2 klein 4B, fp8-storage, 13 GB of 16 GB, offloaded by models",
        ),
        (Plan("fp32", "none"), Card("cpu", 0), "FLUX.2 klein 4B, fp32, on cpu"),
    ],
)
def test_how_a_model_is_kept_is_said_in_words(plan: Plan, card: Card, words: str) -> None:
    assert words == memory.words("black-forest-labs/FLUX.2-klein-4B", plan, card, 13.2)
