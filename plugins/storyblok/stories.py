"""One story, whose content is written whole, so that it is read again just before."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import httpx

from frontispiece.cms import CmsProblem, Conflict, Current, Gone, call, read_json, whole_number

from .settings import StoryblokSettings


def read(api: httpx.Client, settings: StoryblokSettings, ref: str) -> Any:
    story = read_json(call(api, "GET", settings.path(f"stories/{ref}")))["story"]
    if story.get("deleted_at"):
        raise Gone(f"story {ref} is in the bin")
    return story


def image(story: Any, field: str) -> Current | None:
    """The image of a story as it was read."""
    return current(story["content"].get(field))


def current(value: Any) -> Current | None:
    """An empty field is an object without a file name; an image from elsewhere has no id."""
    if not isinstance(value, dict) or not value.get("filename"):
        return None
    return Current(str(value.get("id") or value["filename"]), value["filename"], value.get("alt") or "")


def write(api: httpx.Client, settings: StoryblokSettings, story: Any, content: Mapping[str, Any]) -> Any:
    """The story with this content; published anew only where nothing else waits to be: else it waits with that."""
    body = {"story": {"content": dict(content)}} | ({"publish": 1} if _is_clean(story) else {})
    try:
        answer = call(api, "PUT", settings.path(f"stories/{story['id']}"), json=body)
    except CmsProblem as problem:
        if re.search(r"answered 422.*\block", problem.words):
            raise Conflict(f"somebody has story {story['id']} open: approve again when it is closed") from problem
        raise
    return read_json(answer)["story"]


def _is_clean(story: Any) -> bool:
    """Nothing waits to be published, in no language: a space may publish its languages one by one."""
    others = story.get("translated_stories") or ()
    waiting = any(one["unpublished_changes"] or not one["published_at"] for one in others)
    return story["published"] and not story["unpublished_changes"] and not waiting


def changed(api: httpx.Client, settings: StoryblokSettings, since: datetime) -> Iterator[Any]:
    """The list has no content, so that each story changed since is asked for by itself, the oldest first."""
    found, page = [], 1
    while page:
        wanted = {"sort_by": "updated_at:desc,id:desc", "story_only": "true", "per_page": "100", "page": str(page)}
        listed = read_json(call(api, "GET", settings.path("stories"), params=wanted))["stories"]
        fresh = [story for story in listed if datetime.fromisoformat(story["updated_at"]) >= since]
        found += fresh
        page = page + 1 if len(fresh) == 100 else 0
    yield from (read(api, settings, whole_number(one["id"])) for one in reversed(found))
