"""Calls to the Content Management API, and what `sys` of an entry or asset says of its state."""

import re
from typing import Any

import httpx

from frontispiece.cms import CmsProblem, Unavailable, Unreadable, call, dig, read_json

__all__ = ["Json", "checked", "sent", "status", "told", "waiting"]

Json = dict[str, Any]
ID = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9_.-]{1,64}")  # CMA, Resource IDs; without the names of folders


def checked(ref: Any) -> str:
    """An id that is fit to become part of an address. Raises `Unreadable`."""
    if not isinstance(ref, str) or not ID.fullmatch(ref):
        raise Unreadable(f"an id of Contentful's is not {str(ref)[:100]!r}")
    return ref


def sent(api: httpx.Client, method: str, path: str, version: int | None = None, **request: Any) -> httpx.Response:
    """A call made from this version of the thing; `Unavailable` where somebody else has saved it meanwhile."""
    headers = request.pop("headers", {}) | ({} if version is None else {"X-Contentful-Version": str(version)})
    if "json" in request:
        headers = {"Content-Type": "application/vnd.contentful.management.v1+json"} | headers
    try:
        return call(api, method, path, headers=headers, **request)
    except CmsProblem as problem:
        if "VersionMismatch" in problem.words:
            raise Unavailable(f"somebody else is saving this very moment: {problem.words}") from problem
        raise


def told(api: httpx.Client, method: str, path: str, version: int | None = None, **request: Any) -> Json:
    """The JSON that answers such a call."""
    return dict(read_json(sent(api, method, path, version, **request)))


def status(found: Json) -> str:
    """As `isUpdated` of Contentful's contentful-management (lib/plain/checks.ts): publishing counts one version."""
    public = found["sys"].get("publishedVersion")
    if public is None:
        return "draft"
    return "published" if found["sys"]["version"] == public + 1 and not waiting(found) else "changed"


def waiting(found: Json, but: str = "") -> bool:
    """Whether any language but this is not published, where each is by itself: publishing ours would publish all."""
    states = dig(found, "sys.fieldStatus.*") or {}
    return any(state != "published" for code, state in states.items() if code != but)
