"""What passes between Frontispiece and an adapter: deliveries, events, entries, pictures, receipts."""

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import PurePath
from typing import Any, Literal

from frontispiece.errors import Conflict

EventKind = Literal["created", "published", "updated", "deleted", "ping"]


class Headers:
    """The headers of a delivery, in the order they came; names match in any case.

    Making and asking httpx.Headers took a tenth of what a delivery takes in all.
    """

    __slots__ = ("pairs",)

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        self.pairs = [(name.lower(), value) for name, value in pairs]

    def get(self, name: str, default: str = "") -> str:
        """The first of that name."""
        return next(iter(self.get_list(name)), default)

    def get_list(self, name: str) -> list[str]:
        """All of that name."""
        wanted = name.lower()
        return [value for name, value in self.pairs if name == wanted]


@dataclass(frozen=True, slots=True)
class Delivery:
    """One webhook request as received: the raw bytes, and its headers."""

    headers: Headers
    body: bytes
    path: str = ""
    received: float = 0.0  # seconds since the epoch


@dataclass(frozen=True, slots=True)
class Event:
    """What a delivery says happened to one entry. `ref` is the adapter's own word for finding it again."""

    kind: EventKind
    ref: str
    locale: str = ""


@dataclass(frozen=True, slots=True)
class Current:
    """The image that the CMS has now: its id there, its address and alt text."""

    id: str
    url: str = ""
    alt: str = ""


def unchanged(what: str, now: Current | None, wanted: str) -> None:
    """Proves that an entry still has the image whose id is `wanted` ("" = none). Raises `Conflict`."""
    if (now.id if now else "") != wanted:
        raise Conflict(f"{what} has another image by now: {now.url if now else 'none'}")


@dataclass(frozen=True, slots=True)
class Entry:
    """A post, page, product, item or document as the CMS has it at this moment; all text is plain text."""

    ref: str
    kind: Literal["article", "product"]
    title: str
    locale: str = ""
    excerpt: str = ""
    body: str = ""
    tags: tuple[str, ...] = ()
    section: str = ""
    sections: tuple[str, ...] = ()  # all of them, where an entry may have several
    author: str = ""
    status: str = ""
    url: str = ""
    edit_url: str = ""
    version: str = ""  # whatever changes when a person saves: a date, a revision, an etag
    image: Current | None = None
    photos: tuple[str, ...] = ()  # addresses of a product's own pictures
    opted_out: bool = False
    attributes: Mapping[str, str] = field(default_factory=dict)
    titles: Mapping[str, str] = field(default_factory=dict)  # by locale, where one entry has several


@dataclass(frozen=True, slots=True)
class Picture:
    """A finished image on its way into the CMS. `name` is the same on every try; sizes are in pixels."""

    name: str
    mime: str
    data: bytes
    width: int
    height: int
    alt: str
    caption: str = ""
    alts: Mapping[str, str] = field(default_factory=dict)  # by locale, where one entry has several
    captions: Mapping[str, str] = field(default_factory=dict)  # as alts
    focal: tuple[float, float] | None = None  # fractions of width and height, from the top left

    @property
    def stable_name(self) -> str:
        """A file name that only these very bytes have: a file of this name is what an earlier try has left."""
        path = PurePath(self.name)
        return f"{path.stem}-{sha256(self.data).hexdigest()[:12]}{path.suffix}".lower()

    def within(self, locale: str) -> "Picture":
        """The picture with the words that it has in this locale; what it lacks there stays as it is."""
        alt, caption = self.alts.get(locale, self.alt), self.captions.get(locale, self.caption)
        return replace(self, alt=alt, caption=caption)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the CMS has now because of us, and what it had before (both must survive JSON)."""

    media_id: str
    url: str
    previous: Mapping[str, Any]


TEST_PICTURE = Picture(  # a grey dot, with a comment that says what it is
    "frontispiece-test.png",
    "image/png",
    base64.b64decode(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAAOnRFWHRDb21tZW50AEEgdGVzdCBwaWN0dXJlIG9mIEZy"
        "b250aXNwaWVjZTsgaXQgbWF5IGJlIGRlbGV0ZWQuQKkHQQAAAApJREFUeNpjaAAAAIIAgdpFCDsAAAAASUVORK5CYII="
    ),
    1,
    1,
    alt="A test picture of Frontispiece; it may be deleted",
)
