"""The generator seam: what Frontispiece asks of an image service or a local pipeline.

A generator is `<name>.py` (or a folder) beside this file with a subclass of `Generator`, and `<name>.toml` with the
models it can order. It gets an `httpx.Client` and knows nothing of the queue or the database.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import httpx
from pydantic import BaseModel, ConfigDict, Field

from frontispiece.errors import Busy, Declined, GeneratorProblem, Outage, OutOfCredit, Unknown
from frontispiece.inputs import Margins

__all__ = [
    "Busy",
    "Declined",
    "Finished",
    "Generator",
    "GeneratorProblem",
    "GeneratorSettings",
    "Margins",
    "Order",
    "OutOfCredit",
    "Outage",
    "Task",
    "Ticket",
    "Unknown",
    "Waiting",
]

Task = Literal["text-to-image", "edit", "references", "fill", "expand", "canny", "depth", "variation"]
"""What can be asked of a model, in the catalogue's words.

text-to-image · the prompt alone
edit          · the first of `images`, changed as the prompt says
references    · a new picture after the prompt, with what the `images` show in it (a product, a brand's things)
fill          · the first of `images`, painted anew where `mask` is white
expand        · the first of `images` with `margins` painted around it; width × height is the whole
canny, depth  · a picture after the prompt, along the edges or the depth of the first of `images`
variation     · a picture like the first of `images`; the prompt may be empty
"""


@dataclass(frozen=True, slots=True)
class Order:
    """One picture to be made: `width` × `height` in pixels, as the model can do them.

    `model` is the service's own name for the model. `images` and `mask` are encoded files that `images.check` has
    passed (PNG, JPEG or WebP); a mask has the size of the first image. The words for `sketch` (headline, section,
    palette, language) ride along; other generators need only the prompt.
    """

    model: str
    prompt: str
    width: int
    height: int
    seed: int
    headline: str = ""
    section: str = ""
    language: str = "en"
    palette: tuple[str, ...] = ()  # "#rrggbb", the brand's first colour first
    options: Mapping[str, Any] = field(default_factory=dict)
    task: Task = "text-to-image"
    images: tuple[bytes, ...] = ()
    mask: bytes = b""
    margins: Margins = field(default_factory=Margins)


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a hosted service gave us to come back with. `cost` is in US dollars, None where it was not told."""

    remote_id: str
    polling_url: str = ""
    cost: float | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """Not ready; ask again in `seconds`. `progress` runs from 0 to 1 where the service tells it."""

    seconds: float = 0.5
    progress: float | None = None


@dataclass(frozen=True, slots=True)
class Finished:
    """The pictures, as the service encoded them. `cost` is in US dollars; `facts` is what else it told (seed, …)."""

    images: tuple[bytes, ...]
    cost: float | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


class GeneratorSettings(BaseModel):
    """The keys of `[generators.<name>]`; a generator adds its own in a subclass (secrets as `SecretStr`).

    `deadline`: seconds from the submit after which a ticket is given up.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    generator: str = ""  # the file beside this one that speaks to the service, where the table has another name
    deadline: float = Field(default=600.0, gt=0)


class Generator(ABC):
    """One image service. `active` is how many tasks it lets us have at once (0 = no limit)."""

    Settings: ClassVar[type[GeneratorSettings]] = GeneratorSettings
    active: ClassVar[int] = 0
    source: ClassVar[Literal["trainedAlgorithmicMedia", "algorithmicMedia"]] = "trainedAlgorithmicMedia"  # IPTC's word
    repeatable: bool = False  # submitting the same order twice costs nothing

    @classmethod
    def origins(cls, settings: GeneratorSettings) -> tuple[str, ...]:
        """Origins ("http://127.0.0.1:7860") that the operator has set and that may be private addresses."""
        base = getattr(settings, "base_url", "")
        return (base,) if base else ()

    def __init__(self, settings: GeneratorSettings, client: httpx.Client) -> None:
        self.settings = settings
        self.client = client  # no redirects, no proxies from the environment, time limits set

    @abstractmethod
    def submit(self, order: Order) -> Ticket | Finished:
        """Asks for the picture. Raises `Busy`, `Declined`, `OutOfCredit`, `Outage`, `Unknown`, `GeneratorProblem`."""

    def poll(self, ticket: Ticket) -> Waiting | Finished:
        """What has become of a ticket; the picture is downloaded at once. Raises as `submit` does."""
        raise NotImplementedError

    def doctor(self, models: Sequence[str]) -> list[str]:  # noqa: ARG002 - for those that can ask
        """Sentences for the operator: the credit left, which of the `models` (the service's own names) are gone.

        Asks the service, where it can be asked. Raises `Outage`, `GeneratorProblem`.
        """
        return []

    def cancel(self, ticket: Ticket) -> None:  # noqa: B027 - most services cannot cancel, so this is the default
        """Stops a task where the service can; else does nothing."""
