"""What is around every page: the rooms in the navigation at its head, and whether only a part of it is asked for."""

from dataclasses import dataclass

from flask import current_app, request

from frontispiece.web import security
from frontispiece.web.i18n import Lazy
from frontispiece.web.i18n import lazy as _


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
