"""Drupal 10 and 11: the contributed module Webhooks tells and signs, the adapter here reads and writes by JSON:API."""
