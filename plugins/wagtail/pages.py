"""Pages by their refs, as our app gives and takes them: read, written, and those without an image looked through."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import httpx

from frontispiece.cms import CmsProblem, ContentType, Gone, whole_number

from .asking import ask
from .settings import WagtailSettings

TEXTS = ("title", "alt", "excerpt", "body", "tags", "section", "author", "opt_out")


def ref_of(name: Any, number: Any) -> str:
    """`blog.ArticlePage/12`; strict, because it becomes part of an address. Raises ValueError."""
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z_]\w*\.[A-Za-z_]\w*", name, re.ASCII):
        raise ValueError(f"type is {name!r}")
    return f"{name}/{whole_number(number)}"


def read(api: httpx.Client, settings: WagtailSettings, ref: str, kind: ContentType) -> tuple[Any, dict[str, Any]]:
    """A page, and its fields by what they are to us. Raises `Gone`."""
    named = {text: getattr(kind, text) for text in TEXTS if getattr(kind, text)}
    wanted = {"field": kind.image, "fields": ",".join(named.values())}
    page = ask(api, settings, "GET", _path(ref), params=wanted)
    if page["type"] != ref.partition("/")[0]:
        raise Gone(f"{ref} is a page of type {page['type']} now")
    return page, {text: page["fields"][field] for text, field in named.items()}


def write(
    api: httpx.Client, settings: WagtailSettings, ref: str, expects: str, wish: Mapping[str, Any], **file: Any
) -> Any:
    """The image that the page has then. Our app looks, uploads and writes in one transaction."""
    name = ref.partition("/")[0]
    if name not in settings.types:
        raise CmsProblem(f'{ref}: the site\'s settings have no table types."{name}"')
    kind = settings.types[name]
    form = {"field": kind.image, "alt_field": kind.alt, "expects": expects, **wish}
    return ask(api, settings, "POST", _path(ref), data=form, timeout=120, **file)["image"]


def without_image(
    api: httpx.Client, settings: WagtailSettings, name: str, kind: ContentType, since: datetime
) -> Iterator[Any]:
    """Pages of a type that were changed since then and have no image."""
    wanted = {"type": name, "field": kind.image, "since": since.astimezone(UTC).isoformat()}
    start, told = 0, {"read": 1}
    while told["read"]:
        told = ask(api, settings, "GET", "pages/", params={**wanted, "offset": start})
        yield from told["pages"]
        start += told["read"]


def _path(ref: str) -> str:
    return f"pages/{ref.partition('/')[2]}/"
