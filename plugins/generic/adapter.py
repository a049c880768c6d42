"""Any CMS that can send a signed JSON message and take a picture at an address of its own.

The contract is written out in README.md beside this file; the models below are its only source, and their JSON
Schemas are published under /api/v1/schemas/.
"""

import base64
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Literal, TypeVar
from urllib.parse import quote

import httpx
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator
from pydantic_core import from_json

from frontispiece.cms import (
    Adapter,
    CmsProblem,
    Conflict,
    Current,
    Delivery,
    Entry,
    Event,
    EventKind,
    Header,
    Picture,
    Receipt,
    SiteSettings,
    Unreadable,
    call,
    whole,
)
from frontispiece.signatures import StandardSecret, standard_webhooks

KINDS: dict[str, EventKind] = {
    "entry.created": "created",
    "entry.published": "published",
    "entry.updated": "updated",
    "entry.deleted": "deleted",
    "ping": "ping",
}


def _plain(ref: str) -> str:
    if any(part in ("", ".", "..") for part in ref.split("/")) or not ref.isprintable():
        raise ValueError("must be printable, without empty or dotted parts between slashes")
    return ref


Ref = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_plain)]


class Message(BaseModel):
    """What all messages share: keys that we do not know are left unread, so that a CMS may say more."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class GenericImage(Message):
    """The image that an entry has in the CMS."""

    id: str = Field(min_length=1, description="the CMS's own id of the image")
    url: str = Field("", description="where everybody can see it")
    alt: str = Field("", description="what it shows, for those who cannot see it")


class GenericMention(Message):
    """An entry as a delivery mentions it. Only `id` is needed: all else is asked for when it is used."""

    id: Ref = Field(description="finds the entry again; goes into the addresses of section 2, percent-encoded")
    kind: Literal["article", "product"] = "article"
    title: str = ""
    titles: dict[str, str] = Field(default_factory=dict, description="by language, where one entry has several")
    excerpt: str = Field("", description="the standfirst or summary")
    body: str = Field("", description="plain text or Markdown; no HTML")
    tags: tuple[str, ...] = ()
    section: str = ""
    author: str = ""
    language: str = Field("", description="BCP 47, such as en or pt-BR; empty = the site's language")
    status: Literal["published", "draft"] = "published"
    url: str = Field("", description="the public page")
    edit_url: str = Field("", description="where an editor changes the entry")
    version: str = Field("", description="anything that changes whenever a person saves")
    image: GenericImage | None = Field(None, description="null while the entry has no image")
    photos: tuple[str, ...] = Field((), description="addresses of a product's own photographs")
    opted_out: bool = Field(default=False, description="true: never make a picture for this entry")
    attributes: dict[str, str] = Field(
        default_factory=dict, description="what else a prompt may use, such as a product's material"
    )


class GenericEntry(GenericMention):
    """An entry as the CMS answers it."""

    title: str = Field(min_length=1)


class GenericDelivery(Message):
    """The body of a webhook."""

    type: Literal["entry.created", "entry.published", "entry.updated", "entry.deleted", "ping"]
    timestamp: datetime = Field(description="when it happened, ISO 8601")
    data: GenericMention | None = Field(None, description="may be left out of a ping only")


class GenericEntries(Message):
    """One page of the list of entries; `next` is handed back as `cursor` for the next page."""

    entries: tuple[GenericEntry, ...]
    next: str | None = None


class GenericPicture(Message):
    """A picture on its way into the CMS: form fields (`write = "multipart"`) or one JSON object (`"json"`)."""

    picture: str = Field(description="multipart: the file itself; json: data:<mime>;base64,<bytes>")
    name: str = Field(description="a file name, the same on every try")
    alt: str
    alts: str = Field("", description="JSON object of alt texts by language; empty unless the entry has `titles`")
    caption: str
    captions: str = Field("", description="JSON object of captions by language, as `alts`")
    width: int = Field(description="pixels")
    height: int = Field(description="pixels")
    expects: str = Field(description="id of the image that may be replaced; empty = there must be none (else 409)")


class GenericReceipt(Message):
    """What the CMS answers to a picture: the image it has now, and the one it had before."""

    id: str = Field(min_length=1)
    url: str
    previous: GenericImage | None = None


class GenericSettings(SiteSettings):
    """The keys of a `[sites.<name>]` whose plugin is `generic`; paths are below the site's `url`."""

    webhook_secret: StandardSecret
    previous_webhook_secret: StandardSecret | None = None
    api_token: SecretStr | None = None
    write: Literal["multipart", "json"] = "multipart"
    entries_path: str = "/frontispiece/entries"
    entry_path: str = "/frontispiece/entries/{ref}"
    picture_path: str = "/frontispiece/entries/{ref}/picture"

    @field_validator("entry_path", "picture_path")
    @classmethod
    def _names_the_entry(cls, path: str) -> str:
        if not path.startswith("/") or "{ref}" not in path:
            raise ValueError("must start with / and contain {ref}")
        return path


def schemas() -> dict[str, dict[str, Any]]:
    """The JSON Schemas of the contract, by the name under which they are published."""
    return {
        "generic-delivery": GenericDelivery.model_json_schema(),
        "generic-entry": GenericEntry.model_json_schema(),
        "generic-entries": GenericEntries.model_json_schema(),
        "generic-picture": GenericPicture.model_json_schema(),
        "generic-receipt": GenericReceipt.model_json_schema(),
    }


class Generic(Adapter):
    """A home-made CMS, or any other that speaks the contract in README.md."""

    Settings: ClassVar[type[SiteSettings]] = GenericSettings
    title = "Generic"
    docs = "plugins/generic/README.md"
    signs = "Standard Webhooks"
    caption = True
    proved = "the Gazette, the demo's newsroom"
    settings: GenericSettings

    def open(self, transport: httpx.BaseTransport | None = None) -> httpx.Client:
        client = super().open(transport)
        client.event_hooks = {"response": [_stop_at_conflict]}
        return client

    def auth(self) -> httpx.Auth | None:
        token = self.settings.api_token
        return None if token is None else Header("Authorization", f"Bearer {token.get_secret_value()}")

    def verify(self, delivery: Delivery) -> str:
        return standard_webhooks(delivery, self.settings.secrets)

    def events(self, delivery: Delivery) -> list[Event]:
        try:
            body = from_json(delivery.body)
            if isinstance(body, dict) and isinstance(body.get("type"), str) and body["type"] not in KINDS:
                return []
            said = GenericDelivery.model_validate(body)
        except ValidationError as problem:
            raise Unreadable(f"the delivery does not follow generic-delivery.json: {_first(problem)}") from problem
        except ValueError as problem:
            raise Unreadable(f"the delivery is not JSON: {problem}") from problem
        if said.data is None and said.type != "ping":
            raise Unreadable(f"the delivery {said.type} names no entry: data.id is missing")
        return [Event(KINDS[said.type], said.data.id if said.data else "")]

    def fetch(self, api: httpx.Client, ref: str, locale: str = "") -> Entry:
        told = _read(GenericEntry, call(api, "GET", self._path(self.settings.entry_path, ref)))
        if told.id != ref:
            raise CmsProblem(f"asked for the entry {ref!r}, the CMS answered with {told.id!r}")
        same = told.model_dump(exclude={"id", "language", "image"})
        return Entry(ref=ref, locale=told.language or locale, image=_current(told.image), **same)

    def attach(self, api: httpx.Client, entry: Entry, picture: Picture) -> Receipt:
        """Sends `expects`, the id of the image that the entry had when it was read: another one now is a `Conflict`."""
        path = self._path(self.settings.picture_path, entry.ref)
        headers = {"Idempotency-Key": picture.name}
        request = self._request(picture, entry.image.id if entry.image else "")
        receipt = _read(GenericReceipt, call(api, "POST", path, headers=headers, **request))
        now = self.fetch(api, entry.ref).image
        if now is None or now.id != receipt.id:
            raise CmsProblem(f"the CMS took the picture as {receipt.id!r}, but the entry shows {now and now.id!r}")
        if now.alt.split() != picture.alt.split():
            raise CmsProblem(f"the alt text {picture.alt!r} was sent, but the entry shows {now.alt!r}")
        previous = {} if receipt.previous is None else receipt.previous.model_dump()
        return Receipt(receipt.id, str(api.base_url.join(receipt.url)), previous)

    def revert(self, api: httpx.Client, ref: str, receipt: Receipt) -> None:
        wished = str(receipt.previous.get("id", ""))
        if self._image(api, ref) == wished:
            return
        if self._image(api, ref) != receipt.media_id:
            raise Conflict(f"the entry {ref} has another image now than the one we put there")
        query = {"expects": receipt.media_id, "restore": wished}
        call(api, "DELETE", self._path(self.settings.picture_path, ref), params=query)
        if self._image(api, ref) != wished:
            raise CmsProblem(f"the CMS took back the picture of {ref}, but does not show the one before")

    def recent(self, api: httpx.Client, since: datetime) -> Iterable[Event]:
        query = {"changed_since": since.astimezone(UTC).isoformat(timespec="seconds"), "without_image": "true"}
        cursors: set[str] = set()
        while True:
            page = _read(GenericEntries, call(api, "GET", self.settings.entries_path, params=query))
            bare = [entry for entry in page.entries if entry.image is None]
            yield from (Event("published" if e.status == "published" else "created", e.id) for e in bare)
            if not page.next:
                return
            if page.next in cursors:
                raise CmsProblem(f"the list of entries runs in a circle: the cursor {page.next!r} came twice")
            cursors.add(page.next)
            query["cursor"] = page.next

    def doctor(self, api: httpx.Client) -> list[str]:
        query = {"changed_since": datetime.now(UTC).isoformat(timespec="seconds"), "without_image": "true"}
        _read(GenericEntries, call(api, "GET", self.settings.entries_path, params=query))
        return [f"{api.base_url} lists its entries to us"]

    def _image(self, api: httpx.Client, ref: str) -> str:
        image = self.fetch(api, ref).image
        return image.id if image else ""

    def _path(self, template: str, ref: str) -> str:
        return template.replace("{ref}", quote(ref, safe=""))

    def _request(self, picture: Picture, expects: str) -> dict[str, Any]:
        size = {"width": str(picture.width), "height": str(picture.height)}
        text = {"name": picture.name, "alt": picture.alt, "caption": picture.caption, "expects": expects, **size}
        spoken = {"alts": picture.alts, "captions": picture.captions}
        text |= {name: json.dumps(dict(said), ensure_ascii=False) for name, said in spoken.items() if said}
        if self.settings.write == "multipart":
            return {"files": {"picture": (picture.name, picture.data, picture.mime)}, "data": text}
        data = f"data:{picture.mime};base64,{base64.b64encode(picture.data).decode()}"
        return {"json": {**text, "picture": data, "width": picture.width, "height": picture.height}}


_Model = TypeVar("_Model", bound=BaseModel)


def _read(model: type[_Model], answer: httpx.Response) -> _Model:
    try:
        return model.model_validate_json(answer.content)
    except ValidationError as problem:
        sort = answer.headers.get("Content-Type", "no content type")
        where = f"{answer.request.method} {answer.request.url}"
        raise CmsProblem(f"{where} answered {sort} that cannot be read: {_first(problem)}") from problem


def _first(problem: ValidationError) -> str:
    error = problem.errors(include_url=False)[0]
    return f"{'.'.join(map(str, error['loc'])) or 'the body'}: {error['msg']}"


def _current(image: GenericImage | None) -> Current | None:
    return None if image is None else Current(image.id, image.url, image.alt)


def _stop_at_conflict(answer: httpx.Response) -> None:
    """Turns the contract's 409 into `Conflict`, which the seam's `call` cannot tell from other refusals."""
    if answer.status_code == 409:
        words = " ".join(whole(answer).text.split())[:300]
        raise Conflict(f"{answer.request.method} {answer.request.url} answered 409: {words}")
