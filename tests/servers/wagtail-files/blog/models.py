"""One page type with an image, as many a newspaper has it."""
# Django lives in the site's own venv.
# mypy: disable-error-code="import-not-found, misc"

from typing import ClassVar

from django.db import models
from wagtail.api import APIField
from wagtail.blocks import RichTextBlock
from wagtail.fields import RichTextField, StreamField
from wagtail.models import Page


class ArticlePage(Page):
    intro = RichTextField(blank=True)
    body = StreamField([("text", RichTextBlock())], blank=True)
    hero_image = models.ForeignKey(
        "wagtailimages.Image", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    hero_alt = models.CharField(max_length=200, blank=True)
    plain = models.BooleanField(default=False)

    content_panels: ClassVar = [*Page.content_panels, "intro", "body", "hero_image", "hero_alt", "plain"]
    api_fields: ClassVar = [
        APIField("intro", writable=True),
        APIField("body", writable=True),
        APIField("hero_image", writable=True),
        APIField("hero_alt", writable=True),
        APIField("plain", writable=True),
        APIField("has_unpublished_changes"),
    ]
