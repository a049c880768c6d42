"""Asking what our app adds to Wagtail's API v3, below `frontispiece/`."""

from typing import Any

import httpx

from frontispiece.cms import Conflict, Unavailable, call, dig, read_json, whole

from .settings import WagtailSettings


def ask(api: httpx.Client, settings: WagtailSettings, method: str, path: str, **request: Any) -> Any:
    """The JSON of an answer; raises what `call` and `read_json` raise."""
    return read_json(call(api, method, f"{settings.api}/frontispiece/{path}", **request))


def tell_apart(answer: httpx.Response) -> None:
    """Our app's own refusals, which the seam's `call` cannot tell from others. Raises `Conflict`, `Unavailable`."""
    if answer.status_code in (409, 423):
        words = str(dig(read_json(whole(answer)), "detail"))
        raise Conflict(words) if answer.status_code == 409 else Unavailable(words, seconds=60)
