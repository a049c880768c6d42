"""Stands in for Drupal 11 with JSON:API, Content Moderation, HTTP Basic Authentication and the module Webhooks.

Made after the source: core/modules/jsonapi/src/Controller/{EntityResource,FileUpload,EntryPoint}.php and
basic_auth/src/Authentication/Provider/BasicAuth.php of drupal/core 401b0999, src/Webhook.php and webhooks.module of
sanduhrs/drupal-webhooks a5b11ee; for translations core/modules/jsonapi/src/ParamConverter/EntityUuidConverter.php and
core/modules/content_translation/src/FieldTranslationSynchronizer.php. Simpler: one content type, one role.
"""

import hmac
import json
import re
import uuid
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from flask import Flask, Response, request
from servers.drupal_documents import (
    Node,
    Refusal,
    answer,
    document,
    file_of,
    is_image,
    media_of,
    refused,
    resource,
    serialized,
    spoken,
)
from servers.serving import Serving
from servers.site import SECRET, Site, State

__all__ = ["PASSWORD", "Server"]

PASSWORD = "correct-horse-0123"
PENDING = "Updating a resource object that has a working copy is not yet supported. See https://www.drupal.org/project/drupal/issues/2795279."
READ_ONLY = (
    "JSON:API is configured to accept only read operations. "
    "Site administrators can configure this at http://drupal.test/admin/config/services/jsonapi."
)
NOT_TRANSLATED = (
    "The requested translation of the resource object does not exist, "
    "instead modify one of the translations that do exist: "
)
FILES = {"png", "gif", "jpg", "jpeg", "webp"}


def _id() -> str:
    return str(uuid.uuid4())


class Server(Site):
    """`media` = "image": the field `field_hero` refers to media; else `field_image` holds the file itself."""

    plugin = "drupal"
    version = "11"
    real = False

    def __init__(self, folder: Path) -> None:  # noqa: ARG002 - everything is in memory
        self.keys = {"user": "frontispiece", "password": PASSWORD}
        self.media_type, self.read_only, self.deletes_files = "", False, True
        self.prefixes = ("de", "fr")  # of the languages beside English, which has none
        self.translated = "alt"  # of the image field: "alt" = one file for all languages; "file"; "" = nothing
        self.sees_unpublished = True
        self.address, self.algorithm, self.signature = "", "sha1", "X-Hub-Signature"
        self.files: dict[str, dict[str, Any]] = {}
        self.media: dict[str, dict[str, Any]] = {}
        self.public: dict[str, Node] = {}  # the default revisions
        self.latest: dict[str, Node] = {}  # where there is a newer one
        self.revisions = 0
        self.serving = Serving(self._app())
        self.url = self.serving.url

    def with_media(self) -> "Server":
        """The field for the picture refers to media items of the type `image` from now on."""
        self.media_type = "image"
        self.keys |= {"types": {"article": {"image": "field_hero", "media": "image"}}}
        return self

    @property
    def field(self) -> str:
        """The node's field for its picture."""
        return "field_hero" if self.media_type else "field_image"

    def start(self) -> None:
        self.serving.start()

    def stop(self) -> None:
        self.serving.stop()

    def hook(self, address: str) -> None:
        self.address = address

    # What editors do

    def create(self, state: State, title: str = "A day at sea") -> str:
        now = int(datetime.now(UTC).timestamp())
        node: Node = {"uuid": _id(), "nid": len(self.public) + 1, "title": title, "image": None, "created": now}
        node |= {"langcode": "en", "languages": {}}
        self.public[node["uuid"]] = node
        self._save(node, published=state != "draft", event="create")
        if state == "changed":
            self.rename(f"article/{node['uuid']}", f"{title} (changed)", draft=True)
        return f"article/{node['uuid']}"

    def state(self, ref: str) -> State:
        number = ref.split("/")[1]
        if number in self.latest:
            return "changed"
        return "published" if self.public[number]["status"] else "draft"

    def title(self, ref: str) -> str:
        return str(self._edited(ref)["title"])

    def public_title(self, ref: str) -> str:
        node = self.public[ref.split("/")[1]]
        return str(node["title"]) if node["status"] else ""

    def image(self, ref: str) -> str:
        return str((self._edited(ref)["image"] or {"id": ""})["id"])

    def alt(self, ref: str) -> str:
        item = self._edited(ref)["image"]
        return str(self.media[item["id"]]["item"]["meta"]["alt"] if self.media_type else item["meta"]["alt"])

    def translate(self, ref: str, language: str, title: str, *, published: bool = True) -> None:
        """The translation begins with the image that there is."""
        node = self._edited(ref)
        node["languages"][language] = {"title": title, "status": published, "image": deepcopy(node["image"])}
        self._save(node, published=node["status"])

    def shown(self, ref: str, language: str) -> tuple[str, str]:
        """Id and alt text of the image that a translation has."""
        item = spoken(self._edited(ref), language)["image"] or {"id": "", "meta": {"alt": ""}}
        return item["id"], item["meta"]["alt"]

    def set_image(self, ref: str, data: bytes, language: str = "en") -> None:
        file = {"id": self._keep("sea.png", data)["id"], "meta": {"alt": "Our own photograph"}}
        self._put(self._edited(ref), language, self._as_media("sea.png", file) if self.media_type else file)
        self._save(self._edited(ref), published=self._edited(ref)["status"])

    def rename(self, ref: str, title: str, *, draft: bool = False) -> None:
        """`draft`: saved as an unpublished draft on top of what is public."""
        node = deepcopy(self._edited(ref))
        if draft or ref.split("/")[1] in self.latest:
            self.latest[node["uuid"]] = node
        else:
            self.public[node["uuid"]] = node
        node["title"] = title
        self._save(node, published=node["status"] and not draft)

    def delete(self, ref: str) -> None:
        self._tell("delete", self.public.pop(ref.split("/")[1]))

    def pictures(self) -> int:
        return len(self.files)

    # What happens inside

    def _edited(self, ref: str) -> Node:
        number = ref.split("/")[1]
        return self.latest.get(number) or self.public[number]

    def _save(self, node: Node, *, published: bool, event: str = "update", user: str = "editor") -> None:
        self.revisions += 1
        node |= {"status": published, "vid": self.revisions, "changed": int(datetime.now(UTC).timestamp())}
        self._tell(event, node, user)

    def _tell(self, event: str, node: Node, user: str = "editor") -> None:
        """As webhooks.module and Webhook.php do, inside the save."""
        if not self.address:
            return
        name = f"entity:node:{event}"
        people = {"uid": [{"value": 3}], "name": [{"value": user}], "mail": [{"value": f"{user}@example.org"}]}
        body = json.dumps({"event": name, "user": people, "entity": serialized(node)}).encode()
        signature = f"{self.algorithm}={hmac.new(SECRET.encode(), body, self.algorithm).hexdigest()}"
        headers = {"X-Drupal-Event": name, "X-Drupal-Delivery": _id(), self.signature: signature}
        httpx.post(self.address, content=body, headers={"Content-Type": "application/json", **headers})

    def _put(self, node: Node, language: str, item: dict[str, Any] | None) -> None:
        """A file that all languages share goes to all of them, where each keeps its words; taking it away does not."""
        spoken(node, language)["image"] = item
        for other in (node, *node["languages"].values()):
            if not self.translated:
                other["image"] = deepcopy(item)
            elif item and self.translated == "alt":
                other["image"] = {**item, "meta": dict((other["image"] or item)["meta"])}

    def _keep(self, name: str, data: bytes) -> dict[str, Any]:
        """FileExists::Rename: a name that is taken gets a number."""
        stem, ending = name.rsplit(".", 1)
        taken, final, count = {file["filename"] for file in self.files.values()}, name, 0
        while final in taken:
            final, count = f"{stem}_{count}.{ending}", count + 1
        file: dict[str, Any] = {"id": _id(), "filename": final, "data": data}
        self.files[file["id"]] = file
        return file

    def _as_media(self, name: str, item: dict[str, Any]) -> dict[str, Any]:
        media: dict[str, Any] = {"id": _id(), "name": name, "item": item}
        self.media[media["id"]] = media
        return {"id": media["id"], "meta": {}}

    # What JSON:API does

    def _app(self) -> Flask:
        app = Flask("drupal")
        app.add_url_rule("/jsonapi", view_func=self._entry_point)
        app.add_url_rule("/jsonapi/node/article/<number>", view_func=self._get)
        app.add_url_rule("/jsonapi/node/article/<number>", "patch", self._patch, methods=["PATCH"])
        app.add_url_rule("/<language>/jsonapi/node/article/<number>", view_func=self._get)
        app.add_url_rule("/<language>/jsonapi/node/article/<number>", "patch", self._patch, methods=["PATCH"])
        app.add_url_rule("/jsonapi/node/article", view_func=self._list)
        for path in ("node/article/field_image", "media/image/field_media_image"):
            app.add_url_rule(f"/jsonapi/{path}", path, self._upload, methods=["POST"])
        app.add_url_rule("/jsonapi/media/image", "media", self._post_media, methods=["POST"])
        app.add_url_rule("/jsonapi/media/image/<number>", "media item", self._patch_media, methods=["PATCH"])
        app.add_url_rule("/jsonapi/file/file", view_func=self._find_files)
        app.add_url_rule("/jsonapi/media/image", view_func=self._find_media)
        app.add_url_rule("/jsonapi/file/file/<number>", "delete", self._delete_file, methods=["DELETE"])
        app.register_error_handler(Refusal, refused)
        app.before_request(self._may_write)
        return app

    def _logged_in(self) -> bool:
        """A wrong password makes an anonymous visitor and no 401."""
        given = request.authorization
        return given is not None and (given.username, given.password) == ("frontispiece", PASSWORD)

    def _may_write(self) -> None:
        if request.method == "GET":
            return
        if self.read_only:
            raise Refusal(405, READ_ONLY)
        if not self._logged_in():
            raise Refusal(403, f"The current user is not allowed to {request.method} the selected resource.")

    def _entry_point(self) -> Response:
        meta = {"links": {"me": {"meta": {"id": _id()}, "href": f"{self.url}/jsonapi/user/user/1"}}}
        return answer({"data": [], "links": {}} | ({"meta": meta} if self._logged_in() else {}))

    def _get(self, number: str, language: str = "en") -> Response:
        return self._shown(self._default(number, language), language)

    def _default(self, number: str, language: str = "en") -> Node:
        if language not in ("en", *self.prefixes) or request.path.startswith("/en/"):
            raise Refusal(404, f'No route found for "{request.method} {request.url}"')
        if number not in self.public:
            raise Refusal(404, 'The "entity" parameter was not converted for the path')
        if not self.public[number]["status"] and not self._logged_in():
            raise Refusal(403, "The current user is not allowed to GET the selected resource.")
        if not spoken(self.public[number], language)["status"] and not self.sees_unpublished:
            raise Refusal(403, "The current user is not allowed to GET the selected resource.")
        return self.public[number]

    def _shown(self, node: Node, language: str) -> Response:
        known = {"field_image", "field_hero", "field_hero.field_media_image", "uid", "field_tags"}
        asked = set(request.args.get("include", "").split(",")) - {""}
        if asked - known:
            raise Refusal(400, f"`{min(asked - known)}` is not a valid relationship field name.")
        included = self._included(spoken(node, language)) if asked else []
        return answer({"data": resource(node, language, self.field), "included": included})

    def _list(self) -> Response:
        since = int(request.args.get("filter[when][condition][value]", "0"))
        found = sorted(
            (node for node in self.public.values() if node["changed"] >= since), key=lambda one: one["changed"]
        )
        start, most = int(request.args.get("page[offset]", "0")), min(50, int(request.args.get("page[limit]", "50")))
        page = [resource(node, "en", self.field) for node in found[start : start + most] if node["status"]]
        more = {"next": {"href": f"{self.url}/jsonapi/node/article"}} if len(found) > start + most else {}
        return answer({"data": page, "links": more})

    def _upload(self) -> Response:
        if request.content_type != "application/octet-stream":
            raise Refusal(415, f'No route found that matches "Content-Type: {request.content_type}"')
        found = re.search(r'\bfilename(\*?)="(.+)"', request.headers.get("Content-Disposition", ""))
        if found is None or found[1]:
            raise Refusal(400, 'No filename found in "Content-Disposition" header.')
        if found[2].rsplit(".", 1)[-1].lower() not in FILES or not is_image(request.data):
            raise Refusal(422, "Unprocessable Entity: file validation failed.\nThe image file is invalid.")
        return answer({"data": file_of(self._keep(found[2], request.data))}, 201)

    def _post_media(self) -> Response:
        sent = document()
        made = self._as_media(sent["attributes"]["name"], sent["relationships"]["field_media_image"]["data"])
        return answer({"data": media_of(self.media[made["id"]])}, 201)

    def _patch_media(self, number: str) -> Response:
        self.media[number]["item"] = document()["relationships"]["field_media_image"]["data"]
        return answer({"data": media_of(self.media[number])})

    def _find_files(self) -> Response:
        wanted = request.args["filter[filename]"]
        return answer({"data": [file_of(file) for file in self.files.values() if file["filename"] == wanted]})

    def _find_media(self) -> Response:
        wanted = request.args["filter[name]"]
        return answer({"data": [media_of(media) for media in self.media.values() if media["name"] == wanted]})

    def _delete_file(self, number: str) -> Response:
        if not self.deletes_files:
            raise Refusal(403, "The current user is not allowed to DELETE the selected resource.")
        del self.files[number]
        return Response(status=204)

    def _patch(self, number: str, language: str = "en") -> Response:
        node = self._default(number, language)
        if language not in (node["langcode"], *node["languages"]):
            there = ", ".join((node["langcode"], *node["languages"]))
            raise Refusal(405, f"{NOT_TRANSLATED}{there}.")
        if number in self.latest:
            raise Refusal(400, PENDING)
        sent = document()
        if sent["id"] != number:
            raise Refusal(400, f"The selected entity ({number}) does not match the ID in the payload ({sent['id']}).")
        unknown = (set(sent.get("attributes", ())) | set(sent["relationships"])) - {self.field}
        if unknown:
            raise Refusal(422, f"The attribute {min(unknown)} does not exist on the node--article resource type.")
        item = sent["relationships"][self.field]["data"]
        if item is not None and not self.media_type and not item.get("meta", {}).get("alt"):
            raise Refusal(422, f"{self.field}.0: Alternative text field is required.")
        if item is not None and item["id"] not in (self.media if self.media_type else self.files):
            raise Refusal(404, f"The resource identified by `{item['type']}:{item['id']}` could not be found.")
        self._put(node, language, item and {"id": item["id"], "meta": item.get("meta", {})})
        self._save(node, published=node["status"], user="frontispiece")
        return self._shown(node, language)

    def _included(self, node: Node) -> list[Any]:
        named = [{"type": "user--user", "id": "u", "attributes": {"display_name": "editor"}}]
        named.append({"type": "t", "id": "t", "attributes": {"name": "Sea"}})
        if node["image"] is None:
            return named
        if not self.media_type:
            return [*named, file_of(self.files[node["image"]["id"]])]
        media = self.media[node["image"]["id"]]
        return [*named, media_of(media), file_of(self.files[media["item"]["id"]])]
