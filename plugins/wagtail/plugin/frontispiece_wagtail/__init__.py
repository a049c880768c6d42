"""Wagtail's side of Frontispiece: tells it what happens to pages, and takes its pictures."""
