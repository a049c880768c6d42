"""The time that a lead looks at: today, some days, or dates of their own; days begin at midnight UTC, as budgets do."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

from frontispiece.figures import EVER, Period
from frontispiece.web import plain
from frontispiece.web.i18n import Lazy
from frontispiece.web.i18n import gettext as _
from frontispiece.web.i18n import lazy as later

DAY = 86_400.0  # seconds
DAYS = {"today": 1, "7": 7, "30": 30}
NAMES: dict[str, Lazy] = {"today": later("Today"), "7": later("7 days"), "30": later("30 days")}


@dataclass(frozen=True)
class Asked:
    """What was asked for: `name` is one of `DAYS` or "dates"; `since` and `until` as typed; `problem` what is wrong."""

    name: str
    period: Period
    since: str = ""
    until: str = ""
    problem: str = ""

    @property
    def words(self) -> str:
        """The first and the last day."""
        first, last = plain.day(self.period.start), plain.day(self.period.end - 1)
        return first if first == last else _("%(first)s to %(last)s", first=first, last=last)

    @property
    def file(self) -> str:
        """The days as a part of a file's name."""
        return f"{plain.iso(self.period.start)[:10]}-to-{plain.iso(self.period.end - 1)[:10]}"

    @property
    def query(self) -> dict[str, str]:
        """What asks for it again."""
        return {"period": self.name} | ({"since": self.since, "until": self.until} if self.name == "dates" else {})


def asked(args: Mapping[str, str], otherwise: str = "7") -> Asked:
    """The period that the fields `period`, `since` and `until` ask for; the usual one and why where they are wrong."""
    name = args.get("period") or ("dates" if args.get("since") or args.get("until") else otherwise)
    if name in DAYS:
        return _usual(name)
    since, until = args.get("since", "").strip()[:20], args.get("until", "").strip()[:20]
    usual = replace(_usual(otherwise), since=since, until=until)
    if name != "dates":
        return replace(usual, problem=_("There is no such period."))
    try:
        _day(since), _day(until)  # both are needed here
        return Asked("dates", between(since, until), since, until)
    except ValueError:
        words = _("Give both days as year-month-day, such as 2026-11-21, the first one before the last.")
        return replace(usual, problem=words)


def between(since: str, until: str) -> Period:
    """From the first of two days to the end of the last; "" is no limit. Raises `ValueError` for what is no day."""
    found = Period(_day(since) if since else EVER.start, _day(until) + DAY if until else EVER.end)
    if found.end <= found.start:
        raise ValueError(until)
    return found


def _usual(name: str) -> Asked:
    end = (time.time() // DAY + 1) * DAY
    period = Period(end - DAYS[name] * DAY, end)
    return Asked(name, period, plain.iso(period.start)[:10], plain.iso(period.end - 1)[:10])


def _day(given: str) -> float:
    """When a day begins. Raises `ValueError` for anything but a day from 1970 to 2999."""
    found = date.fromisoformat(given)
    if not 1970 <= found.year < 3000:
        raise ValueError(given)
    return datetime.combine(found, datetime.min.time(), UTC).timestamp()


def lasted(seconds: float | None) -> str:
    """A length of time in its two largest units."""
    if seconds is None:
        return ""
    whole = max(0, round(seconds))
    days, hours, minutes = whole // 86_400, whole // 3600 % 24, whole // 60 % 60
    units = [
        (days, _("%(number)s d", number=days)),
        (hours, _("%(number)s h", number=hours)),
        (minutes, _("%(number)s min", number=minutes)),
        (whole % 60, _("%(number)s s", number=whole % 60)),
    ]
    first = next((at for at, (number, _words) in enumerate(units) if number), 3)
    return " ".join(words for number, words in units[first : first + 2] if number) or units[3][1]
