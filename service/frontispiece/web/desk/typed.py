"""What somebody typed into the forms of an illustration's page: read with limits, and kept where it was refused."""

import math
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from flask import request

from frontispiece.errors import Problem
from frontispiece.models import Illustration
from frontispiece.review import Details
from frontispiece.web import acts
from frontispiece.web.desk import stage
from frontispiece.web.i18n import gettext as _

WORDS = ("alt", "caption")
FOCAL = ("left", "top")
KEPT = ("prompt", "reason", "candidate")
CHIPS = 12


def details(one: Illustration) -> Details:
    """Words and focal point that somebody changed; the rest, or an empty focal point, stays as it is.

    Raises `Problem` in words.
    """
    form = request.form
    return Details(
        _text("alt", acts.ALT, "alt text"),
        _text("caption", acts.CAPTION, "caption"),
        _by_locale(one, "alt", one.alts, acts.ALT, "alt text"),
        _by_locale(one, "caption", one.captions, acts.CAPTION, "caption"),
        focal(form.get("left", ""), form.get("top", "")) if _is_aimed() else None,
    )


def mark(shown: str) -> str:
    """Tells what a field showed: each goes with a hidden "was:" of this, so that what nobody changed is not written."""
    text = "\n".join(shown.strip().splitlines())  # browsers send line ends of their own
    return sha256(text.encode(errors="replace")).hexdigest()[:16]


def _is_changed(name: str) -> bool:
    """Whether the form has the field, and not as its page showed it."""
    form = request.form
    return name in form and form.get(f"was:{name}") != mark(form[name])


def _is_aimed() -> bool:
    """Whether the focal point was changed; its two fields are one thing."""
    return any(_is_changed(name) for name in FOCAL)


def _text(name: str, most: int, what: str) -> str | None:
    return acts.clean(request.form[name], most, what) if _is_changed(name) else None


def _by_locale(one: Illustration, field: str, there: Mapping[str, str], most: int, what: str) -> dict[str, str] | None:
    """`there` with what was changed in the fields "alt:de", "alt:pt-BR" and so on; None where nothing was."""
    texts = {row.locale: _text(f"{field}:{row.locale}", most, what) for row in stage.words(one)}
    changed = {locale: text for locale, text in texts.items() if text is not None}
    return {locale: text for locale, text in {**there, **changed}.items() if text} if changed else None


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
    """What is shown again where it could not be used; `locales` says whether other languages are among it.

    What nobody changed is left out: the page shows what there is by now, which may be somebody else's.
    """
    form = request.form
    words = [name for name in form if name.partition(":")[0] in WORDS and _is_changed(name)]
    others = KEPT + FOCAL if _is_aimed() else KEPT
    told: dict[str, Any] = {name: form[name] for name in (*words, *others) if name in form}
    return told | {"chips": chips(), "locales": any(":" in name for name in words)}


def number(given: str) -> int | None:
    """The id that somebody sent, if it is one."""
    return int(given) if given.isascii() and given.isdigit() and len(given) < 10 else None


def percent(focal_: list[float] | None, at: int) -> str:
    """One of the two fractions of a focal point as percent for its field; "" where there is no point.

    In tenths, as a browser sends no form with a number between the steps of its field.
    """
    return f"{round(focal_[at] * 100, 1):g}" if focal_ else ""
