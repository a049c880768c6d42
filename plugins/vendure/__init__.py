"""Vendure shops: the adapter, and the Vendure plugin that tells of products (in `plugin/`)."""
