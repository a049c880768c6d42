"""Payload 3: documents of the operator's own collections, with drafts."""
