"""The panel in the item's form of a real Directus: who may see and decide what, in its routes and in a real browser."""

import io
from collections.abc import Iterator

import httpx
import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect
from servers.browsing import chromium
from servers.directus import PANEL_TOKEN, Server
from servers.directus_core import ADMIN, token
from servers.panel_api import PanelApi, illustration, panel_api

from frontispiece.cms import Picture

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]
WAIT = 30_000  # milliseconds; the Studio is large, and the panel asks again after 3 to 15 seconds
FIELD = {
    "field": "picture",
    "type": "alias",
    "meta": {"interface": "frontispiece", "special": ["alias", "no-data"], "sort": 1},
}


@pytest.fixture(scope="module")
def running_service() -> Iterator[PanelApi]:
    with panel_api(PANEL_TOKEN) as api:
        file = io.BytesIO()
        Image.new("RGB", (480, 270), "teal").save(file, "webp")
        api.picture = file.getvalue()
        yield api


@pytest.fixture
def service(running_service: PanelApi) -> PanelApi:
    running_service.illustrations, running_service.refuse = [], None
    running_service.token, running_service.confused = PANEL_TOKEN, False
    running_service.asked.clear()
    return running_service


@pytest.fixture(scope="module")
def site(running_service: PanelApi, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    made = Server(tmp_path_factory.mktemp("directus"), running_service.url)
    try:
        made.start()
        made.ask("POST", "/fields/articles", ADMIN, json=FIELD)
        yield made
    finally:
        made.stop()


@pytest.fixture
def ref(site: Server, service: PanelApi) -> str:
    """An entry whose illustration 7 waits in review with candidate 107."""
    made = site.create("published")
    service.illustrations = [illustration(7, made)]
    return made


def ask(site: Server, login: str, path: str, method: str = "GET", **body: object) -> httpx.Response:
    with site.api(token(login)) as api:
        return api.request(method, f"/frontispiece/{path}", json=body or None)


def words(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["errors"][0]["message"]


def test_an_editor_sees_the_state_in_words(site: Server, ref: str) -> None:
    [shown] = ask(site, "editor", f"{ref}/illustrations").json()["data"]
    assert shown == {
        "id": 7,
        "state": "in_review",
        "words": "The picture is ready for your decision.",
        "reason": "",
        "alt": "A boat",
        "candidates": [107],
        "desk": "https://desk.example.org/desk/7",
    }


@pytest.mark.parametrize("login", ["reader", "nobody"])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "illustrations"),
        ("GET", "candidates/107/image"),
        ("POST", "illustrations/7/approve"),
        ("POST", "illustrations/7/regenerate"),
    ],
)
def test_who_may_not_change_the_item_gets_nothing(
    site: Server, service: PanelApi, ref: str, method: str, path: str, login: str
) -> None:
    if login == "nobody":
        answer = httpx.request(method, f"{site.url}/frontispiece/{ref}/{path}", json={"candidate": 107})
    else:
        answer = ask(site, login, f"{ref}/{path}", method, candidate=107)
    assert (answer.status_code, service.asked) == (403, [])


def test_approving_says_who_did_it(site: Server, service: PanelApi, ref: str) -> None:
    answer = ask(site, "editor", f"{ref}/illustrations/7/approve", "POST", candidate=107, alt="Two boats")
    decision = {"candidate": 107, "by": "Editor (Directus)", "alt": "Two boats"}
    assert answer.json()["data"]["state"] == "approved"
    assert service.asked[-1] == ("POST", "/api/v1/illustrations/7/approve", f"Bearer {PANEL_TOKEN}", decision)


def test_regenerating_says_who_did_it(site: Server, service: PanelApi, ref: str) -> None:
    ask(site, "editor", f"{ref}/illustrations/7/regenerate", "POST")
    assert service.asked[-1][1::2] == ("/api/v1/illustrations/7/regenerate", {"by": "Editor (Directus)"})


def test_another_item_s_illustration_cannot_be_decided(site: Server, service: PanelApi, ref: str) -> None:
    service.illustrations.append(illustration(8, "articles/another"))
    answer = ask(site, "editor", f"{ref}/illustrations/8/regenerate", "POST")
    assert (answer.status_code, [method for method, *_ in service.asked]) == (404, ["GET"])


def test_another_item_s_candidate_cannot_be_approved(site: Server, service: PanelApi, ref: str) -> None:
    service.illustrations.append(illustration(8, "articles/another"))
    answer = ask(site, "editor", f"{ref}/illustrations/7/approve", "POST", candidate=108)
    assert (answer.status_code, [method for method, *_ in service.asked]) == (404, ["GET"])


def test_an_answer_about_another_item_or_site_is_not_believed(site: Server, service: PanelApi, ref: str) -> None:
    service.illustrations = [illustration(7, ref, site="elsewhere"), illustration(8, f"{ref}0")]
    service.confused = True
    assert ask(site, "editor", f"{ref}/illustrations").json() == {"data": []}


def test_a_candidate_is_shown_as_the_picture_it_is(site: Server, service: PanelApi, ref: str) -> None:
    answer = ask(site, "editor", f"{ref}/candidates/107/image")
    assert (answer.headers["content-type"], answer.content) == ("image/webp", service.picture)
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_another_item_s_candidate_is_not_shown(site: Server, service: PanelApi, ref: str) -> None:
    service.illustrations.append(illustration(8, "articles/another"))
    assert ask(site, "editor", f"{ref}/candidates/108/image").status_code == 404


def test_the_token_is_in_no_answer(site: Server, service: PanelApi, ref: str) -> None:
    with site.api(ADMIN) as admin:
        answers = [admin.get(f"/frontispiece/{ref}/{path}") for path in ("illustrations", "candidates/107/image")]
        service.token = "another"
        answers += [admin.get(path) for path in (f"/frontispiece/{ref}/illustrations", "/extensions/sources/index.js")]
        answers += [admin.get(path) for path in ("/server/info", "/extensions", "/settings", "/admin")]
    assert "frontispiece" in answers[3].text
    assert [PANEL_TOKEN.encode() in answer.content for answer in answers] == [False] * 8


def test_a_wrong_token_is_the_administrator_s_business(site: Server, service: PanelApi, ref: str) -> None:
    service.token = "another"
    refused = (502, "Frontispiece does not accept the FRONTISPIECE_TOKEN of Directus.")
    assert words(ask(site, "editor", f"{ref}/illustrations")) == refused


def test_a_decision_that_came_too_late_says_so_in_the_service_s_words(
    site: Server, service: PanelApi, ref: str
) -> None:
    service.refuse = (409, "Somebody decided first.")
    answer = ask(site, "editor", f"{ref}/illustrations/7/approve", "POST", candidate=107)
    assert words(answer) == (409, "Somebody decided first.")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def page(site: Server, browser: Browser) -> Iterator[Page]:
    """A browser in which the editor has logged in; an error in a script fails the tests."""
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    problems: list[str] = []
    page.on("pageerror", lambda problem: problems.append(str(problem)))
    login = {"email": "editor@example.org", "password": "password", "mode": "session"}
    assert page.request.post(f"{site.url}/auth/login", data=login).ok
    yield page
    page.close()
    assert problems == []


def opened(page: Page, site: Server, ref: str) -> Locator:
    """The panel in the form of this item."""
    page.goto(f"{site.url}/admin/content/{ref}", timeout=WAIT)
    panel = page.locator(".frontispiece-panel")
    panel.wait_for(timeout=WAIT)
    return panel


def test_an_editor_approves_what_they_see(site: Server, service: PanelApi, page: Page, ref: str) -> None:
    panel = opened(page, site, ref)
    expect(panel.get_by_role("status")).to_have_text("The picture is ready for your decision.", timeout=WAIT)
    expect(panel.get_by_role("radio", name="Picture 1").locator("img")).to_be_visible(timeout=WAIT)
    panel.get_by_label("Alternative text").fill("A boat at dawn")
    panel.get_by_role("button", name="Approve").click()
    expect(panel.get_by_role("status")).to_contain_text("Approved", timeout=WAIT)
    decisions = [body for method, _, _, body in service.asked if method == "POST"]
    assert decisions == [{"candidate": 107, "by": "Editor (Directus)", "alt": "A boat at dawn"}]


def test_the_panel_follows_without_a_reload(site: Server, service: PanelApi, page: Page, ref: str) -> None:
    service.illustrations = []
    panel = opened(page, site, ref)
    expect(panel.get_by_text("No picture has been asked for yet.")).to_be_visible(timeout=WAIT)
    service.illustrations = [illustration(7, ref, state="rendering", candidates=[])]
    expect(panel.get_by_role("status")).to_contain_text("is being made", timeout=WAIT)
    service.illustrations = [illustration(7, ref)]
    expect(panel.get_by_role("button", name="Approve")).to_be_enabled(timeout=WAIT)


def test_of_two_pictures_the_chosen_one_is_approved(site: Server, service: PanelApi, page: Page, ref: str) -> None:
    [one] = service.illustrations
    one["candidates"].append(one["candidates"][0] | {"id": 108})
    panel = opened(page, site, ref)
    expect(panel.get_by_role("radio", name="Picture 2")).to_be_checked(timeout=WAIT)
    panel.get_by_role("radio", name="Picture 1").click()
    panel.get_by_role("button", name="Approve").click()
    expect(panel.get_by_role("status")).to_contain_text("Approved", timeout=WAIT)
    assert one["chosen"] == 107


def test_regenerate_asks_for_another_picture(site: Server, page: Page, ref: str) -> None:
    panel = opened(page, site, ref)
    panel.get_by_role("button", name="Regenerate").click(timeout=WAIT)
    expect(panel.get_by_role("status")).to_contain_text("waiting for its turn", timeout=WAIT)


def test_a_late_decision_is_shown_in_words(site: Server, service: PanelApi, page: Page, ref: str) -> None:
    service.refuse = (409, "Somebody decided first.")
    panel = opened(page, site, ref)
    panel.get_by_role("button", name="Approve").click(timeout=WAIT)
    expect(panel.get_by_text("Somebody decided first.")).to_be_visible(timeout=WAIT)


def test_a_new_item_is_to_be_saved_first(site: Server, page: Page) -> None:
    expect(opened(page, site, "articles/+").get_by_text("Save the item first.")).to_be_visible(timeout=WAIT)


def test_a_form_that_was_open_while_our_picture_came_leaves_it_there(
    site: Server, service: PanelApi, page: Page, ref: str
) -> None:
    opened(page, site, ref)
    adapter = site.adapter()
    with adapter.open() as api:
        drawn = Picture("frontispiece-7.webp", "image/webp", service.picture, 480, 270, alt="A boat")
        receipt = adapter.attach(api, adapter.fetch(api, ref), drawn)
    page.locator("[data-field=title] input").fill("A night at sea")
    page.get_by_role("button", name="Publish").first.click()  # saves a version, and shows it beside what is public
    with page.expect_response("**/promote", timeout=WAIT):
        page.get_by_role("button", name="Apply").click(timeout=WAIT)
    assert (site.public_title(ref), site.image(ref)) == ("A night at sea", receipt.media_id)
