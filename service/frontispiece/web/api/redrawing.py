"""Another picture: after another prompt, by another model, or out of one that is there, with the desk's tools."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from frontispiece import changes
from frontispiece.changes import Asked, Change, Tool
from frontispiece.errors import Problem
from frontispiece.generators import Margins
from frontispiece.models import Candidate, Illustration
from frontispiece.web import acts, security, views
from frontispiece.web.api import shapes
from frontispiece.web.api.deciding import Chips, done
from frontispiece.web.api.routes import post
from frontispiece.web.api.shapes import Act, IllustrationShape

Pixels = Annotated[int, Field(ge=0, le=changes.MOST_MARGIN)]


class MarginsShape(BaseModel):
    """Pixels to paint around a picture."""

    model_config = ConfigDict(extra="forbid", strict=True)

    top: Pixels = 0
    right: Pixels = 0
    bottom: Pixels = 0
    left: Pixels = 0


class Regenerate(Act):
    """What the next picture shall be. What is left out is as before, or as the rule has it; the seed is a new one.

    With a `tool` the `candidate` is changed: by the words of the prompt, repainted where the mask is white, with
    margins painted around it, or as the model for another one like it.
    """

    prompt: shapes.Prompt = ""
    reason: shapes.Reason = ""
    chips: Chips = Field(default_factory=list)
    model: Annotated[str, shapes.said(64, "One of the catalogue; else the rule's"), shapes.clean(64, "model")] = ""
    ratio: Annotated[str, Field(pattern=r"^([1-9][0-9]?:[1-9][0-9]?)?$", description="16:9; else the slot's")] = ""
    seed: Annotated[int | None, Field(ge=0, le=shapes.MOST_SEED)] = None
    tool: Tool | None = None
    candidate: Annotated[shapes.Number | None, Field(description="The picture to begin with; else the newest")] = None
    mask: Annotated[shapes.Bytes, Field(description="A picture of the same shape, for `repaint`")] = b""
    margins: Annotated[MarginsShape, Field(description="For `extend`")] = MarginsShape()


@post("/illustrations/{number}/regenerate", most=shapes.MOST_PICTURE)
def regenerate(number: int, body: Regenerate) -> IllustrationShape:
    """Draw another: the same prompt with a new seed, or as is wished."""

    def act(by: str) -> None:
        house = security.house()
        with house.database.read() as session:
            whole = views.whole(session, number)
        if whole is None:
            raise Problem(f"there is no illustration {number}")
        change = _change(whole.one, body)
        prompt = "" if change.prompt == whole.one.prompt else change.prompt
        acts.regenerate(house, number, by, prompt, change.wish, body.reason, body.chips)

    return done(number, body, act)


def _change(one: Illustration, body: Regenerate) -> Change:
    house, begin = security.house(), _begin(one, body)
    asked = Asked(body.prompt, tuple(body.chips), body.model, body.seed, body.ratio)
    if body.tool is None:
        return changes.redrawn(house, one, asked, begin)
    if begin is None:
        raise Problem("There is no picture to begin with.")
    margins = Margins(**body.margins.model_dump())
    return changes.retouched(house, one, begin, body.tool, asked, mask=body.mask, margins=margins)


def _begin(one: Illustration, body: Regenerate) -> Candidate | None:
    if body.candidate is None:
        return one.candidates[-1] if one.candidates else None
    found = next((each for each in one.candidates if each.id == body.candidate), None)
    if found is None:
        raise Problem(f"candidate {body.candidate} is not one of illustration {one.id}")
    return found
