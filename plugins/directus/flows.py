"""The two Flows that `connect` makes in Directus, and what `doctor` finds out about them."""

import json
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import httpx

from frontispiece.cms import CmsProblem, Unavailable, call, read_json

from .items import MISSING, Types
from .rest import ask, bearer
from .settings import DirectusSettings

MIME = "application/jwt"  # of a delivery, which is one JSON Web Token that our Flow signs
PING = "frontispiece.ping"
HAPPENINGS = ("items.create", "items.update", "items.delete")
FIELDS = "id,name,status,options,operations.key,operations.options"

Flow = dict[str, Any]


def make(api: httpx.Client, settings: DirectusSettings, hook: str, me: str) -> tuple[str, str]:
    """One that tells what happens to items, and one by which `doctor` has a test sent; what came of both."""
    name, secret = f"Frontispiece ({hook.rstrip('/').rpartition('/')[2]})", settings.webhook_secret.get_secret_value()
    words = _put(api, settings, _telling(name, hook, secret, me, settings.types))
    try:
        return words, _put(api, settings, _testing(f"{name}: test", hook, secret))
    except CmsProblem as problem:  # without a licence Directus has five active Flows
        return words, f"there is no Flow by which doctor could have a test sent: {problem.words}"


def check(api: httpx.Client, settings: DirectusSettings, me: str) -> Iterator[str]:
    """Proves that our Flow is on and up to date, and that Directus reaches us by it. Raises `CmsProblem`."""
    query = {"filter": json.dumps({"name": {"_starts_with": "Frontispiece ("}}), "fields": FIELDS, "limit": "-1"}
    flows = [flow for flow in ask(api, "GET", "/flows", params=query) if _shows(flow, settings.secrets)]
    telling = next((flow for flow in flows if flow["options"].get("scope")), None)
    testing = next((flow for flow in flows if flow["options"].get("method")), None)
    if telling is None:
        raise CmsProblem("no Flow in Directus shows our webhook_secret: run frontispiece connect")
    missing = set(settings.types) - set(telling["options"]["collections"])
    if telling["status"] != "active" or missing or me not in json.dumps(telling["operations"]):
        raise CmsProblem(f"the Flow {telling['name']!r} is off or out of date: run frontispiece connect again")
    yield f"the Flow {telling['name']!r} is on, and passes over what we write ourselves"
    yield _reached(api, testing["id"]) if testing else "no Flow by which Directus could send us a test: run connect"


def _shows(flow: Flow, secrets: list[str]) -> bool:
    shown = json.dumps(flow["operations"])
    return any(json.dumps(secret)[1:-1] in shown for secret in secrets)


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


def _put(api: httpx.Client, settings: DirectusSettings, wanted: Flow) -> str:
    """Makes a Flow with all its operations, or brings the one of this name up to date."""
    try:
        return _put_by_admin(api, settings, wanted)
    except Unavailable:
        raise
    except CmsProblem as problem:
        if "LIMIT_EXCEEDED" in problem.words:
            raise CmsProblem(f"{problem.words}: switch off a Flow that is not needed, or get a licence") from problem
        raise type(problem)(
            f"{problem.words}: to make Flows, admin_token must be that of an administrator"
        ) from problem


def _put_by_admin(api: httpx.Client, settings: DirectusSettings, wanted: Flow) -> str:
    admin, name = bearer(settings.admin_token or settings.token), wanted["name"]
    query = {"filter": json.dumps({"name": {"_eq": name}}), "fields": "id,status"}
    there = next(iter(ask(api, "GET", "/flows", params=query, auth=admin)), None)
    if there is None:
        call(api, "POST", "/flows", json=wanted, auth=admin)
        return f"the Flow {name!r} was made"
    if there["status"] == "active":  # said again it would count against the licence once more
        wanted = {key: value for key, value in wanted.items() if key != "status"}
    call(api, "PATCH", f"/flows/{there['id']}", json=wanted, auth=admin)
    return f"the Flow {name!r} was brought up to date"


def _telling(name: str, hook: str, secret: str, me: str, types: Types) -> Flow:
    """Tells which items changed and no word of what is in them; what we write ourselves ends at the first step."""
    said: dict[str, Any] = {part: f"{{{{$trigger.{part}}}}}" for part in ("event", "key", "keys")}
    said["status"] = {kind.status: f"{{{{$trigger.payload.{kind.status}}}}}" for kind in types.values() if kind.status}
    steps = [
        _step(name, "ours", "condition", {"filter": {"$accountability": {"user": {"_eq": me}}}}, reject="sign"),
        _step(name, "sign", "json-web-token", _signing(said, secret), resolve="send"),
        _step(name, "send", "request", _sending(hook)),
    ]
    return _whole(name, "event", {"type": "action", "scope": HAPPENINGS, "collections": sorted(types)}, steps)


def _testing(name: str, hook: str, secret: str) -> Flow:
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


def _whole(name: str, trigger: str, options: dict[str, Any], steps: list[dict[str, Any]]) -> Flow:
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
