"""What the stand-in for Drupal writes: nodes, files and media as JSON:API has them, entities as webhooks do, errors."""

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from flask import Response, request

__all__ = [
    "Node",
    "Refusal",
    "answer",
    "document",
    "file_of",
    "is_image",
    "media_of",
    "refused",
    "resource",
    "serialized",
    "spoken",
]

Node = dict[str, Any]


class Refusal(Exception):  # noqa: N818 - an answer, not an error of ours
    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status, self.detail = status, detail


def resource(node: Node, language: str, field: str) -> dict[str, Any]:
    """A node in a language, or in its own where it is not translated to that; `field` is the one for its picture."""
    kind, said = "media--image" if field == "field_hero" else "file--file", spoken(node, language)
    image = said["image"] and {"type": kind, **said["image"]}
    attributes = {
        "drupal_internal__nid": node["nid"],
        "drupal_internal__vid": node["vid"],
        "langcode": language if language in node["languages"] else node["langcode"],
        "status": said["status"],
        "title": said["title"],
        "changed": datetime.fromtimestamp(node["changed"], UTC).isoformat(),
        "path": {"alias": None, "pid": None, "langcode": "en"},
        "body": {"value": "<p>Waves &amp; wind.</p>", "processed": "<p>Waves &amp; wind.</p>", "summary": "Windy"},
        "moderation_state": "published" if said["status"] else "draft",
    }
    people = {"uid": {"data": {"type": "user--user", "id": "u"}}, "field_tags": {"data": [{"type": "t", "id": "t"}]}}
    relationships = {field: {"data": image}, **people}
    return {"type": "node--article", "id": node["uuid"], "attributes": attributes, "relationships": relationships}


def answer(document: dict[str, Any], status: int = 200) -> Response:
    return Response(json.dumps(document), status, {"Content-Type": "application/vnd.api+json"})


def refused(refusal: Refusal) -> Response:
    error = {"status": str(refusal.status), "detail": refusal.detail, "links": {"via": {"href": request.url}}}
    return answer({"jsonapi": {"version": "1.1"}, "errors": [error]}, refusal.status)


def spoken(node: Node, language: str) -> dict[str, Any]:
    """Title, status and image of a translation; of the node itself where there is none."""
    found: dict[str, Any] = node["languages"].get(language, node)
    return found


def document() -> Any:
    if request.content_type != "application/vnd.api+json":
        raise Refusal(415, f'No route found that matches "Content-Type: {request.content_type}"')
    return json.loads(request.data)["data"]


def is_image(data: bytes) -> bool:
    """As far as PHP's getimagesize looks."""
    return data[:4] in (b"RIFF", b"\x89PNG") or data[:3] in (b"\xff\xd8\xff", b"GIF")


def file_of(file: dict[str, Any]) -> dict[str, Any]:
    address = {"value": f"public://{file['filename']}", "url": f"/sites/default/files/{file['filename']}"}
    facts = {"filename": file["filename"], "filesize": len(file["data"]), "uri": address, "status": False}
    return {"type": "file--file", "id": file["id"], "attributes": facts, "relationships": {}}


def media_of(media: dict[str, Any]) -> dict[str, Any]:
    shown = {"field_media_image": {"data": {"type": "file--file", **media["item"]}}}
    return {"type": "media--image", "id": media["id"], "attributes": {"name": media["name"]}, "relationships": shown}


def serialized(node: Node) -> dict[str, Any]:
    """As Drupal's serializer writes an entity."""
    target = {"target_id": "article", "target_type": "node_type", "target_uuid": hashlib.md5(b"article").hexdigest()}
    values = {"nid": node["nid"], "uuid": node["uuid"], "vid": node["vid"], "langcode": "en"}
    values |= {"status": node["status"], "title": node["title"], "changed": node["changed"]}
    return {name: [{"value": value}] for name, value in values.items()} | {"type": [target]}
