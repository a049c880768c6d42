"""What a saved product means: created, published, updated, deleted, or nothing worth telling."""

from functools import partial
from typing import Any

from django.db import transaction

from frontispiece_oscar import deliveries

TOLD = ("is_public", "title", "slug", "description", "product_class_id")  # other changes are not worth a delivery


def about_to_save(sender: Any, instance: Any, raw: bool = False, **_: Any) -> None:
    """Keeps what the database has, so that `saved` can compare."""
    known = instance.pk and not raw
    instance._frontispiece_before = sender._base_manager.filter(pk=instance.pk).values(*TOLD).first() if known else None


def saved(sender: Any, instance: Any, created: bool, raw: bool = False, **_: Any) -> None:
    before = getattr(instance, "_frontispiece_before", None)
    if raw or instance.is_child:  # a fixture is loaded; a variant, which shows its parent's pictures
        return
    if instance.is_public and not (before and before["is_public"]):
        _tell("published", instance)
    elif created:
        _tell("created", instance)
    elif before != {name: getattr(instance, name) for name in TOLD}:
        _tell("updated", instance)


def deleted(sender: Any, instance: Any, **_: Any) -> None:
    if not instance.is_child:
        _tell("deleted", instance)


def _tell(kind: str, product: Any) -> None:
    body = {"event": f"product.{kind}", "id": product.pk, "title": product.title, "is_public": product.is_public}
    transaction.on_commit(partial(deliveries.queue, body), robust=True)  # a save never fails by us
