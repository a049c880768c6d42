"""The words of the desk: states, acts and times as a person would say them."""

import time
from datetime import UTC, datetime
from urllib.parse import urlsplit

from frontispiece.models import RenderState, State

S = State

TABS = {
    "waiting": "Waiting for you",
    "drawing": "Being drawn",
    "attention": "Needs attention",
    "published": "Published",
    "closed": "Set aside",
}
EMPTY = {
    "waiting": ("Nothing waits for you.", "New pictures appear here by themselves as soon as they are drawn."),
    "drawing": ("Nothing is being drawn.", "Publish an article or a product and its picture begins here."),
    "attention": ("All is well.", "Pictures that failed, or that met somebody's own work, would be listed here."),
    "published": ("Nothing is published yet.", "What you approve goes to the site and is listed here."),
    "closed": ("Nothing was set aside.", "Rejected, skipped and taken-back pictures are kept here."),
}
SHORT = {
    S.QUEUED: "Queued",
    S.COMPOSING: "Writing the prompt",
    S.RENDERING: "Being drawn",
    S.IN_REVIEW: "Waiting for you",
    S.APPROVED: "Approved",
    S.PUBLISHING: "On its way",
    S.PUBLISHED: "Published",
    S.REVERTED: "Taken back",
    S.HELD: "Held",
    S.FAILED: "Failed",
    S.REJECTED: "Rejected",
    S.SKIPPED: "Skipped",
}
LONG = {
    S.QUEUED: "In the queue. The prompt is written in a moment.",
    S.COMPOSING: "The prompt is being written.",
    S.RENDERING: "A picture is being drawn. This page shows it as soon as it is there.",
    S.IN_REVIEW: "A picture waits for your decision.",
    S.APPROVED: "Approved. It goes to the site in a moment.",
    S.PUBLISHING: "The picture is being put on the entry.",
    S.PUBLISHED: "The picture is on the entry.",
    S.REVERTED: "The entry has again what it had before.",
    S.HELD: "Stopped: a person has to decide.",
    S.FAILED: "This did not work.",
    S.REJECTED: "Rejected. The entry stays as it is.",
    S.SKIPPED: "No picture is drawn for this entry.",
}
STEPS = {
    "compose": "Writing the prompt",
    "render": "Drawing",
    "collect": "Fetching the picture",
    "publish": "Publishing",
    "revert": "Taking the picture back",
}
DECISIONS = {
    "approve": "Approved",
    "reject": "Rejected",
    "regenerate": "Asked for another",
    "retry": "Tried again",
    "revert": "Taken back",
}
DONE = {
    "approve": "Approved: {} goes to the site now.",
    "reject": "Rejected: {} stays as it is.",
    "regenerate": "Another picture for {} is being drawn.",
    "retry": "Trying again: {}.",
    "revert": "Taking the picture of {} back.",
}
RENDERS = {
    RenderState.PLANNED: "planned",
    RenderState.SUBMITTING: "being asked for",
    RenderState.OPEN: "being drawn",
    RenderState.FETCHED: "arrived",
    RenderState.DONE: "drawn",
    RenderState.FAILED: "failed",
    RenderState.UNKNOWN: "outcome not known",
}
_STEPS = ((60, "s", 1), (3600, "min", 60), (86400, "h", 3600), (float("inf"), "d", 86400))


def ago(then: float) -> str:
    """How long ago, in one unit; or in how long, where it lies ahead."""
    seconds = time.time() - then
    limit, unit, divisor = next(step for step in _STEPS if abs(seconds) < step[0])
    number = int(abs(seconds) // divisor)
    if limit == 60 and number < 5:
        return "now"
    return f"{number} {unit} ago" if seconds > 0 else f"in {number} {unit}"


def iso(then: float) -> str:
    """As ISO 8601 writes it, in UTC, to the second."""
    return datetime.fromtimestamp(then, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def on(then: float) -> str:
    """The day and the time of day, in UTC."""
    return datetime.fromtimestamp(then, UTC).strftime("%-d %b %Y, %H:%M UTC")


def link(address: str) -> str:
    """The address if it is a web address, else "": whatever a CMS sends, only these become links."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    return address if parts.scheme in ("http", "https") and parts.netloc else ""


def sentence(words: str) -> str:
    """With a capital letter, unless it begins with a name such as flux-2-pro."""
    return words[:1].upper() + words[1:] if words.split(" ", 1)[0].isalpha() else words


def dollars(amount: float | None) -> str:
    """Money, with as many places as it needs."""
    if amount is None:
        return ""
    return f"${amount:.2f}" if round(amount, 2) == amount else f"${amount:.4g}"


FILTERS = {"ago": ago, "iso": iso, "on": on, "link": link, "sentence": sentence, "dollars": dollars}
