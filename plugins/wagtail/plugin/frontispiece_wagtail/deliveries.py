"""One message for each thing that happens to a page, signed as Standard Webhooks has it.

Sent from a thread when the transaction has ended, so that nobody's saving waits and what is told can be read.
"""

import base64
import hashlib
import hmac
import json
import logging
import threading
import time
import urllib.error
import urllib.request
import uuid
from typing import Any

import swapper
from django.conf import settings
from django.db import transaction
from django.db.models.signals import post_delete, post_save
from wagtail.models import Revision
from wagtail.signals import page_published, page_unpublished

log = logging.getLogger("frontispiece")
Page = swapper.load_model("wagtailcore", "Page")
TRIES = (0, 5, 30)  # seconds before each
PAUSE = 1  # second
KINDS = ("updated", "created", "published", "deleted")  # the last weighs most
_noted: dict[tuple[str, int], str] = {}
_guard = threading.Lock()


def listen() -> None:
    page_published.connect(_published)
    page_unpublished.connect(_unpublished)
    post_save.connect(_saved)
    post_save.connect(_revised, sender=Revision)
    post_delete.connect(_deleted, sender=Page)


def is_ours(user_id: object) -> bool:
    """Whether this is Frontispiece's own user, whose writes are not told."""
    from django.contrib.auth import get_user_model

    user = get_user_model().objects.filter(pk=user_id).first()
    return user is not None and user.get_username() == settings.FRONTISPIECE["user"]


def post(delivery_id: str, body: bytes) -> tuple[int, str]:
    """Status and words of the answer; 0 where there was none."""
    stamp = str(int(time.time()))
    key = base64.b64decode(settings.FRONTISPIECE["secret"].removeprefix("whsec_"))
    digest = hmac.digest(key, f"{delivery_id}.{stamp}.".encode() + body, hashlib.sha256)
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Frontispiece-Wagtail",
        "webhook-id": delivery_id,
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }
    request = urllib.request.Request(settings.FRONTISPIECE["hook"], body, headers)
    try:
        with urllib.request.build_opener(_NoRedirects).open(request, timeout=10) as answer:
            return answer.status, answer.read(300).decode(errors="replace")
    except urllib.error.HTTPError as problem:
        return problem.code, problem.read(300).decode(errors="replace")
    except OSError as problem:
        return 0, str(problem)


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


def _tell(kind: str, page: Any) -> None:
    if page.alias_of_id is None:  # an alias is its original's copy and takes no picture of its own
        key = page.cached_content_type.model_class()._meta.label, page.pk
        transaction.on_commit(lambda: _note(kind, key))


def _note(kind: str, key: tuple[str, int]) -> None:
    """One click is a new page, a revision and a publication: what weighs most within `PAUSE` is told."""
    with _guard:
        waits = key in _noted
        _noted[key] = max(kind, _noted.get(key, kind), key=KINDS.index)
    if not waits:
        threading.Thread(target=_deliver, args=key, daemon=True).start()


def _deliver(label: str, number: int) -> None:
    time.sleep(PAUSE)
    with _guard:
        kind = _noted.pop((label, number))
    body = json.dumps({"event": f"entry.{kind}", "type": label, "id": number}).encode()
    delivery_id = f"msg_{uuid.uuid4()}"
    for seconds in TRIES:
        time.sleep(seconds)
        status, words = post(delivery_id, body)
        if 200 <= status < 300:
            return
        log.warning("Frontispiece did not take %s: %s %s", body.decode(), status, words)


def _published(instance: Any, revision: Revision | None, **_: object) -> None:
    if revision is None or not is_ours(revision.user_id):
        _tell("published", instance)


def _unpublished(instance: Any, **_: object) -> None:
    _tell("updated", instance)


def _saved(sender: type, instance: Any, created: bool, raw: bool = False, **_: object) -> None:
    if created and issubclass(sender, Page) and sender is not Page and not raw and not instance.live:
        _tell("created", instance)


def _revised(instance: Revision, created: bool, raw: bool = False, **_: object) -> None:
    page = instance.content_object if created and not raw else None
    if isinstance(page, Page) and not is_ours(instance.user_id):
        _tell("updated", page)


def _deleted(instance: Any, **_: object) -> None:
    _tell("deleted", instance)
