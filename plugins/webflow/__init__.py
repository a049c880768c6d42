"""Webflow: webhooks registered by `connect`, collection items read and written through the Data API v2."""
