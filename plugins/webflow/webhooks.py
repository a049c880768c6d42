"""The site's webhooks, each of which has a secret of its own that Webflow chooses."""

import httpx

from frontispiece.cms import Connection, call, read_json

from .settings import WebflowSettings

TOLD = ("collection_item_created", "collection_item_published", "collection_item_deleted")  # what `connect` registers


def register(api: httpx.Client, settings: WebflowSettings, hook: str) -> Connection:
    """Webflow shows a webhook's secret once, when it is made."""
    path = settings.path("/webhooks")
    there = {one["triggerType"] for one in read_json(call(api, "GET", path))["webhooks"] if one["url"] == hook}
    wanted = [kind for kind in TOLD if kind not in there]
    made = [read_json(call(api, "POST", path, json={"triggerType": kind, "url": hook})) for kind in wanted]
    if not made:
        return Connection((f"Webflow tells {hook} already, with secrets that it showed when they were made",))
    known = settings.webhook_secret.get_secret_value().split() if there else []
    told = f"Webflow tells {hook} of {', '.join(wanted)}"
    words = f"{told}; each webhook has a secret of its own, all of them are one"
    return Connection((words,), " ".join([*known, *(one["secretKey"] for one in made)]))
