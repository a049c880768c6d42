"""BigCommerce: webhooks registered by `connect`, products read and their images added through the V3 API."""
