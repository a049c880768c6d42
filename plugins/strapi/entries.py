"""One entry, which has a draft that editors see and, once published, a version that visitors see.

A write without `?status=draft` publishes in Strapi, so that an entry with anything unpublished is written as a draft.
"""

import re
from dataclasses import dataclass
from typing import Any

import httpx

from frontispiece.cms import CmsProblem, Current, Gone, call, read_json, unchanged

from .events import DOCUMENT
from .settings import StrapiSettings, StrapiType

NOBODY = "frontispiece0doctor0asks"  # formed as a documentId, and nobody's


@dataclass(frozen=True, slots=True)
class Versions:
    """What editors see of an entry, with its image, and what visitors see (None while nothing is published)."""

    kind: StrapiType
    draft: dict[str, Any]
    public: dict[str, Any] | None
    image: Current | None

    @property
    def status(self) -> str:
        """`changed` = published, with unpublished changes; Strapi's own panel looks at the same two times."""
        if self.public is None:
            return "draft"
        return "published" if self.public["updatedAt"] == self.draft["updatedAt"] else "changed"


def read(api: httpx.Client, settings: StrapiSettings, ref: str, locale: str, populate: str = "") -> Versions:
    """The draft last, so that one that an editor saves in between is seen as changed."""
    kind, path = _place(settings, ref)
    wanted = _in(locale) | {"populate": populate or kind.image}
    try:
        public = read_json(call(api, "GET", path, params=wanted | {"status": "published"}))["data"]
    except Gone:
        public = None
    draft = read_json(call(api, "GET", path, params=wanted | {"status": "draft"}))["data"]
    return Versions(kind, draft, public, _image(settings, kind, draft))


def write(api: httpx.Client, settings: StrapiSettings, ref: str, locale: str, expects: str, wanted: str) -> None:
    """Sets the image in the state the entry is in now: reading and writing lie as close together as they can.

    `expects` and `wanted` are ids of files; "" = none. Raises `Conflict`, `CmsProblem`.
    """
    kind, path = _place(settings, ref)
    now = read(api, settings, ref, locale)
    unchanged(ref, now.image, expects)
    status = {} if now.status == "published" else {"status": "draft"}
    query = _in(locale) | status | {"populate": kind.image}
    body = {"data": {kind.image: int(wanted) if wanted else None}}
    kept = _image(settings, kind, read_json(call(api, "PUT", path, params=query, json=body))["data"])
    if (kept.id if kept else "") != wanted:
        raise CmsProblem(f"{ref} kept the image {kept and kept.id} when {wanted or 'none'} was set")


def may_write(api: httpx.Client, settings: StrapiSettings, name: str) -> str:
    """Finds the type and its image, and asks to change an entry that nobody has: 403 for who may not."""
    kind, path = _place(settings, f"{name}/{NOBODY}")
    try:
        call(api, "GET", kind.path, params={"populate": kind.image, "pagination[pageSize]": "1"})
    except Gone as gone:
        raise CmsProblem(f"{gone.words}: are name and plural of the type {name!r} right?") from gone
    try:
        call(api, "PUT", path, params={"status": "draft"}, json={"data": {}})
    except Gone:
        return f"the token is accepted, and may find and update {name}"
    raise CmsProblem(f"Strapi took a change of {path}, which nobody has made")


def _place(settings: StrapiSettings, ref: str) -> tuple[StrapiType, str]:
    """The type of an entry, and its address."""
    name, _, document = ref.partition("/")
    kind = settings.types.get(name)
    if kind is None or not re.fullmatch(DOCUMENT, document):
        raise CmsProblem(f"{ref!r} is no entry of a type that the site's settings name")
    return kind, f"{kind.path}/{document}"


def _in(locale: str) -> dict[str, str]:
    """Without it, Strapi reads and writes the default language."""
    return {"locale": locale} if locale else {}


def _image(settings: StrapiSettings, kind: StrapiType, found: dict[str, Any]) -> Current | None:
    if kind.image not in found or isinstance(found[kind.image], list):
        words = f"{kind.image!r} is no media field for one file"
        raise CmsProblem(f"{words}: name another as the type's image in the settings")
    file = found[kind.image]
    return file and Current(str(file["id"]), settings.absolute(file["url"]), file["alternativeText"] or "")
