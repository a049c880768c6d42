"""Storyblok: webhooks registered by `connect`, stories and assets read and written through the Management API."""
