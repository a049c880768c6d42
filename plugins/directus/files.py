"""Files of the library: a picture goes in under an id of its own, so that trying again finds what was left."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import httpx

from frontispiece.cms import TEST_PICTURE, CmsProblem, Picture, removed

from .rest import ask

REPLACES = "frontispiece_replaces"  # in a file's metadata: what the entry's fields held before us


def number_of(ref: str, picture: Picture) -> str:
    """The id that the picture of this entry has as a file, at every try."""
    return str(uuid5(NAMESPACE_URL, f"{ref} {picture.stable_name}"))


def find(api: httpx.Client, number: str) -> Any:
    """The file of this id, or None."""
    query = {"filter": json.dumps({"id": {"_eq": number}}), "fields": "id,metadata"}
    return next(iter(ask(api, "GET", "/files", params=query)), None)


def replaced(file: Mapping[str, Any] | None) -> Any:
    """What was in the entry's fields before this file; None if a person has edited the file's metadata."""
    return ((file or {}).get("metadata") or {}).get(REPLACES)


def store(api: httpx.Client, number: str, title: str, picture: Picture, replaces: Mapping[str, Any]) -> Any:
    """Uploads the picture under this id; anew where an earlier try left it, whole or cut off."""
    facts = {**_facts(title, picture), "metadata": json.dumps({REPLACES: replaces})}
    if find(api, number):
        file = _upload(api, "PATCH", f"/files/{number}", facts, picture)
    else:
        file = _upload(api, "POST", "/files", {"id": number, **facts}, picture)
    if (file["width"], file["height"]) != (picture.width, picture.height):
        gone = removed(api, f"/files/{number}")
        raise CmsProblem(f"Directus took {picture.name}, but cannot read it as a picture of its size; {gone}")
    if (file["description"] or "") != picture.alt or not replaced(file):
        raise CmsProblem(f"Directus kept other words with the file {number} than were sent: what changes them?")
    return file


def tried(api: httpx.Client) -> str:
    """Proves that our user may upload, and that size, description and focal point are kept."""
    picture = replace(TEST_PICTURE, focal=(1, 1))
    file = _upload(api, "POST", "/files", _facts("Frontispiece test", picture), picture)
    gone = removed(api, f"/files/{file['id']}")
    if (file["width"], file["description"], file["focal_point_x"]) != (picture.width, picture.alt, 1):
        raise CmsProblem("Directus does not keep size, description and focal point of a file: what changes them?")
    return f"a test picture was uploaded with description and focal point; {gone}"


def _facts(title: str, picture: Picture) -> dict[str, str]:
    """What is kept with a file; the focal point in pixels, "null" where there is none."""
    x, y = picture.focal or (None, None)
    return {
        "title": title,
        "description": picture.alt,
        "filename_download": picture.name,
        "focal_point_x": "null" if x is None else str(round(x * picture.width)),
        "focal_point_y": "null" if y is None else str(round(y * picture.height)),
    }


def _upload(api: httpx.Client, method: str, path: str, facts: Mapping[str, str], picture: Picture) -> Any:
    """Directus reads what comes before the file only, which httpx sends last."""
    files = {"file": (picture.name, picture.data, picture.mime)}
    return ask(api, method, path, data=facts, files=files, timeout=120)
