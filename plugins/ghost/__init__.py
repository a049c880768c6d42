"""Ghost, by its own webhooks and the key of a custom integration."""
