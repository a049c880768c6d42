"""The words of the desk: states, acts, times, numbers and money as a person would say them."""

import time
from datetime import UTC, datetime
from decimal import Decimal
from urllib.parse import urlsplit

from frontispiece.models import RenderState, State
from frontispiece.web.i18n import Lazy, figures, nlazy, pgettext
from frontispiece.web.i18n import gettext as _
from frontispiece.web.i18n import lazy as later
from frontispiece.web.said import told

S = State

TABS = {
    "waiting": later("Waiting for you"),
    "drawing": later("Being drawn"),
    "attention": later("Needs attention"),
    "published": later("Published"),
    "closed": later("Set aside"),
}
EMPTY = {
    "waiting": (
        later("Nothing waits for you."),
        later("New pictures appear here by themselves as soon as they are drawn."),
    ),
    "drawing": (
        later("Nothing is being drawn."),
        later("Publish an article or a product and its picture begins here."),
    ),
    "attention": (
        later("All is well."),
        later("Pictures that failed, or that met somebody's own work, would be listed here."),
    ),
    "published": (
        later("Nothing is published yet."),
        later("What you approve goes to the site and is listed here."),
    ),
    "closed": (
        later("Nothing was set aside."),
        later("Rejected, skipped and taken-back pictures are kept here."),
    ),
}
SHORT = {
    S.QUEUED: later("Queued"),
    S.COMPOSING: later("Writing the prompt"),
    S.RENDERING: later("Being drawn"),
    S.IN_REVIEW: later("Waiting for you"),
    S.APPROVED: later("Approved"),
    S.PUBLISHING: later("On its way"),
    S.PUBLISHED: later("Published"),
    S.REVERTED: later("Taken back"),
    S.HELD: later("Held"),
    S.FAILED: later("Failed"),
    S.REJECTED: later("Rejected"),
    S.SKIPPED: later("Skipped"),
}
LONG = {
    S.QUEUED: later("In the queue. The prompt is written in a moment."),
    S.COMPOSING: later("The prompt is being written."),
    S.RENDERING: later("A picture is being drawn. This page shows it as soon as it is there."),
    S.IN_REVIEW: later("A picture waits for your decision."),
    S.APPROVED: later("Approved. It goes to the site in a moment."),
    S.PUBLISHING: later("The picture is being put on the entry."),
    S.PUBLISHED: later("The picture is on the entry."),
    S.REVERTED: later("The entry has again what it had before."),
    S.HELD: later("Stopped: a person has to decide."),
    S.FAILED: later("This did not work."),
    S.REJECTED: later("Rejected. The entry stays as it is."),
    S.SKIPPED: later("No picture is drawn for this entry."),
}
STEPS = {
    "compose": later("Writing the prompt"),
    "render": later("Drawing"),
    "collect": later("Fetching the picture"),
    "publish": later("Publishing"),
    "revert": later("Taking the picture back"),
}
DECISIONS = {
    "approve": later("Approved"),
    "reject": later("Rejected"),
    "regenerate": later("Asked for another"),
    "retry": later("Tried again"),
    "revert": later("Taken back"),
    "endorse": later("Approved first"),
}
DONE = {
    "approve": later("Approved: “%(title)s” goes to the site now."),
    "reject": later("Rejected: “%(title)s” stays as it is."),
    "regenerate": later("Another picture for “%(title)s” is being drawn."),
    "retry": later("Trying again: “%(title)s”."),
    "revert": later("Taking the picture of “%(title)s” back."),
    "endorse": later("You approved “%(title)s”. A second person has to as well."),
    "final": later("Approved: the final picture of “%(title)s” is being drawn."),
    "undo": later("Your decision on “%(title)s” is taken back."),
    "describe": later("The words of “%(title)s” are saved."),
}
KINDS = {"article": later("article"), "product": later("product")}
ROLES = {"viewer": later("Viewer"), "editor": later("Editor"), "lead": later("Lead"), "admin": later("Admin")}
RENDERS = {
    RenderState.PLANNED: later("planned"),
    RenderState.SUBMITTING: later("being asked for"),
    RenderState.OPEN: later("being drawn"),
    RenderState.FETCHED: later("arrived"),
    RenderState.DONE: later("drawn"),
    RenderState.FAILED: later("failed"),
    RenderState.UNKNOWN: later("outcome not known"),
}
# up to so many seconds away; seconds in the unit; said of the past and of what lies ahead
_AGO = (
    (60, 1, nlazy("%(num)s s ago", "%(num)s s ago"), nlazy("in %(num)s s", "in %(num)s s")),
    (3600, 60, nlazy("%(num)s min ago", "%(num)s min ago"), nlazy("in %(num)s min", "in %(num)s min")),
    (86400, 3600, nlazy("%(num)s h ago", "%(num)s h ago"), nlazy("in %(num)s h", "in %(num)s h")),
    (float("inf"), 86400, nlazy("%(num)s d ago", "%(num)s d ago"), nlazy("in %(num)s d", "in %(num)s d")),
)


def ago(then: float) -> str:
    """How long ago, in one unit; or in how long, where it lies ahead."""
    seconds = time.time() - then
    if abs(seconds) < 5:
        return _("now")
    past, ahead, unit = next((past, ahead, unit) for limit, unit, past, ahead in _AGO if abs(seconds) < limit)
    return (past if seconds > 0 else ahead) % {"num": int(abs(seconds) // unit)}


def iso(then: float) -> str:
    """As ISO 8601 writes it, in UTC, to the second."""
    return datetime.fromtimestamp(then, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def on(then: float) -> str:
    """The day and the time of day, in UTC."""
    when = datetime.fromtimestamp(then, UTC)
    return _("%(day)s %(month)s %(year)s, %(time)s UTC", time=f"{when:%H:%M}", **_date(when))


def day(then: float) -> str:
    """The day, in UTC."""
    return _("%(day)s %(month)s %(year)s", **_date(datetime.fromtimestamp(then, UTC)))


def _date(when: datetime) -> dict[str, object]:
    months = pgettext("months, parted by spaces", "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec").split()
    return {"day": when.day, "month": months[when.month - 1], "year": when.year}


def link(address: str) -> str:
    """The address if it is a web address, else "": whatever a CMS sends, only these become links."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    return address if parts.scheme in ("http", "https") and parts.netloc else ""


def sentence(words: str | Lazy) -> str:
    """What was said below the desk, in the reader's language, with a capital letter.

    Without one where it begins with a name such as flux-2-pro.
    """
    words = told(words)
    return words[:1].upper() + words[1:] if words.split(" ", 1)[0].isalpha() else words


def number(amount: float, places: int = 0) -> str:
    """With so many places after the decimal mark, thousands kept apart."""
    return figures(f"{amount:,.{places}f}")


def dollars(amount: float | None) -> str:
    """Money, to the cent; below a dollar with as many places as four figures need."""
    if amount is None:
        return ""
    exact = Decimal(f"{amount:.4g}")
    in_cents = abs(amount) >= 1 or exact == round(exact, 2)
    return _("$%(amount)s", amount=figures(f"{amount:,.2f}" if in_cents else f"{exact:f}"))


FILTERS = {
    "ago": ago,
    "day": day,
    "dollars": dollars,
    "iso": iso,
    "link": link,
    "number": number,
    "on": on,
    "sentence": sentence,
    "told": told,
}
