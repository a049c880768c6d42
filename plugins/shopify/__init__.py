"""The Shopify plugin: signed webhooks and the GraphQL Admin API; the app it needs holds no code."""
