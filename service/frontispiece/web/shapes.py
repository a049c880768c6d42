"""What the API takes and gives, as types: they check the bodies, make the answers and describe both in OpenAPI."""

from typing import Annotated, Any

from flask import url_for
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from frontispiece import review
from frontispiece.errors import Problem
from frontispiece.house import House
from frontispiece.models import Candidate, Illustration, State
from frontispiece.web import acts, plain

MOST_ID = 2_147_483_647  # PostgreSQL's integer


def _clean(most: int, what: str, *, lines: bool = True) -> AfterValidator:
    def check(text: str) -> str:
        try:
            return acts.clean(text, most, what, lines=lines)
        except Problem as problem:
            raise ValueError(problem.words) from None

    return AfterValidator(check)


def _said(most: int, description: str | None = None) -> Any:
    return Field(json_schema_extra={"maxLength": most}, description=description)  # checked in `_clean`, in words


Number = Annotated[int, Field(ge=1, le=MOST_ID)]
By = Annotated[str, _said(120, "Who decided, as the program knows them"), _clean(120, "name", lines=False)]
Prompt = Annotated[str, _said(review.MAX_PROMPT), _clean(review.MAX_PROMPT, "prompt")]
Alt = Annotated[str, _said(acts.ALT), _clean(acts.ALT, "alt text")]
Caption = Annotated[str, _said(acts.CAPTION), _clean(acts.CAPTION, "caption")]
Reason = Annotated[str, _said(acts.REASON), _clean(acts.REASON, "reason")]


class Taken(BaseModel):
    """What comes in: nothing but what is named here, in the types named here."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Act(Taken):
    """The body of a retry or a revert."""

    by: By = ""


class Approve(Act):
    """Which picture, and the words that go with it (those of the illustration where they are left out)."""

    candidate: Number
    alt: Alt | None = None
    caption: Caption | None = None
    as_it_is: Annotated[bool, Field(description="Publish a draft without having the final model draw it")] = False


class Reject(Act):
    """Why, if one likes to say."""

    reason: Reason = ""


class Regenerate(Act):
    """Another prompt; left out or empty, the same one is drawn with another seed."""

    prompt: Prompt = ""


class Query(BaseModel):
    """Which illustrations to list."""

    model_config = ConfigDict(extra="forbid")

    site: Annotated[str, _clean(64, "name of the site", lines=False)] = ""
    ref: Annotated[str, Field(description="The entry's id in its CMS"), _clean(200, "ref", lines=False)] = ""
    state: State | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 50
    before: Annotated[Number | None, Field(description="Only those with a smaller id; for the next page")] = None


class EntryShape(BaseModel):
    """The entry that the picture is for."""

    title: str
    kind: str
    url: str
    edit_url: str


class CandidateShape(BaseModel):
    """A picture to choose; `width` and `height` are pixels."""

    id: int
    width: int
    height: int
    model: str
    seed: int
    prompt: str
    image: Annotated[str, Field(description="Where its bytes are; takes the same token")]


class IllustrationShape(BaseModel):
    """The picture that one slot of one entry is waiting for."""

    id: int
    site: str
    ref: str
    slot: str
    state: State
    reason: str
    prompt: str
    alt: str
    caption: str
    model: str
    entry: EntryShape
    candidates: list[CandidateShape]
    chosen: int | None
    desk: Annotated[str, Field(description="The address of its page at the desk, for people")]
    created: str
    updated: str


class Illustrations(BaseModel):
    """A page of them, newest first."""

    illustrations: list[IllustrationShape]


class Error(BaseModel):
    """What went wrong, in words for a person."""

    error: str


def illustration(house: House, one: Illustration) -> IllustrationShape:
    """An illustration (with entry, candidates and renders loaded) as the API tells it."""
    snapshot = one.entry.snapshot
    entry = EntryShape(
        title=one.entry.title,
        kind=one.entry.kind,
        url=plain.link(snapshot.get("url", "")),
        edit_url=plain.link(snapshot.get("edit_url", "")),
    )
    words = {name: getattr(one, name) for name in ("id", "slot", "state", "reason", "prompt", "alt", "caption")}
    return IllustrationShape(
        **words,
        site=one.entry.site,
        ref=one.entry.ref,
        model=one.renders[-1].model if one.renders else "",
        entry=entry,
        candidates=[_candidate(candidate) for candidate in one.candidates],
        chosen=one.chosen_id,
        desk=house.settings.server.url.rstrip("/") + url_for("desk.illustration", number=one.id),
        created=plain.iso(one.created),
        updated=plain.iso(one.updated),
    )


def _candidate(candidate: Candidate) -> CandidateShape:
    facts = {name: getattr(candidate, name) for name in ("id", "width", "height")}
    drawn = {name: getattr(candidate.render, name) for name in ("model", "seed", "prompt")}
    return CandidateShape(**facts, **drawn, image=url_for("api.image", number=candidate.id))
