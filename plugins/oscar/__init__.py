"""The plugin for django-oscar; `adapter.py` is our half, `plugin/` the shop's."""
