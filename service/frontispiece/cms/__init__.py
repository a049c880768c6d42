"""The adapter seam: everything Frontispiece asks of a CMS.

A plugin is a folder with an `adapter.py` that holds one subclass of `Adapter`. It imports this package,
`frontispiece.signatures`, httpx, pydantic and the standard library, nothing else.
"""

from frontispiece.cms.adapter import Adapter, Connection, ContentType, Format, SiteSettings
from frontispiece.cms.calls import Header, call, clock, read_json, removed, whole
from frontispiece.cms.data import (
    TEST_PICTURE,
    Current,
    Delivery,
    Entry,
    Event,
    EventKind,
    Headers,
    Picture,
    Receipt,
    unchanged,
)
from frontispiece.cms.loading import load, names
from frontispiece.cms.reading import dig, dig_all, fill, prose, reading, texts, whole_number
from frontispiece.cms.text import plain, plain_tree, shortened
from frontispiece.errors import CmsProblem, Conflict, Gone, NotAllowed, Refused, Unavailable, Unreadable

__all__ = [
    "TEST_PICTURE",
    "Adapter",
    "CmsProblem",
    "Conflict",
    "Connection",
    "ContentType",
    "Current",
    "Delivery",
    "Entry",
    "Event",
    "EventKind",
    "Format",
    "Gone",
    "Header",
    "Headers",
    "NotAllowed",
    "Picture",
    "Receipt",
    "Refused",
    "SiteSettings",
    "Unavailable",
    "Unreadable",
    "call",
    "clock",
    "dig",
    "dig_all",
    "fill",
    "load",
    "names",
    "plain",
    "plain_tree",
    "prose",
    "read_json",
    "reading",
    "removed",
    "shortened",
    "texts",
    "unchanged",
    "whole",
    "whole_number",
]
