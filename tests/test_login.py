"""Logging in and out in a browser, and what protects every page."""

import hmac
from collections.abc import Iterator
from pathlib import Path

import pytest
from desk.furnish import Browser, Web

from frontispiece import accounts

PASSWORD = "correct horse battery"


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    with Web(tmp_path) as made:
        accounts.add_user(made.house.database, "Jo", "editor", PASSWORD)
        yield made


def log_in(browser: Browser, password: str = PASSWORD, **fields: str) -> tuple[int, str]:
    answer = browser.post("/login", name="Jo", password=password, **fields)
    return answer.status_code, answer.headers.get("Location", "")


def test_the_desk_asks_a_stranger_to_log_in_and_leads_back(web: Web) -> None:
    answer = web.nobody().get("/desk?tab=drawing")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/login?next=/desk?tab%3Ddrawing")


def test_a_login_opens_the_desk(web: Web) -> None:
    browser = web.nobody()
    assert log_in(browser) == (303, "/desk")
    assert browser.get("/desk").status_code == 200


def test_a_wrong_password_is_told_and_the_name_kept(web: Web) -> None:
    answer = web.nobody().post("/login", name="Jo", password="wrong")
    assert answer.status_code == 401
    assert "do not belong together" in answer.text
    assert 'value="Jo"' in answer.text


def test_too_many_failures_are_answered_429_with_the_time_to_wait(web: Web) -> None:
    browser = web.nobody()
    answers = [browser.post("/login", name="Jo", password="wrong") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [401] * 5 + [429]
    assert "Try again in a minute" in answers[-1].text
    assert 50 < int(answers[-1].headers["Retry-After"]) <= 61


def test_a_login_gets_a_new_key(web: Web) -> None:
    browser = web.nobody()
    browser.get("/login")
    before = browser.client.get_cookie("frontispiece")
    log_in(browser)
    after = browser.client.get_cookie("frontispiece")
    assert before
    assert after
    assert before.value != after.value


def test_the_cookie_is_out_of_reach_of_scripts_and_of_other_sites(web: Web) -> None:
    browser = web.nobody()
    cookie = browser.post("/login", name="Jo", password=PASSWORD).headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_with_https_the_cookie_is_secure_and_bound_to_the_host(tmp_path: Path) -> None:
    with Web(tmp_path, url="https://pictures.example") as web:
        cookie = web.nobody().get("/login").headers["Set-Cookie"]
    assert cookie.startswith("__Host-frontispiece=")
    assert "Secure" in cookie


def test_logging_out_ends_the_login_on_the_server(web: Web) -> None:
    browser = web.nobody()
    log_in(browser)
    key = browser.client.get_cookie("frontispiece")
    browser.post("/logout")
    assert key
    browser.client.set_cookie("frontispiece", key.value)
    assert browser.get("/desk").status_code == 303


def test_logging_out_takes_the_cookie_away(web: Web) -> None:
    browser = web.nobody()
    log_in(browser)
    browser.post("/logout")
    assert browser.client.get_cookie("frontispiece") is None


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/desk",
        "//evil.example/desk",
        "/\\evil.example",
        "javascript:alert(1)",
        "/desk\r\nX: y",
        "desk",
        "///evil.example/desk",
        "/%09/evil.example",
        "/desk\\..\\evil.example",
        "/login/oidc/out",
        "/logout",
        "/nowhere",
        "https:/desk",
        "//desk@evil.example/desk",
    ],
)
def test_a_login_never_leads_to_another_site(web: Web, target: str) -> None:
    assert log_in(web.nobody(), next=target) == (303, "/desk")


@pytest.mark.parametrize("target", ["/desk/12?site=blog", "/desk?tab=drawing", "/people", "/media/1", "/me?done=out"])
def test_a_login_leads_to_the_page_that_was_asked_for(web: Web, target: str) -> None:
    assert log_in(web.nobody(), next=target) == (303, target)


def test_a_form_without_its_token_is_refused(web: Web) -> None:
    assert web.browser().client.post("/desk/1/approve", data={}).status_code == 400


def test_a_form_with_the_token_of_another_session_is_refused(web: Web) -> None:
    other = web.browser("admin").form_token()
    assert web.browser().client.post("/logout", data={"token": other}).status_code == 400


def test_a_form_without_any_cookie_is_refused(web: Web) -> None:
    made_of_nothing = hmac.new(b"", b"form", "sha256").hexdigest()
    answer = web.nobody().client.post("/login", data={"name": "Jo", "password": PASSWORD, "token": made_of_nothing})
    assert answer.status_code == 400


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "http://["},
    ],
)
def test_a_form_of_another_site_is_refused_even_with_the_token(web: Web, headers: dict[str, str]) -> None:
    browser = web.browser()
    answer = browser.client.post("/logout", data={"token": browser.form_token()}, headers=headers)
    assert answer.status_code == 403


@pytest.mark.parametrize("path", ["/login", "/desk", "/desk/999", "/static/desk.css", "/nowhere"])
def test_every_page_carries_the_protecting_headers(web: Web, path: str) -> None:
    headers = web.browser().get(path).headers
    assert "default-src 'self'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"


def test_a_missing_page_says_so_in_words(web: Web) -> None:
    answer = web.nobody().get("/nowhere")
    assert answer.status_code == 404
    assert "There is no such page." in answer.text


def test_a_live_refresh_after_the_login_is_over_leaves_the_page_and_says_so(web: Web) -> None:
    answer = web.nobody().get("/desk", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers.get("HX-Redirect")) == (401, None)
    assert answer.text == "You are logged out. Log in again in another window, then send it."
