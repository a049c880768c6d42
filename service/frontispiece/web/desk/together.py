"""What people who review together leave for each other: comments, who has it, and who is looking at it now."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from flask import Blueprint, abort, current_app, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from frontispiece import accounts
from frontispiece.database import upsert
from frontispiece.errors import Problem
from frontispiece.house import House
from frontispiece.models import Comment, Illustration, Presence, User
from frontispiece.web import acts, frame, security
from frontispiece.web.i18n import gettext as _
from frontispiece.web.said import told

together = Blueprint("together", __name__, url_prefix="/desk")
together.before_request(security.refuse_foreign_forms)

NUMBER = "/<int(max=2147483647):number>"
COMMENT = 2_000  # characters
HERE = 45.0  # seconds after which somebody who was not seen again is gone
BEAT = 20.0  # seconds between two notes that somebody is still here
REVIEWERS = accounts.ROLES[accounts.ROLES.index("editor") :]


@dataclass(frozen=True)
class Company:
    """The others at an illustration: what they said, who looks at it now, who may be given it."""

    comments: Sequence[Comment]
    looking: Sequence[str]
    people: Sequence[str]


def company(session: Session, number: int, me: str) -> Company:
    """What stands beside an illustration for the one who looks at it."""
    said = select(Comment).where(Comment.illustration_id == number).order_by(Comment.id)
    there = select(Presence.name).where(Presence.illustration_id == number, Presence.seen > time.time() - HERE)
    people = select(User.name).where(User.role.in_(REVIEWERS)).order_by(User.name)
    looking = session.scalars(there.where(Presence.name != me).order_by(Presence.name)).all()
    return Company(session.scalars(said).all(), looking, session.scalars(people).all())


def comment(house: House, number: int, by: str, text: str) -> int:
    """Leaves a comment; its id. The same words of the same person twice in a row are one. Raises `Problem`."""
    text = acts.clean(text, COMMENT, "comment")
    if not text:
        raise Problem("The comment is empty.")
    with house.database.write() as session:
        _exists(session, number)
        wanted = select(Comment).where(Comment.illustration_id == number).order_by(Comment.id.desc()).limit(1)
        last = session.scalar(wanted)
        if last is None or (last.by, last.text) != (by, text):
            last = Comment(illustration_id=number, by=by, text=text)
            session.add(last)
            session.flush()
    poke(number)
    return last.id


def assign(house: House, number: int, name: str) -> None:
    """Gives an illustration to a user who may decide, or to nobody (""). Raises `Problem`."""
    name = acts.clean(name, accounts.MOST_NAME, _("name"), lines=False)
    with house.database.write() as session:
        _exists(session, number)
        may = select(User.name).where(User.name == name, User.role.in_(REVIEWERS))
        if name and session.scalar(may) is None:
            raise Problem(f"There is nobody named {name!r} who may decide.")
        session.execute(update(Illustration).where(Illustration.id == number).values(assignee=name))
    poke(number)


def look(house: House, number: int, name: str) -> None:
    """Notes that somebody has an illustration open, at most every `BEAT` seconds."""
    now = time.time()
    with house.database.read() as session:
        mine = select(Presence.seen).where(Presence.illustration_id == number, Presence.name == name)
        if (session.scalar(mine) or 0.0) > now - BEAT or session.get(Illustration, number) is None:
            return
    with house.database.write() as session:
        session.execute(delete(Presence).where(Presence.seen < now - HERE))
        values = {"illustration_id": number, "name": name, "seen": now}
        upsert(session, Presence, ["illustration_id", "name"], values, ["seen"])


def leave(house: House, number: int, name: str) -> None:
    """Somebody has closed the page of an illustration."""
    with house.database.write() as session:
        session.execute(delete(Presence).where(Presence.illustration_id == number, Presence.name == name))
    poke(number)


def poke(*numbers: int) -> None:
    """Lets open pages ask anew about these illustrations."""
    if pulse := current_app.extensions.get("pulse"):
        pulse.poke(*numbers)


@together.get(f"{NUMBER}/together")
@security.needs("viewer")
def show(number: int) -> ResponseReturnValue:
    """The part of the page that tells of the others; asking for it says that one is here oneself."""
    look(security.house(), number, g.person.name)
    return _part(number)


@together.post(f"{NUMBER}/comment")
@security.needs("viewer")
def say(number: int) -> ResponseReturnValue:
    """Leaves a comment."""
    try:
        comment(security.house(), number, g.person.name, request.form.get("comment", ""))
    except Problem as problem:
        return _part(number, told(problem.words), 422)
    return _part(number) if frame.is_part() else _back(number)


@together.post(f"{NUMBER}/assign")
@security.needs("editor")
def hand_over(number: int) -> ResponseReturnValue:
    """Gives the illustration to somebody."""
    try:
        assign(security.house(), number, request.form.get("assignee", ""))
    except Problem as problem:
        return _part(number, told(problem.words), 422)
    return _part(number) if frame.is_part() else _back(number)


@together.post(f"{NUMBER}/gone")
@security.needs("viewer")
def go(number: int) -> ResponseReturnValue:
    """The page is being closed."""
    leave(security.house(), number, g.person.name)
    return "", 204


def _part(number: int, problem: str = "", status: int = 200) -> ResponseReturnValue:
    with security.house().database.read() as session:
        one = session.get(Illustration, number)
        if one is None:
            abort(404, _("There is no illustration %(number)s.", number=number))
        others = company(session, number, g.person.name)
    facts = {"one": one, "together": others, "trouble": problem, "typed": {} if frame.is_part() else request.form}
    page = "_together.html" if frame.is_part() else "together.html"
    # htmx swaps only what is 2xx, and the words have to be seen beside the field
    return render_template(page, **facts), 200 if frame.is_part() else status


def _back(number: int) -> ResponseReturnValue:
    return redirect(url_for("desk.illustration", number=number, _anchor="together"), 303)


def _exists(session: Session, number: int) -> None:
    if session.get(Illustration, number) is None:
        raise Problem(f"There is no illustration {number}.")
