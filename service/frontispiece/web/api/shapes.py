"""What the API takes and gives of illustrations, as types: they check bodies, make answers and describe both."""

import base64
import binascii
from typing import Annotated, Any

from flask import url_for
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from frontispiece import review
from frontispiece.errors import Problem
from frontispiece.house import House
from frontispiece.models import Candidate, Illustration, State
from frontispiece.web import acts, plain

MOST_ID = 2_147_483_647  # PostgreSQL's integer
MOST_SEED = 2**32 - 1
MOST_PICTURE = 30_000_000  # bytes of a body that holds a picture, which Base64 makes a third longer


def clean(most: int, what: str, *, lines: bool = True) -> AfterValidator:
    """Checks a text for its length in characters and for signs that are no text."""

    def check(text: str) -> str:
        try:
            return acts.clean(text, most, what, lines=lines)
        except Problem as problem:
            raise ValueError(problem.words) from None

    return AfterValidator(check)


def said(most: int, description: str | None = None) -> Any:
    """How such a text is described; its length is checked in `clean`, in words."""
    return Field(json_schema_extra={"maxLength": most}, description=description)


def _decoded(given: Any) -> Any:
    """Base64 as JSON has to send bytes; a form sends them as they are."""
    if not isinstance(given, str):
        return given
    try:
        return base64.b64decode(given, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("this is no Base64") from None


Number = Annotated[int, Field(ge=1, le=MOST_ID)]
By = Annotated[str, said(120, "Who decided, as the program knows them"), clean(120, "name", lines=False)]
Prompt = Annotated[str, said(review.MAX_PROMPT), clean(review.MAX_PROMPT, "prompt")]
Alt = Annotated[str, said(acts.ALT), clean(acts.ALT, "alt text")]
Caption = Annotated[str, said(acts.CAPTION), clean(acts.CAPTION, "caption")]
Reason = Annotated[str, said(acts.REASON), clean(acts.REASON, "reason")]
Locale = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,35}$")]
Fraction = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Bytes = Annotated[
    bytes, BeforeValidator(_decoded, json_schema_input_type=str), Field(json_schema_extra={"contentEncoding": "base64"})
]


class Taken(BaseModel):
    """What comes in: nothing but what is named here, in the types named here."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Asked(BaseModel):
    """What comes in a query: nothing but what is named here."""

    model_config = ConfigDict(extra="forbid")


class Act(Taken):
    """The body of an act that needs no more words, such as a retry."""

    by: By = ""


class Describe(Act):
    """The words that go with the picture, also in other locales, and the point that no crop may lose.

    What is left out stays as it is. The focal point is in fractions of width and height from the top left.
    """

    alt: Alt | None = None
    caption: Caption | None = None
    alts: Annotated[dict[Locale, Alt] | None, Field(max_length=100, description="Alt texts by locale")] = None
    captions: Annotated[dict[Locale, Caption] | None, Field(max_length=100)] = None
    focal: Annotated[list[Fraction] | None, Field(min_length=2, max_length=2)] = None

    def details(self) -> review.Details:
        """As `review.py` takes them."""
        focal = (self.focal[0], self.focal[1]) if self.focal else None
        return review.Details(self.alt, self.caption, self.alts, self.captions, focal)


class Approve(Describe):
    """Which picture, and the words that go with it (those of the illustration where they are left out)."""

    candidate: Number
    as_it_is: Annotated[bool, Field(description="Publish a draft without having the final model draw it")] = False


class EntryShape(BaseModel):
    """The entry that the picture is for."""

    title: str
    kind: str
    section: str
    url: str
    edit_url: str


class CandidateShape(BaseModel):
    """A picture to choose; `width` and `height` are pixels. One that a person gave has `by` and no model or seed."""

    id: int
    width: int
    height: int
    model: str
    seed: int | None
    prompt: str
    by: Annotated[str, Field(description="Who gave it; empty where a model drew it")]
    parent: Annotated[int | None, Field(description="The candidate it began with")]
    created: str
    image: Annotated[str, Field(description="Where its bytes are; takes the same token")]


class IllustrationShape(BaseModel):
    """The picture that one slot of one entry is waiting for."""

    id: int
    site: str
    ref: str
    slot: str
    rule: str
    state: State
    reason: str
    prompt: str
    alt: str
    caption: str
    alts: Annotated[dict[str, str], Field(description="What an editor wrote for other locales")]
    captions: dict[str, str]
    focal: Annotated[list[float] | None, Field(description="Fractions of width and height from the top left")]
    assignee: str
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


WORDS = ("id", "slot", "rule", "state", "reason", "prompt", "alt", "caption", "alts", "captions", "focal", "assignee")


def illustration(house: House, one: Illustration) -> IllustrationShape:
    """An illustration (with entry, candidates and renders loaded) as the API tells it."""
    snapshot = one.entry.snapshot
    entry = EntryShape(
        title=one.entry.title,
        kind=one.entry.kind,
        section=one.entry.section,
        url=plain.link(snapshot.get("url", "")),
        edit_url=plain.link(snapshot.get("edit_url", "")),
    )
    return IllustrationShape(
        **{name: getattr(one, name) for name in WORDS},
        site=one.entry.site,
        ref=one.entry.ref,
        model=one.renders[-1].model if one.renders else "",
        entry=entry,
        candidates=[candidate(each) for each in one.candidates],
        chosen=one.chosen_id,
        desk=desk(house, one.id),
        created=plain.iso(one.created),
        updated=plain.iso(one.updated),
    )


def desk(house: House, number: int) -> str:
    """The address of an illustration at the desk."""
    return house.settings.server.url.rstrip("/") + url_for("desk.illustration", number=number)


def candidate(row: Candidate) -> CandidateShape:
    """A candidate (with its render loaded) as the API tells it."""
    drawn = row.render
    return CandidateShape(
        **{name: getattr(row, name) for name in ("id", "width", "height", "by")},
        model=drawn.model if drawn else "",
        seed=drawn.seed if drawn else None,
        prompt=drawn.prompt if drawn else "",
        parent=drawn.parent_id if drawn else None,
        created=plain.iso(row.created),
        image=url_for("api.image", number=row.id),
    )
