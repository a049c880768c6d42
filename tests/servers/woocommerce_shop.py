"""WooCommerce's REST v3 and WordPress's media as far as an adapter meets them, made from the contract.

github.com/woocommerce/woocommerce, plugins/woocommerce/includes: class-wc-webhook.php and rest-api/Controllers.
"""

import base64
import hmac
import io
import ipaddress
import itertools
import json
import queue
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from flask import Flask, Response, abort, g, jsonify, request
from PIL import Image

__all__ = ["PASSWORDS", "Shop"]

PRODUCT = json.loads((Path(__file__).parent / "woocommerce-files/product.json").read_text("utf8"))
PASSWORDS = {"frontispiece": "abcd EFGH 0123", "customer": "only buys"}  # application passwords, by login
CAPABILITIES = {"frontispiece": {"upload_files": True, "edit_products": True, "manage_woocommerce": True}}
TOPICS = tuple(f"product.{event}" for event in ("created", "updated", "deleted", "restored"))
SAFE_PORTS = (80, 443, 8080)
MOST_FAILURES = 5
READ_ONLY = ("id", "date_modified", "date_modified_gmt")


def refuse(status: int, code: str, message: str) -> None:
    """Answers as WordPress does."""
    abort(Response(json.dumps({"code": code, "message": message, "data": {"status": status}}), status, mimetype=JSON))


JSON = "application/json"


class Shop:
    """Products, media and webhooks, kept for as long as the object lives; webhooks are sent by a thread, one by one."""

    def __init__(self, *, allow_private: bool = True) -> None:
        self.allow_private = allow_private  # as with the filter http_request_host_is_external
        self.url = ""
        self.products: dict[int, dict[str, Any]] = {}
        self.media: dict[int, dict[str, Any]] = {}
        self.files: dict[int, bytes] = {}
        self.webhooks: dict[int, dict[str, Any]] = {}
        self.pings: list[str] = []  # what came of each
        self.numbers = itertools.count(12)
        self.app = Flask(__name__)
        self._waiting: queue.Queue[tuple[int, int] | None] = queue.Queue()
        self._pending: set[tuple[int, int]] = set()
        self._routes()

    def _routes(self) -> None:
        self.app.before_request(self._who)
        for path, view, methods in (
            ("/wp-json/", self._index, "GET"),
            ("/wp-json/wp/v2/users/me", self._me, "GET"),
            ("/wp-json/wp/v2/media", self._media, "GET POST"),
            ("/wp-json/wp/v2/media/<int:number>", self._one_media, "GET POST DELETE"),
            ("/wp-json/wc/v3/products", self._products, "GET POST"),
            ("/wp-json/wc/v3/products/<int:number>", self._product, "GET PUT DELETE"),
            ("/wp-json/wc/v3/webhooks", self._hooks, "GET POST"),
            ("/wp-json/wc/v3/webhooks/<int:number>", self._hook, "GET PUT"),
            ("/wp-content/uploads/<int:number>/<name>", self._file, "GET"),
        ):
            self.app.add_url_rule(path, view_func=view, methods=methods.split(), endpoint=path)

    # -- who asks ---------------------------------------------------------------------------------------------------

    def _who(self) -> None:
        g.user = ""
        if request.authorization is not None:
            g.user = request.authorization.username or ""
            if PASSWORDS.get(g.user) != request.authorization.password:
                refuse(401, "incorrect_password", "The provided password is an invalid application password.")
        if "/wc/" in request.path and g.user not in CAPABILITIES:
            refuse(403 if g.user else 401, "woocommerce_rest_cannot_view", "Sorry, you cannot list resources.")
        if "/wp/v2/media" in request.path and request.method != "GET" and g.user not in CAPABILITIES:
            refuse(403 if g.user else 401, "rest_cannot_create", "Sorry, you are not allowed to create posts.")

    def _index(self) -> Response:
        return jsonify({"name": "A shop", "namespaces": ["oembed/1.0", "wc/v3", "wp/v2"]})

    def _me(self) -> Response:
        if not g.user:
            refuse(401, "rest_not_logged_in", "You are not currently logged in.")
        return jsonify({"id": 2, "slug": g.user, "capabilities": CAPABILITIES.get(g.user, {"read": True})})

    # -- media ------------------------------------------------------------------------------------------------------

    def _media(self) -> tuple[Response, int]:
        if request.method == "GET":
            slug = request.args.get("slug")
            return jsonify([one for one in self.media.values() if slug in (None, one["slug"])]), 200
        sent = request.files["file"]
        return jsonify(self.upload(sent.filename or "", sent.read(), request.form.to_dict())), 201

    def upload(self, name: str, data: bytes, form: dict[str, str]) -> dict[str, Any]:
        """A new attachment, as WordPress makes one."""
        number, details = next(self.numbers), _details(data)
        slug = form.get("slug") or name.rsplit(".", 1)[0]
        taken = {one["slug"] for one in self.media.values()}
        unique = next(one for one in [slug, *(f"{slug}-{n}" for n in range(2, 99))] if one not in taken)
        self.files[number] = data
        self.media[number] = {
            "id": number,
            "slug": unique,
            "post": int(form["post"]) if "post" in form else None,
            "status": "inherit",
            "alt_text": form.get("alt_text", ""),
            "caption": {"raw": form.get("caption", "")},
            "title": {"raw": form.get("title", name)},
            "source_url": f"{self.url}/wp-content/uploads/{number}/{name}",
            **details,
        }
        return self.media[number]

    def _one_media(self, number: int) -> Response:
        if number not in self.media:
            refuse(404, "rest_post_invalid_id", "Invalid post ID.")
        one = self.media[number]
        if request.method == "DELETE":
            if request.args.get("force") != "true":
                refuse(
                    501, "rest_trash_not_supported", "The post does not support trashing. Set 'force=true' to delete."
                )
            del self.media[number]
            return jsonify({"deleted": True, "previous": one})
        one |= {name: text for name, text in request.form.items() if name == "alt_text"}
        one |= {name: {"raw": text} for name, text in request.form.items() if name in ("caption", "title")}
        return jsonify(one)

    def _file(self, number: int, name: str) -> Response:  # noqa: ARG002 - the number is enough
        return Response(self.files[number])

    # -- products ---------------------------------------------------------------------------------------------------

    def _products(self) -> tuple[Response, int]:
        if request.method == "POST":
            return jsonify(self.shown(self.save(None, request.get_json()))), 201
        query, size = request.args, int(request.args.get("per_page", "10"))
        if size > 100:
            refuse(400, "rest_invalid_param", "Invalid parameter(s): per_page")
        found = [one for one in self.products.values() if one["status"] != "trash" and one["type"] != "variation"]
        if "modified_after" in query:
            after = datetime.fromisoformat(query["modified_after"]).strftime("%Y-%m-%dT%H:%M:%S")
            found = [one for one in found if one["date_modified_gmt"] > after]
        by = {"modified": "date_modified_gmt", "date": "date_created_gmt"}[query.get("orderby", "date")]
        found.sort(key=lambda one: (one[by], one["id"]), reverse=query.get("order", "desc") == "desc")
        first = (int(query.get("page", "1")) - 1) * size
        answer = jsonify([self.shown(one) for one in found[first : first + size]])
        answer.headers["X-WP-TotalPages"] = str(-(-len(found) // size))
        return answer, 200

    def _product(self, number: int) -> Response:
        if number not in self.products:
            refuse(400 if request.method == "PUT" else 404, "woocommerce_rest_product_invalid_id", "Invalid ID.")
        product = self.products[number]
        if request.method == "PUT":
            if product["type"] == "variation":
                refuse(404, "woocommerce_rest_invalid_product_id", "To manipulate product variations you should use …")
            product = self.save(number, request.get_json())
        elif request.method == "DELETE":
            if product["status"] == "trash":
                refuse(410, "woocommerce_rest_already_trashed", "The product has already been deleted.")
            self.trash(number)
        return jsonify(self.shown(product))

    def save(self, number: int | None, changes: dict[str, Any]) -> dict[str, Any]:
        """A product made or changed; `images` replaces the whole gallery, and an empty `alt` in it changes nothing."""
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S")
        told = {name: value for name, value in changes.items() if name not in (*READ_ONLY, "images")}
        if number is None:
            made = next(self.numbers)
            slug = f"product-{made}"
            facts = {"id": made, "slug": slug, "permalink": f"{self.url}/product/{slug}/", "images": []}
            self.products[made] = PRODUCT | facts | {"date_created": now, "date_created_gmt": now}
        product = self.products[made if number is None else number]
        if "images" in changes:
            product["images"] = [self._image(image) for image in changes["images"] or [] if image]
        product |= told | {"date_modified": now, "date_modified_gmt": now}
        self.tell("product.created" if number is None else "product.updated", product["id"])
        return product

    def _image(self, sent: dict[str, Any]) -> int:
        number = int(sent.get("id", 0))
        if not number and "src" in sent:
            host = urlsplit(sent["src"]).hostname or ""
            if not self.reachable(sent["src"]):
                words = f"Error getting remote image {sent['src']}. Error: A valid URL was not provided."
                refuse(400, "woocommerce_product_image_upload_error", words)
            number = self.upload(f"{host}.png", httpx.get(sent["src"]).content, {})["id"]
        if number not in self.media:
            refuse(400, "woocommerce_product_invalid_image_id", f"#{number} is an invalid image ID.")
        if sent.get("alt"):
            self.media[number]["alt_text"] = " ".join(sent["alt"].split())
        return number

    def shown(self, product: dict[str, Any]) -> dict[str, Any]:
        """As the API shows it; an attachment that was deleted is left out."""
        media = [self.media[number] for number in product["images"] if number in self.media]
        images = [{"id": one["id"], "src": one["source_url"], "name": "", "alt": one["alt_text"]} for one in media]
        return product | {"images": images}

    def trash(self, number: int) -> None:
        self.products[number]["status"] = "trash"
        self.tell("product.deleted", number)

    # -- webhooks ---------------------------------------------------------------------------------------------------

    def _hooks(self) -> tuple[Response, int]:
        if request.method == "GET":
            answer = jsonify([_without_secret(one) for one in self.webhooks.values()])
            answer.headers["X-WP-TotalPages"] = "1"
            return answer, 200
        told, number = request.get_json(), next(self.numbers)
        if told.get("topic") not in TOPICS:
            refuse(400, "woocommerce_rest_shop_webhook_invalid_topic", "Webhook topic is required and must be valid.")
        if not told.get("delivery_url", "").startswith(("http://", "https://")):
            refuse(
                400, "woocommerce_rest_shop_webhook_invalid_delivery_url", "Webhook delivery URL must be a valid URL."
            )
        facts = {"id": number, "status": "active", "name": "Webhook", "secret": "made up by the shop", "failures": 0}
        self.webhooks[number] = facts | {name: told[name] for name in told if name != "id"}
        self._ping(self.webhooks[number])
        return jsonify(_without_secret(self.webhooks[number])), 201

    def _hook(self, number: int) -> Response:
        if number not in self.webhooks:
            refuse(400, "woocommerce_rest_shop_webhook_invalid_id", "ID is invalid.")
        if request.method == "PUT":
            self.webhooks[number] |= {name: value for name, value in request.get_json().items() if name != "id"}
        return jsonify(_without_secret(self.webhooks[number]))

    def _ping(self, webhook: dict[str, Any]) -> None:
        """The unsigned form that a new webhook sends; over REST what comes of it changes nothing."""
        headers = {"User-Agent": AGENT, "Content-Type": "application/x-www-form-urlencoded"}
        self.pings.append(self.post(webhook["delivery_url"], f"webhook_id={webhook['id']}".encode(), headers))

    def tell(self, topic: str, number: int) -> None:
        """Queues a delivery for each active webhook of the topic; one that waits already is not doubled."""
        for webhook in list(self.webhooks.values()):
            job = (webhook["id"], number)
            if (webhook["status"], webhook["topic"]) == ("active", topic) and job not in self._pending:
                self._pending.add(job)
                self._waiting.put(job)

    def start(self) -> None:
        """Sends what is in the queue, from now on."""
        self._sender = threading.Thread(target=self._send_all, daemon=True)
        self._sender.start()

    def stop(self) -> None:
        self._waiting.put(None)
        self._sender.join()

    def _send_all(self) -> None:
        while job := self._waiting.get():
            self._pending.discard(job)
            self._deliver(self.webhooks[job[0]], job[1])

    def _deliver(self, webhook: dict[str, Any], number: int) -> None:
        """The body is built now, not when the product was saved; nothing is sent twice."""
        body = _php_json(self._payload(webhook["topic"], number))
        resource, event = webhook["topic"].split(".")
        second = hmac.new(b"salt", f"{webhook['id']}{int(time.time())}".encode(), "md5").hexdigest()
        signature = base64.b64encode(hmac.digest(webhook["secret"].encode(), body, "sha256")).decode()
        told = {"Source": f"{self.url}/", "Topic": webhook["topic"], "Resource": resource, "Event": event}
        told |= {"Signature": signature, "ID": str(webhook["id"]), "Delivery-ID": second}
        headers = {"User-Agent": AGENT, "Content-Type": JSON}
        answer = self.post(
            webhook["delivery_url"], body, headers | {f"X-WC-Webhook-{name}": told[name] for name in told}
        )
        good = answer.isdigit() and 200 <= int(answer) < 303
        webhook["failures"] = 0 if good else webhook["failures"] + 1
        if webhook["failures"] > MOST_FAILURES:
            webhook["status"] = "disabled"

    def _payload(self, topic: str, number: int) -> dict[str, Any]:
        if topic == "product.deleted":
            return {"id": number}
        if number not in self.products:
            return {"code": "woocommerce_rest_product_invalid_id", "message": "Invalid ID.", "data": {"status": 404}}
        return self.shown(self.products[number])

    def post(self, url: str, body: bytes, headers: dict[str, str]) -> str:
        """`wp_safe_remote_post`: the answer's status, or what went wrong in words."""
        if not self.reachable(url):
            return "A valid URL was not provided."
        try:
            return str(httpx.post(url, content=body, headers=headers | {"Connection": "close"}, timeout=60).status_code)
        except httpx.HTTPError as problem:
            return str(problem)

    def reachable(self, url: str) -> bool:
        """`wp_http_validate_url`: no private addresses, no unusual ports, unless a filter allows them."""
        parts = urlsplit(url)
        try:
            private = not ipaddress.ip_address(parts.hostname or "").is_global
        except ValueError:
            private = parts.hostname == "localhost"
        return self.allow_private or not (private or (parts.port or 80) not in SAFE_PORTS)


AGENT = "WooCommerce/11.2.0 Hookshot (WordPress/7.1.4)"


def _details(data: bytes) -> dict[str, Any]:
    """What WordPress 6.8 and 7.1 make of broken pictures: with half of one they answer 201 and lack its sizes."""
    if not data.startswith((b"RIFF", b"\xff\xd8\xff", b"\x89PNG")):
        refuse(500, "rest_upload_unknown_error", "Sorry, you are not allowed to upload this file type.")
    facts: dict[str, Any] = {"media_details": {}, "missing_image_sizes": []}
    try:
        with Image.open(io.BytesIO(data)) as image:
            facts["media_details"] = {"width": image.width, "height": image.height}
            image.load()
    except OSError:
        if facts["media_details"] and not data.startswith(b"\xff"):
            facts["missing_image_sizes"] = ["thumbnail", "medium"]
    return facts


def _without_secret(webhook: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in webhook.items() if name not in ("secret", "failures")}


def _php_json(value: Any) -> bytes:
    """As `wp_json_encode` writes it: slashes escaped, and everything that is not ASCII."""
    return json.dumps(value, separators=(",", ":")).replace("/", "\\/").encode()
