"""What a plugin is: its settings, and the adapter that does for one CMS all that Frontispiece asks of any."""

import base64
import secrets
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal

import httpx
from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from frontispiece.cms.data import Delivery, Entry, Event, Picture, Receipt

Format = Literal["webp", "jpeg", "avif", "png"]


class SiteSettings(BaseModel):
    """The keys that every `[sites.<name>]` has; a plugin adds its own in a subclass."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    plugin: str
    url: str
    webhook_secret: SecretStr = Field(min_length=8)  # an empty one would make every delivery authentic
    previous_webhook_secret: SecretStr | None = Field(default=None, min_length=8)
    language: str = "en"
    look_every: float = Field(default=900, ge=0)  # seconds; asks for what deliveries did not tell; 0 = never

    @field_validator("url")
    @classmethod
    def _is_http(cls, url: str) -> str:
        if not url.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://")
        if httpx.URL(url).userinfo:
            raise ValueError("must hold no user and password: words about errors name the url")
        return url.rstrip("/")

    @classmethod
    def new_secret(cls) -> str:
        """A webhook secret of 256 bits, fit for Standard Webhooks and for whoever takes any text."""
        return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()

    @property
    def secrets(self) -> list[str]:
        """The webhook secrets that are good now: the present one, and the previous one during a rotation."""
        both = (self.webhook_secret, self.previous_webhook_secret)
        return [secret.get_secret_value() for secret in both if secret is not None]


class ContentType(BaseModel):
    """Which field of a content type holds what, for a CMS whose types are the operator's own; "" = there is none.

    A table `[sites.<name>.types.<type>]`; a plugin whose fields need more says so in a subclass.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["article", "product"] = "article"
    image: str = "image"  # where the picture goes
    alt: str = ""  # a field for its alt text beside it, where the image itself keeps none
    title: str = "title"
    excerpt: str = ""
    body: str = ""
    tags: str = ""
    section: str = ""
    author: str = ""
    opt_out: str = ""  # a yes-or-no field: yes = never make a picture
    url: str = ""  # the public page, with {fields} of the entry in it: https://example.org/news/{slug}


@dataclass(frozen=True, slots=True)
class Connection:
    """What `connect` came to: sentences for the operator, and the secret, where the CMS is the one to choose it."""

    words: tuple[str, ...]
    secret: str = ""


class Adapter(ABC):
    """What a plugin must be able to do; `self.settings` is an instance of its `Settings`."""

    Settings: ClassVar[type[SiteSettings]] = SiteSettings
    title: ClassVar[str]  # the CMS's own name and capitals
    docs: ClassVar[str]  # where its contract is documented
    signs: ClassVar[str]  # how a delivery is proved authentic, in a few words
    signs_body: ClassVar[bool] = True  # False: the sender only shows the secret, so that a changed body passes
    signs_time: ClassVar[bool] = True  # a delivery of yesterday is refused; else only one seen before is
    connects: ClassVar[bool] = False  # `connect` registers the webhook by itself
    needs_plugin: ClassVar[bool] = False  # something is installed in the CMS
    keeps_drafts: ClassVar[bool] = True  # a draft stays a draft when we write
    alt_text: ClassVar[bool] = True  # the CMS keeps alt text
    caption: ClassVar[bool] = False  # … and a caption
    focal_point: ClassVar[bool] = False  # … and where the picture's subject is
    proved: ClassVar[str]  # what the tests hold it against: "Ghost 6.65", "a stand-in"
    accepted: ClassVar[int] = 202  # the status that this CMS wants for a delivery we take
    formats: ClassVar[tuple[Format, ...]] = ("webp", "jpeg")  # what `attach` may send, best first

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

    def connect(self, api: httpx.Client, hook: str) -> Connection:
        """Registers the webhook with the address `hook`; one that is there already is brought up to date, not doubled.

        Raises `CmsProblem` with what is to be done by hand where the CMS says no.
        """
        raise NotImplementedError

    def doctor(self, api: httpx.Client) -> list[str]:
        """Findings in words, one a line; a failed one raises `CmsProblem` with what to do.

        Credentials and rights; a test picture uploaded and removed (or why it stays); whether the CMS will reach our
        hook, as far as it tells; whether metadata survive; the clocks.
        """
        raise NotImplementedError
