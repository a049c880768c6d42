"""What people who review together leave for each other: comments, and who has it."""

from typing import Annotated

from pydantic import BaseModel, Field
from sqlalchemy import select

from frontispiece.models import Comment
from frontispiece.web import plain, security
from frontispiece.web.api import callers, listing, shapes
from frontispiece.web.api.deciding import done
from frontispiece.web.api.routes import get, post
from frontispiece.web.api.shapes import Act, IllustrationShape
from frontispiece.web.desk import together


class Say(Act):
    """What to say to the others."""

    text: Annotated[str, shapes.said(together.COMMENT), shapes.clean(together.COMMENT, "comment"), Field(min_length=1)]


class Assign(Act):
    """Who shall have it: the name of a user who may decide; empty is nobody."""

    assignee: Annotated[str, shapes.said(80), shapes.clean(80, "name", lines=False)]


class CommentShape(BaseModel):
    """What somebody said."""

    id: int
    by: str
    text: str
    at: str


class Comments(BaseModel):
    """All comments on an illustration, the oldest first."""

    comments: list[CommentShape]


@get("/illustrations/{number}/comments")
def comments(number: int) -> Comments:
    """What was said about one illustration."""
    listing.told(number)
    with security.house().database.read() as session:
        rows = session.scalars(select(Comment).where(Comment.illustration_id == number).order_by(Comment.id)).all()
    return Comments(comments=[_shape(row) for row in rows])


@post("/illustrations/{number}/comments", status=201)
def comment(number: int, body: Say) -> CommentShape:
    """Say something about it; the same twice in a row is said once."""
    listing.told(number)
    made = together.comment(security.house(), number, callers.by(body), body.text)
    with security.house().database.read() as session:
        return _shape(session.get_one(Comment, made))


@post("/illustrations/{number}/assign")
def assign(number: int, body: Assign) -> IllustrationShape:
    """Give it to a user, or to nobody."""
    return done(number, body, lambda _: together.assign(security.house(), number, body.assignee))


def _shape(row: Comment) -> CommentShape:
    return CommentShape(id=row.id, by=row.by, text=row.text, at=plain.iso(row.at))
