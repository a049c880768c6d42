"""What the newsroom has to tell: older stories, those of the first day, and what its form for an article suggests."""

import time
import tomllib
from pathlib import Path

from frontispiece.demo.archive import Archive

DAY = 86400.0  # seconds
_ALL: dict[str, list[dict[str, str]]] = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf8"))
OLDER, TODAY, SUGGESTIONS = _ALL["older"], _ALL["today"], _ALL["suggested"]  # the form's fields by name


def fill(archive: Archive) -> None:
    """Gives an empty newsroom its older stories; the first of them has a picture already."""
    if archive.articles():
        return
    newest = 0
    for age, story in enumerate(OLDER, 1):
        texts = {**story, "tags": story["tags"].split(", ")}
        number = archive.write(created=_days_ago(age), status="published", **texts)
        newest = newest or number
    archive.choose(newest, "lighthouse.svg", "A white lighthouse on a dark headland, its beam over a calm evening sea")


def suggestion(archive: Archive) -> dict[str, str]:
    """The next article that nobody has written yet; they start again when all are."""
    written = {article.title for article in archive.articles()}
    fresh = [one for one in SUGGESTIONS if one["title"] not in written]
    return (fresh or SUGGESTIONS)[0]


def _days_ago(days: int) -> float:
    return time.time() - days * DAY
