"""What the page before this one did, to say so above this one and to offer the way back."""

from dataclasses import dataclass

from flask import g, request
from sqlalchemy.orm import Session

from frontispiece.models import State
from frontispiece.web import plain, views
from frontispiece.web.desk import stage, typed


@dataclass(frozen=True)
class Done:
    """`act` was done to illustration `of`; `review` is the decision that `undo` would take back, if there is one."""

    act: str
    of: int
    title: str
    review: int | None = None


def done(session: Session) -> Done | None:
    """What the address of this page says that was done, as far as it is true."""
    act, of = request.args.get("did", ""), typed.number(request.args.get("of", ""))
    one = views.reviewed(session, of) if act in plain.DONE and of is not None else None
    if one is None or of is None:
        return None
    last = stage.undoable(one, g.person.name) if act not in ("undo", "describe") else None
    if act == "approve" and last is not None and last.decision == "endorse":
        act = "endorse"
    elif act == "approve" and one.state == State.RENDERING:
        act = "final"
    return Done(act, of, one.entry.title, last.id if last else None)
