"""Sites: whether each is connected, what was last heard of it, what went wrong, and what the doctor says."""

from flask import Blueprint, abort, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from frontispiece import advice, sites, standing
from frontispiece.standing import Standing
from frontispiece.web import frame, plain, search, security
from frontispiece.web.i18n import Lazy
from frontispiece.web.i18n import gettext as _
from frontispiece.web.i18n import lazy as later

# the core has this name too, so the blueprint is called after its page
sites_page = Blueprint("sites", __name__, url_prefix="/sites")
sites_page.before_request(security.refuse_foreign_forms)

STATES: dict[str, Lazy] = {
    "connected": later("Connected"),
    "paused": later("Paused"),
    "retrying": later("To be tried again"),
    "silent": later("Never heard"),
}
EVENTS: dict[str, Lazy] = {
    "created": later("created"),
    "published": later("published"),
    "updated": later("updated"),
    "deleted": later("deleted"),
    "ping": later("a test of the connection"),
}


def state(one: Standing) -> str:
    """One of `STATES`: a pause that nothing ended yet, although its time is over, is to be tried again."""
    if one.pause:
        return "paused" if one.pause.running else "retrying"
    return "connected" if one.heard else "silent"


@sites_page.get("")
@security.needs("lead")
def show() -> ResponseReturnValue:
    """All configured sites."""
    house = security.house()
    with house.database.read() as session:
        found = standing.every(session, house.settings.sites)
    rows = [(one, state(one), house.adapter(one.name), _counts(one)) for one in found]
    return render_template("sites.html", rows=rows, words=STATES, tabs=plain.TABS)


@sites_page.get("/<name>")
@security.needs("lead")
def show_one(name: str) -> ResponseReturnValue:
    """One site: how it stands, its rules, and what the doctor last found."""
    return _page(name)


@sites_page.post("/<name>/doctor")
@security.needs("lead")
def doctor(name: str) -> ResponseReturnValue:
    """Has a worker ask the CMS; refused while one is asking."""
    _known(name)
    if not sites.ask_doctor(security.house(), name):
        return _page(name, 409, _("The doctor is asking already; wait for what it finds."))
    security.nudge()
    return redirect(url_for("sites.show_one", name=name) + "#doctor", 303)


@sites_page.post("/<name>/try")
@security.needs("lead")
def try_now(name: str) -> ResponseReturnValue:
    """Ends the wait of a pause, and has the doctor say at once whether the CMS takes our credentials again."""
    _known(name)
    sites.try_now(security.house(), name)
    sites.ask_doctor(security.house(), name)
    security.nudge()
    return redirect(url_for("sites.show_one", name=name) + "#doctor", 303)


def _page(name: str, status: int = 200, problem: str = "") -> ResponseReturnValue:
    _known(name)
    house = security.house()
    with house.database.read() as session:
        (one,) = standing.every(session, [name])
        found = standing.findings(session, name)
    facts = {
        "state": state(one),
        "words": STATES,
        "adapter": house.adapter(name),
        "hook": advice.hook_url(house.settings, name),
        "rules": [rule for rule in house.settings.rules if rule.site == name],
        "events": EVENTS,
        "counts": _counts(one),
        "tabs": plain.TABS,
    }
    page = "_site.html" if frame.is_part() else "site.html"
    return render_template(page, one=one, found=found, problem=problem, **facts), status


def _known(name: str) -> None:
    if name not in security.house().settings.sites:
        abort(404, _("There is no site %(name)s in the configuration.", name=name[:100]))


def _counts(one: Standing) -> dict[str, int]:
    """How many illustrations are in each tab of the queue."""
    return {tab: sum(one.states[state] for state in states) for tab, states in search.TABS.items()}
