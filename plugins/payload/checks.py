"""What `doctor` proves beyond the API key: rights, the names of fields, and that Payload's deliveries reach us."""

import httpx

from frontispiece.cms import CmsProblem, Gone

from .rest import ask
from .settings import PayloadSettings


def rights(api: httpx.Client, settings: PayloadSettings) -> None:
    """Raises `CmsProblem` where our user may not do what is needed."""
    may = ask(api, "GET", "access")["collections"]
    needed = [(slug, right) for slug in settings.types for right in ("read", "update")]
    needed += [(settings.media, right) for right in ("read", "create", "update")]
    missing = [f"{right} {slug}" for slug, right in needed if not may.get(slug, {}).get(right)]
    if missing:
        raise CmsProblem(f"Frontispiece's user may not {', '.join(missing)}: see `access` of these collections")


def fields(api: httpx.Client, settings: PayloadSettings) -> None:
    """Asks by the field of the image, as Payload answers 400 for one that it does not know."""
    for slug, kind in settings.types.items():
        ask(api, "GET", slug, params={f"where[{kind.image}][exists]": "true", "limit": 1})


def hears(api: httpx.Client) -> str:
    """Has our plugin send a test delivery."""
    try:
        told = ask(api, "POST", "frontispiece/test")
    except Gone as problem:
        raise CmsProblem("the Frontispiece plugin is not among the `plugins` of Payload's configuration") from problem
    if not 200 <= told["status"] < 300:
        raise CmsProblem(f"Payload's test delivery to {told['hook']} was answered {told['status']}: {told['words']}")
    return f"Payload's deliveries reach {told['hook']}"
