"""The site's assets, where a file name that only these bytes have finds what an earlier try has left."""

import hashlib
from typing import Any

import httpx

from frontispiece.cms import TEST_PICTURE, Picture, call, read_json, removed

from .pages import pages
from .settings import WebflowSettings


def name_of(picture: Picture) -> str:
    """The asset's file name, of which Webflow takes 99 characters. Addresses end with it."""
    return picture.stable_name[-99:]


def store(api: httpx.Client, settings: WebflowSettings, picture: Picture) -> Any:
    """The picture's asset; one whose file an earlier try did not bring to its end is made anew."""
    path, name = settings.path("/assets"), name_of(picture)
    found = next((one for one in pages(api, path, "assets", {}) if one["originalFileName"] == name), None)
    if found and found.get("size"):
        return found
    if found:
        call(api, "DELETE", f"/v2/assets/{found['id']}")
    wanted = {"fileName": name, "fileHash": hashlib.md5(picture.data, usedforsecurity=False).hexdigest()}
    made = read_json(call(api, "POST", path, json=wanted))
    form, file = made["uploadDetails"], {"file": (name, picture.data, picture.mime)}
    call(api, "POST", made["uploadUrl"], auth=None, data=form, files=file, timeout=120)  # another host's: no token
    return made


def tried(api: httpx.Client, settings: WebflowSettings) -> str:
    """Uploads a test picture, and removes it again."""
    gone = removed(api, f"/v2/assets/{store(api, settings, TEST_PICTURE)['id']}")
    return f"a test picture was uploaded; {gone}"
