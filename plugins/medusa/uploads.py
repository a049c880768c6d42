"""Files of the shop's storage, which Medusa cannot be asked for later: what is not used is removed at once."""

from pathlib import PurePath
from typing import Any

import httpx

from frontispiece.cms import TEST_PICTURE, Picture, call, read_json


def is_ours(address: str | None, picture: Picture) -> bool:
    """Whether this is the address of this very picture, as an earlier try has uploaded it."""
    return PurePath(picture.stable_name).stem in (address or "").rsplit("/", 1)[-1]


def upload(api: httpx.Client, picture: Picture) -> Any:
    """The file of this picture, with its id and address."""
    file = {"files": (picture.stable_name, picture.data, picture.mime)}
    return read_json(call(api, "POST", "/admin/uploads", files=file, timeout=120))["files"][0]


def remove(api: httpx.Client, file: Any) -> None:
    """Removes a file that no product shows."""
    call(api, "DELETE", f"/admin/uploads/{file['id']}")


def tried(api: httpx.Client) -> str:
    """Proves that our key may upload and remove."""
    remove(api, upload(api, TEST_PICTURE))
    return "a test picture was uploaded and removed"
