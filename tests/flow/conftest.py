"""A house with a real database and a real CMS beside it: The Gazette, reached over HTTP as any other."""

import base64
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select
from werkzeug.serving import make_server

from frontispiece import flow, jobs, migrate, tasks
from frontispiece.cms import Delivery
from frontispiece.config import Settings
from frontispiece.demo.archive import Archive
from frontispiece.demo.newsroom import Gazette
from frontispiece.house import House
from frontispiece.models import Delivery as DeliveryRow
from frontispiece.models import Illustration, State, Task, TaskState
from frontispiece.signatures import sign_standard_webhooks

SECRET = "whsec_" + base64.b64encode(b"a secret for tests, 32 bytes long").decode()


@dataclass
class World:
    """A house, its newspaper, and short words for what tests do with them."""

    house: House
    archive: Archive
    url: str
    sent: int = 0
    answers: list[str] = field(default_factory=list)

    def publish(self, title: str = "The Lighthouse Is Lit Again", **texts: Any) -> int:
        """Writes an article at the newspaper; no delivery is sent by itself."""
        given = {"standfirst": "A light turns.", "body": "On Thursday.", "section": "City", "tags": ["harbour"]}
        return self.archive.write(title=title, status="published", **(given | texts))

    def deliver(self, article: int, kind: str = "entry.published", sent_id: str = "") -> int:
        """Stores a signed delivery as the web side does; the id of its row."""
        self.sent += 1
        body = json.dumps({"type": kind, "timestamp": "2026-11-21T10:00:00Z", "data": {"id": str(article)}}).encode()
        headers = sign_standard_webhooks(SECRET, sent_id or f"msg_{self.sent}", 1, body)
        with self.house.database.write() as session:
            row = DeliveryRow(site="gazette", key=headers["webhook-id"], received=1.0, body=body)
            row.headers = json.dumps(list(headers.items()))
            session.add(row)
            session.flush()
            tasks.add(session, "plan", row.id)
            return row.id

    def run(self, *, steps: int = 50) -> None:
        """Does what is due, one task after the other, as a worker would, without its queue."""
        jobs._house = self.house
        for _ in range(steps):
            ready = self._ready()
            if ready is None:
                return
            jobs.run(ready)
        raise AssertionError(f"still busy after {steps} steps")

    def _ready(self) -> int | None:
        with self.house.database.read() as session:
            now = select(Task.id).where(Task.state == TaskState.READY, Task.due < 4e9, Task.error == "")
            return session.scalar(now.order_by(Task.id))

    def one(self, number: int = 1) -> Illustration:
        """An illustration as it is now."""
        with self.house.database.read() as session:
            return session.get_one(Illustration, number)

    def state(self, number: int = 1) -> State:
        """The state of an illustration."""
        return self.one(number).state

    def outcome(self, delivery: int) -> tuple[str, str]:
        """What came of a delivery."""
        with self.house.database.read() as session:
            row = session.get_one(DeliveryRow, delivery)
            return row.outcome, row.words


def settings(folder: Path, url: str, **other: Any) -> Settings:
    """Settings for one site and one rule; `other` changes the rule."""
    site = {"plugin": "generic", "url": url, "webhook_secret": SECRET, "api_token": "for-tests"}
    rule = {"name": "articles", "site": "gazette", "models": ["sketch"], "delay": 0, **other}
    return Settings(data=folder, sites={"gazette": site}, rules=[rule])  # type: ignore[dict-item, list-item, arg-type]


@pytest.fixture(name="newspaper")
def _newspaper(tmp_path: Path) -> Iterator[tuple[Archive, str]]:
    archive = Archive(tmp_path / "newspaper")
    app = Gazette(archive, None, "for-tests").app
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield archive, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(name="world")
def _world(tmp_path: Path, newspaper: tuple[Archive, str]) -> Iterator[World]:
    archive, url = newspaper
    made = settings(tmp_path / "data", url)
    migrate.upgrade(made)
    house = House(made)
    yield World(house, archive, url)
    house.database.engine.dispose()
