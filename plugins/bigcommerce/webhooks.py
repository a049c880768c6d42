"""The store's webhooks, which BigCommerce switches off by itself where nobody takes what they bring."""

from typing import Any

import httpx

from frontispiece.cms import CmsProblem, call, read_json

from .settings import BigCommerceSettings

SHOWN = "X-Frontispiece-Secret"  # a header of our own that every webhook shows
SCOPES = ("store/product/created", "store/product/deleted")  # what `connect` registers; `updated` comes with every sale


def register(api: httpx.Client, settings: BigCommerceSettings, hook: str) -> tuple[str, ...]:
    """Makes the webhooks to `hook`, or brings them up to date; what came of it, in words."""
    for scope in SCOPES:
        wished = {"scope": scope, "destination": hook, "is_active": True}
        wished["headers"] = {SHOWN: settings.webhook_secret.get_secret_value()}
        there = _all(api, settings, destination=hook, scope=scope)
        number = f"/{there[0]['id']}" if there else ""
        call(api, "PUT" if there else "POST", settings.path(f"hooks{number}"), json=wished)
    words = f"BigCommerce tells {hook} of {' and '.join(SCOPES)}; a new webhook may take a minute to work"
    if hook.startswith("https://") and httpx.URL(hook).port in (None, 443):
        return (words,)
    return words, "BigCommerce calls https on port 443 only, so it will not reach this address"


def check(api: httpx.Client, settings: BigCommerceSettings) -> str:
    """How many webhooks are ours, in words. Raises `CmsProblem` where one is switched off."""
    ours = [hook for hook in _all(api, settings) if SHOWN in (hook.get("headers") or {})]
    off = [hook["destination"] for hook in ours if not hook["is_active"]]
    if off:
        raise CmsProblem(f"BigCommerce has switched off the webhook to {off[0]}: run frontispiece connect again")
    return f"{len(ours)} of {len(SCOPES)} webhooks are registered and active"


def _all(api: httpx.Client, settings: BigCommerceSettings, **wanted: str) -> Any:
    return read_json(call(api, "GET", settings.path("hooks"), params={"limit": "250", **wanted}))["data"]
