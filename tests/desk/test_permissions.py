"""Every route of the desk and the API, held against everybody who may come."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from desk.furnish import Web
from werkzeug.test import TestResponse

from frontispiece.app import create_app

ACTS = ("approve", "reject", "regenerate", "retry", "revert")
WHO = ("nobody", "viewer", "editor", "reader", "program", "other site")
MAY: dict[str, tuple[list[str], set[str]]] = {
    "pages": (["GET /desk", "GET /desk/1", "GET /media/1"], {"viewer", "editor"}),
    "acts": ([f"POST /desk/1/{act}" for act in ACTS], {"editor"}),
    "list": (["GET /api/v1/illustrations"], {"viewer", "editor", "reader", "program", "other site"}),
    "reads": (
        ["GET /api/v1/illustrations/1", "GET /api/v1/candidates/1/image"],
        {"viewer", "editor", "reader", "program"},
    ),
    "calls": ([f"POST /api/v1/illustrations/1/{act}" for act in ACTS], {"editor", "program"}),
    "open": (["GET /login", "GET /api/v1/openapi.json", "GET /api/v1/schemas/generic-picture.json"], set(WHO)),
}
ELSEWHERE = {"POST /login", "POST /logout", "GET /", "GET /healthz", "GET /readyz", "GET /static/x"}


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    with Web(tmp_path) as made:
        made.illustration()
        yield made


def ask(web: Web, who: str, route: str) -> TestResponse:
    method, path = route.split(" ")
    browser = web.browser(who) if who in ("viewer", "editor") else web.nobody()
    token = browser.form_token()
    headers = {"X-CSRF-Token": token}
    if who in ("reader", "program", "other site"):
        scope, site = "read" if who == "reader" else "review", "shop" if who == "other site" else ""
        headers |= web.token(scope, site, name=route)
    if method == "GET":
        return browser.get(path, headers=headers)
    if path.startswith("/api/"):
        body = {"candidate": 1} if path.endswith("approve") else {}
        return browser.client.post(path, headers=headers, json=body)
    return browser.client.post(path, headers=headers, data={"token": token, "candidate": "1"})


def is_in(answer: TestResponse) -> bool:
    to_login = answer.status_code == 303 and answer.headers["Location"].startswith("/login")
    return answer.status_code in (200, 303, 409) and not to_login


@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize("what", MAY)
def test_a_route_lets_in_those_who_may_and_nobody_else(web: Web, who: str, what: str) -> None:
    routes, allowed = MAY[what]
    assert {route: is_in(ask(web, who, route)) for route in routes} == dict.fromkeys(routes, who in allowed)
    if who not in allowed:
        assert web.reviews(1) == []


def test_every_route_is_in_this_table(web: Web) -> None:
    whole = create_app(web.house.settings).url_map
    urls = whole.bind("127.0.0.1")
    listed = {route for routes, _ in MAY.values() for route in routes} | ELSEWHERE
    named = {urls.match(route.split(" ")[1], route.split(" ")[0])[0] for route in listed}
    assert named == {rule.endpoint for rule in whole.iter_rules()}
