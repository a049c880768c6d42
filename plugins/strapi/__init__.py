"""Strapi 5: its own webhooks, its REST API, and a panel for its editors."""
