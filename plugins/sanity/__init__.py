"""The Sanity plugin: GROQ-powered webhooks and the Content Lake's HTTP API; nothing is installed there."""
