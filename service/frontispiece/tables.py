"""The tables of `frontispiece.toml` that are not a plugin's own: server, desk, slots, rules and budget."""

import math
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from frontispiece.cms import EventKind

Name = Field(pattern=r"^[a-z][a-z0-9_-]*$", max_length=64)


class Part(BaseModel):
    """A table of the file: unknown keys are refused, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Server(Part):
    """Where the web side listens; `url` is how people and CMSes reach it."""

    url: str = "http://127.0.0.1:8460"
    host: str = "127.0.0.1"
    port: int = Field(default=8460, ge=0, le=65535)
    threads: int = Field(default=8, ge=1, le=64)
    workers: int = Field(default=1, ge=0, le=64)  # RQ workers that `up` starts
    trusted_proxies: int = Field(default=0, ge=0, le=9)  # in front of us, whose X-Forwarded-For is believed
    keep_days: int = Field(default=90, ge=7)  # that the bytes of a delivery are kept for a replay
    body_limit: int = Field(default=5_000_000, ge=1_000)  # bytes of a delivery


class Slot(Part):
    """The place a picture is for: its size in pixels, its format and how many bytes it may weigh."""

    width: int = Field(ge=64, le=4096)
    height: int = Field(ge=64, le=4096)
    format: Literal["webp", "jpeg", "avif", "png"] = "webp"
    max_bytes: int = Field(default=400_000, ge=10_000)
    headline: Literal["over", "below", "none"] = "below"  # where the site sets it, for the preview at the desk

    @property
    def ratio(self) -> str:
        """Width to height in the smallest whole numbers, as people say it: 16:9."""
        most = math.gcd(self.width, self.height)
        return f"{self.width // most}:{self.height // most}"


SLOTS = {
    "hero": Slot(width=1600, height=900),
    "social": Slot(width=1200, height=630, format="jpeg", headline="over"),
    "listing": Slot(width=1200, height=1200),
    "gallery": Slot(width=1600, height=1200, headline="none"),
}


class Rule(Part):
    """Which events of which site get a picture, for which slot, by which template and models, and who decides."""

    name: str = Name
    site: str
    kind: Literal["article", "product"] = "article"
    events: list[EventKind] = ["published"]
    sections: list[str] = []  # empty = all
    skip_tags: list[str] = ["no-image"]
    slot: str = "hero"
    template: str = "article/hero"
    brand: str = "house"
    models: list[str] = Field(default=["sketch"], min_length=1)  # the first draws; the next are for when it cannot
    final: str = ""  # the model that draws an approved picture once more; then `models` only make drafts
    options: dict[str, Any] = {}
    photos: int = Field(default=1, ge=0, le=8)  # of a product's own that are shown to models that draw from references
    review: Literal["always", "never"] = "always"
    approvals: int = Field(default=1, ge=1, le=2)  # how many people have to approve a picture
    replace: bool = False  # draw although the entry has an image
    delay: float = Field(default=5, ge=0, le=86400)  # seconds without another save before the prompt is built
    caption: str = ""

    @property
    def draw_with(self) -> tuple[str, ...]:
        """All the models it names, each once."""
        return tuple(dict.fromkeys([*self.models, *([self.final] if self.final else [])]))


class Desk(Part):
    """The review desk: `undo_seconds` pass between an approval there and the write-back, so that it can be undone."""

    undo_seconds: float = Field(default=5, ge=0, le=600)


class Budget(Part):
    """Caps in US dollars; no render is submitted that would pass one. None = no cap."""

    day: float | None = Field(default=None, ge=0)
    month: float | None = Field(default=None, ge=0)
