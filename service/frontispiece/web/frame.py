"""What pages share: the rooms in their navigation, whether a part is enough, and which language an entry speaks."""

import re
from dataclasses import dataclass

from flask import current_app, request

from frontispiece.web import security
from frontispiece.web.i18n import Lazy
from frontispiece.web.i18n import lazy as _

_TAG = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")


@dataclass(frozen=True)
class Room:
    """A page with a place in the navigation: its endpoint, its name, the least role, whether one is in it."""

    endpoint: str
    words: Lazy | str
    role: str
    here: bool = False


ROOMS = (
    Room("queue.show", _("Queue"), "viewer"),
    Room("board.show", _("Board"), "lead"),
    Room("recipes.show", _("Templates"), "lead"),
    Room("sites.show", _("Sites"), "lead"),
    Room("deliveries.show", _("Deliveries"), "lead"),
    Room("people.show", _("People"), "admin"),
)


def rooms() -> list[Room]:
    """The rooms for the one who asks."""
    here = (request.endpoint or "").partition(".")[0]
    return [
        Room(room.endpoint, room.words, room.role, room.endpoint.partition(".")[0] == here)
        for room in ROOMS
        if room.endpoint in current_app.view_functions and security.may(room.role)
    ]


def live() -> str:
    """The address of the stream of changes; "" where the server in front has none, so that pages only poll."""
    return "/desk/live" if "pulse" in current_app.extensions else ""


def is_part() -> bool:
    """Whether htmx asks, for a part of a page that it shows already."""
    return request.headers.get("HX-Request") == "true"


def spoken(site: str, locale: str) -> str:
    """The language of an entry's own words, for `lang`, as they are seldom in the page's; "" where nobody knows it.

    A tag as https://www.rfc-editor.org/info/bcp47 has it, of the entry's locale or else of its site's `language`.
    """
    settings = security.house().settings.sites.get(site)
    tag = (locale or (settings.language if settings else "")).replace("_", "-")
    return tag if _TAG.fullmatch(tag) else ""
