"""Frontispiece's side of a django-oscar shop: signed deliveries, and a door for pictures (plugins/oscar/README.md)."""
