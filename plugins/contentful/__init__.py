"""The Contentful plugin: signed webhooks and the Content Management API; nothing is installed there."""
