"""The space's webhook."""

import httpx

from frontispiece.cms import call, read_json

from .settings import StoryblokSettings

ACTIONS = ["story.published", "story.deleted"]


def register(api: httpx.Client, settings: StoryblokSettings, hook: str) -> tuple[str, ...]:
    """Makes the webhook to `hook`, or brings it up to date; what came of it, in words."""
    path, secret = settings.path("webhook_endpoints"), settings.webhook_secret.get_secret_value()
    there = [one for one in read_json(call(api, "GET", path))["webhook_endpoints"] if one["endpoint"] == hook]
    wished = {"name": "Frontispiece", "endpoint": hook, "secret": secret, "activated": True, "actions": ACTIONS}
    number = f"/{there[0]['id']}" if there else ""
    call(api, "PUT" if there else "POST", f"{path}{number}", json={"webhook_endpoint": wished})
    words = f"Storyblok tells {hook} of {' and '.join(ACTIONS)}"
    return words, "webhook secrets are part of Storyblok's paid plans; without one nothing is signed"
