"""The page on which an admin decides who may do what, and everybody's own page."""

import re
from typing import Any

import pytest
from desk.furnish import Browser, Web
from sqlalchemy import select

from frontispiece import accounts
from frontispiece.models import Token, User
from frontispiece.oidc import OidcSettings

PASSWORD = "correct horse battery"


@pytest.fixture
def admin(web: Web) -> Browser:
    return web.browser("admin")


def vouched(web: Web, **settings: Any) -> None:
    """A provider is configured, and Kim logs in there."""
    usual = {"issuer": "https://id.example", "client_id": "frontispiece", "title": "Newsroom ID", "role": "viewer"}
    given = {"oidc": OidcSettings(**(usual | settings))}
    web.house.settings = web.house.settings.model_copy(update=given)
    accounts.vouched_for(web.house.database, "https://id.example kim", "Kim", None, "viewer")


def roles(web: Web) -> dict[str, str]:
    with web.house.database.read() as session:
        return {user.name: user.role for user in session.scalars(select(User))}


def post(browser: Browser, path: str, **fields: str) -> tuple[int, str]:
    """The status, and what the page then says at its head."""
    answer = browser.post(path, **fields)
    status, answer = (
        answer.status_code,
        browser.get(answer.headers["Location"]) if answer.status_code == 303 else answer,
    )
    said = re.search(r'<p class="notice[^>]*>([^<]*)', answer.text)
    return status, said[1] if said else ""


def test_an_admin_adds_somebody_who_then_can_log_in(web: Web, admin: Browser) -> None:
    told = post(admin, "/people/add", name=" Kim ", role="lead", password=PASSWORD)
    assert told == (303, "Kim may log in now.")
    assert accounts.log_in(web.house.database, "Kim", PASSWORD, "192.0.2.1")
    assert roles(web)["Kim"] == "lead"


def test_what_cannot_be_added_is_told_and_the_name_kept_and_not_the_password(admin: Browser) -> None:
    answer = admin.post("/people/add", name="<b>Kim", role="lead", password="short")
    assert answer.status_code == 400
    assert "A password has 8 to 1000 characters, this one has 5" in answer.text
    assert 'value="&lt;b&gt;Kim"' in answer.text
    assert 'value="lead" selected' in answer.text
    assert "short" not in answer.text.replace("short-", "")


def test_a_role_counts_from_the_next_page_on(web: Web, admin: Browser) -> None:
    kim = web.browser("viewer", "Kim")
    assert post(admin, "/people/role", name="Kim", role="admin") == (303, "Kim has another role now.")
    assert kim.get("/people").status_code == 200


def test_a_new_password_ends_all_logins(web: Web, admin: Browser) -> None:
    accounts.add_user(web.house.database, "Kim", "viewer", PASSWORD)
    kim = web.browser(name="Kim")
    post(admin, "/people/password", name="Kim", password="another sentence")
    assert kim.get("/me").status_code == 303
    assert accounts.log_in(web.house.database, "Kim", "another sentence", "192.0.2.1")


def test_somebody_is_logged_out_everywhere(web: Web, admin: Browser) -> None:
    browsers = [web.browser(name="Kim") for _ in range(2)]
    assert post(admin, "/people/out", name="Kim") == (303, "Kim is logged out everywhere.")
    assert [browser.get("/me").status_code for browser in browsers] == [303, 303]
    assert admin.get("/me").status_code == 200


def test_somebody_who_is_removed_is_out_at_once(web: Web, admin: Browser) -> None:
    kim = web.browser(name="Kim")
    post(admin, "/people/remove", name="Kim")
    assert kim.get("/me").status_code == 303
    assert "Kim" not in roles(web)


@pytest.mark.parametrize(("path", "fields"), [("remove", {}), ("role", {"role": "lead"})])
def test_the_last_admin_stays_one(web: Web, admin: Browser, path: str, fields: dict[str, str]) -> None:
    status, said = post(admin, f"/people/{path}", name="Jo Admin", **fields)
    assert (status, said) == (400, "Jo Admin is the last admin; make somebody else an admin first")
    assert roles(web) == {"Jo Admin": "admin"}


def test_an_admin_may_go_when_there_is_another(web: Web, admin: Browser) -> None:
    web.login("admin", "Kim")
    post(admin, "/people/role", name="Kim", role="editor")
    assert roles(web) == {"Jo Admin": "admin", "Kim": "editor"}


@pytest.mark.parametrize("path", ["role", "password", "out", "remove", "token/remove"])
def test_an_act_on_somebody_who_is_gone_is_told(admin: Browser, path: str) -> None:
    fields = {"name": "Nobody", "role": "viewer", "password": PASSWORD}
    status, said = post(admin, f"/people/{path}", **fields)
    assert (status, said[:11]) == (400, "There is no")


def test_a_token_is_shown_once_and_works(web: Web, admin: Browser) -> None:
    key = re.search(r'value="(fp_[^"]+)"', admin.post("/people/token", name="panel", scope="read", site="shop").text)
    assert key
    found = accounts.token(web.house.database, key[1])
    assert found
    assert (found.name, found.scope, found.site) == ("panel", "read", "shop")
    assert "fp_" not in admin.get("/people").text


@pytest.mark.parametrize("fields", [{"site": "nowhere"}, {"scope": "everything"}, {"name": ""}, {"name": "taken"}])
def test_a_token_that_cannot_be_is_not_made(web: Web, admin: Browser, fields: dict[str, str]) -> None:
    accounts.add_token(web.house.database, "taken", "read")
    assert admin.post("/people/token", **({"name": "panel", "scope": "read"} | fields)).status_code == 400
    with web.house.database.read() as session:
        assert len(session.scalars(select(Token)).all()) == 1


def test_a_removed_token_is_worthless(web: Web, admin: Browser) -> None:
    key = accounts.add_token(web.house.database, "panel", "read")
    assert post(admin, "/people/token/remove", name="panel") == (303, "The token panel is worthless now.")
    assert accounts.token(web.house.database, key) is None


def test_the_page_says_how_somebody_logs_in(web: Web, admin: Browser) -> None:
    vouched(web)
    page = admin.get("/people").text
    assert page.count(">logs in with Newsroom ID") == 1
    assert page.count(">logs in with a password") == 1


def test_a_role_that_the_provider_gives_is_not_changed_here(web: Web, admin: Browser) -> None:
    vouched(web, role_claim="groups", roles={"it": "admin"})
    status, said = post(admin, "/people/role", name="Kim", role="admin")
    assert (status, said) == (400, "Kim gets their role from the identity provider at each login.")
    assert roles(web)["Kim"] == "viewer"


def test_who_logs_in_at_the_provider_gets_no_password_here(web: Web, admin: Browser) -> None:
    vouched(web)
    assert post(admin, "/people/password", name="Kim", password=PASSWORD)[0] == 400
    with web.house.database.read() as session:
        assert session.scalars(select(User.password).where(User.name == "Kim")).one() == ""


def test_who_logs_in_at_the_provider_sees_no_form_for_a_password(web: Web) -> None:
    vouched(web)
    page = web.browser(name="Kim").get("/me").text
    assert "You log in with Newsroom ID and have no password here." in page
    assert 'type="password"' not in page


def test_where_only_the_provider_lets_in_no_password_does(web: Web) -> None:
    accounts.add_user(web.house.database, "Jo", "admin", PASSWORD)
    browser = web.nobody()
    token = browser.form_token()
    vouched(web, only=True)
    answer = browser.client.post("/login", data={"token": token, "name": "Jo", "password": PASSWORD})
    assert answer.status_code == 403
    assert "use “Log in with Newsroom ID”" in answer.text
    assert 'name="password"' not in browser.get("/login").text


def test_without_a_provider_there_is_no_way_to_one(web: Web) -> None:
    browser = web.nobody()
    assert "/login/oidc" not in browser.get("/login").text
    assert [browser.get(f"/login/oidc{path}").status_code for path in ("", "/back", "/out")] == [404] * 3


def test_ones_own_password_is_changed_by_who_knows_the_old_one(web: Web) -> None:
    accounts.add_user(web.house.database, "Kim", "viewer", PASSWORD)
    here, there = web.browser(name="Kim"), web.browser(name="Kim")
    before = here.client.get_cookie("frontispiece")
    assert post(here, "/me/password", old=PASSWORD, new="another sentence")[0] == 303
    after = here.client.get_cookie("frontispiece")
    assert (here.get("/me").status_code, there.get("/me").status_code) == (200, 303)
    assert before != after
    assert accounts.log_in(web.house.database, "Kim", "another sentence", "192.0.2.1")


@pytest.mark.parametrize(("old", "new"), [("wrong", "another sentence"), (PASSWORD, "short"), ("", "")])
def test_ones_own_password_stays_where_something_is_wrong(web: Web, old: str, new: str) -> None:
    accounts.add_user(web.house.database, "Kim", "viewer", PASSWORD)
    here, there = web.browser(name="Kim"), web.browser(name="Kim")
    assert post(here, "/me/password", old=old, new=new)[0] == 400
    assert there.get("/me").status_code == 200
    assert accounts.log_in(web.house.database, "Kim", PASSWORD, "192.0.2.1")


def test_an_open_desk_is_no_place_to_guess_the_password(web: Web) -> None:
    accounts.add_user(web.house.database, "Kim", "viewer", PASSWORD)
    here = web.browser(name="Kim")
    told = [here.post("/me/password", old="wrong", new="another sentence").status_code for _ in range(6)]
    assert told == [400] * 5 + [429]


def test_the_language_that_was_chosen_goes_before_the_browsers(web: Web) -> None:
    here = web.browser()
    post(here, "/me/language", language="de")
    assert here.get("/me", headers={"Accept-Language": "en"}).headers["Content-Language"] == "de"


def test_a_language_that_is_not_known_is_the_browsers(web: Web) -> None:
    here = web.browser()
    post(here, "/me/language", language="tlh")
    assert here.get("/me", headers={"Accept-Language": "de"}).headers["Content-Language"] == "de"
    assert [user.language for user, *_ in accounts.users(web.house.database)] == [""]


def test_ones_own_page_lists_the_logins_and_ends_the_others(web: Web) -> None:
    here, there = web.browser(), web.browser()
    page = here.get("/me").text
    assert (page.count("This browser"), page.count("Another browser")) == (1, 1)
    assert post(here, "/me/out") == (303, "Other browsers are logged out.")
    assert (here.get("/me").status_code, there.get("/me").status_code) == (200, 303)
