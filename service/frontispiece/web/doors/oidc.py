"""Logging in at the identity provider: there, back again, and out.

What belongs to a login that has begun lies in a cookie of its own: the random key that state, nonce and verifier are
made of, and the page to show afterwards. Every step is a plain link, because the strict policy of our pages lets no
form lead elsewhere.
"""

import logging
import secrets
from typing import cast
from urllib.parse import quote, unquote

from flask import Blueprint, Response, abort, current_app, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue

from frontispiece import accounts, identity
from frontispiece.identity import Provider
from frontispiece.oidc import BACK
from frontispiece.web import security
from frontispiece.web.doors.login import page
from frontispiece.web.i18n import gettext as _

oidc = Blueprint("oidc", __name__, url_prefix="/login/oidc")

BEGUN = "-begun"  # ends the name of the cookie
LONGEST = 600  # seconds that somebody may take to log in there
MOST = 1000  # characters of an address to come back to; browsers keep no cookie above 4 kB

log = logging.getLogger(__name__)


@oidc.get("")
def start() -> ResponseReturnValue:
    """Leads to the provider; somebody who is logged in already is sent on."""
    next_ = request.args.get("next", "")
    if security.person():
        return redirect(security.local_path(next_), 303)
    key = secrets.token_urlsafe(32)
    try:
        answer = make_response(redirect(provider().way_in(key), 303))
    except identity.Untrusted as problem:
        return _not_trusted(problem)
    kept = quote(next_, safe="") if len(next_) <= MOST else ""
    return security.send_cookie(answer, f"{key}.{kept}", BEGUN, LONGEST)


@oidc.get("/back")
def back() -> ResponseReturnValue:
    """Where the provider sends them: whom it vouches for is logged in."""
    key, _dot, next_ = request.cookies.get(security.cookie_name(BEGUN), "").partition(".")
    try:
        person = provider().person(key, request.args)
        first = provider().settings.role
        database = security.house().database
        opened = accounts.vouched_for(database, person.subject, person.name, person.role, first)
    except identity.Stale:
        return _told(_("This login was not begun in this browser, or over ten minutes ago. Please start again."), 400)
    except identity.Denied as problem:
        return _told(_("%(title)s did not let you in: %(words)s", title=_title(), words=problem.words), 403)
    except identity.Untrusted as problem:
        return _not_trusted(problem)
    except accounts.NoRole:
        log.warning("%s of %s has no role here and was refused", person.name, provider().settings.issuer)
        words = _(
            "%(title)s knows you as %(name)s, and gives you no role here. Ask an admin for access.",
            title=_title(),
            name=person.name,
        )
        return _told(words, 403)
    security.new_cookie(opened)
    return security.drop_cookie(make_response(redirect(security.local_path(unquote(next_)), 303)), BEGUN)


@oidc.get("/out")
def out() -> ResponseReturnValue:
    """Leads to the provider's own page for logging out (OpenID Connect RP-Initiated Logout 1.0), where it has one."""
    there = provider().way_out(security.house().settings.server.url.rstrip("/") + url_for("login.show"))
    if not there:
        return page(_("%(title)s has no page for logging out: log out there, or close the browser.", title=_title()))
    return redirect(there, 303)


def provider() -> Provider:
    """The provider that is configured, with what it said of itself a short while ago; 404 where there is none."""
    house = security.house()
    if house.settings.oidc is None:
        abort(404)
    kept = cast("Provider | None", current_app.extensions.get("provider"))
    if kept is None or kept.settings is not house.settings.oidc:
        here = house.settings.server.url.rstrip("/")
        kept = current_app.extensions["provider"] = Provider(house.settings.oidc, here + BACK)
    return kept


def _title() -> str:
    return provider().settings.title


def _not_trusted(problem: identity.Untrusted) -> ResponseReturnValue:
    log.warning("nobody can log in with %s: %s", provider().settings.issuer, problem.words)
    words = _("Logging in with %(title)s does not work at the moment. The log has the reason.", title=_title())
    return _told(words, 502)


def _told(words: str, status: int) -> Response:
    """The words, and the ways to try again."""
    return security.drop_cookie(page(words, status), BEGUN)
