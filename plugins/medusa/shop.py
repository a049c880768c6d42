"""Our plugin in the shop: it is told where deliveries go, and asked how they fare."""

from typing import Any

import httpx

from frontispiece.cms import CmsProblem, Gone, call, read_json


def ask(api: httpx.Client) -> Any:
    """What our plugin answers; it sends a test delivery as it is asked. Raises `CmsProblem` where it is not there."""
    try:
        return read_json(call(api, "GET", "/admin/frontispiece"))
    except Gone as problem:
        raise CmsProblem("the plugin is not in medusa-config.ts, or Medusa was not restarted since") from problem


def tell(api: httpx.Client, hook: str, secret: str) -> None:
    """Keeps address and secret in the store's metadata, where our plugin looks."""
    for store in read_json(call(api, "GET", "/admin/stores", params={"fields": "id,metadata"}))["stores"]:
        connection = {"frontispiece": {"hook": hook, "secret": secret}}
        words = (store["metadata"] or {}) | connection  # Medusa replaces a store's metadata whole
        call(api, "POST", f"/admin/stores/{store['id']}", json={"metadata": words})


def hears(api: httpx.Client) -> str:
    """How its test delivery was answered. Raises `CmsProblem` where it was not."""
    sent = ask(api)
    words = f"the shop sent a test delivery to {sent['hook'] or 'nobody'}: {sent['words']}"
    if sent["hook"] and not sent["answered"]:
        raise CmsProblem(words)
    return words
