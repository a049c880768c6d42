"""Connects the signals, and adds `frontispiece/` to Wagtail's API v3."""

import base64
from collections.abc import Mapping

from django.apps import AppConfig
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


class FrontispieceConfig(AppConfig):
    name = "frontispiece_wagtail"
    verbose_name = "Frontispiece"

    def ready(self) -> None:
        _check(getattr(settings, "FRONTISPIECE", {}))
        from wagtail.api.v3.api import api

        from frontispiece_wagtail import deliveries
        from frontispiece_wagtail.pages import router

        deliveries.listen()
        api.add_router("/frontispiece/", router)


def _check(ours: Mapping[str, str]) -> None:
    """Says at the start what would otherwise go wrong while somebody saves a page."""
    missing = {"hook", "secret", "user"} - set(ours)
    if missing:
        raise ImproperlyConfigured(f"settings.FRONTISPIECE has no {', '.join(sorted(missing))}")
    try:
        base64.b64decode(ours["secret"].removeprefix("whsec_"), validate=True)
    except ValueError as problem:
        raise ImproperlyConfigured("settings.FRONTISPIECE['secret'] is not whsec_ followed by base64") from problem
