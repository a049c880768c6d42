"""Ghost's pictures, which it neither lists nor deletes: a name that only these bytes have finds an earlier try's."""

import re
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import PurePath

import httpx

from frontispiece.cms import TEST_PICTURE, CmsProblem, Current, Picture, call

from .admin import upload


def store(api: httpx.Client, picture: Picture) -> str:
    """The address of the picture: an earlier try's, or a new one."""
    return _find(api, picture) or upload(api, picture)


def is_ours(image: Current, picture: Picture) -> bool:
    """Whether it is ours; Ghost adds a number to a name that was taken, as by an upload that was cut off."""
    path = PurePath(picture.stable_name)
    return bool(re.fullmatch(rf"{re.escape(path.stem)}(-\d+)?{path.suffix}", image.url.rsplit("/", 1)[-1]))


def tried(api: httpx.Client) -> list[str]:
    """Uploads a test picture, and looks whether metadata survive."""
    there = _find(api, TEST_PICTURE)
    url = api.base_url.join(there or upload(api, TEST_PICTURE))
    came = "of an earlier time" if there else "was uploaded and"
    return [f"a test picture {came} stays, Ghost deletes none: {url}", _metadata(api, url)]


def _find(api: httpx.Client, picture: Picture) -> str:
    """Where an earlier try has left this very picture, "" if nowhere.

    Ghost lists no pictures. But it never gives a name out twice, keeps the bytes as they came under `<name>_o`
    beside its own smaller copy, and serves both at an address made of year and month (UTC).
    """
    path, now = PurePath(picture.stable_name), datetime.now(UTC)
    months = {f"{day:%Y/%m}" for day in (now, now - timedelta(days=1))}
    for month, mark in product(months, ("_o", "")):
        try:
            # with a query, so that no cache between us learns of the address that visitors will ask for: 404
            file = f"/content/images/{month}/{path.stem}{mark}{path.suffix}"
            found = call(api, "GET", file, params={"asked-by": "frontispiece"})
        except CmsProblem as problem:
            if problem.retry:
                raise
            continue
        if found.content == picture.data:
            return f"{api.base_url.path.rstrip('/')}/content/images/{month}/{path}"
    return ""


def _metadata(api: httpx.Client, url: httpx.URL) -> str:
    if url.netloc != api.base_url.netloc:  # our key is for Ghost alone
        return f"pictures are kept at {url.host}; whether metadata survive there was not looked at"
    if call(api, "GET", str(url)).content == TEST_PICTURE.data:
        return "metadata survive"
    return "metadata stay in the original (its name ends in _o), not in the smaller copy that Ghost shows"
