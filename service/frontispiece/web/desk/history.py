"""What has happened to an illustration: every try with its pictures, and all decisions and write-backs as a table."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from frontispiece.models import Candidate, Illustration, Publication, Render, Review
from frontispiece.web import plain
from frontispiece.web.i18n import gettext as _
from frontispiece.web.views import Whole

MOST = 200  # characters of a prompt in the table; the whole of it stands beside its pictures


@dataclass(frozen=True)
class Line:
    """One thing that happened, `at` seconds since the epoch; `bad` is what went wrong, `cost` is in US dollars."""

    at: float
    what: str
    who: str = ""
    details: str = ""
    bad: str = ""
    cost: float | None = None
    chips: Sequence[str] = ()
    undone: float | None = None


@dataclass(frozen=True)
class Try:
    """One call of a generator and the pictures it brought; without a render it is a picture that somebody gave."""

    at: float
    by: str
    pictures: Sequence[Candidate]
    render: Render | None = None


def tries(one: Illustration) -> list[Try]:
    """Everything that was drawn or given, the last first."""
    brought: dict[int | None, list[Candidate]] = {}
    for candidate in one.candidates:
        brought.setdefault(candidate.render_id, []).append(candidate)
    told = [Try(candidate.created, candidate.by, [candidate]) for candidate in brought.pop(None, [])]
    told += [Try(render.created, render.by, brought.get(render.id, ()), render) for render in one.renders]
    return sorted(told, key=lambda one: one.at, reverse=True)


def lines(whole: Whole) -> list[Line]:
    """Everything that is known, the last first."""
    told = [Line(whole.one.created, _("Asked for"), _("rule %(name)s", name=whole.one.rule))]
    told += [_review(review) for review in whole.one.reviews]
    told += [_render(render) for render in whole.one.renders]
    told += [
        Line(given.created, _("Own picture"), given.by, _("picture %(number)s", number=given.id))
        for given in whole.one.candidates
        if given.render_id is None
    ]
    told += [line for written in whole.publications for line in _publication(written)]
    return sorted(told, key=lambda line: line.at, reverse=True)


def _review(review: Review) -> Line:
    what = str(plain.DECISIONS.get(review.decision, review.decision))
    words = review.reason if len(review.reason) < MOST else f"{review.reason[: MOST - 1]}…"
    if review.decision == "regenerate" and words and not review.chips:
        words = _("with another prompt: %(prompt)s", prompt=words)
    if review.candidate_id:
        words = _("picture %(number)s", number=review.candidate_id)
    return Line(review.at, what, review.by, words, chips=review.chips, undone=review.undone)


def _render(render: Render) -> Line:
    details = _(
        "seed %(seed)s · %(width)s × %(height)s · %(state)s",
        seed=render.seed, width=render.width, height=render.height, state=plain.RENDERS[render.state],
    )  # fmt: skip
    return Line(render.created, _("Render"), render.model, details, render.error, render.cost)


def _publication(written: Publication) -> Iterator[Line]:
    about = written.name
    if written.previous:
        about = _("%(name)s instead of %(old)s", name=about, old=written.previous.get("id", "?"))
    what = _("On the entry") if written.finished else _("Write-back begun")
    yield Line(written.finished or written.started, what, written.site, about)
    if written.reverted:
        yield Line(written.reverted, _("Taken off the entry"), written.site, written.name)
