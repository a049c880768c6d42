"""What has happened to an illustration, as lines of a table: decisions, renders and write-backs, the last one first."""

from collections.abc import Iterator
from dataclasses import dataclass

from frontispiece.models import Publication, Render, Review
from frontispiece.web import plain
from frontispiece.web.views import Whole


@dataclass(frozen=True)
class Line:
    """One thing that happened, `at` seconds since the epoch; `bad` is what went wrong, `cost` is in US dollars."""

    at: float
    what: str
    who: str = ""
    details: str = ""
    bad: str = ""
    cost: float | None = None


def lines(whole: Whole) -> list[Line]:
    """Everything that is known, the last first."""
    told = [Line(whole.one.created, "Asked for", f"rule {whole.one.rule}")]
    told += [_review(review) for review in whole.one.reviews]
    told += [_render(render) for render in whole.one.renders]
    told += [line for written in whole.publications for line in _publication(written)]
    return sorted(told, key=lambda line: line.at, reverse=True)


def _review(review: Review) -> Line:
    words = review.reason
    if review.decision == "regenerate" and words:
        words = f"with another prompt: {words if len(words) < 200 else words[:199] + '…'}"
    if review.candidate_id:
        words = f"candidate {review.candidate_id}"
    return Line(review.at, plain.DECISIONS.get(review.decision, review.decision), review.by, words)


def _render(render: Render) -> Line:
    details = f"seed {render.seed} · {render.width} × {render.height} · {plain.RENDERS[render.state]}"
    return Line(render.created, "Render", render.model, details, render.error, render.cost)


def _publication(written: Publication) -> Iterator[Line]:
    was = f" instead of {written.previous.get('id', 'another')}" if written.previous else ""
    yield Line(
        written.finished or written.started,
        "On the entry" if written.finished else "Write-back begun",
        written.site,
        f"{written.name}{was}",
    )
    if written.reverted:
        yield Line(written.reverted, "Taken off the entry", written.site, written.name)
