"""Signed requests as Contentful makes them: a canonical text of method, path, headers and body.

After signRequest and verifyRequest of https://github.com/contentful/node-apps-toolkit (src/requests, MIT).
"""

from collections.abc import Sequence
from urllib.parse import quote

from frontispiece.cms import Delivery, Refused
from frontispiece.signatures import fresh, header, hmac_sha256

__all__ = ["prove"]

STAMP, SIGNED = "x-contentful-timestamp", "x-contentful-signed-headers"


def prove(delivery: Delivery, path: str, secrets: Sequence[str]) -> None:
    """Proves that Contentful has sent this to `path`, not more than five minutes ago. Raises `Refused`."""
    fresh(header(delivery, STAMP), delivery.received, unit="milliseconds")
    signed = "\n".join(("POST", _encoded(path), _headers(delivery), "")).encode() + delivery.body
    hmac_sha256(secrets, signed, header(delivery, "x-contentful-signature"), "hex")


def _encoded(path: str) -> str:
    """As getNormalizedEncodedURI has it: the query is escaped twice, and what follows a second ? is left out."""
    name, *rest = path.split("?")
    query = quote(rest[0], safe="!~*'()") if rest else ""
    return quote(f"{name}?{query}" if query else name, safe=";,/?:@&=+$!~*'()#")


def _headers(delivery: Delivery) -> str:
    """`name:value;name:value` of the headers that Contentful names as signed, and of the two that always are."""
    names = sorted({name.strip().lower() for name in header(delivery, SIGNED).split(",")} | {STAMP, SIGNED})
    values = {name: delivery.headers.get_list(name) for name in names}
    if wrong := [name for name, found in values.items() if len(found) != 1]:
        raise Refused(f"the signed header {wrong[0]} is missing or there more than once")
    told = {name: found[0].strip() for name, found in values.items()} | {SIGNED: ",".join(names)}
    return ";".join(f"{name}:{told[name]}" for name in names)
