"""Webflow's lists, which come in pages of a hundred."""

from collections.abc import Iterator
from typing import Any

import httpx

from frontispiece.cms import call, read_json


def pages(api: httpx.Client, path: str, name: str, wanted: dict[str, str]) -> Iterator[Any]:
    """Everything that a list at `path` holds under this name, one by one."""
    offset, total = 0, 1
    while offset < total:
        told = read_json(call(api, "GET", path, params=wanted | {"offset": str(offset), "limit": "100"}))
        yield from told[name]
        offset, total = offset + 100, told["pagination"]["total"]
