"""Products of the shop by their ids, as our app gives them, and the code that a picture of ours has among theirs."""

from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256
from typing import Any

import httpx

from frontispiece.cms import Conflict, Picture, call, read_json, whole

from .settings import OscarSettings

OURS = "frontispiece-"


def path(settings: OscarSettings, ref: str) -> str:
    """Where our app has a product."""
    return f"{settings.path}/products/{ref}/"


def read(api: httpx.Client, settings: OscarSettings, ref: str) -> Any:
    """A product with its images in order; raises what `call` and `read_json` raise."""
    return read_json(call(api, "GET", path(settings, ref)))


def first(api: httpx.Client, settings: OscarSettings, ref: str) -> str:
    """The id of the image that a product shows, "" = none."""
    images = read(api, settings, ref)["images"]
    return str(images[0]["id"]) if images else ""


def without_image(api: httpx.Client, settings: OscarSettings, since: datetime) -> Iterator[Any]:
    """Products changed since then that have no image, as our app lists them, page by page."""
    after: dict[str, Any] | None = {"since": since.isoformat()}
    while after:
        page = read_json(call(api, "GET", f"{settings.path}/products/", params=after))
        yield from page["products"]
        after = page["next"]


def code_of(ref: str, picture: Picture) -> str:
    """The image's code in the shop, which has no two alike; the same for the same bytes on the same product only."""
    return f"{OURS}{ref}-{sha256(picture.data).hexdigest()[:16]}"


def stop_at_conflict(answer: httpx.Response) -> None:
    """The shop says 409 where somebody was faster. Raises `Conflict`."""
    if answer.status_code == 409:
        raise Conflict(f"{answer.request.url}: {' '.join(whole(answer).text.split())[:300]}")
