"""Signed deliveries (Standard Webhooks), sent in the background after the commit, each once.

What does not arrive is logged and not sent again: Frontispiece asks for what it has missed.
"""

import base64
import hashlib
import hmac
import json
import logging
import os
import secrets
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

log = logging.getLogger(__name__)
SECONDS = 10


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A delivery goes where the settings say, and nowhere else."""

    def redirect_request(self, *_: Any) -> None:
        return None


def _workers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(2, thread_name_prefix="frontispiece")


def _after_fork() -> None:
    global _pool
    _pool = _workers()


_open = urllib.request.build_opener(_NoRedirects).open
_pool = _workers()
os.register_at_fork(after_in_child=_after_fork)  # threads stay behind in the parent


def configured() -> tuple[str, bytes]:
    """Where deliveries go ("" = nowhere) and the key that signs them. Raises `ImproperlyConfigured`."""
    told = getattr(settings, "FRONTISPIECE", {})
    hook, secret = told.get("HOOK", ""), told.get("SECRET", "")
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except ValueError:
        key = b""
    if hook and not (hook.startswith(("http://", "https://")) and key):
        raise ImproperlyConfigured("FRONTISPIECE needs an address as HOOK, and as SECRET whsec_ followed by base64")
    return hook, key


def queue(body: dict[str, Any]) -> None:
    if configured()[0]:
        _pool.submit(_send_and_log, body)


def _send_and_log(body: dict[str, Any]) -> None:
    answer = send(body)
    if not answer.startswith("2"):
        log.error("Frontispiece did not take %s of product %s: %s", body["event"], body["id"], answer)


def send(body: dict[str, Any]) -> str:
    """Sends now and returns what came of it: the answer's status, or what went wrong in words."""
    text = json.dumps(body, ensure_ascii=False).encode()
    sent_id, stamp = f"msg_{secrets.token_hex(16)}", str(int(time.time()))
    hook, key = configured()
    digest = hmac.digest(key, b".".join((sent_id.encode(), stamp.encode(), text)), hashlib.sha256)
    headers = {"Content-Type": "application/json", "User-Agent": "frontispiece-oscar", "webhook-id": sent_id}
    headers |= {"webhook-timestamp": stamp, "webhook-signature": f"v1,{base64.b64encode(digest).decode()}"}
    request = urllib.request.Request(hook, text, headers)
    try:
        with _open(request, timeout=SECONDS) as answer:
            return str(answer.status)
    except urllib.error.HTTPError as problem:
        return f"{problem.code} {problem.read(300).decode(errors='replace')}"
    except (OSError, ValueError) as problem:  # nobody there, no such host, too slow
        return f"{type(problem).__name__}: {problem}"
