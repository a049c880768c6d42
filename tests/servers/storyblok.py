"""Stands in for Storyblok: the Management API v1 as far as stories, assets and webhooks go, and the S3 it uploads to.

Made after the types of Storyblok's own Management API client (storyblok/monoblok 8aabf294) and storyblok.com/docs:
content is replaced whole, `publish: 1` publishes everything that waits, a locked story refuses updates, lists come
without content, a file is there only when its upload was finished. Simpler: one space, no folders. Fields in
other languages stand beside the default one's, under names such as `title__i18n__pt_br`.
"""

import hmac
import json
import re
import secrets
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from flask import Flask, Response, request
from servers.serving import Serving
from servers.site import Site, State

__all__ = ["SPACE", "TOKEN", "Server"]

SPACE = 288868
SERVED = "a.storyblok.com"
TOKEN = "0123456789abcdefabcdef-288868-fedcba9876543210"
EMPTY = {"fieldtype": "asset", "id": None, "filename": "", "alt": ""}
FORM = ("key", "acl", "Expires", "Cache-Control", "Content-Type", "policy", "x-amz-credential", "x-amz-signature")
Story = dict[str, Any]


class Server(Site):
    """One space; `stories` as editors see them, `public` the content that visitors get."""

    plugin = "storyblok"
    version = "Management API v1"
    real = False

    def __init__(self, folder: Path) -> None:  # noqa: ARG002 - everything is in memory
        types = {"article": {"body": "text", "excerpt": "intro", "url": "https://example.org/{full_slug}"}}
        self.keys = {"space_id": SPACE, "token": TOKEN, "types": types}
        self.stories: dict[int, Story] = {}
        self.public: dict[int, Story] = {}
        self.locked: set[int] = set()
        self.translatable = {"headline", "image"}  # fields of an article, by the Block library
        self.one_by_one = False  # "Publish translations individually"
        self.drops = ""  # a field that is not kept
        self.assets: dict[int, dict[str, Any]] = {}
        self.hooks: list[dict[str, Any]] = []
        self.calls: set[str] = set()  # method and path of each call, numbers as *
        self.numbers = iter(range(2141, 1_000_000))
        self.serving = Serving(self._app())
        self.url = self.serving.url

    def start(self) -> None:
        self.serving.start()

    def stop(self) -> None:
        self.serving.stop()

    def hook(self, address: str) -> None:
        with self.adapter().open() as api:
            self.adapter().connect(api, address)

    # What editors do

    def create(self, state: State, title: str = "A day at sea") -> str:
        number, now = next(self.numbers), _now()
        text = {"type": "doc", "content": [{"type": "paragraph", "content": [{"type": "text", "text": "Waves."}]}]}
        content = {
            "_uid": secrets.token_hex(8),
            "component": "article",
            "intro": "Windy.",
            "text": text,
            "image": EMPTY,
        }
        story = {"id": number, "name": title, "slug": f"sea-{number}", "full_slug": f"news/sea-{number}"}
        story |= {"content": content, "created_at": now, "updated_at": now, "deleted_at": None, "tag_list": ["sea"]}
        self.stories[number] = story | {"published": False, "published_at": None, "unpublished_changes": False}
        if state != "draft":
            self._publish(number)
        if state == "changed":
            self.rename(str(number), f"{title} (changed)", draft=True)
        return str(number)

    def state(self, ref: str) -> State:
        story = self.stories[int(ref)]
        if int(ref) not in self.public:
            return "draft"
        return "changed" if story["unpublished_changes"] else "published"

    def title(self, ref: str) -> str:
        return str(self.stories[int(ref)]["name"])

    def public_title(self, ref: str) -> str:
        return str(self.public.get(int(ref), {"name": ""})["name"])

    def image(self, ref: str) -> str:
        return str(self.stories[int(ref)]["content"]["image"]["filename"])

    def alt(self, ref: str) -> str:
        return str(self.stories[int(ref)]["content"]["image"]["alt"])

    def set_image(self, ref: str, data: bytes) -> None:
        asset = self._add("sea.png") | {"content_length": len(data)}
        self.assets[asset["id"]] = asset
        shown = {
            "fieldtype": "asset",
            "id": asset["id"],
            "filename": asset["filename"],
            "alt": "Our own",
            "title": "Ours",
        }
        self._save(int(ref), publish=self.state(ref) == "published", image=shown)

    def rename(self, ref: str, title: str, *, draft: bool = False) -> None:
        """`draft`: saved, and not published."""
        publish = self.state(ref) == "published" and not draft
        self.stories[int(ref)]["name"] = title
        self._save(int(ref), publish=publish)

    def translate(self, ref: str, code: str, **fields: Any) -> None:
        """An editor fills in fields in a language; with `one_by_one` this language waits to be published."""
        publish = self.state(ref) == "published"
        named = {f"{name}__i18n__{code.replace('-', '_')}": value for name, value in fields.items()}
        self._save(int(ref), publish=publish, **named)
        if self.one_by_one:
            waiting = {"lang": code, "published_at": None, "unpublished_changes": True}
            self.stories[int(ref)]["translated_stories"] = [waiting]

    def seen(self, ref: str, code: str) -> dict[str, Any]:
        """The content that visitors get in a language: what is not translated is as in the default one."""
        content, end = self.public[int(ref)]["content"], f"__i18n__{code.replace('-', '_')}"
        plain = {name: value for name, value in content.items() if "__i18n__" not in name}
        return plain | {
            name.removesuffix(end): value for name, value in content.items() if name.endswith(end) and value
        }

    def delete(self, ref: str) -> None:
        self._tell("deleted", int(ref))
        self.stories[int(ref)]["deleted_at"] = _now()

    def pictures(self) -> int:
        return len(self.assets)

    # What happens inside

    def _save(self, number: int, *, publish: bool, **fields: Any) -> None:
        story = self.stories[number]
        story["content"] = story["content"] | fields
        story |= {"updated_at": _now(), "unpublished_changes": number in self.public}
        if publish:
            self._publish(number)

    def _publish(self, number: int) -> None:
        self.stories[number] |= {"published": True, "unpublished_changes": False, "published_at": _now()}
        self.public[number] = deepcopy(self.stories[number])
        self._tell("published", number)

    def _add(self, name: str) -> dict[str, Any]:
        stem, _, ending = name.rpartition(".")
        final = f"{stem.replace('.', '_')}.{ending}"
        number = next(self.numbers)
        address = f"https://s3.amazonaws.com/{SERVED}/f/{SPACE}/640x360/{secrets.token_hex(5)}/{final}"
        return {"id": number, "filename": address, "content_length": 0, "alt": "", "title": "", "focus": ""}

    def _tell(self, action: str, number: int) -> None:
        story = self.stories[number]
        words = f"The user editor@example.org {action} the Story {story['name']} ({story['slug']})"
        said = {"text": words, "action": action, "space_id": SPACE, "story_id": number, "full_slug": story["full_slug"]}
        for hook in self.hooks:
            if f"story.{action}" in hook["actions"] and hook["activated"]:
                body = json.dumps(said).encode()
                signature = hmac.new(hook["secret"].encode(), body, "sha1").hexdigest()
                headers = {"Content-Type": "application/json", "webhook-signature": signature}
                httpx.post(hook["endpoint"], content=body, headers=headers)

    # What the API does

    def _app(self) -> Flask:
        app, root = Flask("storyblok"), f"/v1/spaces/{SPACE}"
        app.add_url_rule(root, "space", lambda: _answer({"space": {"id": SPACE, "name": "The Gazette"}}))
        app.add_url_rule(f"{root}/components", "components", self._components)
        app.add_url_rule(f"{root}/stories", "stories", self._list)
        app.add_url_rule(f"{root}/stories/<int:number>", "story", self._story, methods=["GET", "PUT"])
        app.add_url_rule(f"{root}/assets", "assets", self._assets, methods=["GET", "POST"])
        app.add_url_rule(f"{root}/assets/<int:number>", "asset", self._asset, methods=["GET", "DELETE"])
        app.add_url_rule(f"{root}/assets/<int:number>/finish_upload", "finish", self._finish)
        app.add_url_rule("/s3/bucket", "s3", self._s3, methods=["POST"])
        app.add_url_rule(f"{root}/webhook_endpoints", "hooks", self._hooks, methods=["GET", "POST"])
        app.add_url_rule(f"{root}/webhook_endpoints/<int:number>", "hook", self._hook, methods=["PUT"])
        app.before_request(self._refuse_strangers)
        return app

    def _refuse_strangers(self) -> Response | None:
        self.calls.add(f"{request.method} {re.sub('/[0-9]+', '/*', request.path).rstrip('/')}")
        given = request.headers.get("Authorization", "")
        if request.path.startswith("/s3/"):
            return Response("<Error><Code>InvalidArgument</Code></Error>", 400) if given else None
        return None if given == TOKEN else _answer({"error": "Unauthorized"}, 401)

    def _components(self) -> Response:
        fields = {"headline": "text", "intro": "textarea", "text": "richtext", "image": "asset"}
        schema = {name: {"type": sort, "translatable": name in self.translatable} for name, sort in fields.items()}
        return _answer({"components": [{"id": 1, "name": "article", "schema": schema}], "component_groups": []})

    def _list(self) -> Response:
        there = [story for story in self.stories.values() if not story["deleted_at"]]
        there.sort(key=lambda story: str(story["updated_at"]), reverse=True)
        page, size = int(request.args.get("page", "1")), min(100, int(request.args.get("per_page", "25")))
        shown = [{name: story[name] for name in story if name != "content"} for story in there]
        return _answer({"stories": shown[(page - 1) * size : page * size]})

    def _story(self, number: int) -> Response:
        if number not in self.stories:
            return _answer(["This record could not be found"], 404)
        if request.method == "PUT":
            sent = _sent()
            if number in self.locked and not sent.get("force_update"):
                return _answer({"base": ["Story is locked by editor@example.org"]}, 422)
            self.stories[number]["content"] = {}
            kept = {name: value for name, value in sent["story"]["content"].items() if name != self.drops}
            self._save(number, publish=bool(sent.get("publish")), **kept)
        return _answer({"story": self.stories[number]})

    def _assets(self) -> Response:
        if request.method == "GET":
            wanted = request.args.get("search", "")
            return _answer({"assets": [one for one in self.assets.values() if wanted in one["filename"]]})
        sent = _sent()
        asset = self._add(sent["filename"]) | {name: sent.get(name, "") for name in ("alt", "title", "focus")}
        asset["meta_data"] = sent.get("meta_data", {})
        self.assets[asset["id"]] = asset
        form = dict.fromkeys(FORM, "x") | {"key": str(asset["id"])}
        return _answer({"id": asset["id"], "fields": form, "post_url": f"{self.url}/s3/bucket", "pretty_url": "//a"})

    def _s3(self) -> Response:
        if set(request.form) != set(FORM) or "file" not in request.files:
            return Response("<Error><Code>AccessDenied</Code></Error>", 403)
        self.assets[int(request.form["key"])]["uploaded"] = len(request.files["file"].read())
        return Response(status=204)

    def _finish(self, number: int) -> Response:
        asset = self.assets.get(number, {})
        if not asset.get("uploaded"):
            return _answer(["This record could not be found"], 404)
        asset["content_length"] = asset["uploaded"]
        return _answer(asset)

    def _asset(self, number: int) -> Response:
        return _answer(self.assets[number] if request.method == "GET" else self.assets.pop(number))

    def _hooks(self) -> Response:
        if request.method == "GET":
            return _answer({"webhook_endpoints": self.hooks})
        made = {"id": next(self.numbers), "space_id": SPACE, **request.get_json()["webhook_endpoint"]}
        self.hooks.append(made)
        return _answer({"webhook_endpoint": made}, 201)

    def _hook(self, number: int) -> Response:
        found = next(hook for hook in self.hooks if hook["id"] == number)
        found |= request.get_json()["webhook_endpoint"]
        return _answer({"webhook_endpoint": found})


def _sent() -> dict[str, Any]:
    """What a call says, in its body as the documentation has it, or in its address as Storyblok's client does."""
    return {**request.args, **(request.get_json(silent=True) or {})}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _answer(document: Any, status: int = 200) -> Response:
    return Response(json.dumps(document), status, {"Content-Type": "application/json"})
