"""Django's entry to this app: connects the signals of products."""

from django.apps import AppConfig


class FrontispieceConfig(AppConfig):
    name = "frontispiece_oscar"
    verbose_name = "Frontispiece"

    def ready(self) -> None:
        from django.db.models.signals import post_delete, post_save, pre_save
        from oscar.core.loading import get_model

        from frontispiece_oscar import deliveries, signals

        deliveries.configured()  # a shop that could not sign says so at its start
        product = get_model("catalogue", "Product")
        pre_save.connect(signals.about_to_save, sender=product)
        post_save.connect(signals.saved, sender=product)
        post_delete.connect(signals.deleted, sender=product)
