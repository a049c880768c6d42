"""Asking Directus: every answer of its REST API has what was asked for in `data`."""

from collections.abc import Mapping
from typing import Any

import httpx
from pydantic import SecretStr

from frontispiece.cms import CmsProblem, Header, call, read_json


def bearer(token: SecretStr) -> Header:
    """How a user's static token is shown."""
    return Header("Authorization", f"Bearer {token.get_secret_value()}")


def ask(api: httpx.Client, method: str, path: str, **request: Any) -> Any:
    """The `data` of an answer; raises what `call` raises."""
    return data(call(api, method, path, **request))


def data(answer: httpx.Response) -> Any:
    """What Directus wraps in `data`. Raises `CmsProblem`."""
    told = read_json(answer)
    if not isinstance(told, Mapping) or "data" not in told:
        raise CmsProblem(f"{answer.url} answered without data: is the site's url that of Directus?")
    return told["data"]
