"""Links from chat and mail that decide one picture once, without a login.

To look at one changes nothing, as mail scanners fetch every link they see; the page asks, and its form decides. A key
is 256 random bits of which the table has a hash, so that guessing needs no brake. It opens one picture and its words.
"""

import hmac
import time
from dataclasses import dataclass
from hashlib import sha256

from flask import Blueprint, Response, abort, make_response, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from frontispiece import notices, records
from frontispiece.errors import Problem, StaleState
from frontispiece.models import Candidate, Illustration, Link, Review, State
from frontispiece.web import acts, media, plain, security
from frontispiece.web.i18n import gettext as _
from frontispiece.web.i18n import lazy
from frontispiece.web.said import told

links = Blueprint("links", __name__, url_prefix="/l")

DECISIVE = ("approve", "reject", "regenerate", "retry", "revert")
DID = {
    "approve": lazy("%(who)s approved a picture for this entry."),
    "reject": lazy("%(who)s rejected this picture."),
    "regenerate": lazy("%(who)s asked for another picture."),
    "retry": lazy("%(who)s had it tried again."),
    "revert": lazy("%(who)s took the picture back."),
}
DONE = {
    "approved": lazy("Approved: the picture goes to the site now."),
    "endorsed": lazy("Approved by you. A second person has to approve it as well."),
    "final": lazy("Approved: the final picture is being drawn, and goes to the site then."),
    "rejected": lazy("Rejected: the entry stays as it is."),
}


@dataclass(frozen=True)
class Opened:
    """What a key opens. `closed` says why nothing can be decided with it (any more), "" while it can."""

    link: Link
    one: Illustration
    candidate: Candidate | None
    closed: str


@links.get("/<key>")
def show(key: str) -> ResponseReturnValue:
    """The picture and its words, and the question; or why there is nothing to decide."""
    return _page(key, _opened(key))


@links.get("/<key>/picture")
def picture(key: str) -> ResponseReturnValue:
    """The picture, while it can be decided."""
    opened = _opened(key)
    if opened.closed or opened.candidate is None:
        abort(410, opened.closed)
    answer = media.answer(security.house(), opened.candidate)
    answer.headers["Cache-Control"] = "no-store"
    return answer


@links.post("/<key>")
def decide(key: str) -> ResponseReturnValue:
    """Approves or rejects, once."""
    opened = _opened(key)
    sent = request.form.get("token", "").encode("utf8", "replace")
    if not hmac.compare_digest(_form_token(key).encode(), sent):
        abort(400, _("This form is from another page. Open the link again and send it from there."))
    if opened.closed:
        return _page(key, opened)
    try:
        done = _act(opened, request.form.get("act", ""))
    except StaleState as problem:
        opened = _opened(key)
        return _page(key, opened, problem="" if opened.closed else told(problem.words))
    except Problem as problem:
        return _page(key, opened, problem=told(problem.words))
    _use(opened.link)
    return _answer(render_template("link.html", opened=opened, key=key, done=DONE[done]))


def _act(opened: Opened, act: str) -> str:
    house, number, by = security.house(), opened.one.id, opened.link.notice.partition("/")[0] + acts.LINK
    if act == "approve":
        return acts.approve(house, number, opened.link.candidate_id, by)
    if act != "reject":
        abort(400, _("This form is from another page. Open the link again and send it from there."))
    acts.reject(house, number, by, acts.clean(request.form.get("reason", ""), acts.REASON, "reason"))
    return "rejected"


def _use(link: Link) -> None:
    """After the act, which its state lets happen once only, so that no crash leaves a link that did nothing."""
    with security.house().database.write() as session:
        session.execute(update(Link).where(Link.id == link.id, Link.used.is_(None)).values(used=time.time()))


def _opened(key: str) -> Opened:
    """What that key opens. Aborts with 404 where it opens nothing."""
    with security.house().database.read() as session:
        link = session.scalar(select(Link).where(Link.key == notices.digest(key), Link.expires > Link.created))
        if link is None:
            abort(404, _("There is no such link. It may have been cut off on its way to you."))
        one, candidate = records.illustration(session, link.illustration_id), session.get(Candidate, link.candidate_id)
        return Opened(link, one, candidate, _closed(session, link, one))


def _closed(session: Session, link: Link, one: Illustration) -> str:
    since = (Review.illustration_id == one.id) & (Review.at >= link.created) & Review.undone.is_(None)
    last = session.scalar(
        select(Review).where(since, Review.decision.in_(DECISIVE)).order_by(Review.id.desc()).limit(1)
    )
    if last is not None:
        return str(DID[last.decision] % {"who": last.by})
    if link.used is not None:
        return _("This link was used on %(day)s.", day=plain.on(link.used))
    if one.state != State.IN_REVIEW:
        return _("This picture waits for no decision any more.")
    if link.expires < time.time():
        return _("This link has expired. The picture still waits at the desk.")
    return ""


def _page(key: str, opened: Opened, problem: str = "") -> ResponseReturnValue:
    page = render_template(
        "link.html", opened=opened, key=key, problem=problem, form=_form_token(key), typed=request.form
    )
    return _answer(page, 410 if opened.closed else 400 if problem else 200)


def _answer(page: str, status: int = 200) -> Response:
    answer = make_response(page, status)
    answer.headers["X-Robots-Tag"] = "noindex, nofollow"
    return answer


def _form_token(key: str) -> str:
    """Says that a form came from our page: whoever made it had read that page, and so had the key."""
    return hmac.new(key.encode("utf8", "replace"), b"decide", sha256).hexdigest()


@links.after_request
def _tell_nobody(answer: Response) -> Response:
    """The key stands in the address, so that is passed on to nobody, not even to our own pages."""
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer
