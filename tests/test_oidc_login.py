"""The way to an identity provider and back, as a browser goes it; `real/test_identity.py` goes it with a real one."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from desk.furnish import Browser, Web
from servers.vouching import ISSUER, Said
from werkzeug.test import TestResponse

from frontispiece import accounts


class Place:
    """A desk whose identity provider says whatever a test wants."""

    def __init__(self, web: Web, **settings: Any) -> None:
        self.web, self.said = web, Said(**({"title": "Newsroom ID"} | settings))
        given = self.said.provider.settings
        web.house.settings = web.house.settings.model_copy(update={"oidc": given})
        web.app.extensions["provider"] = self.said.provider
        self.browser = web.nobody()

    def begin(self, **query: str) -> dict[str, str]:
        """Goes there; what the provider is told."""
        answer = self.browser.get("/login/oidc", query_string=query)
        sent = {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}
        self.said.claims["nonce"] = sent["nonce"]
        return sent

    def back(self, browser: Browser | None = None, **query: str) -> TestResponse:
        """Comes back; by default as the provider would have it."""
        return (browser or self.browser).get("/login/oidc/back", query_string=query)

    def enter(self, **query: str) -> TestResponse:
        return self.back(state=self.begin(**query)["state"], code="a code")


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    with Web(tmp_path) as made:
        yield made
        made.app.extensions.pop("provider", None)


def test_who_comes_back_is_logged_in(web: Web) -> None:
    place = Place(web)
    answer = place.enter(next="/me?done=out")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/me?done=out")
    assert "Jo" in place.browser.get("/me").text
    assert [(user.name, user.role, user.subject) for user, *_ in accounts.users(web.house.database)] == [
        ("Jo", "editor", f"{ISSUER} 1")
    ]


@pytest.mark.parametrize(
    "target",
    ["https://evil.example/desk", "//evil.example", "/desk\r\nX: y", "", "/login/oidc/out"],
)
def test_the_way_back_never_leads_to_another_site(web: Web, target: str) -> None:
    assert Place(web).enter(next=target).headers["Location"] == "/desk"


def test_an_address_that_no_cookie_can_hold_leads_to_the_queue(web: Web) -> None:
    assert Place(web).enter(next=f"/desk?q={'%' * 2000}").headers["Location"] == "/desk"


def test_the_page_to_come_back_to_cannot_be_changed_into_another_site(web: Web) -> None:
    place = Place(web)
    state = place.begin()["state"]
    cookie = place.browser.client.get_cookie("frontispiece-begun")
    assert cookie
    place.browser.client.set_cookie(
        "frontispiece-begun", f"{cookie.value.partition('.')[0]}.https%3A%2F%2Fevil.example"
    )
    assert place.back(state=state, code="a code").headers["Location"] == "/desk"


def test_what_a_begun_login_keeps_is_out_of_reach_and_soon_over(web: Web) -> None:
    place = Place(web)
    cookie = place.browser.get("/login/oidc").headers["Set-Cookie"]
    assert {"HttpOnly", "SameSite=Lax", "Max-Age=600"} < set(cookie.split("; "))
    place.enter()
    assert place.browser.client.get_cookie("frontispiece-begun") is None


def test_with_https_what_a_begun_login_keeps_is_secure_and_bound_to_the_host(tmp_path: Path) -> None:
    with Web(tmp_path, url="https://pictures.example") as web:
        cookie = Place(web).browser.get("/login/oidc").headers["Set-Cookie"]
        web.app.extensions.pop("provider")
    assert cookie.startswith("__Host-frontispiece-begun=")
    assert "Secure" in cookie.split("; ")


def test_a_login_begins_with_another_state_each_time(web: Web) -> None:
    place = Place(web)
    first, second = place.begin(), place.begin()
    assert not {first[name] for name in ("state", "nonce", "code_challenge")} & set(second.values())


def test_a_login_at_the_provider_gets_a_new_key(web: Web) -> None:
    place = Place(web)
    place.browser.get("/login")
    before = place.browser.client.get_cookie("frontispiece")
    place.enter()
    assert before != place.browser.client.get_cookie("frontispiece")


def test_an_answer_without_its_cookie_is_refused_in_words(web: Web) -> None:
    place = Place(web)
    answer = place.back(web.nobody(), state=place.begin()["state"], code="a code")
    assert answer.status_code == 400
    assert "was not begun in this browser" in answer.text


def test_an_answer_is_of_use_once(web: Web) -> None:
    place = Place(web)
    state = place.begin()["state"]
    assert [place.back(state=state, code="a code").status_code for _ in range(2)] == [303, 400]


def test_what_the_provider_says_is_shown_as_text(web: Web) -> None:
    place = Place(web)
    answer = place.back(state=place.begin()["state"], error="<b>no</b>")
    assert answer.status_code == 403
    assert "did not let you in: &lt;b&gt;no&lt;/b&gt;" in answer.text


def test_a_token_that_is_not_trusted_is_told_without_its_reason(web: Web, caplog: pytest.LogCaptureFixture) -> None:
    place = Place(web)
    state = place.begin()["state"]
    place.said.claims["nonce"] = "another"
    answer = place.back(state=state, code="a code")
    assert answer.status_code == 502
    assert "does not work at the moment" in answer.text
    assert "nonce" not in answer.text
    assert "nonce" in caplog.text


def test_somebody_without_a_role_is_told_by_name(web: Web) -> None:
    place = Place(web, role="", role_claim="groups", roles={"it": "admin"})
    place.said.claims["preferred_username"] = "<b>Kim"
    answer = place.enter()
    assert answer.status_code == 403
    assert "knows you as &lt;b&gt;Kim, and gives you no role here" in answer.text
    assert accounts.users(web.house.database) == []


def test_who_is_logged_in_already_is_sent_on(web: Web) -> None:
    Place(web)
    answer = web.browser().get("/login/oidc?next=/me")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/me")


def test_a_provider_without_a_page_for_logging_out_is_told(web: Web) -> None:
    place = Place(web)
    assert "Newsroom ID has no page for logging out" in place.browser.get("/login/oidc/out").text


@pytest.mark.parametrize(("vouched", "offered"), [(True, True), (False, False)])
def test_logging_out_there_is_offered_to_those_who_came_from_there(web: Web, *, vouched: bool, offered: bool) -> None:
    place = Place(web)
    browser = web.browser()
    if vouched:
        place.enter()
        browser = place.browser
    answer = browser.post("/logout")
    assert ("Log out of Newsroom ID as well" in browser.get(answer.headers["Location"]).text) == offered
