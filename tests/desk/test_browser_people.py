"""Who may do what, in a real browser: the admins' page, one's own, and the way in."""

import re

import pytest
from desk.browsing import Opened, Scheme, accessible, shot
from desk.furnish import Web
from playwright.sync_api import Page, expect

from frontispiece import accounts
from frontispiece.oidc import OidcSettings

pytestmark = pytest.mark.real

PROVIDER = OidcSettings(issuer="https://id.example", client_id="frontispiece", title="Newsroom ID", role="viewer")


def peopled(web: Web) -> None:
    """Some people, one of them from elsewhere, and two tokens."""
    web.house.settings = web.house.settings.model_copy(update={"oidc": PROVIDER})
    for name, role in (("Kim", "editor"), ("Ann-Kathrin van der Langename-Doppelt", "lead"), ("Alex", "viewer")):
        web.login(role, name)
    accounts.vouched_for(web.house.database, "https://id.example sam", "Sam", "editor", "viewer")
    accounts.add_user(web.house.database, "Robin", "viewer", "correct horse battery")
    accounts.add_token(web.house.database, "WordPress panel", "review", "gazette")
    accounts.add_token(web.house.database, "Export at night", "manage")


@pytest.mark.parametrize("scripts", [True, False])
def test_an_admin_adds_changes_and_removes_somebody(web: Web, opened: Opened, *, scripts: bool) -> None:
    with opened("/people", role="admin", scripts=scripts) as page:
        new = page.get_by_role("region", name="Add somebody")
        new.get_by_label("Name").fill("Kim")
        new.get_by_label("Role").select_option("viewer")
        new.get_by_label("Password").fill("correct horse battery")
        new.get_by_role("button", name="Add").click()
        expect(page.get_by_role("status")).to_have_text("Kim may log in now.")
        page.get_by_text("Kim", exact=True).click()
        kim = page.locator(".rows details[open]")
        kim.get_by_label("Role", exact=True).select_option("lead")
        kim.get_by_role("button", name="Change the role").click()
        expect(page.get_by_role("status")).to_have_text("Kim has another role now.")
        page.get_by_text("Kim", exact=True).click()
        kim.first.get_by_text("Remove …").click()
        page.get_by_role("button", name="Remove Kim").click()
        expect(page.get_by_role("status")).to_contain_text("Kim may no longer log in.")
    assert [user.name for user, *_ in accounts.users(web.house.database)] == ["Jo Admin"]


def test_a_token_is_shown_ready_to_be_copied(web: Web, opened: Opened) -> None:
    with opened("/people", role="admin") as page:
        page.get_by_label("Name of the program").fill("panel")
        page.get_by_label("It may do").select_option("read")
        page.get_by_role("button", name="Make the token").click()
        key = page.get_by_label("The new token of panel")
        expect(key).to_have_value(re.compile("^fp_"))
        found = accounts.token(web.house.database, key.input_value())
    assert found
    assert found.name == "panel"


def test_one_chooses_the_language_of_the_desk(opened: Opened) -> None:
    with opened("/me", role="viewer") as page:
        page.get_by_label("Language of the desk").select_option("de")
        page.get_by_role("button", name="Use this language").click()
        expect(page.locator("html")).to_have_attribute("lang", "de")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_the_pages_keep_nobody_out(web: Web, opened: Opened, scheme: Scheme, width: int) -> None:
    peopled(web)
    with opened("/people", role="admin", scheme=scheme, width=width) as page:
        looked_at(page, f"people-{scheme}-{width}")
        page.get_by_text("Kim", exact=True).click()
        page.locator(".rows details[open]").get_by_text("Remove …").click()
        looked_at(page, f"people-open-{scheme}-{width}")
        page.goto("/me")
        looked_at(page, f"me-{scheme}-{width}")
        page.context.clear_cookies()
        page.goto("/login")
        looked_at(page, f"login-{scheme}-{width}")


def looked_at(page: Page, name: str) -> None:
    """Nobody is kept out, nothing is wider than the window, and there is a picture of it."""
    shot(page, name)
    accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
