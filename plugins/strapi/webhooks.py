"""The webhooks in Strapi's settings, which an admin token may look after and an API token may not."""

from collections.abc import Iterator
from typing import Any

import httpx

from frontispiece.cms import CmsProblem, Header, call, read_json

from .events import EVENTS
from .settings import StrapiSettings

BY_HAND = (
    "add a webhook under Settings > Webhooks with the URL {hook}, a header Authorization whose value is the site's"
    " webhook_secret, and all events of Entry; or set admin_token, so that it is done for you"
)

Webhook = dict[str, Any]


def register(api: httpx.Client, settings: StrapiSettings, hook: str) -> tuple[str, str]:
    """Makes the webhook to `hook`, or brings it up to date, and tries it; what came of both, in words."""
    if settings.admin_token is None:
        raise CmsProblem(f"Strapi's API tokens may not register webhooks: {BY_HAND.format(hook=hook)}")
    headers = {"Authorization": settings.webhook_secret.get_secret_value()}
    wanted = {"name": "Frontispiece", "url": hook, "headers": headers, "events": list(EVENTS)}
    there = next((one for one in _ask(api, settings, "GET") if one["url"] == hook), None)
    if there:
        kept = _ask(api, settings, "PUT", f"/{there['id']}", json=wanted | {"isEnabled": True})
    else:
        kept = _ask(api, settings, "POST", json=wanted)
    done = "was there and is up to date" if there else "is registered"
    return f"the webhook to {hook} {done}", _tried(api, settings, kept)


def check(api: httpx.Client, settings: StrapiSettings) -> Iterator[str]:
    """Tries every webhook that is on and shows a secret of ours. Raises `CmsProblem` where there is none."""
    if settings.admin_token is None:
        yield "whether Strapi reaches us is for Trigger under Settings > Webhooks to tell"
        return
    secrets = set(settings.secrets)
    hooks = [one for one in _ask(api, settings, "GET") if one["isEnabled"] and secrets & {*one["headers"].values()}]
    if not hooks:
        raise CmsProblem("Strapi has no webhook that is on and shows our secret: run frontispiece connect")
    yield from (_tried(api, settings, one) for one in hooks)


def _tried(api: httpx.Client, settings: StrapiSettings, hook: Webhook) -> str:
    """Has Strapi send its test delivery, and says what came of it."""
    came = _ask(api, settings, "POST", f"/{hook['id']}/trigger")
    if 200 <= came["statusCode"] < 300:
        return f"a test delivery to {hook['url']} arrived"
    return f"a test delivery to {hook['url']} did not arrive ({came['statusCode']} {came.get('message', '')[:200]})"


def _ask(api: httpx.Client, settings: StrapiSettings, method: str, path: str = "", **request: Any) -> Any:
    """Strapi's routes for webhooks, which know admin tokens only."""
    token = settings.admin_token
    auth = Header("Authorization", f"Bearer {token.get_secret_value() if token else ''}")
    return read_json(call(api, method, f"/admin/webhooks{path}", auth=auth, **request))["data"]
