"""The parts put together: health, and what stands behind a proxy."""

from pathlib import Path

import pytest
from flask import Flask, request
from flask.testing import FlaskClient

from frontispiece.app import create_app
from frontispiece.config import Settings
from frontispiece.tables import Server


def client(folder: Path, **server: int) -> FlaskClient:
    app: Flask = create_app(Settings(data=folder, server=Server(**server)))  # type: ignore[arg-type]
    app.add_url_rule("/who", "who", lambda: request.remote_addr or "")
    app.add_url_rule("/scheme", "scheme", lambda: request.scheme)
    return app.test_client()


def test_it_is_alive_whatever_is_missing(tmp_path: Path) -> None:
    assert client(tmp_path).get("/healthz").status_code == 200


def test_it_is_not_ready_without_redis_and_says_so(tmp_path: Path) -> None:
    answer = client(tmp_path).get("/readyz")

    assert (answer.status_code, answer.text.startswith("Redis: ")) == (503, True)


def test_the_front_door_leads_to_the_desk(tmp_path: Path) -> None:
    assert client(tmp_path).get("/").headers["Location"] == "/desk"


@pytest.mark.parametrize(("proxies", "seen"), [(0, "127.0.0.1"), (1, "203.0.113.9")])
def test_a_forwarded_address_is_believed_from_a_trusted_proxy_only(tmp_path: Path, proxies: int, seen: str) -> None:
    asked = client(tmp_path, trusted_proxies=proxies).get("/who", headers={"X-Forwarded-For": "203.0.113.9"})

    assert asked.text == seen


@pytest.mark.parametrize(("proxies", "seen"), [(0, "http"), (1, "https")])
def test_a_forwarded_scheme_is_believed_from_a_trusted_proxy_only(tmp_path: Path, proxies: int, seen: str) -> None:
    asked = client(tmp_path, trusted_proxies=proxies).get("/scheme", headers={"X-Forwarded-Proto": "https"})

    assert asked.text == seen
