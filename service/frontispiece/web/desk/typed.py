"""What somebody typed into the forms of an illustration's page: read with limits, and kept where it was refused."""

import math
from typing import Any

from flask import request

from frontispiece.errors import Problem
from frontispiece.review import Details
from frontispiece.web import acts
from frontispiece.web.i18n import gettext as _

KEPT = ("alt", "caption", "prompt", "reason", "candidate", "left", "top")
MOST = 40  # locales
CHIPS = 12


def details() -> Details:
    """Words and focal point of the form; what it has no field for, or an empty focal point, stays as it is.

    Raises `Problem` in words.
    """
    form = request.form
    alt = acts.clean(form["alt"], acts.ALT, "alt text") if "alt" in form else None
    caption = acts.clean(form["caption"], acts.CAPTION, "caption") if "caption" in form else None
    return Details(
        alt,
        caption,
        _by_locale("alt", acts.ALT, "alt text"),
        _by_locale("caption", acts.CAPTION, "caption"),
        focal(form.get("left", ""), form.get("top", "")),
    )


def _by_locale(field: str, most: int, what: str) -> dict[str, str] | None:
    """The texts of the fields "alt:de", "alt:pt-BR" and so on by their locales; None where there are none."""
    start = f"{field}:"
    fields = [name for name in request.form if name.startswith(start)][:MOST]
    texts = {name.removeprefix(start)[:35]: acts.clean(request.form[name], most, what) for name in fields}
    return {locale: text for locale, text in texts.items() if text} if fields else None


def focal(left: str, top: str) -> tuple[float, float] | None:
    """The point at so many percent from the left and from the top. Raises `Problem` where it is none."""
    if not left.strip() and not top.strip():
        return None
    try:
        across, down = (float(given.replace(",", ".")) for given in (left, top))
    except ValueError:
        across = down = math.nan
    if not (0 <= across <= 100 and 0 <= down <= 100):
        raise Problem(_("The focal point is two numbers from 0 to 100: percent from the left and from the top."))
    return round(across / 100, 4), round(down / 100, 4)


def candidate() -> int:
    """The picture that was chosen. Raises `Problem` where none was."""
    chosen = number(request.form.get("candidate", ""))
    if chosen is None:
        raise Problem(_("Choose one of the pictures first."))
    return chosen


def chips() -> list[str]:
    """The reasons that were picked, as they were sent; who acts on them knows which there are."""
    return list(dict.fromkeys(request.form.getlist("chip")))[:CHIPS]


def kept() -> dict[str, Any]:
    """What is shown again where it could not be used; `locales` says whether other languages are among it."""
    names = [name for name in request.form if name in KEPT or ":" in name]
    told: dict[str, Any] = {name: request.form[name] for name in names}
    return told | {"chips": chips(), "locales": any(":" in name for name in names)}


def number(given: str) -> int | None:
    """The id that somebody sent, if it is one."""
    return int(given) if given.isascii() and given.isdigit() and len(given) < 10 else None


def percent(focal_: list[float] | None, at: int) -> str:
    """One of the two fractions of a focal point as percent for its field; "" where there is no point."""
    return f"{focal_[at] * 100:g}" if focal_ else ""
