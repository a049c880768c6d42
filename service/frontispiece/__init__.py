"""Frontispiece."""
