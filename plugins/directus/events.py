"""What happened to items: as our Flow tells it in a JSON Web Token, and as a look through the items finds it."""

import base64
import json
import re
from collections.abc import Iterator
from datetime import datetime

import httpx

from frontispiece.cms import Delivery, Event, Refused
from frontispiece.signatures import header, hmac_sha256

from . import flows, items

JWT = re.compile(rb"([A-Za-z0-9_-]+\.[A-Za-z0-9_-]+)\.([A-Za-z0-9_-]{43})")


def verified(delivery: Delivery, secrets: list[str]) -> str:
    """A token of RFC 7519; its signature is the id, as the time that it was made is signed along. Raises `Refused`.

    Without that two changes of one item would read alike, and the later one as sent twice.
    """
    token = JWT.fullmatch(delivery.body)
    if header(delivery, "Content-Type") != flows.MIME or token is None:
        raise Refused(f"the delivery is not {flows.MIME}, as our Flow in Directus sends it")
    signature = token[2].decode()
    hmac_sha256(secrets, token[1], _standard(signature), "base64")
    return signature


def told(token: bytes, types: items.Types) -> list[Event]:
    """What a token says of items that the settings name."""
    said = json.loads(base64.b64decode(_standard(token.split(b".")[1].decode()), validate=True))
    if said["event"] == flows.PING:
        return [Event("ping", "")]
    collection, _, what = said["event"].partition(".")
    kind = types.get(collection)
    if kind is None or what not in flows.HAPPENINGS:
        return []
    keys = said["keys"] if isinstance(said.get("keys"), list) else [said["key"]]
    happened = kind.happened(what, said.get("status", {}).get(kind.status, ""))
    return [Event(happened, items.ref_of(collection, key)) for key in keys]


def missed(api: httpx.Client, types: items.Types, since: datetime) -> Iterator[Event]:
    """Items changed since then that have no image."""
    for collection, kind in types.items():
        for item in items.without_image(api, collection, kind, since):
            public = not kind.status or item[kind.status] == kind.published
            yield Event("published" if public else "created", items.ref_of(collection, item[kind.key]))


def _standard(text: str) -> str:
    """Base64 as a token has it, without padding and safe in addresses, as everybody else has it."""
    return text.translate(str.maketrans("-_", "+/")) + "=" * (-len(text) % 4)
