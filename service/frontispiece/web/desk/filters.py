"""The words of the queue's filters, and of what a decision about many came to."""

from collections.abc import Iterable

from frontispiece import reasons
from frontispiece.web.desk.bulk import Outcome
from frontispiece.web.i18n import gettext as _
from frontispiece.web.i18n import known, lazy, nlazy
from frontispiece.web.search import Query

Option = tuple[str, str]  # what a form sends, and what a person reads

KINDS = {"article": lazy("Articles"), "product": lazy("Products")}
AGES = {
    "newer:1h": lazy("Newer than an hour"),
    "newer:1d": lazy("Newer than a day"),
    "newer:1w": lazy("Newer than a week"),
    "older:1h": lazy("Older than an hour"),
    "older:1d": lazy("Older than a day"),
    "older:1w": lazy("Older than a week"),
}
SORTS = {"newest": lazy("Newest first"), "oldest": lazy("Oldest first")}
WHOSE = {"me": lazy("Me"), "nobody": lazy("Nobody"), "somebody": lazy("Somebody")}
DONE = {
    "approve": nlazy("%(num)s picture is approved.", "%(num)s pictures are approved."),
    "reject": nlazy("%(num)s picture is rejected.", "%(num)s pictures are rejected."),
    "regenerate": nlazy("%(num)s other picture is being drawn.", "%(num)s other pictures are being drawn."),
    "assign": nlazy("%(num)s picture has its reviewer.", "%(num)s pictures have their reviewer."),
    "undo": nlazy("%(num)s decision is taken back.", "%(num)s decisions are taken back."),
}
MORE = ("kind", "rule", "age", "chip", "reason", "sort")
ONE = {
    "approve": lazy("Approved: “%(title)s”."),
    "reject": lazy("Rejected: “%(title)s”."),
    "regenerate": lazy("Another picture for “%(title)s” is being drawn."),
    "assign": lazy("“%(title)s” has its reviewer."),
    "undo": lazy("Taken back: “%(title)s” is as it was before."),
}


def chips() -> list[Option]:
    """The reasons that can be picked."""
    return [(chip, known(title)) for chip, title in reasons.titles().items()]


def whose(people: Iterable[str]) -> list[Option]:
    """Whom a picture may be given to, as a filter."""
    return [*((who, str(words)) for who, words in WHOSE.items()), *((name, name) for name in people)]


def more(query: Query) -> str:
    """What opens the less used filters, with how many of them are on: one does not see them otherwise."""
    on = sum(name in query.args() for name in MORE)
    return _("More filters (%(num)s)", num=on) if on else _("More filters")


def told(outcome: Outcome) -> str:
    """How many it was done to, or to which one."""
    if len(outcome.done) == 1:
        return ONE[outcome.act] % {"title": next(iter(outcome.done.values()))}
    return DONE[outcome.act] % {"num": len(outcome.done)}
