"""Every route of the desk and the API, held against everybody who may come: each role, no login, and each token."""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from desk.furnish import DOT, Web
from werkzeug.test import TestResponse

from frontispiece.accounts import ROLES
from frontispiece.app import create_app
from frontispiece.models import Delivery

TOKENS = {  # scope and site; the illustrations here are of the site gazette
    "token read": ("read", ""),
    "token review": ("review", ""),
    "token manage": ("manage", "gazette"),
    "token elsewhere": ("manage", "shop"),
}
WHO = ("nobody", *ROLES, *TOKENS)
VIEWERS, EDITORS, LEADS, ADMINS = ({*ROLES[at:]} for at in range(4))
READ = {"token read", "token review", "token manage"}
REVIEW, MANAGE = READ - {"token read"}, {"token manage"}

ACTS = ("approve", "reject", "regenerate", "retry", "revert")
CALLS = (*ACTS, "describe", "give", "undo", "pick", "comments", "assign")
READS = ("illustrations/1", "illustrations/1/history", "illustrations/1/comments", "candidates/1/image")
BOARD, SITES = ("board", "board/illustrations.csv", "board/models.csv"), ("sites", "sites/gazette")
RECIPES = ("templates", "templates/article/hero", "templates/article/hero/compare")
DELIVERIES = ("deliveries", "deliveries/1")
LEAD_ACTS = ("templates/article/hero/try", "deliveries/1/replay", "sites/gazette/doctor", "sites/gazette/try")
MAY: dict[str, tuple[list[str], set[str]]] = {
    "open": (["GET /login", "GET /api/v1/openapi.json", "GET /api/v1/schemas/generic-picture.json"], set(WHO)),
    "pages": (["GET /desk", "GET /desk/1", "GET /media/1", "GET /media/current/1"], VIEWERS),
    "acts": ([f"POST /desk/1/{act}" for act in (*ACTS, "describe", "undo")], EDITORS),
    "changes": (
        ["GET /desk/1/change/words", "POST /desk/1/change/pick", "POST /desk/1/preview"],
        EDITORS,
    ),
    "deciding about many": (["POST /desk/bulk"], EDITORS),
    "saved views": (["POST /desk/views", "POST /desk/views/1/delete"], VIEWERS),
    "talking": (["GET /desk/1/together", "POST /desk/1/comment", "POST /desk/1/gone"], VIEWERS),
    "handing over": (["POST /desk/1/assign"], EDITORS),
    "own page": (["GET /me", "POST /me/language", "POST /me/out"], VIEWERS),
    "people": (
        ["GET /people", *(f"POST /people/{act}" for act in ("add", "role", "password", "out", "remove"))],
        ADMINS,
    ),
    "tokens": (["POST /people/token", "POST /people/token/remove"], ADMINS),
    "lead's pages": ([f"GET /{page}" for page in (*BOARD, *RECIPES, *SITES, *DELIVERIES)], LEADS),
    "lead's acts": ([f"POST /{act}" for act in LEAD_ACTS], LEADS),
    "list": (["GET /api/v1/illustrations"], VIEWERS | {*TOKENS}),
    "reads": ([f"GET /api/v1/{what}" for what in READS], VIEWERS | READ),
    "manages": (["GET /api/v1/sites", "GET /api/v1/deliveries"], LEADS | MANAGE | {"token elsewhere"}),
    "manages one": (["GET /api/v1/deliveries/1", "POST /api/v1/deliveries/1/replay"], LEADS | MANAGE),
    "all sites": (["GET /api/v1/board"], LEADS),
    "calls": ([f"POST /api/v1/illustrations/1/{act}" for act in CALLS], EDITORS | REVIEW),
}
SENT: dict[str, dict[str, Any]] = {  # what a POST needs that would else be answered 400: fields of a form, or JSON
    "POST /desk/1/approve": {"candidate": 1},
    "POST /api/v1/illustrations/1/approve": {"candidate": 1},
    "POST /desk/1/change/pick": {"candidate": 1},
    "POST /desk/bulk": {"act": "approve", "pick": "1-1-1.0"},
    "POST /desk/views": {"name": "Mine"},
    "POST /desk/1/comment": {"comment": "Too dark?"},
    "POST /desk/1/assign": {"assignee": ""},
    "POST /people/add": {"name": "Ann", "role": "viewer", "password": "correct horse"},
    "POST /people/role": {"name": "Kim", "role": "viewer"},
    "POST /people/password": {"name": "Kim", "password": "correct horse"},
    "POST /people/out": {"name": "Kim"},
    "POST /people/remove": {"name": "Kim"},
    "POST /people/token": {"name": "panel", "scope": "read"},
    "POST /people/token/remove": {"name": "panel"},
    "POST /api/v1/illustrations/1/pick": {"candidate": 1},
    "POST /api/v1/illustrations/1/comments": {"text": "Too dark?"},
    "POST /api/v1/illustrations/1/assign": {"assignee": ""},
    "POST /templates/article/hero/try": {"source": "A photograph."},
    "POST /deliveries/1/replay": {"after": 0},
    "POST /api/v1/illustrations/1/give": {"picture": base64.b64encode(DOT).decode()},
}
ELSEWHERE = {  # tested with what they do
    *("GET /", "GET /healthz", "GET /readyz", "GET /static/x"),
    *("POST /login", "POST /logout", "POST /me/password"),
    *("GET /login/oidc", "GET /login/oidc/back", "GET /login/oidc/out"),
    *("GET /l/x", "GET /l/x/picture", "POST /l/x"),
}


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    with Web(tmp_path) as made:
        made.illustration()
        made.login("viewer", "Kim")
        with made.house.database.write() as session:
            session.add(Delivery(site="gazette", key="1", received=1.0, headers='[["A", "b"]]', body=b"{}"))
        yield made


def ask(web: Web, who: str, route: str) -> TestResponse:
    method, path = route.split(" ")
    browser = web.browser(who) if who in ROLES else web.nobody()
    token = browser.form_token()
    headers = {"X-CSRF-Token": token}
    if who in TOKENS:
        headers |= web.token(*TOKENS[who], name=route)
    if method == "GET":
        return browser.get(path, headers=headers)
    sent = SENT.get(route, {})
    body: dict[str, Any] = {"json": sent} if path.startswith("/api/") else {"data": {"token": token, **sent}}
    return browser.client.open(path, method=method, headers=headers, **body)


def is_in(answer: TestResponse) -> bool:
    """Done, or refused for another reason than who it is: 409 where the state does not allow it."""
    to_login = answer.status_code == 303 and answer.headers["Location"].startswith("/login")
    return answer.status_code in (200, 201, 202, 204, 303, 409) and not to_login


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
