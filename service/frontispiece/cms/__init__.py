"""The adapter seam: everything Frontispiece asks of a CMS.

A plugin is a folder with an `adapter.py` that holds one subclass of `Adapter`. It imports this package,
`frontispiece.signatures`, httpx, pydantic and the standard library, nothing else.
"""

from frontispiece.cms.adapter import Adapter, Connection, ContentType, Format, SiteSettings
from frontispiece.cms.calls import Header, call, clock, dig, graphql, read_json
from frontispiece.cms.data import Current, Delivery, Entry, Event, EventKind, Headers, Picture, Receipt
from frontispiece.cms.loading import load, names
from frontispiece.cms.text import plain, plain_tree
from frontispiece.errors import CmsProblem, Conflict, Gone, NotAllowed, Refused, Unavailable, Unreadable

__all__ = [
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
    "graphql",
    "load",
    "names",
    "plain",
    "plain_tree",
    "read_json",
]
