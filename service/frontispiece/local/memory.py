"""How a model is kept on a card: precision and offload by name, picked after the card's memory, and said in words.

A gigabyte is 1024³ bytes here, as card makers have it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from frontispiece.generators.diffusers import DiffusersSettings

GB = 1024**3
ROOM = 3.0  # GB beside the weights for a picture of one megapixel or two, and for what the driver takes
BYTES = {"bf16": 2, "fp8": 1, "fp8-storage": 1, "fp32": 4}
OFFLOADS = ("none", "model", "group")  # from fast to small
FP8 = (8, 9)  # the first compute capability (Ada) whose matrix units take float8


@dataclass(frozen=True, slots=True)
class Card:
    """Where a model is drawn with: "cuda", "mps" or "cpu", its memory in GB, and what NVIDIA calls its capability."""

    kind: str
    total: float
    capability: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class Plan:
    """How a model is kept. `compile` takes minutes once for each size of picture."""

    precision: str
    offload: str
    compile: bool = False

    def smaller(self) -> "Plan | None":
        """The next plan that needs less of the card; None if there is none."""
        rest = OFFLOADS[OFFLOADS.index(self.offload) + 1 :]
        return replace(self, offload=rest[0], compile=False) if rest else None


def plan(parts: Mapping[str, int], card: Card, asked: DiffusersSettings) -> Plan:
    """The fastest plan that fits; `parts` are the numbers of each part, as `weights.parts` counts them."""
    if card.kind != "cuda":
        precision = "fp32" if card.kind == "cpu" else "bf16"
        return Plan(precision if asked.precision == "auto" else asked.precision, "none", asked.compile)
    precisions = ("bf16", "fp8-storage") if asked.precision == "auto" else (asked.precision,)
    offloads = OFFLOADS if asked.offload == "auto" else (asked.offload,)
    for precision, offload in ((each, how) for how in offloads for each in precisions if _allowed(each, how)):
        if need(parts, Plan(precision, offload)) <= card.total:
            return Plan(precision, offload, asked.compile and offload == "none")
    return Plan(precisions[-1], offloads[-1])


def _allowed(precision: str, offload: str) -> bool:
    """Weights that are kept in float8 lose a little; a whole model in main memory meanwhile costs only time."""
    return precision != "fp8-storage" or offload != "none"


def need(parts: Mapping[str, int], how: Plan) -> float:
    """GB of the card's memory that a picture takes at most. Only the transformer is kept in less than 16 bits."""
    sizes = {
        name: count * (BYTES[how.precision] if name == "transformer" else max(2, BYTES[how.precision]))
        for name, count in parts.items()
    }
    weights = {"none": sum(sizes.values()), "model": max(sizes.values(), default=0), "group": 0}[how.offload]
    return weights / GB + ROOM


def title(name: str) -> str:
    """The model in words: "FLUX.2 klein 4B" for "black-forest-labs/FLUX.2-klein-4B"."""
    return name.rstrip("/").rpartition("/")[2].replace("-", " ")


def words(name: str, how: Plan, card: Card, used: float) -> str:
    """What `doctor` says: "FLUX.2 klein 4B, bf16, 13 GB of 24 GB, compiled". `used` in GB."""
    said = [
        title(name),
        how.precision,
        f"{used:.0f} GB of {card.total:.0f} GB" if card.kind == "cuda" else f"on {card.kind}",
    ]
    said += {"none": [], "model": ["offloaded by models"], "group": ["offloaded by layers"]}[how.offload]
    return ", ".join(said + (["compiled"] if how.compile else []))
