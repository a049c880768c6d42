"""Pictures in the media of WordPress, which WooCommerce shows: found again, uploaded, brought up to date."""

from hashlib import sha256
from html import escape
from pathlib import PurePath
from typing import Any

import httpx

from frontispiece.cms import CmsProblem, Entry, Picture, Unavailable, call, read_json, removed

MEDIA = "/wp-json/wp/v2/media"
OURS = "frontispiece-"


def _slug(entry: Entry, picture: Picture) -> str:
    """The attachment's name in addresses; the same for the same bytes on the same product only."""
    return f"{OURS}{entry.ref}-{sha256(picture.data).hexdigest()[:16]}"


def uploaded(api: httpx.Client, entry: Entry, picture: Picture) -> Any | None:
    """The attachment that an earlier try has left of this very picture."""
    found = read_json(call(api, "GET", MEDIA, params={"slug": _slug(entry, picture), "context": "edit"}))
    return next(iter(found), None)


def store(api: httpx.Client, media: Any | None, entry: Entry, picture: Picture) -> Any:
    """Uploads the picture; or brings an earlier try's attachment up to date, as its words may have changed since."""
    form = {"post": entry.ref, "slug": _slug(entry, picture), "alt_text": picture.alt}
    form |= {"caption": escape(picture.caption), "title": escape(entry.title)}
    if media is not None:
        if media["missing_image_sizes"]:  # WordPress died while it made them
            send(api, f"/{media['id']}/post-process", json={"action": "create-image-subsizes"})
        return send(api, f"/{media['id']}", data=form)
    name = f"{_slug(entry, picture)}{PurePath(picture.name).suffix}"
    stored = send(api, "", data=form, files={"file": (name, picture.data, picture.mime)})
    if not stored["media_details"].get("width") or stored["missing_image_sizes"]:  # it takes broken ones with a 201
        gone = removed(api, f"{MEDIA}/{stored['id']}", params={"force": "true"})
        raise CmsProblem(f"WordPress cannot read {picture.name} as a picture; {gone}")
    return stored


def send(api: httpx.Client, path: str, **request: Any) -> Any:
    """To the media, with time to make the sizes."""
    try:
        return read_json(call(api, "POST", f"{MEDIA}{path}", params={"context": "edit"}, timeout=120, **request))
    except Unavailable as problem:
        if "rest_upload_" in problem.words:  # a 500, but about this picture: it would be the same tomorrow
            raise CmsProblem(problem.words) from problem
        raise
