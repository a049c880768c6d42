"""Strapi's media library, where a name that only these bytes have finds what an earlier try has left."""

import json
from typing import Any

import httpx

from frontispiece.cms import TEST_PICTURE, CmsProblem, Picture, call, read_json, removed

from .settings import StrapiSettings

FILES = "/api/upload/files"
OPTIMIZED = (
    "Strapi compresses pictures once more and drops their metadata, also that they were made by a machine;"
    " switch off Size optimization under Settings > Media Library to keep both"
)

File = dict[str, Any]


def find(api: httpx.Client, picture: Picture) -> File | None:
    """The file that an earlier try has left."""
    query = {"filters[name][$eq]": picture.stable_name, "sort": "id:asc"}
    return next(iter(read_json(call(api, "GET", FILES, params=query))), None)


def store(api: httpx.Client, file: File | None, picture: Picture) -> File:
    """Uploads the picture; or brings an earlier try's file up to date, as its words may have changed since."""
    stored = _upload(api, file, picture)
    if not stored["width"]:  # it takes anything that is called .webp
        gone = removed(api, _path(stored))
        raise CmsProblem(f"Strapi cannot read {picture.stable_name} as a picture; {gone}")
    if stored["alternativeText"] != picture.alt:
        raise CmsProblem(f"the alternative text {picture.alt!r} was sent, Strapi keeps {stored['alternativeText']!r}")
    return stored


def tried(api: httpx.Client, settings: StrapiSettings) -> list[str]:
    """Uploads a test picture, looks whether visitors have it as it was sent, and removes it again."""
    file = store(api, find(api, TEST_PICTURE), TEST_PICTURE)
    try:
        served = call(api, "GET", settings.absolute(file["url"]), auth=None).content
        words = "and came back as it was sent" if served == TEST_PICTURE.data else f"and came back changed: {OPTIMIZED}"
    except CmsProblem as problem:
        words = f"but visitors cannot have it: {problem.words}"
    return [f"a test picture was uploaded, {words}", removed(api, _path(file))]


def _upload(api: httpx.Client, file: File | None, picture: Picture) -> File:
    form = {"fileInfo": json.dumps(_facts(picture))}
    if file is None:
        sent = {"files": (picture.stable_name, picture.data, picture.mime)}
        return dict(read_json(call(api, "POST", "/api/upload", data=form, files=sent, timeout=120))[0])
    if (file["alternativeText"], file["caption"]) == (picture.alt, picture.caption):
        return file
    return dict(read_json(call(api, "POST", "/api/upload", params={"id": str(file["id"])}, data=form)))


def _facts(picture: Picture) -> dict[str, Any]:
    """What is kept with a file; the focal point in hundredths of width and height."""
    words = {"name": picture.stable_name, "alternativeText": picture.alt, "caption": picture.caption}
    if picture.focal is None:
        return words
    x, y = picture.focal
    return words | {"focalPoint": {"x": x * 100, "y": y * 100}}


def _path(file: File) -> str:
    return f"{FILES}/{file['id']}"
