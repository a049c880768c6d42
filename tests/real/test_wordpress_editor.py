"""The panel in the block editor of a real WordPress, in a real browser."""

import io
import shutil
from collections.abc import Iterator

import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright
from servers.panel_api import PanelApi, illustration, panel_api
from servers.wordpress import SUITES, TOKEN, WordPress, running

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]
WAIT = 30_000  # milliseconds; the editor is large, and the panel asks again after 3 to 15 seconds


@pytest.fixture(scope="module")
def running_service() -> Iterator[PanelApi]:
    with panel_api(TOKEN) as api:
        file = io.BytesIO()
        Image.new("RGB", (480, 270), "teal").save(file, "webp")
        api.picture = file.getvalue()
        yield api


@pytest.fixture
def service(running_service: PanelApi) -> PanelApi:
    running_service.illustrations, running_service.refuse = [], None
    running_service.asked.clear()
    return running_service


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])


@pytest.fixture(scope="module", params=SUITES)
def site(request: pytest.FixtureRequest, running_service: PanelApi) -> Iterator[WordPress]:
    with running(request.param, running_service.url) as wordpress:
        yield wordpress


@pytest.fixture(scope="module")
def page(site: WordPress, chromium: Browser) -> Iterator[Page]:
    """A browser in which the editor has logged in; an error in a script fails the test."""
    page = chromium.new_page(viewport={"width": 1280, "height": 1000})
    problems: list[str] = []
    page.on("pageerror", lambda problem: problems.append(str(problem)))
    page.goto(f"{site.url}/wp-login.php")
    page.fill("#user_login", "editor")
    page.fill("#user_pass", "password")
    page.click("#wp-submit")
    page.wait_for_url("**/wp-admin/**")
    yield page
    page.close()
    assert problems == []


def opened(page: Page, site: WordPress, number: int) -> Locator:
    """The panel of this post, open, without the guide that greets a new user."""
    page.goto(f"{site.url}/wp-admin/post.php?post={number}&action=edit")
    page.wait_for_function("window.wp?.data?.select('core/editor')?.getCurrentPostId()", timeout=WAIT)
    page.evaluate("wp.data.dispatch('core/preferences').set('core/edit-post', 'welcomeGuide', false)")
    heading = page.get_by_role("button", name="Frontispiece", exact=True)
    if heading.get_attribute("aria-expanded", timeout=WAIT) == "false":
        heading.click()
    return page.locator(".frontispiece-panel")


def test_an_editor_approves_what_they_see(site: WordPress, service: PanelApi, page: Page) -> None:
    number = site.post(status="publish")["id"]
    service.illustrations = [illustration(7, f"posts/{number}")]
    panel = opened(page, site, number)
    expect(panel.get_by_role("status")).to_have_text("The picture is ready for your decision.", timeout=WAIT)
    expect(panel.get_by_role("radio", name="Picture 1").locator("img")).to_be_visible(timeout=WAIT)
    panel.get_by_label("Alternative text").fill("A boat at dawn")
    panel.get_by_role("button", name="Approve").click()
    expect(panel.get_by_role("status")).to_contain_text("Approved", timeout=WAIT)
    decisions = [body for method, _, _, body in service.asked if method == "POST"]
    assert decisions == [{"candidate": 107, "by": "Editor (WordPress)", "alt": "A boat at dawn"}]


def test_the_panel_follows_without_a_reload(site: WordPress, service: PanelApi, page: Page) -> None:
    number = site.post()["id"]
    panel = opened(page, site, number)
    expect(panel.get_by_text("No picture has been asked for yet.")).to_be_visible(timeout=WAIT)
    service.illustrations = [illustration(7, f"posts/{number}", state="rendering", candidates=[])]
    expect(panel.get_by_role("status")).to_contain_text("is being made", timeout=WAIT)
    service.illustrations = [illustration(7, f"posts/{number}")]
    expect(panel.get_by_role("button", name="Approve")).to_be_enabled(timeout=WAIT)


def test_regenerate_asks_for_another_picture(site: WordPress, service: PanelApi, page: Page) -> None:
    number = site.post()["id"]
    service.illustrations = [illustration(7, f"posts/{number}")]
    panel = opened(page, site, number)
    panel.get_by_role("button", name="Regenerate").click(timeout=WAIT)
    expect(panel.get_by_role("status")).to_contain_text("waiting for its turn", timeout=WAIT)


def test_of_two_pictures_the_chosen_one_is_approved(site: WordPress, service: PanelApi, page: Page) -> None:
    number = site.post()["id"]
    one = illustration(7, f"posts/{number}")
    one["candidates"].append(one["candidates"][0] | {"id": 108})
    service.illustrations = [one]
    panel = opened(page, site, number)
    expect(panel.get_by_role("radio", name="Picture 2")).to_be_checked(timeout=WAIT)
    panel.get_by_role("radio", name="Picture 1").click()
    panel.get_by_role("button", name="Approve").click()
    expect(panel.get_by_role("status")).to_contain_text("Approved", timeout=WAIT)
    assert one["chosen"] == 107


def test_a_late_decision_is_shown_in_words(site: WordPress, service: PanelApi, page: Page) -> None:
    number = site.post()["id"]
    service.illustrations = [illustration(7, f"posts/{number}")]
    service.refuse = (409, "Somebody decided first.")
    panel = opened(page, site, number)
    panel.get_by_role("button", name="Approve").click(timeout=WAIT)
    expect(panel.get_by_text("Somebody decided first.")).to_be_visible(timeout=WAIT)


def test_the_wish_for_no_picture_is_saved_with_the_post(site: WordPress, page: Page) -> None:
    number = site.post()["id"]
    panel = opened(page, site, number)
    panel.get_by_label("No automatic image").check(timeout=WAIT)
    page.get_by_role("button", name="Save draft").click()
    expect(page.get_by_role("button", name="Saved")).to_be_visible(timeout=WAIT)
    with site.adapter().open() as api:
        assert site.adapter().fetch(api, f"posts/{number}").opted_out is True


def test_the_featured_image_appears_without_a_reload(site: WordPress, service: PanelApi, page: Page) -> None:
    number = site.post()["id"]
    service.illustrations = [illustration(7, f"posts/{number}", state="publishing")]
    panel = opened(page, site, number)
    expect(panel.get_by_role("status")).to_contain_text("is being put", timeout=WAIT)
    with site.api("frontispiece") as api:
        files = {"file": ("boat.webp", service.picture, "image/webp")}
        media = api.post("/wp/v2/media", files=files).raise_for_status().json()["id"]
        api.post(f"/wp/v2/posts/{number}", json={"featured_media": media}).raise_for_status()
    service.illustrations = [illustration(7, f"posts/{number}", state="published")]
    expect(panel.get_by_role("status")).to_contain_text("is on this post", timeout=WAIT)
    page.wait_for_function(f"wp.data.select('core/editor').getEditedPostAttribute('featured_media') === {media}")
