"""Medusa shops: the adapter, and the Medusa plugin that tells of products (in `plugin/`)."""
