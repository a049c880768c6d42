"""What the configuration means, and how its sites are doing, in sentences: `frontispiece check` and `doctor`."""

import time
from collections.abc import Callable, Iterator
from functools import partial
from urllib.parse import urlsplit

from frontispiece import cms, records
from frontispiece.cms import Adapter
from frontispiece.config import Settings
from frontispiece.errors import Problem
from frontispiece.house import House
from frontispiece.identity import Provider
from frontispiece.oidc import BACK
from frontispiece.tables import Rule

FACTS = (
    *("plugin", "CMS", "deliveries are proved by", "`connect` registers the webhook", "installed in the CMS"),
    *("drafts stay", "alt text", "caption", "focal point", "proved against"),
)
HERE = ("127.0.0.1", "localhost", "::1")


def hook_url(settings: Settings, site: str) -> str:
    """Where the CMS of a site sends its deliveries."""
    return f"{settings.server.url.rstrip('/')}/hooks/{site}"


def check(house: House) -> Iterator[str]:
    """What would happen for each site and rule."""
    settings = house.settings
    yield f"Images lie in {house.storage.place}."
    yield f"The database is {house.database.url.render_as_string(hide_password=True)}."
    yield "The queue is " + ("the Redis that is configured." if settings.redis_url else "an embedded Valkey.")
    for name, site in settings.sites.items():
        adapter = house.adapter(name)
        yield f"Site {name}: {adapter.title} at {site.url}; deliveries to {hook_url(settings, name)}, {adapter.signs}."
        if not any(rule.site == name for rule in settings.rules):
            yield f"  No rule is for {name}: nothing will be drawn for it."
    for rule in settings.rules:
        yield _rule(house, rule)
        yield from _licences(house, rule)
    if settings.oidc:
        ours = "" if settings.oidc.only else ", or with a name and a password of ours"
        yield f"People log in with {settings.oidc.title} ({settings.oidc.issuer}){ours}."
        yield f"  It sends them back to {settings.server.url.rstrip('/')}{BACK}, which it has to know."
    for span, cap in (("day", settings.budget.day), ("month", settings.budget.month)):
        if cap is not None:
            yield f"Budget: at most ${cap:.2f} a {span}; what would pass it is held until there is room."
    if not settings.sites:
        yield "There is no [sites.<name>] yet: see README.md, or try `frontispiece demo`."


def _rule(house: House, rule: Rule) -> str:
    slot = house.slot(rule.slot)
    first, *others = (house.models[name] for name in rule.models)
    price = first.price(*first.fit(slot.width, slot.height))
    cost = f"about ${price:.3f} each" if price else "free of charge"
    cost += f" as a draft, and {house.models[rule.final].title} what is approved" if rule.final else ""
    rest = f" (if it cannot: {', then '.join(model.title for model in others)})" if others else ""
    sections = f" in {', '.join(rule.sections)}" if rule.sections else ""
    decides = "an editor decides" if rule.review == "always" else "it is published without review"
    an = "an" if rule.kind == "article" else "a"
    return (
        f"Rule {rule.name}: when {an} {rule.kind} of {rule.site}{sections} is {' or '.join(rule.events)}, "
        f"{first.title} draws its {rule.slot} picture, {slot.width} × {slot.height} pixels, {cost}{rest}; {decides}."
    )


def _licences(house: House, rule: Rule) -> Iterator[str]:
    for name in rule.draw_with:
        row = house.models[name]
        if not row.commercial:
            whose = "a shop" if rule.kind == "product" else "a business"
            yield f"  Warning: {name} ({row.title}) may not be used by {whose}: {row.licence}."


def doctors(house: House, site: str | None = None) -> Iterator[tuple[str, Callable[[], Iterator[str]]]]:
    """What can be asked how it is doing, each with its name: one site, or all sites and the image services in use."""
    for name in [site] if site else house.settings.sites:
        yield f"Site {name}", partial(doctor, house, name)
    if not site:
        for name, models in house.settings.in_use().items():
            yield f"Generator {name}", partial(_generator, house, name, models)
        if provider := house.settings.oidc:
            yield provider.title, Provider(provider, "").doctor


def _generator(house: House, name: str, models: list[str]) -> Iterator[str]:
    yield from house.generator(name).doctor(models) or ["there is nothing to ask it"]


def doctor(house: House, site: str) -> Iterator[str]:
    """Asks the CMS itself: credentials, rights, and what else its adapter looks at. Raises `CmsProblem`."""
    begun = time.monotonic()
    with house.api(site) as (adapter, api):
        yield from adapter.doctor(api)
    yield f"{adapter.title} answered in {time.monotonic() - begun:.1f} s."
    yield from reachable(house.settings, site)
    yield _last_delivery(house, site)


def told(house: House, site: str) -> tuple[list[str], bool]:
    """All that `doctor` says of a site, what went wrong as the last line; whether nothing did."""
    lines = []
    try:
        for line in doctor(house, site):
            lines.append(line)  # noqa: PERF402 - those before the problem are told as well
    except Problem as problem:
        return [*lines, problem.words], False
    return lines, True


def reachable(settings: Settings, site: str) -> Iterator[str]:
    """A warning where the CMS is elsewhere and the hook's address is one that only this machine knows."""
    ours, theirs = urlsplit(settings.server.url).hostname, urlsplit(settings.sites[site].url).hostname
    if ours in HERE and theirs not in HERE:
        yield f"Warning: {theirs} cannot reach {hook_url(settings, site)}: set [server] url to our public address."


def _last_delivery(house: House, site: str) -> str:
    with house.database.read() as session:
        last = records.last_delivery(session, site)
    if last is None:
        return "No delivery has come from it yet: publish something, or send a test if it has one."
    return f"Its last delivery came {max(0, round((time.time() - last) / 60))} minutes ago."


def plugins() -> list[tuple[str, ...]]:
    """What each plugin says of itself, in the order of `FACTS`."""
    return [_facts(name, cms.load(name)) for name in cms.names()]


def _facts(name: str, kind: type[Adapter]) -> tuple[str, ...]:
    has = kind.connects, kind.needs_plugin, kind.keeps_drafts, kind.alt_text, kind.caption, kind.focal_point
    return (name, f"[{kind.title}]({kind.docs})", kind.signs, *("yes" if one else "–" for one in has), kind.proved)
