"""Logging in at the desk with a real OpenID Connect provider."""

import re
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from desk.furnish import Web
from playwright.sync_api import expect
from servers import oidc
from servers.browsing import chromium
from servers.database import free_port
from servers.oidc import PEOPLE, Server
from sqlalchemy import select
from werkzeug.serving import make_server

from frontispiece import accounts
from frontispiece.models import User
from frontispiece.oidc import OidcSettings

pytestmark = pytest.mark.real


class Place:
    """A desk and its identity provider, both listening."""

    def __init__(self, web: Web, url: str, server: Server) -> None:
        self.web, self.url, self.server = web, url, server

    def settle(self, **more: object) -> None:
        """Other settings for the provider, from the next request on."""
        self.close()
        given = OidcSettings(**self.server.settings(**more))
        self.web.house.settings = self.web.house.settings.model_copy(update={"oidc": given})

    def close(self) -> None:
        """Closes the client that asked the provider."""
        if kept := self.web.app.extensions.pop("provider", None):
            kept.client.close()

    def browser(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, timeout=20)

    def arrive(self, browser: httpx.Client, sub: str = "kim", **query: str) -> str:
        """Goes to the provider and logs in; the address that leads back, not yet followed."""
        return oidc.log_in(browser, browser.get("/login/oidc", params=query), sub).headers["Location"]

    def enter(self, browser: httpx.Client, sub: str = "kim", **query: str) -> httpx.Response:
        return browser.get(self.arrive(browser, sub, **query))

    def users(self) -> list[tuple[str, str, str | None]]:
        with self.web.house.database.read() as session:
            return [(user.name, user.role, user.subject) for user in session.scalars(select(User).order_by(User.id))]


@pytest.fixture(scope="module")
def address() -> str:
    return f"http://127.0.0.1:{free_port()}"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, address: str) -> Iterator[Server]:
    made = Server(tmp_path_factory.mktemp("provider"), address)
    made.process.start()
    yield made
    made.process.stop()


@pytest.fixture
def place(tmp_path: Path, address: str, server: Server) -> Iterator[Place]:
    server.people(PEOPLE)
    with Web(tmp_path, url=address) as web:
        here = make_server("127.0.0.1", urlsplit(address).port or 0, web.app, threaded=True)
        thread = Thread(target=here.serve_forever)
        thread.start()
        made = Place(web, address, server)
        made.settle()
        yield made
        made.close()
        here.shutdown()
        thread.join()
        here.server_close()


def test_somebody_new_logs_in_and_lands_on_the_page_they_wanted(place: Place) -> None:
    with place.browser() as browser:
        answer = place.enter(browser, next="/desk?tab=drawing")
        assert (answer.status_code, answer.headers["Location"]) == (303, "/desk?tab=drawing")
        assert "Kim" in browser.get("/desk").text
    assert place.users() == [("Kim", "editor", f"{place.server.issuer} kim")]


def test_the_second_login_is_the_same_person_with_the_role_of_today(place: Place) -> None:
    with place.browser() as browser:
        place.enter(browser)
    place.server.people({"kim": {**PEOPLE["kim"], "preferred_username": "Kimberly", "groups": ["it"]}})
    with place.browser() as browser:
        place.enter(browser)
    assert place.users() == [("Kim", "admin", f"{place.server.issuer} kim")]


def test_somebody_without_a_role_is_told_whom_to_ask(place: Place) -> None:
    with place.browser() as browser:
        answer = place.enter(browser, "stranger")
        assert answer.status_code == 403
        assert "Newsroom ID knows you as Stranger, and gives you no role here. Ask an admin for access." in answer.text
        assert browser.get("/desk").status_code == 303
    assert place.users() == []


def test_somebody_who_has_lost_their_role_is_out_everywhere_at_their_next_login(place: Place) -> None:
    with place.browser() as before, place.browser() as browser:
        place.enter(before)
        place.server.people({"kim": {**PEOPLE["kim"], "groups": []}})
        assert place.enter(browser).status_code == 403
        assert before.get("/desk").status_code == 303


def test_a_local_user_of_the_same_name_is_somebody_else(place: Place) -> None:
    accounts.add_user(place.web.house.database, "Kim", "admin", "correct horse battery")
    with place.browser() as browser:
        place.enter(browser)
    assert place.users() == [("Kim", "admin", None), ("Kim (2)", "editor", f"{place.server.issuer} kim")]


def test_without_a_claim_for_roles_an_admin_decides_and_it_stays(place: Place) -> None:
    place.settle(role_claim="", roles={}, role="viewer")
    with place.browser() as browser:
        place.enter(browser)
    accounts.set_role(place.web.house.database, "Kim", "lead")
    with place.browser() as browser:
        place.enter(browser)
    assert [role for _, role, _ in place.users()] == ["lead"]


def test_an_answer_in_a_browser_that_did_not_begin_is_refused(place: Place) -> None:
    with place.browser() as mine, place.browser() as theirs:
        back = place.arrive(mine)
        answer = theirs.get(back)
        assert answer.status_code == 400
        assert "was not begun in this browser" in answer.text
    assert place.users() == []


def test_the_code_of_another_login_is_of_no_use(place: Place) -> None:
    with place.browser() as mine, place.browser() as theirs:
        code = parse_qs(urlsplit(place.arrive(mine)).query)["code"][0]
        back = httpx.URL(place.arrive(theirs, "chief"))
        answer = theirs.get(back.copy_set_param("code", code))
    assert answer.status_code == 502
    assert place.users() == []


def test_an_answer_that_was_used_is_of_no_use_any_more(place: Place) -> None:
    with place.browser() as browser:
        back = place.arrive(browser)
        begun = browser.cookies["frontispiece-begun"]
        assert browser.get(back).status_code == 303
        assert browser.get(back).status_code == 400
        browser.cookies.clear()
        again = browser.get(back, headers={"Cookie": f"frontispiece-begun={begun}"})
    assert again.status_code == 502


def test_saying_no_at_the_provider_is_told(place: Place) -> None:
    with place.browser() as browser:
        state = parse_qs(urlsplit(browser.get("/login/oidc").headers["Location"]).query)["state"][0]
        said = {"state": state, "iss": place.server.issuer, "error": "access_denied"}
        answer = browser.get("/login/oidc/back", params=said)
    assert answer.status_code == 403
    assert "Newsroom ID did not let you in: access_denied" in answer.text


def test_a_provider_that_is_away_is_told_and_passwords_go_on(place: Place) -> None:
    gone = f"http://127.0.0.1:{free_port()}"
    place.settle(issuer=gone, private=[gone])
    with place.browser() as browser:
        answer = browser.get("/login/oidc")
    assert answer.status_code == 502
    assert "does not work at the moment" in answer.text
    assert 'name="password"' in answer.text


def test_logging_out_offers_to_log_out_there_as_well(place: Place) -> None:
    with place.browser() as browser:
        place.enter(browser)
        token = browser.get("/desk").text.partition('name="token" value="')[2][:64]
        answer = browser.post("/logout", data={"token": token}, follow_redirects=True)
        assert "Log out of Newsroom ID as well" in answer.text
        there = browser.get("/login/oidc/out")
        assert there.headers["Location"].startswith(f"{place.server.issuer}/session/end?")
        assert "Do you want to sign-out" in browser.get(there.headers["Location"]).text


def test_the_whole_way_in_and_out_in_a_browser(place: Place) -> None:
    with chromium() as browser, browser.new_context(base_url=place.url) as context:
        page = context.new_page()
        page.goto("/desk?tab=drawing")
        page.get_by_role("link", name="Log in with Newsroom ID").click()
        page.get_by_placeholder("Enter any login").fill("kim")
        page.get_by_placeholder("and password").fill("any")
        page.get_by_role("button", name="Sign-in").click()
        page.get_by_role("button", name="Continue").click()
        expect(page).to_have_url(f"{place.url}/desk?tab=drawing")
        expect(page.get_by_role("link", name="Kim")).to_be_visible()
        page.get_by_role("button", name="Log out").click()
        page.get_by_role("link", name="Log out of Newsroom ID as well").click()
        page.get_by_role("button", name="Yes, sign me out").click()
        expect(page).to_have_url(re.compile(f"^{re.escape(place.url)}/login"))
        page.goto("/desk")
        expect(page.get_by_role("heading", name="Log in")).to_be_visible()
