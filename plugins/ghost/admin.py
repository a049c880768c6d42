"""Ghost's Admin API: the token of each call, entries read and written under Ghost's lock, pictures uploaded."""

import base64
import hmac
import json
import re
import time
from collections.abc import Generator
from hashlib import sha256
from typing import Any

import httpx

from frontispiece.cms import CmsProblem, Current, Picture, Unavailable, call, read_json

API = "/ghost/api/admin"


class Token(httpx.Auth):
    """A JWT made for each call (https://docs.ghost.org/admin-api/#token-authentication); Ghost judges its `iat`."""

    def __init__(self, key: str) -> None:
        self.id, secret = key.split(":")
        self.secret = bytes.fromhex(secret)

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        now = int(time.time())
        parts = {"alg": "HS256", "typ": "JWT", "kid": self.id}, {"iat": now, "exp": now + 300, "aud": "/admin/"}
        words = ".".join(_base64(json.dumps(part).encode()) for part in parts)
        signature = _base64(hmac.digest(self.secret, words.encode(), sha256))
        request.headers["Authorization"] = f"Ghost {words}.{signature}"
        request.headers["Accept-Version"] = "v6.0"
        yield request


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def told(answer: httpx.Response, name: str) -> Any:
    """What an answer holds under this name. Raises `CmsProblem` where it is not the Admin API's."""
    found = read_json(answer)
    if not isinstance(found, dict) or name not in found:
        raise CmsProblem(f"{answer.url} answered without {name}: is the site's url the one of Ghost's Admin API?")
    return found[name]


def read(api: httpx.Client, ref: str) -> Any:
    """A post or page with its text as HTML."""
    return told(call(api, "GET", f"{API}/{ref}/", params={"formats": "html"}), ref.partition("/")[0])[0]


def current(post: Any) -> Current | None:
    """The image of a post or page, which Ghost knows by its address alone."""
    url = post["feature_image"]
    return Current(url, url, post["feature_image_alt"] or "") if url else None


def upload(api: httpx.Client, picture: Picture) -> str:
    """The address of the new picture."""
    files = {"file": (picture.stable_name, picture.data, picture.mime)}
    answer = call(api, "POST", f"{API}/images/upload/", data={"purpose": "image"}, files=files, timeout=120)
    return str(told(answer, "images")[0]["url"])


def write(api: httpx.Client, ref: str, post: Any, wished: dict[str, Any]) -> str:
    """Ghost refuses what would overwrite a save made since `post` was read, down to a second. Returns the image."""
    kind = ref.partition("/")[0]
    body = {kind: [{**wished, "updated_at": post["updated_at"]}]}
    try:
        kept = told(call(api, "PUT", f"{API}/{ref}/", json=body), kind)[0]
    except CmsProblem as problem:
        if "UpdateCollisionError" in problem.words:
            raise Unavailable(f"{ref} was saved by somebody in the moment between reading and writing") from problem
        raise
    for field in ("feature_image", "feature_image_alt"):
        if _path(kept[field]) != _path(wished[field]):
            raise CmsProblem(f"{ref} kept {field} {kept[field]!r} when {wished[field]!r} was set")
    return kept["feature_image"] or ""


def _path(value: str | None) -> str:
    """An address without its host, which Ghost adds by itself; words as they are."""
    return re.sub("^https?://[^/]+", "", value or "")
