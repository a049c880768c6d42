"""The upload collection: a picture goes in once, and its words again at every try."""

import json
from collections.abc import Mapping
from typing import Any

import httpx

from frontispiece.cms import TEST_PICTURE, CmsProblem, Picture, call, removed

from .rest import API, ask, pages
from .settings import PayloadSettings


def find(api: httpx.Client, settings: PayloadSettings, picture: Picture) -> Any | None:
    """What an earlier try has left of this very picture."""
    name = picture.stable_name.rpartition(".")[0]
    return next(pages(api, settings.media, {"where[filename][contains]": name}), None)


def store(api: httpx.Client, settings: PayloadSettings, media: Any | None, locale: str, picture: Picture) -> Any:
    """Uploads the picture; or brings an earlier try's words up to date, as they may have changed since."""
    spoken = settings.spoken(locale, picture)
    if media is None:
        media = _upload(api, settings, picture, settings.within(locale))
        spoken = spoken if len(spoken) > 1 else {}
    for other, said in spoken.items():
        words = _words(settings, said)
        ask(api, "PATCH", f"{settings.media}/{media['id']}", params=settings.within(other), json=words)
    return media


def tried(api: httpx.Client, settings: PayloadSettings) -> str:
    """Uploads a picture, looks at it as a visitor does, wherever it is kept, and removes it."""
    media = _upload(api, settings, TEST_PICTURE, {})
    try:
        kept = call(api, "GET", media["url"], auth=None).content == TEST_PICTURE.data
        words = "kept byte for byte" if kept else "encoded anew, without their mark of being made by AI"
    except CmsProblem as problem:
        words = f"not shown to visitors: {problem.words}"
    gone = removed(api, f"{API}/{settings.media}/{media['id']}")
    return f"a test picture was uploaded; {gone}; pictures are {words}"


def _upload(api: httpx.Client, settings: PayloadSettings, picture: Picture, within: Mapping[str, Any]) -> Any:
    focal = zip("xy", picture.focal or (), strict=False)
    edits = {f"uploadEdits[focalPoint][{axis}]": round(100 * part) for axis, part in focal}
    file = {"file": (picture.stable_name, picture.data, picture.mime)}
    words = {"_payload": json.dumps(_words(settings, picture))}
    asked = {"depth": 0, **within, **edits}
    return ask(api, "POST", settings.media, params=asked, data=words, files=file, timeout=120)["doc"]


def _words(settings: PayloadSettings, picture: Picture) -> dict[str, str]:
    both = {settings.alt: picture.alt, settings.caption: picture.caption}
    return {field: text for field, text in both.items() if field}
