"""Wagtail 8: pages with revisions, drafts and workflows."""
