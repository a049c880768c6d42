"""All CMSs that the tests hold against the same facts, and what they are given: pictures, and cut connections."""

import importlib
import io
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest
from PIL import Image
from servers.site import Site

from frontispiece.cms import Adapter, Entry, Picture

__all__ = ["PARAMS", "SITES", "Cut", "drawing", "picture", "server"]

SITES: tuple[str, ...] = (
    "bigcommerce",
    "contentful",
    "directus",
    "drupal",
    "ghost",
    "medusa",
    "oscar",
    "payload",
    "sanity",
    "shopify",
    "storyblok",
    "strapi",
    "vendure",
    "wagtail",
    "webflow",
    "woocommerce",
    "wordpress",
)


def server(name: str) -> type[Site]:
    """The class of the servers of that name."""
    kind: type[Site] = importlib.import_module(f"servers.{name}").Server
    return kind


def _marks(name: str) -> list[pytest.MarkDecorator]:
    return [pytest.mark.real] if server(name).real else []


PARAMS = [pytest.param(name, marks=_marks(name)) for name in SITES]


class Cut(httpx.BaseTransport):
    """Goes through to the CMS until the n-th write, which is lost on its way there, or its answer on the way back."""

    def __init__(self, write: int, *, answered: bool, then: Callable[[], None] = lambda: None) -> None:
        self.left, self.answered, self.then = write, answered, then
        self.real = httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.left -= request.method != "GET"
        if self.left or request.method == "GET":
            return self.real.handle_request(request)
        if self.answered:
            answer = self.real.handle_request(request)
            answer.read()
            answer.close()
        self.then()
        raise httpx.ReadError("the connection was cut")

    def close(self) -> None:
        self.real.close()


def drawing(colour: int = 90, kind: str = "webp") -> bytes:
    file = io.BytesIO()
    Image.effect_noise((640, 360), colour).convert("RGB").save(file, kind)
    return file.getvalue()


def picture(adapter: Adapter, entry: Entry, **changes: Any) -> Picture:
    """A picture of 640 × 360 whose name is the entry's own."""
    kind = adapter.formats[0]
    name = f"frontispiece-{abs(hash(entry.ref)) % 10**9}.{kind}"
    usual = Picture(name, f"image/{kind}", drawing(kind=kind), 640, 360, alt="A boat leaves the harbour")
    return replace(usual, **changes)
