"""Directus 12, through its REST API; two Flows that `connect` makes do the sending.

An entry's `ref` is its collection and primary key, such as `articles/0b6a54b0-…`. The key goes into filters only and
never into an address. A missing item and a forbidden one are both 403 in Directus, so items are read as lists.
"""

import base64
import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from operator import itemgetter
from string import Formatter
from typing import Any, ClassVar
from urllib.parse import quote
from uuid import NAMESPACE_URL, uuid5

import httpx
from pydantic import Field, SecretStr

from frontispiece.cms import (
    Adapter,
    CmsProblem,
    Conflict,
    Connection,
    ContentType,
    Current,
    Delivery,
    Entry,
    Event,
    EventKind,
    Gone,
    Header,
    Picture,
    Receipt,
    Refused,
    SiteSettings,
    Unavailable,
    Unreadable,
    call,
    clock,
    plain,
    read_json,
)
from frontispiece.signatures import header, hmac_sha256

MIME = "application/jwt"  # of a delivery, which is one JSON Web Token that our Flow signs
JWT = re.compile(rb"([A-Za-z0-9_-]+\.[A-Za-z0-9_-]+)\.([A-Za-z0-9_-]{43})")
PING = "frontispiece.ping"
MISSING = "undefined"  # what a Flow writes for a variable that there is not
LONGEST = 255  # characters of a field of type string, unless its owner has chosen otherwise
REPLACES = "frontispiece_replaces"  # in a file's metadata: what the entry's fields held before us
PIXEL = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg==")
FLOW = "id,name,status,options,operations.key,operations.options"
RIGHTS = "in Directus, Settings > Access Policies"


class DirectusType(ContentType):
    """Fields of a collection. Of another item by a path: `section.name`, `tags.tags_id.name`."""

    key: str = "id"  # the primary key
    caption: str = ""
    status: str = "status"  # "" = every item is public
    published: str = "published"  # the value of `status` that visitors see
    archived: str = "archived"  # … and the one of what was put away
    created: str = "date_created"  # times by which `recent` finds what changed; "" = there is none
    updated: str = "date_updated"

    @property
    def paths(self) -> list[str]:
        """What is asked of Directus."""
        own = (self.key, self.status, self.created, self.updated, self.title, self.excerpt, self.body, self.tags)
        more = (self.section, self.author, self.opt_out, self.alt, self.caption)
        named = [name for _, name, _, _ in Formatter().parse(self.url) if name]
        return list(filter(None, (*own, *more, *named, f"{self.image}.id", f"{self.image}.description")))


class DirectusSettings(SiteSettings):
    """`token` is the static token of a user of its own; `admin_token` an administrator's, wanted by `connect` only."""

    token: SecretStr
    admin_token: SecretStr | None = None
    types: dict[str, DirectusType] = Field(min_length=1)


class Directus(Adapter):
    """One project."""

    Settings = DirectusSettings
    settings: DirectusSettings
    title: ClassVar[str] = "Directus"
    docs: ClassVar[str] = "https://directus.io/docs/guides/automate/flows"
    signs: ClassVar[str] = "JSON Web Token, HMAC-SHA256"
    signs_time: ClassVar[bool] = False
    connects: ClassVar[bool] = True
    caption: ClassVar[bool] = True
    focal_point: ClassVar[bool] = True
    proved: ClassVar[str] = "Directus 12.4"

    def open(self, transport: httpx.BaseTransport | None = None) -> httpx.Client:
        """Says that it comes from the Studio, to which Directus never answers out of its cache."""
        client = super().open(transport)
        client.headers.update({"Referer": f"{self.settings.url}/admin", "Cache-Control": "no-store"})
        return client

    def auth(self) -> httpx.Auth:
        return _bearer(self.settings.token)

    def verify(self, delivery: Delivery) -> str:
        """A token of RFC 7519; its signature is the id, as the time that it was made is signed along.

        Without that two changes of one item would read alike, and the later one as sent twice.
        """
        token = JWT.fullmatch(delivery.body)
        if header(delivery, "Content-Type") != MIME or token is None:
            raise Refused(f"the delivery is not {MIME}, as our Flow in Directus sends it")
        signature = token[2].decode()
        hmac_sha256(self.settings.secrets, token[1], _standard(signature), "base64")
        return signature

    def events(self, delivery: Delivery) -> list[Event]:
        try:
            said = json.loads(base64.b64decode(_standard(delivery.body.split(b".")[1].decode()), validate=True))
            if said["event"] == PING:
                return [Event("ping", "")]
            collection, _, what = said["event"].partition(".")
            kind = self.settings.types.get(collection)
            if kind is None or what not in ("items.create", "items.update", "items.delete"):
                return []
            keys = said["keys"] if isinstance(said.get("keys"), list) else [said["key"]]
            status = said.get("status", {}).get(kind.status, "")
            return [Event(_kind(what, kind, status), _ref(collection, key)) for key in keys]
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as problem:
            words = f"{type(problem).__name__}: {str(problem)[:200]}"
            raise Unreadable(f"our Flow in Directus sends no such body: {words}") from problem

    def fetch(self, api: httpx.Client, ref: str, locale: str = "") -> Entry:
        collection, kind, item = self._read(api, ref)
        sections = _texts(item, kind.section)
        return Entry(
            ref=ref,
            kind=kind.kind,
            title=" ".join(_texts(item, kind.title)),
            locale=locale or self.settings.language,
            excerpt=_rich(item, kind.excerpt),
            body=_rich(item, kind.body),
            tags=_texts(item, kind.tags),
            section=next(iter(sections), ""),
            sections=sections,
            author=" ".join(_texts(item, kind.author)),
            status=str(item[kind.status] or "") if kind.status else kind.published,
            url=_address(kind.url, item),
            edit_url=f"{self.settings.url}/admin/content/{collection}/{quote(ref.partition('/')[2], safe='')}",
            version=str(item.get(kind.updated) or item.get(kind.created) or ""),
            image=_current(self.settings.url, kind, item),
            opted_out=bool(item.get(kind.opt_out)),
        )

    def attach(self, api: httpx.Client, entry: Entry, picture: Picture) -> Receipt:
        _, kind, item = self._read(api, entry.ref)
        now, before = _image(kind, item), entry.image.id if entry.image else None
        number = str(uuid5(NAMESPACE_URL, f"{entry.ref} {picture.name} {sha256(picture.data).hexdigest()}"))
        if now not in (number, before):
            raise Conflict(
                f"{entry.ref} has another image ({now or 'none'}) than when it was read ({before or 'none'})"
            )
        if now != number:
            told = ((kind.alt, picture.alt), (kind.caption, picture.caption))
            words = {name: text[:LONGEST] for name, text in told if name}
            replaces = {kind.image: now, **{name: item[name] for name in words}}
            file = self._store(api, number, entry, picture, replaces)
            self._write(api, entry.ref, now, {kind.image: number, **words})
        else:
            file = self._file(api, number) or {}
        noted = (file.get("metadata") or {}).get(REPLACES)  # gone if a person has edited the file's metadata
        previous = noted or {kind.image: before if before != number else None}
        return Receipt(number, _asset(self.settings.url, number), previous)

    def revert(self, api: httpx.Client, ref: str, receipt: Receipt) -> None:
        _, kind, item = self._read(api, ref)
        now = _image(kind, item)
        if kind.image not in receipt.previous:
            raise Conflict(f"{ref} got its picture in another field than {kind.image}, which the settings name now")
        if now == receipt.previous[kind.image]:
            return
        if now != receipt.media_id:
            raise Conflict(f"{ref} has another image ({now or 'none'}) than ours ({receipt.media_id}) by now")
        self._write(api, ref, now, receipt.previous)

    def recent(self, api: httpx.Client, since: datetime) -> Iterator[Event]:
        after = since.astimezone(UTC).isoformat()
        for collection, kind in self.settings.types.items():
            times = sorted({name for name in (kind.created, kind.updated) if name})
            late = [{name: {"_gte": after}} for name in times]
            query = {"filter": json.dumps({kind.image: {"_null": True}, "_or": late}), "sort": kind.key}
            found = [
                (max(str(item[name] or "") for name in times), item[kind.status] if kind.status else "", item[kind.key])
                for item in (_pages(api, collection, query, [kind.key, kind.status, *times]) if times else ())
            ]
            for _, status, key in sorted(found, key=itemgetter(0)):
                if not kind.status or status != kind.archived:
                    public = not kind.status or status == kind.published
                    yield Event("published" if public else "created", _ref(collection, key))

    def connect(self, api: httpx.Client, hook: str) -> Connection:
        """Makes two Flows: one that tells what happens to items, and one by which `doctor` has a test sent."""
        me = _data(call(api, "GET", "/users/me", params={"fields": "id"}))["id"]
        admin = _bearer(self.settings.admin_token or self.settings.token)
        name = f"Frontispiece ({hook.rstrip('/').rpartition('/')[2]})"
        secret = self.settings.webhook_secret.get_secret_value()
        words = _flow(api, admin, _telling(name, hook, secret, me, self.settings.types))
        try:
            more = _flow(api, admin, _testing(f"{name}: test", hook, secret))
        except CmsProblem as problem:  # without a licence Directus has five active Flows
            more = f"there is no Flow by which doctor could have a test sent: {problem.words}"
        rest = ("now remove admin_token from the settings: nothing else needs it",) if self.settings.admin_token else ()
        return Connection((words, more, *rest))

    def doctor(self, api: httpx.Client) -> list[str]:
        answer = call(api, "GET", "/users/me", params={"fields": "id,email"})
        me = _data(answer)
        words = [f"the token is that of {me['email'] or me['id']}", clock(answer), *self._rights(api)]
        return [*words, self._picture(api), *self._connection(api, me["id"])]

    def _place(self, ref: str) -> tuple[str, DirectusType, str]:
        collection, _, key = ref.partition("/")
        if collection not in self.settings.types:
            raise CmsProblem(f"{ref} is of a collection that [sites.….types] does not name")
        return collection, self.settings.types[collection], key

    def _read(self, api: httpx.Client, ref: str) -> tuple[str, DirectusType, dict[str, Any]]:
        collection, kind, key = self._place(ref)
        query = {"filter": json.dumps({kind.key: {"_eq": key}}), "fields": ",".join(kind.paths), "limit": "1"}
        found = _list(_data(call(api, "GET", f"/items/{quote(collection)}", params=query)), collection)
        if not found:
            raise Gone(f"{ref} is not there")
        if kind.status and found[0][kind.status] == kind.archived:
            raise Gone(f"{ref} is archived")
        return collection, kind, found[0]

    def _write(self, api: httpx.Client, ref: str, expected: str | None, values: Mapping[str, Any]) -> None:
        """Sets fields of an item that still has the expected image; Directus looks and writes in one request."""
        collection, kind, key = self._place(ref)
        same = {kind.image: {"_null": True} if expected is None else {"_eq": expected}}
        query = {"filter": {"_and": [{kind.key: {"_eq": key}}, same]}, "limit": 1}
        fields = {"fields": ",".join(values)}
        body = {"query": query, "data": dict(values)}
        kept = _data(call(api, "PATCH", f"/items/{quote(collection)}", params=fields, json=body))
        if not kept:
            raise Conflict(f"the image of {ref} was changed while ours was on its way")
        if kept != [dict(values)]:
            raise CmsProblem(f"{ref} kept {kept[0]} when {dict(values)} was set")

    def _file(self, api: httpx.Client, number: str) -> Any:
        """The file of this id, or None."""
        query = {"filter": json.dumps({"id": {"_eq": number}}), "fields": "id,metadata"}
        return next(iter(_data(call(api, "GET", "/files", params=query))), None)

    def _store(
        self, api: httpx.Client, number: str, entry: Entry, picture: Picture, replaces: Mapping[str, Any]
    ) -> Any:
        """Uploads the picture under this id; anew where an earlier try left it, whole or cut off."""
        focal = picture.focal or (None, None)
        facts = {
            "title": entry.title or picture.name,
            "description": picture.alt,
            "filename_download": picture.name,
            "metadata": json.dumps({REPLACES: replaces}),
            "focal_point_x": "null" if focal[0] is None else str(round(focal[0] * picture.width)),
            "focal_point_y": "null" if focal[1] is None else str(round(focal[1] * picture.height)),
        }
        there = self._file(api, number)
        method, path = ("PATCH", f"/files/{number}") if there else ("POST", "/files")
        file = _upload(api, method, path, facts if there else {"id": number, **facts}, picture.mime, picture.data)
        if (file["width"], file["height"]) != (picture.width, picture.height):
            gone = _removed(api, number)
            raise CmsProblem(f"Directus took {picture.name}, but cannot read it as a picture of its size; {gone}")
        if (file["description"] or "") != picture.alt or not (file["metadata"] or {}).get(REPLACES):
            raise CmsProblem(f"Directus kept other words with the file {number} than were sent: what changes them?")
        return file

    def _rights(self, api: httpx.Client) -> Iterator[str]:
        may = _data(call(api, "GET", "/permissions/me"))
        for collection, kind in self.settings.types.items():
            query = {"fields": ",".join(kind.paths), "limit": "1"}
            _list(_data(call(api, "GET", f"/items/{quote(collection)}", params=query)), collection)
            update = may.get(collection, {}).get("update", {})
            wanted = [name for name in (kind.image, kind.alt, kind.caption) if name]
            allowed = update.get("fields") or []
            if update.get("access", "none") == "none" or not ("*" in allowed or set(wanted) <= set(allowed)):
                raise CmsProblem(f"the user may not update {', '.join(wanted)} of {collection}: allow it {RIGHTS}")
            yield f"{collection}: may be read, and {', '.join(wanted)} written"

    def _picture(self, api: httpx.Client) -> str:
        facts = {"title": "Frontispiece test", "description": "A test", "focal_point_x": "1", "focal_point_y": "1"}
        facts |= {"filename_download": "frontispiece-test.png"}
        file = _upload(api, "POST", "/files", facts, "image/png", PIXEL)
        gone = _removed(api, file["id"])
        if (file["width"], file["description"], file["focal_point_x"]) != (1, "A test", 1):
            raise CmsProblem("Directus does not keep size, description and focal point of a file: what changes them?")
        return f"a test picture was uploaded with description and focal point; {gone}"

    def _connection(self, api: httpx.Client, me: str) -> Iterator[str]:
        query = {"filter": json.dumps({"name": {"_starts_with": "Frontispiece ("}}), "fields": FLOW, "limit": "-1"}
        flows = [flow for flow in _data(call(api, "GET", "/flows", params=query)) if self._shows_secret(flow)]
        telling = next((flow for flow in flows if flow["options"].get("scope")), None)
        testing = next((flow for flow in flows if flow["options"].get("method")), None)
        if telling is None:
            raise CmsProblem("no Flow in Directus shows our webhook_secret: run frontispiece connect")
        missing = set(self.settings.types) - set(telling["options"]["collections"])
        if telling["status"] != "active" or missing or me not in json.dumps(telling["operations"]):
            raise CmsProblem(f"the Flow {telling['name']!r} is off or out of date: run frontispiece connect again")
        yield f"the Flow {telling['name']!r} is on, and passes over what we write ourselves"
        yield _reached(api, testing["id"]) if testing else "no Flow by which Directus could send us a test: run connect"

    def _shows_secret(self, flow: Any) -> bool:
        shown = json.dumps(flow["operations"])
        return any(json.dumps(secret)[1:-1] in shown for secret in self.settings.secrets)


def _bearer(token: SecretStr) -> Header:
    return Header("Authorization", f"Bearer {token.get_secret_value()}")


def _standard(text: str) -> str:
    """Base64 as a token has it, without padding and safe in addresses, as everybody else has it."""
    return text.translate(str.maketrans("-_", "+/")) + "=" * (-len(text) % 4)


def _data(answer: httpx.Response) -> Any:
    """What Directus wraps in `data`."""
    told = read_json(answer)
    if not isinstance(told, Mapping) or "data" not in told:
        raise CmsProblem(f"{answer.url} answered without data: is the site's url that of Directus?")
    return told["data"]


def _list(found: Any, collection: str) -> list[dict[str, Any]]:
    if not isinstance(found, list):
        raise CmsProblem(f"the collection {collection} is a singleton, in which there is nothing to look for")
    return found


def _kind(what: str, kind: DirectusType, status: str) -> EventKind:
    if what == "items.delete" or (kind.status and status == kind.archived):
        return "deleted"
    if status == kind.published or (what == "items.create" and not kind.status):
        return "published"
    return "created" if what == "items.create" else "updated"


def _ref(collection: str, key: Any) -> str:
    if type(key) not in (int, str) or key == MISSING or not re.fullmatch(r"[^\x00-\x1f]{1,255}", str(key)):
        raise ValueError(f"a key is {key!r}")
    return f"{collection}/{key}"


def _texts(item: Any, path: str) -> tuple[str, ...]:
    """All texts at a dotted path, through lists of items too, and none twice."""
    found = [item] if path else []
    for part in path.split("."):
        found = [one.get(part) for one in found if isinstance(one, Mapping)]
        found = [inner for one in found for inner in (one if isinstance(one, list) else [one])]
    return tuple(dict.fromkeys(str(one) for one in found if isinstance(one, str | int | float) and one != ""))


def _rich(item: Any, path: str) -> str:
    """HTML or Markdown as plain text; of a field of the block editor (Editor.js) the texts of all its blocks."""
    blocks = _texts(item, f"{path}.blocks.data.text") if path else ()
    return "\n".join(map(plain, blocks or _texts(item, path)))


def _address(pattern: str, item: Mapping[str, Any]) -> str:
    named = [name for _, name, _, _ in Formatter().parse(pattern) if name]
    return pattern.format_map({name: quote(str(item.get(name) or ""), safe="") for name in named})


def _asset(url: str, number: str) -> str:
    return f"{url}/assets/{number}"


def _image(kind: DirectusType, item: Mapping[str, Any]) -> str | None:
    image = item[kind.image]
    if isinstance(image, list):
        raise CmsProblem(f"the field {kind.image} holds several files: name one for a single image")
    return str(image["id"]) if image else None


def _current(url: str, kind: DirectusType, item: Mapping[str, Any]) -> Current | None:
    number = _image(kind, item)
    if number is None:
        return None
    alt = item[kind.alt] if kind.alt else item[kind.image]["description"]
    return Current(number, _asset(url, number), str(alt or ""))


def _pages(api: httpx.Client, collection: str, query: dict[str, str], fields: list[str]) -> Iterator[Any]:
    page, size = 1, 100
    wanted = {**query, "fields": ",".join(filter(None, fields)), "limit": str(size)}
    while found := _list(_data(call(api, "GET", f"/items/{quote(collection)}", params={**wanted, "page": page})), ""):
        yield from found
        if len(found) < size:
            return
        page += 1


def _upload(api: httpx.Client, method: str, path: str, facts: Mapping[str, str], mime: str, data: bytes) -> Any:
    """Directus reads what comes before the file only, which httpx sends last."""
    files = {"file": (facts["filename_download"], data, mime)}
    return _data(call(api, method, path, data=facts, files=files, timeout=120))


def _reached(api: httpx.Client, flow: str) -> str:
    """Has Directus send a ping to our hook, and says what came of it there."""
    told = read_json(call(api, "POST", f"/flows/trigger/{flow}", timeout=60))
    status, message = (str(told.get(name, "")).replace(MISSING, "") for name in ("status", "message"))
    if not status.startswith("2"):
        raise CmsProblem(
            f"Directus does not reach our hook: {status}{message}. To a private address it sends nothing unless "
            "IMPORT_IP_DENY_LIST in its environment leaves that address out"
        )
    return f"Directus reaches our hook, which answered {status}"


def _removed(api: httpx.Client, number: str) -> str:
    try:
        call(api, "DELETE", f"/files/{number}")
    except CmsProblem as problem:
        return f"it stays in the files, where you may remove it: {problem.words}"
    return "it was removed again"


def _flow(api: httpx.Client, admin: Header, wanted: dict[str, Any]) -> str:
    """Makes a Flow with all its operations, or brings the one of this name up to date."""
    query = {"filter": json.dumps({"name": {"_eq": wanted["name"]}}), "fields": "id,status"}
    try:
        for flow in _data(call(api, "GET", "/flows", params=query, auth=admin)):
            if flow["status"] == "active":  # said again it would count against the licence once more
                wanted = {name: value for name, value in wanted.items() if name != "status"}
            call(api, "PATCH", f"/flows/{flow['id']}", json=wanted, auth=admin)
            return f"the Flow {wanted['name']!r} was brought up to date"
        call(api, "POST", "/flows", json=wanted, auth=admin)
    except Unavailable:
        raise
    except CmsProblem as problem:
        if "LIMIT_EXCEEDED" in problem.words:
            raise CmsProblem(f"{problem.words}: switch off a Flow that is not needed, or get a licence") from problem
        raise type(problem)(
            f"{problem.words}: to make Flows, admin_token must be that of an administrator"
        ) from problem
    return f"the Flow {wanted['name']!r} was made"


def _telling(name: str, hook: str, secret: str, me: str, types: Mapping[str, DirectusType]) -> dict[str, Any]:
    """Tells which items changed and no word of what is in them; what we write ourselves ends at the first step."""
    said: dict[str, Any] = {part: f"{{{{$trigger.{part}}}}}" for part in ("event", "key", "keys")}
    said["status"] = {kind.status: f"{{{{$trigger.payload.{kind.status}}}}}" for kind in types.values() if kind.status}
    steps = [
        _step(name, "ours", "condition", {"filter": {"$accountability": {"user": {"_eq": me}}}}, reject="sign"),
        _step(name, "sign", "json-web-token", _signing(said, secret), resolve="send"),
        _step(name, "send", "request", _sending(hook)),
    ]
    scope = ["items.create", "items.update", "items.delete"]
    return _whole(name, "event", {"type": "action", "scope": scope, "collections": sorted(types)}, steps)


def _testing(name: str, hook: str, secret: str) -> dict[str, Any]:
    """Sends a ping when it is asked to, and answers what came of it."""
    told = {"json": {"status": "{{$last.status}}", "message": "{{$last.message}}"}}
    steps = [
        _step(name, "sign", "json-web-token", _signing({"event": PING}, secret), resolve="send"),
        _step(name, "send", "request", _sending(hook), resolve="arrived", reject="failed"),
        _step(name, "arrived", "transform", told),
        _step(name, "failed", "transform", told),
    ]
    return _whole(name, "webhook", {"method": "POST", "async": False, "return": "$last"}, steps)


def _signing(said: Mapping[str, Any], secret: str) -> dict[str, Any]:
    return {"operation": "sign", "payload": said, "secret": secret, "options": {"algorithm": "HS256"}}


def _sending(hook: str) -> dict[str, Any]:
    headers = [{"header": "Content-Type", "value": MIME}]
    return {"method": "POST", "url": hook, "headers": headers, "body": "{{$last}}"}


def _whole(name: str, trigger: str, options: dict[str, Any], steps: list[dict[str, Any]]) -> dict[str, Any]:
    for column, step in enumerate(steps):
        step |= {"position_x": 19 + 18 * column, "position_y": 1}
    facts = {"name": name, "icon": "image", "status": "active", "accountability": "activity", "trigger": trigger}
    last_first = steps[::-1]  # Directus wants the operations that others name to be there before these
    return {**facts, "options": options, "operation": steps[0]["id"], "operations": last_first}


def _step(flow: str, key: str, sort: str, options: dict[str, Any], **then: str) -> dict[str, Any]:
    """An operation, under an id that is the same at every `connect`; `then` names the next ones."""
    after = {way: _step_id(flow, next_) for way, next_ in then.items()}
    facts = {"id": _step_id(flow, key), "key": key, "name": key.capitalize(), "type": sort, "options": options}
    return {"resolve": None, "reject": None, **facts, **after}


def _step_id(flow: str, key: str) -> str:
    return str(uuid5(NAMESPACE_URL, f"{flow} {key}"))
