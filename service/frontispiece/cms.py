"""The adapter seam: everything Frontispiece asks of a CMS.

A plugin is a folder with an `adapter.py` that holds one subclass of `Adapter`. It imports this module,
`frontispiece.signatures`, httpx, pydantic and the standard library, nothing else.
"""

import importlib.util
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Literal

import httpx
from pydantic import BaseModel, ConfigDict, SecretStr, field_validator

from frontispiece import shelf
from frontispiece.errors import CmsProblem, ConfigProblem, Conflict, Gone, Refused, Unavailable, Unreadable

__all__ = [
    "Adapter",
    "CmsProblem",
    "Conflict",
    "Current",
    "Delivery",
    "Entry",
    "Event",
    "Gone",
    "Picture",
    "Receipt",
    "Refused",
    "SiteSettings",
    "Unavailable",
    "Unreadable",
    "call",
    "load",
    "names",
]

MOST_BYTES = 20_000_000  # of an answer, unpacked
MOST_SECONDS = 60.0  # from the first byte of an answer to its last

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


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the CMS has now because of us, and what it had before (both must survive JSON)."""

    media_id: str
    url: str
    previous: Mapping[str, Any]


class SiteSettings(BaseModel):
    """The keys that every `[sites.<name>]` has; a plugin adds its own in a subclass."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    plugin: str
    url: str
    webhook_secret: SecretStr
    previous_webhook_secret: SecretStr | None = None
    language: str = "en"

    @field_validator("url")
    @classmethod
    def _is_http(cls, url: str) -> str:
        if not url.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://")
        if httpx.URL(url).userinfo:
            raise ValueError("must hold no user and password: words about errors name the url")
        return url.rstrip("/")

    @property
    def secrets(self) -> list[str]:
        """The webhook secrets that are good now: the present one, and the previous one during a rotation."""
        both = (self.webhook_secret, self.previous_webhook_secret)
        return [secret.get_secret_value() for secret in both if secret is not None]


class Adapter(ABC):
    """What a plugin must be able to do; `self.settings` is an instance of its `Settings`."""

    Settings: ClassVar[type[SiteSettings]] = SiteSettings
    title: ClassVar[str]  # the CMS's own name and capitals
    docs: ClassVar[str]  # where its contract is documented
    signs: ClassVar[str]  # how a delivery is proved authentic, in a few words
    needs_plugin: ClassVar[bool] = False  # something is installed in the CMS
    keeps_drafts: ClassVar[bool] = True  # a draft stays a draft when we write
    alt_text: ClassVar[bool] = True  # the CMS keeps alt text
    accepted: ClassVar[int] = 202  # the status that this CMS wants for a delivery we take
    formats: ClassVar[tuple[Literal["webp", "jpeg", "avif", "png"], ...]] = (
        "webp",
        "jpeg",
    )  # what `attach` may send, best first

    def __init__(self, settings: SiteSettings) -> None:
        self.settings = settings

    def open(self, transport: httpx.BaseTransport | None = None) -> httpx.Client:
        """A client for the CMS's API; `fetch`, `attach`, `revert`, `recent` and `doctor` are handed it."""
        return httpx.Client(
            base_url=self.settings.url,
            auth=self.auth(),
            timeout=httpx.Timeout(30, connect=5),
            follow_redirects=False,
            headers={"User-Agent": "Frontispiece"},
            transport=transport,
        )

    def auth(self) -> httpx.Auth | None:
        """How calls to the CMS's API prove who we are; None where the API wants nothing."""
        return None

    @abstractmethod
    def verify(self, delivery: Delivery) -> str:
        """The sender's id of this delivery ("" where it has none). Raises `Refused` if it is not authentic."""

    @abstractmethod
    def events(self, delivery: Delivery) -> list[Event]:
        """What happened, as this delivery tells it; [] = known and not for us. Raises `Unreadable`."""

    @abstractmethod
    def fetch(self, api: httpx.Client, ref: str, locale: str = "") -> Entry:
        """The entry as it is now. Raises `Gone`, `Unavailable` or `CmsProblem`."""

    @abstractmethod
    def attach(self, api: httpx.Client, entry: Entry, picture: Picture) -> Receipt:
        """Puts the picture on the entry, which was read a moment ago; done twice it leaves one picture.

        Writes the image, alt text and caption and nothing else, keeps the entry's status, and compares what the
        CMS answers with what was sent. Raises `Conflict`, `Gone`, `Unavailable` or `CmsProblem`.
        """

    @abstractmethod
    def revert(self, api: httpx.Client, ref: str, receipt: Receipt) -> None:
        """Puts back what was there before; `Conflict` if somebody changed the image since."""

    @abstractmethod
    def recent(self, api: httpx.Client, since: datetime) -> Iterable[Event]:
        """Entries changed since then whose image is empty: what a missed delivery would have told."""

    def doctor(self, api: httpx.Client) -> list[str]:
        """Findings in words, one a line, about credentials and rights; a failed one raises `CmsProblem`."""
        raise NotImplementedError


def call(api: httpx.Client, method: str, path: str, **request: Any) -> httpx.Response:
    """One request to a CMS, its failures turned into our errors with the CMS's own words.

    404 and 410 are `Gone`; 429, 5xx and every transport failure are `Unavailable`; the rest is `CmsProblem`. An
    answer is read whole, up to `MOST_BYTES` and for `MOST_SECONDS`.
    """
    where = f"{method} {api.build_request(method, path).url}"
    try:
        with api.stream(method, path, **request) as coming:
            answer = _whole(coming, where)
    except httpx.HTTPError as problem:
        raise Unavailable(f"{where}: {str(problem) or type(problem).__name__}") from problem
    if answer.is_success:
        return answer
    words = f"{where} answered {answer.status_code}: {' '.join(answer.text.split())[:300]}"
    if answer.status_code in (404, 410):
        raise Gone(words)
    if answer.status_code == 429 or answer.is_server_error:
        raise Unavailable(words, seconds=_wait(answer))
    raise CmsProblem(words)


def _whole(coming: httpx.Response, where: str) -> httpx.Response:
    """The answer with its body, unpacked."""
    body, end = bytearray(), time.monotonic() + MOST_SECONDS
    for part in coming.iter_bytes():
        body += part
        if len(body) > MOST_BYTES:
            raise CmsProblem(f"{where} answered with more than {MOST_BYTES:,} bytes, which were not read")
        if time.monotonic() > end:
            raise Unavailable(f"{where}: the answer did not come to its end within {MOST_SECONDS:.0f} seconds")
    packing = {b"content-encoding", b"content-length", b"transfer-encoding"}
    headers = [(name, value) for name, value in coming.headers.raw if name.lower() not in packing]
    return httpx.Response(coming.status_code, headers=headers, content=bytes(body), request=coming.request)


def _wait(answer: httpx.Response) -> float:
    header = answer.headers.get("Retry-After", "")
    return float(header) if header.isascii() and header.isdigit() else 0.0


def names() -> list[str]:
    """The plugins at hand: every folder with an `adapter.py`, ours and the operator's own."""
    return sorted({path.parent.name for root in shelf.plugins() for path in root.glob("*/adapter.py")})


@cache
def load(name: str) -> type[Adapter]:
    """The adapter class of a plugin, by the name of its folder. Raises `ConfigProblem`."""
    path = next((root / name / "adapter.py" for root in shelf.plugins() if (root / name / "adapter.py").exists()), None)
    if path is None:
        raise ConfigProblem(f"there is no plugin {name!r}; there are: {', '.join(names())}")
    module = _load_file(f"frontispiece_plugin_{name}", path)
    found = [kind for kind in vars(module).values() if _is_adapter(kind, module.__name__)]
    if len(found) != 1:
        raise ConfigProblem(f"{path} must define exactly one subclass of Adapter, it defines {len(found)}")
    adapter: type[Adapter] = found[0]
    return adapter


def _is_adapter(kind: object, module: str) -> bool:
    return isinstance(kind, type) and issubclass(kind, Adapter) and kind.__module__ == module


def _load_file(name: str, path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ConfigProblem(f"{path} cannot be loaded as Python")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
