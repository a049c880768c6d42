"""The webhooks of a custom integration, which Ghost lets us add and never shows us."""

import httpx

from frontispiece.cms import CmsProblem, EventKind, call

from .admin import API
from .settings import GhostSettings

KINDS: dict[str, EventKind] = {"added": "created", "published": "published", "edited": "updated", "deleted": "deleted"}


def register(api: httpx.Client, settings: GhostSettings, hook: str) -> tuple[str, ...]:
    """Ghost shows its webhooks to people only, so that those which are there already cannot be changed by us."""
    events = [f"{kind.removesuffix('s')}.{what}" for kind in settings.post_types for what in KINDS]
    there = [event for event in events if not _add(api, settings, event, hook)]
    words = f"Ghost sends {', '.join(events)} to {hook}"
    if not there:
        return (words,)
    hint = "Ghost does not show us with which secret: if webhook_secret has changed since, delete these webhooks"
    return words, f"{', '.join(there)} went there before; {hint} in Ghost and connect again"


def _add(api: httpx.Client, settings: GhostSettings, event: str, hook: str) -> bool:
    """Whether it was not there before."""
    secret = settings.webhook_secret.get_secret_value()
    wanted = {"event": event, "target_url": hook, "secret": secret, "name": f"Frontispiece: {event}"}
    try:
        call(api, "POST", f"{API}/webhooks/", json={"webhooks": [wanted]})
    except CmsProblem as problem:
        if "already been used" not in problem.words:
            raise
        return False
    return True
