"""A delivery as a person may see it: without secrets and signatures, its bytes as text that can do nothing."""

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

MOST = 50_000  # characters that are shown of a body
PRETTY = 500_000  # bytes of a body that is set out anew; a larger one is shown as it came
SHOWN_BYTES = 512  # of what is no text
MASK = "•••••"
# X-Shopify-Hmac-Sha256, Webhook-Signature, X-Contentful-Webhook-Token, X-Api-Key, Authorization …
_PRIVATE = re.compile(r"sign|secret|token|auth|key|cookie|hmac|pass|session|credential|digest", re.IGNORECASE)


@dataclass(frozen=True)
class Body:
    """`kind` is json, text, bytes, or none where it was forgotten; `more` characters or bytes are not shown."""

    kind: str
    text: str
    size: int
    more: int = 0


def headers(kept: str, secrets: Iterable[str]) -> list[tuple[str, str]]:
    """The headers in the order they came, in JSON as they are kept; what proves who sent it is masked."""
    hidden = [secret for secret in secrets if secret]
    return [(name, _header(name, value, hidden)) for name, value in json.loads(kept)]


def _header(name: str, value: str, hidden: list[str]) -> str:
    if _PRIVATE.search(name) and value:
        return MASK
    return visible(masked(value, hidden))


def masked(text: str, secrets: Iterable[str]) -> str:
    """The text without the secrets of its site, which some CMSes send along."""
    for secret in secrets:
        text = text.replace(secret, MASK) if secret else text
    return text


def body(data: bytes, secrets: Iterable[str]) -> Body:
    """The body set out for reading."""
    if not data:
        return Body("none", "", 0)
    try:
        text = data.decode("utf8")
    except UnicodeDecodeError:
        return Body("bytes", "\n".join(_hex(data[:SHOWN_BYTES])), len(data), max(0, len(data) - SHOWN_BYTES))
    pretty = _pretty(text) if len(data) <= PRETTY else ""
    shown = masked(pretty or text, secrets)
    return Body("json" if pretty else "text", visible(shown[:MOST]), len(data), max(0, len(shown) - MOST))


def _pretty(text: str) -> str:
    """JSON with a line for each value; "" for what is none, or is nested too deeply."""
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return ""


def visible(text: str) -> str:
    """The text with characters that cannot be seen, or turn the order of others, as their numbers."""
    return "".join(map(_visible, text))


def _visible(sign: str) -> str:
    category = unicodedata.category(sign)
    if sign in "\n\t" or category not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"):
        return sign
    return "" if sign == "\r" else f"⟨U+{ord(sign):04X}⟩"


def _hex(data: bytes) -> Iterator[str]:
    for at in range(0, len(data), 16):
        row = data[at : at + 16]
        text = "".join(chr(one) if 32 <= one < 127 else "·" for one in row)
        yield f"{at:04x}  {row.hex(' '):<47}  {text}"
