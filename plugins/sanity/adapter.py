"""Sanity's Content Lake: GROQ, transactions locked by revision, and GROQ-powered webhooks.

An entry's `ref` is the id of its published document; its draft, if there is one, has the same id after `drafts.`, and
is what editors see. Patching the published document is live at once; publishing puts the draft in its place.
"""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha1
from typing import ClassVar
from urllib.parse import quote

import httpx
from pydantic import Field, SecretStr

from frontispiece.cms import (
    TEST_PICTURE,
    Adapter,
    CmsProblem,
    Connection,
    ContentType,
    Current,
    Delivery,
    Entry,
    Event,
    EventKind,
    Gone,
    Header,
    Picture,
    Receipt,
    Refused,
    SiteSettings,
    call,
    clock,
    dig,
    prose,
    read_json,
    reading,
    texts,
    unchanged,
)
from frontispiece.signatures import fresh, header, hmac_sha256

from .lake import API, OURS, Json, asset_of, checked, is_draft, mutate, query, uploaded

KINDS: dict[str, EventKind] = {"create": "published", "update": "updated", "delete": "deleted"}
PROJECTION = '{_id, _type, _rev, "operation": delta::operation()}'
PAGE = 100
FOCUS = 0.3  # of width and height: the part around the focal point that Sanity keeps when it crops


class SanityType(ContentType):
    """Fields as GROQ has them, such as `categories[]->title`; `image` is a plain path, also of a field in an object.

    `alt` and `caption` are fields of the image, as its schema has them; "" = it has none.
    """

    image: str = Field("mainImage", pattern=r"^[A-Za-z_][A-Za-z0-9_.]*$")
    alt: str = "alt"
    caption: str = ""


class SanitySettings(SiteSettings):
    """`url` is https://<project>.api.sanity.io, `token` a robot's; `studio` the Studio's address, for links there."""

    project: str = Field(pattern=r"^[a-z0-9-]+$")
    dataset: str = Field("production", pattern=r"^[a-z0-9_~-]+$")
    token: SecretStr
    studio: str = ""
    types: dict[str, SanityType] = Field(min_length=1)


class Sanity(Adapter):
    """One dataset of one project."""

    Settings = SanitySettings
    settings: SanitySettings
    title: ClassVar[str] = "Sanity"
    docs: ClassVar[str] = "https://www.sanity.io/docs/http-reference"
    signs: ClassVar[str] = "HMAC-SHA256 of time and body"
    connects: ClassVar[bool] = True
    caption: ClassVar[bool] = True
    focal_point: ClassVar[bool] = True
    proved: ClassVar[str] = "a stand-in and Sanity's own GROQ and signatures"

    def auth(self) -> httpx.Auth:
        return Header("Authorization", f"Bearer {self.settings.token.get_secret_value()}")

    def verify(self, delivery: Delivery) -> str:
        given = re.fullmatch(r"t=(\d+),v1=([A-Za-z0-9_-]{43})", header(delivery, "sanity-webhook-signature"))
        if given is None:
            raise Refused("the header sanity-webhook-signature is not of the form t=…,v1=…")
        fresh(given[1], delivery.received, unit="milliseconds")
        padded = given[2].replace("-", "+").replace("_", "/") + "="
        hmac_sha256(self.settings.secrets, f"{given[1]}.".encode() + delivery.body, padded, "base64")
        return ""  # the idempotency key is not signed, and no two bodies are the same: each holds its revision

    def events(self, delivery: Delivery) -> list[Event]:
        with reading("no message of a webhook with our projection"):
            said = json.loads(delivery.body)
            kind = KINDS.get(said.get("operation") or delivery.headers.get("sanity-operation"))
            number = str(said["_id"])
            ours = str(said.get("_rev")).startswith(OURS) and kind != "deleted"
            if kind is None or ours or number.startswith("versions.") or said["_type"] not in self.settings.types:
                return []
        if number.startswith("drafts."):  # told only by a webhook made by hand; discarding a draft deletes no entry
            drafted: dict[EventKind, EventKind] = {"published": "created", "updated": "updated"}
            return [Event(drafted[kind], checked(number))] if kind in drafted else []
        return [Event(kind, checked(number))]

    def fetch(self, api: httpx.Client, ref: str, locale: str = "") -> Entry:
        found = self._versions(api, ref)
        seen, kind = found[-1], self.settings.types.get(found[-1]["_type"])
        if kind is None:
            return Entry(ref, "article", "", opted_out=True)
        sections, where = texts(seen, "section"), iter(seen["places"])
        return Entry(
            ref=ref,
            kind=kind.kind,
            title=prose(seen, "title"),
            locale=seen.get("language") or locale or self.settings.language,
            excerpt=prose(seen, "excerpt"),
            body=prose(seen, "body"),
            tags=texts(seen, "tags"),
            section=next(iter(sections), ""),
            sections=sections,
            author=next(iter(texts(seen, "author")), ""),
            status="changed" if len(found) > 1 else "draft" if is_draft(seen) else "published",
            url=re.sub(r"\{[^}]+\}", lambda _: quote(str(next(where) or ""), safe=""), kind.url),
            edit_url=self.settings.studio and f"{self.settings.studio}/intent/edit/id={ref};type={seen['_type']}",
            version=seen["_rev"],
            image=self._current(seen),
            opted_out=seen.get("opt_out") is True,
        )

    def attach(self, api: httpx.Client, entry: Entry, picture: Picture) -> Receipt:
        found, before = self._versions(api, entry.ref), entry.image.id if entry.image else ""
        seen = self._known(found[-1])
        now = asset_of(seen["image"])
        if now.startswith(f"image-{sha1(picture.data).hexdigest()}-"):  # noqa: S324 - Sanity's own naming
            return Receipt(now, str(seen["image_url"]), {"image": self._image(seen, before, entry.image)})
        unchanged(entry.ref, self._current(seen), before)
        asset = uploaded(api, self.settings.dataset, picture)
        self._replace(api, found, before, self._picture(seen, asset["_id"], picture))
        return Receipt(asset["_id"], asset["url"], {"image": seen["image"]})

    def revert(self, api: httpx.Client, ref: str, receipt: Receipt) -> None:
        found, previous = self._versions(api, ref), receipt.previous["image"]
        seen = self._known(found[-1])
        if asset_of(seen["image"]) != asset_of(previous):
            unchanged(ref, self._current(seen), receipt.media_id)
            self._replace(api, found, receipt.media_id, previous)

    def recent(self, api: httpx.Client, since: datetime) -> Iterator[Event]:
        for name, kind in self.settings.types.items():
            wanted = {"type": name, "since": since.astimezone(UTC).isoformat(timespec="milliseconds"), "after": ""}
            groq = (
                '*[_type == $type && !(_id in path("versions.**")) && !defined(' + kind.image + ".asset) && "
                "(_updatedAt > $since || (_updatedAt == $since && _id > $after))]"
                f" | order(_updatedAt asc, _id asc)[0...{PAGE}]{{_id, _updatedAt}}"
            )
            page = query(api, self.settings.dataset, groq, **wanted)
            while page:
                for found in page:
                    yield Event("created" if is_draft(found) else "published", checked(found["_id"]))
                wanted |= {"since": page[-1]["_updatedAt"], "after": page[-1]["_id"]}
                page = query(api, self.settings.dataset, groq, **wanted) if len(page) == PAGE else []

    def connect(self, api: httpx.Client, hook: str) -> Connection:
        types = self.settings.types.items()
        wanted = " || ".join(f'(_type == "{name}" && !defined({kind.image}.asset))' for name, kind in types)
        rule = {"on": list(KINDS), "filter": wanted, "projection": PROJECTION}
        name, path = f"Frontispiece ({self.settings.dataset})", f"{API}/hooks/projects/{self.settings.project}"
        asked: Json = {"name": name, "url": hook, "dataset": self.settings.dataset, "rule": rule, "httpMethod": "POST"}
        asked |= {"apiVersion": "v2021-03-25", "includeDrafts": False, "headers": {}, "isDisabledByUser": False}
        asked |= {"secret": self.settings.webhook_secret.get_secret_value()}
        try:
            there = [one for one in read_json(call(api, "GET", path)) if one["name"] == name]
            if there:
                call(api, "PATCH", f"{path}/{there[0]['id']}", json=asked)
            else:
                call(api, "POST", path, json={"type": "document", **asked})
        except CmsProblem as problem:
            if problem.retry:
                raise
            by_hand = f"at sanity.io/manage, API, Webhooks: trigger on {', '.join(KINDS)}; filter {wanted}; projection "
            raise CmsProblem(
                f"{problem.words}. Give the token the role Developer for as long as this takes, or make the webhook "
                f"{by_hand}{PROJECTION}; POST; no drafts; the secret is webhook_secret"
            ) from problem
        return Connection((f"Sanity tells {hook} of {', '.join(self.settings.types)} without an image",))

    def doctor(self, api: httpx.Client) -> list[str]:
        counts = ", ".join(f'"{name}": count(*[_type == "{name}"])' for name in self.settings.types)
        counted = query(api, self.settings.dataset, f"{{{counts}}}")
        found = [f"{count} of type {name}" for name, count in counted.items()]
        asset = uploaded(api, self.settings.dataset, TEST_PICTURE)
        mutate(api, self.settings.dataset, [{"delete": {"id": asset["_id"]}}])
        told = clock(call(api, "GET", f"{API}/users/me"))
        return [f"the token is accepted; documents: {', '.join(found)}", "a test picture came and went", told]

    def _versions(self, api: httpx.Client, ref: str) -> list[Json]:
        """The published document and the draft, as far as there are; the last is what editors see."""
        told = ", ".join(f'_type == "{name}" => {_projection(kind)}' for name, kind in self.settings.types.items())
        groq = f"*[_id in $ids]{{_id, _type, _rev, language, {told}}}"
        found: list[Json] = query(api, self.settings.dataset, groq, ids=[checked(ref), f"drafts.{ref}"])
        if not found:
            raise Gone(f"there is no document {ref}, nor a draft of it")
        return sorted(found, key=is_draft)

    def _known(self, seen: Json) -> Json:
        """The document, if it is of a type that the settings name."""
        if seen["_type"] not in self.settings.types:
            raise CmsProblem(f"{seen['_id']} is of the type {seen['_type']}, which this site does not name (any more)")
        return seen

    def _type(self, seen: Json) -> SanityType:
        return self.settings.types[seen["_type"]]

    def _current(self, seen: Json) -> Current | None:
        number = asset_of(seen["image"])
        alt = str(seen["image"].get(self._type(seen).alt) or "") if number else ""
        return Current(number, seen["image_url"] or "", alt) if number else None

    def _image(self, seen: Json, number: str, image: Current | None) -> Json | None:
        """An image field again, of what we noted before an earlier try; its crop and caption are not known any more."""
        if image is None:
            return None
        told = {"_type": "image", "asset": {"_type": "reference", "_ref": number}}
        alt = self._type(seen).alt
        return told | ({alt: image.alt} if alt and image.alt else {})

    def _picture(self, seen: Json, number: str, picture: Picture) -> Json:
        kind, told = self._type(seen), {"_type": "image", "asset": {"_type": "reference", "_ref": number}}
        words = {kind.alt: picture.alt, kind.caption: picture.caption}
        told |= {name: text for name, text in words.items() if name and text}
        if picture.focal:
            x, y = picture.focal
            told["hotspot"] = {"_type": "sanity.imageHotspot", "x": x, "y": y, "width": FOCUS, "height": FOCUS}
            told["crop"] = {"_type": "sanity.imageCrop", "top": 0, "bottom": 0, "left": 0, "right": 0}
        return told

    def _replace(self, api: httpx.Client, found: list[Json], before: str, image: Json | None) -> None:
        """Changes the image; and a draft that somebody began at that moment, a copy of what was public until then."""
        self._change(api, found, before, image)
        self._change(api, self._versions(api, checked(found[0]["_id"])), before, image)

    def _change(self, api: httpx.Client, found: list[Json], before: str, image: Json | None) -> None:
        """One transaction over all versions that show this very image: what another version shows is somebody's choice.

        A draft and its published document change together; what else the draft has changed stays unpublished.
        """
        path = self._type(found[-1]).image
        act: Json = {"unset": [path]} if image is None else {"set": {path: image}}
        shown = [one for one in found if asset_of(one["image"]) == before]
        patches = [{"patch": {"id": one["_id"], "ifRevisionID": one["_rev"], **act}} for one in shown]
        wanted = asset_of(image)
        for one in mutate(api, self.settings.dataset, patches) if patches else ():
            if (kept := dig(one["document"], f"{path}.asset._ref") or "") != wanted:
                raise CmsProblem(f"{one['id']} kept the image {kept or 'none'} when {wanted or 'none'} was set")


def _projection(kind: SanityType) -> str:
    """What we ask of a document of this type, under our own names."""
    names = ("title", "excerpt", "body", "tags", "section", "author", "opt_out", "image")
    told = [f'"{name}": {getattr(kind, name)}' for name in names if getattr(kind, name)]
    places = ", ".join(re.findall(r"\{([^}]+)\}", kind.url))
    return f'{{{", ".join(told)}, "image_url": {kind.image}.asset->url, "places": [{places}]}}'
