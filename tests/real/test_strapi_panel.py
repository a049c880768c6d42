"""The panel beside an entry in a real Strapi: who may see and decide what, and what never leaves the server."""

import json
import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect
from servers.browsing import chromium
from servers.frontispiece import Service
from servers.panel_api import PanelApi, illustration, panel_api
from servers.recorder import recording
from servers.site import SECRET
from servers.strapi import PLUGIN, Server
from servers.strapi_panel import TOKEN, WAIT, enter, open_panel, with_panel

from frontispiece.cms import Picture

pytestmark = [pytest.mark.real, pytest.mark.timeout(900)]

DOT = (Path(__file__).parent / "dot.png").read_bytes()
ROOM: ViewportSize = {"width": 1400, "height": 1600}


@pytest.fixture(scope="module")
def running_service() -> Iterator[PanelApi]:
    with panel_api(TOKEN) as api:
        yield api


@pytest.fixture(scope="module")
def site(running_service: PanelApi, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    strapi = with_panel(tmp_path_factory.mktemp("strapi"), running_service.url, pages=True)
    try:
        strapi.start()
        yield strapi
    finally:
        strapi.stop()


@pytest.fixture
def service(running_service: PanelApi) -> PanelApi:
    running_service.illustrations, running_service.refuse = [], None
    running_service.token, running_service.confused, running_service.picture = TOKEN, False, DOT
    running_service.asked.clear()
    return running_service


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def entered(site: Server, browser: Browser) -> Page:
    made = browser.new_page(viewport=ROOM)
    enter(made, site)
    return made


@pytest.fixture
def page(entered: Page) -> Page:
    return entered


@pytest.fixture
def ref(site: Server, service: PanelApi) -> str:
    """An entry whose illustration 7 waits in review with candidate 107."""
    entry = site.create("draft")
    service.illustrations = [illustration(7, entry)]
    return entry


@pytest.fixture(scope="module")
def author(site: Server) -> str:
    """The session of somebody with Strapi's role Author, who may edit their own entries only."""
    role = next(one["id"] for one in site.ask("GET", "/admin/roles")["data"] if one["code"] == "strapi-author")
    person = {"email": "author@example.org", "firstname": "Al", "lastname": "Author"}
    invited = site.ask("POST", "/admin/users", json=person | {"roles": [role]})["data"]
    facts = {"firstname": "Al", "lastname": "Author", "password": secrets.token_hex(8) + "Aa1"}
    body = {"registrationToken": invited["registrationToken"], "userInfo": facts}
    return str(site.ask("POST", "/admin/register", json=body)["data"]["token"])


def ask(site: Server, path: str, method: str = "GET", session: str = "", **body: object) -> httpx.Response:
    """What the panel in the browser asks of Strapi; `path` begins with the entry's ref."""
    kind, _, rest = path.partition("/")
    address = f"{site.url}/frontispiece/api::{kind}.{kind}/{rest}"
    key = {"Authorization": f"Bearer {session or site.session}"}
    return httpx.request(method, address, headers=key, json=body or None, timeout=30)


def test_an_editor_sees_the_state_in_words(site: Server, ref: str) -> None:
    shown = {"id": 7, "state": "in_review", "words": "The picture is ready for your decision.", "reason": ""}
    facts = {"alt": "A boat", "candidates": [107], "desk": "https://desk.example.org/desk/7"}
    assert ask(site, f"{ref}/illustrations").json() == {"illustrations": [shown | facts]}


ROUTES = [
    ("GET", "illustrations"),
    ("GET", "candidates/107/image"),
    ("POST", "illustrations/7/approve"),
    ("POST", "illustrations/7/regenerate"),
]


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_who_may_not_edit_the_entry_gets_nothing(
    site: Server, service: PanelApi, author: str, method: str, path: str
) -> None:
    somebody_else_s = site.write("draft", "product", name="Boots")
    answer = ask(site, f"{somebody_else_s}/{path}", method, author, candidate=107)
    assert (answer.status_code, service.asked) == (403, [])


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_who_is_not_logged_in_gets_nothing(site: Server, service: PanelApi, ref: str, method: str, path: str) -> None:
    answer = ask(site, f"{ref}/{path}", method, "nobody", candidate=107)
    assert (answer.status_code, service.asked) == (401, [])


def test_an_api_token_is_no_editor(site: Server, service: PanelApi, ref: str) -> None:
    answer = ask(site, f"{ref}/illustrations", session=site.keys["api_token"])
    assert (answer.status_code, service.asked) == (401, [])


def test_an_author_decides_about_their_own_entry(site: Server, service: PanelApi, author: str) -> None:
    address = f"{site.url}/content-manager/collection-types/api::product.product"
    made = httpx.post(address, headers={"Authorization": f"Bearer {author}"}, json={"name": "Mine"}).json()["data"]
    own = f"product/{made['documentId']}"
    service.illustrations = [illustration(7, own)]
    answer = ask(site, f"{own}/illustrations/7/approve", "POST", author, candidate=107)
    assert answer.json()["state"] == "approved"


def test_a_type_that_is_no_content_of_the_site_s_has_no_panel(site: Server, service: PanelApi) -> None:
    address = f"{site.url}/frontispiece/plugin::users-permissions.user/abc/illustrations"
    answer = httpx.get(address, headers={"Authorization": f"Bearer {site.session}"})
    assert (answer.status_code, service.asked) == (404, [])


def test_approving_says_who_did_it(site: Server, service: PanelApi, ref: str) -> None:
    ask(site, f"{ref}/illustrations/7/approve", "POST", candidate=107, alt="Two boats")
    decision = {"candidate": 107, "by": "Jo Editor (Strapi)", "alt": "Two boats"}
    assert service.asked[-1] == ("POST", "/api/v1/illustrations/7/approve", f"Bearer {TOKEN}", decision)


def test_regenerating_sends_a_prompt_only_if_there_is_one(site: Server, service: PanelApi, ref: str) -> None:
    ask(site, f"{ref}/illustrations/7/regenerate", "POST")
    ask(site, f"{ref}/illustrations/7/regenerate", "POST", prompt="Rain")
    sent = [body for method, _, _, body in service.asked if method == "POST"]
    assert sent == [{"by": "Jo Editor (Strapi)"}, {"by": "Jo Editor (Strapi)", "prompt": "Rain"}]


@pytest.mark.parametrize(("path", "candidate"), [("8/approve", 108), ("8/regenerate", 0), ("7/approve", 108)])
def test_another_entry_s_picture_cannot_be_decided(
    site: Server, service: PanelApi, ref: str, path: str, candidate: int
) -> None:
    service.illustrations.append(illustration(8, "article/another"))
    answer = ask(site, f"{ref}/illustrations/{path}", "POST", candidate=candidate)
    assert (answer.status_code, {method for method, *_ in service.asked}) == (404, {"GET"})


def test_an_answer_about_another_entry_or_site_is_not_believed(site: Server, service: PanelApi, ref: str) -> None:
    service.illustrations = [illustration(7, ref, site="elsewhere"), illustration(8, f"{ref}0")]
    service.confused = True
    assert ask(site, f"{ref}/illustrations").json() == {"illustrations": []}


def test_a_refusal_comes_in_the_service_s_own_words(site: Server, service: PanelApi, ref: str) -> None:
    service.refuse = (409, "Somebody else decided first.")
    answer = ask(site, f"{ref}/illustrations/7/approve", "POST", candidate=107)
    assert (answer.status_code, answer.json()["error"]["message"]) == (409, "Somebody else decided first.")


def test_a_wrong_token_is_said_and_not_shown(site: Server, service: PanelApi, ref: str) -> None:
    service.token = "another"
    answer = ask(site, f"{ref}/illustrations")
    assert (answer.status_code, TOKEN in answer.text) == (502, False)
    assert answer.json()["error"]["message"].endswith("does not accept the token in config/plugins.")


@pytest.mark.parametrize(
    ("status", "words"),
    [(200, "something else than JSON"), (302, "answered 302"), (500, "answered 500")],
)
def test_an_answer_that_is_not_the_service_s_is_said_in_words(status: int, words: str) -> None:
    """Of the plugin's own client, run by Node.js."""
    code = "const {illustrations} = require(process.argv[1]); illustrations(JSON.parse(process.argv[2]), 'article/a')"
    code += ".then(() => console.log('no trouble'), (trouble) => console.log(trouble.status, trouble.message))"
    with recording() as recorder:
        recorder.status, recorder.words = status, "<html>Soon</html>"
        settings = json.dumps({"service": recorder.url, "site": "blog", "token": TOKEN})
        command = ["node", "-e", code, str(PLUGIN / "server/service.js"), settings]
        said = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout
    assert said.startswith("502 ")
    assert words in said


def test_an_editor_sees_the_picture_changes_its_text_and_approves(
    site: Server, service: PanelApi, ref: str, page: Page
) -> None:
    panel = open_panel(page, site, ref)
    expect(panel.get_by_role("radio", name="Picture 1").locator("img")).to_be_visible(timeout=WAIT)
    panel.get_by_label("Alternative text").fill("Two boats")
    panel.get_by_role("button", name="Approve").click()
    expect(panel.get_by_role("status")).to_have_text("Approved; the picture is on its way to this entry.")
    decided = next(body for method, _, _, body in service.asked if method == "POST")
    assert (decided["candidate"], decided["alt"]) == (107, "Two boats")


def test_an_editor_asks_for_another_picture(site: Server, ref: str, page: Page) -> None:
    panel = open_panel(page, site, ref)
    panel.get_by_role("button", name="Regenerate").click()
    expect(panel.get_by_role("status")).to_have_text("The picture is waiting for its turn.")


def arrive(site: Server, service: PanelApi, ref: str) -> None:
    """Our picture is put on the entry, and the service says so."""
    adapter = site.adapter()
    with adapter.open() as api:
        entry = adapter.fetch(api, ref)
        adapter.attach(api, entry, Picture("arrives.png", "image/png", DOT, 1, 1, "A boat"))
    service.illustrations = [illustration(7, ref, state="published")]


def test_a_picture_that_comes_while_the_page_is_open_is_shown_in_its_field(
    site: Server, service: PanelApi, ref: str, page: Page
) -> None:
    service.illustrations = [illustration(7, ref, state="publishing")]
    panel = open_panel(page, site, ref)
    expect(panel.get_by_role("status")).to_have_text("The picture is being put on this entry.", timeout=WAIT)
    arrive(site, service, ref)
    shown = page.get_by_role("region", name="cover").get_by_role("img", name="A boat")
    expect(shown).to_be_visible(timeout=WAIT)


def test_unsaved_work_stays_when_a_picture_comes_and_a_warning_is_given(
    site: Server, service: PanelApi, ref: str, page: Page
) -> None:
    service.illustrations = [illustration(7, ref, state="publishing")]
    panel = open_panel(page, site, ref)
    page.get_by_label("title", exact=False).first.fill("Not saved yet")
    expect(panel.get_by_role("status")).to_have_text("The picture is being put on this entry.", timeout=WAIT)
    arrive(site, service, ref)
    expect(panel.get_by_text("saving it as it is would take the picture off")).to_be_visible(timeout=WAIT)
    expect(page.get_by_label("title", exact=False).first).to_have_value("Not saved yet")


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[tuple[Service, Server]]:
    """The service itself and a Strapi, each configured for the other as the guide says."""
    service = Service(tmp_path)
    strapi = with_panel(tmp_path / "strapi", service.url, pages=True)
    try:
        service.start({"plugin": "strapi", "url": strapi.url, "webhook_secret": SECRET, **strapi.keys})
        strapi.process.env["FRONTISPIECE_TOKEN"] = service.token
        strapi.start()
        strapi.hook(f"{service.url}/hooks/blog")
        yield service, strapi
    finally:
        strapi.stop()
        service.stop()


def test_an_editor_publishes_approves_in_the_panel_and_sees_the_picture(
    pair: tuple[Service, Server], browser: Browser
) -> None:
    service, strapi = pair
    ref = strapi.create("published", "The ferry that still carries the mail")
    service.reach(ref, "in_review")
    page = browser.new_page(viewport=ROOM)
    enter(page, strapi)
    panel = open_panel(page, strapi, ref)
    panel.get_by_role("button", name="Approve").click(timeout=WAIT)
    expect(panel.get_by_role("status")).to_have_text("The picture is on this entry.", timeout=WAIT)
    expect(page.get_by_role("region", name="cover").get_by_role("img").first).to_be_visible(timeout=WAIT)
    assert (strapi.state(ref), strapi.image(ref)) == ("published", str(strapi.seen(ref, "published")["cover"]["id"]))
