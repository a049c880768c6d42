"""The whole journey with real parts: a WordPress, the service with all its processes, and people in a browser."""

import base64
import io
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect
from servers.browsing import WAIT, chromium, enter_desk, enter_wordpress, open_panel, write_post
from servers.frontispiece import EDITOR, PASSWORD, Service, paired
from servers.wordpress import PLUGIN, SUITES, WordPress
from world import until

ROOT = Path(__file__).parents[2]
NEWEST, *OLDER = reversed(SUITES)
pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]
in_every_version = pytest.mark.parametrize("pair", [NEWEST, *OLDER], indirect=True)
in_the_newest = pytest.mark.parametrize("pair", [NEWEST], indirect=True)

TITLE = "The Ferry That Still Carries the Mail"
TEXT = "Every morning at six the last wooden ferry leaves the quay with four sacks and a dog."
ALT = "A wooden ferry at a quay at dawn, four mail sacks on its deck"


@dataclass
class Pair:
    """The service and the WordPress it works for."""

    service: Service
    site: WordPress

    def post(self, **fields: Any) -> str:
        """A new post of the editor's by REST; its ref."""
        return f"posts/{self.site.post(**fields)['id']}"

    def read(self, path: str, **query: Any) -> Any:
        """What WordPress's REST API tells the editor."""
        with self.site.api("editor") as api:
            return api.get(f"/wp/v2/{path}", params={"context": "edit"} | query).raise_for_status().json()

    def image(self, ref: str) -> Any:
        """The featured image of a post."""
        return self.read(f"media/{self.read(ref)['featured_media']}")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with paired(request.param, tmp_path_factory.mktemp("service")) as (service, site):
        yield Pair(service, site)


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A window of somebody who is logged in nowhere; an error in a script fails the test."""
    with browser.new_context(viewport={"width": 1280, "height": 1000}) as context:
        problems: list[str] = []
        context.on("weberror", lambda problem: problems.append(str(problem.error)))
        yield context.new_page()
    assert problems == []


@pytest.fixture(scope="module")
def walked(pair: Pair, browser: Browser) -> str:
    """The journey itself: one writes and publishes in the block editor, another decides at the desk; the post's ref."""
    with browser.new_context() as author:
        enter_wordpress(written := author.new_page(), pair.site, "editor")
        ref = f"posts/{write_post(written, pair.site, TITLE, TEXT)}"
    with browser.new_context() as editor:
        enter_desk(desk := editor.new_page(), pair.service.url, EDITOR, PASSWORD)
        desk.get_by_role("link", name=TITLE).click(timeout=WAIT)
        desk.get_by_label("Alt text").fill(ALT)
        desk.get_by_role("button", name="Approve").click()
        desk.get_by_role("link", name="Go back to it").click()
        expect(desk.get_by_role("status").filter(has_text="The picture is on the entry.")).to_be_visible(timeout=WAIT)
    return ref


@in_every_version
def test_an_approved_picture_is_on_the_article_with_the_editors_alt_text(pair: Pair, walked: str) -> None:
    assert pair.image(walked)["alt_text"] == ALT


@in_every_version
def test_the_picture_that_wordpress_serves_has_the_size_of_the_slot(pair: Pair, walked: str) -> None:
    answer = httpx.get(pair.image(walked)["source_url"]).raise_for_status()
    picture = Image.open(io.BytesIO(answer.content))
    picture.load()
    assert (picture.format, picture.size, answer.headers["content-type"]) == ("WEBP", (1600, 900), "image/webp")


@in_every_version
def test_the_file_still_says_that_it_was_made_by_a_machine(pair: Pair, walked: str) -> None:
    answer = httpx.get(pair.image(walked)["source_url"]).raise_for_status()
    said = re.findall(rb"DigitalSourceType>([^<]+)<", Image.open(io.BytesIO(answer.content)).info["xmp"])
    assert said == [b"http://cv.iptc.org/newscodes/digitalsourcetype/algorithmicMedia"]


@in_every_version
def test_nothing_else_of_the_article_has_changed(pair: Pair, walked: str) -> None:
    post = pair.read(walked)
    assert (post["status"], post["title"]["raw"]) == ("publish", TITLE)
    assert TEXT in post["content"]["raw"]


@in_every_version
def test_readers_see_the_picture(pair: Pair, walked: str) -> None:
    html = httpx.get(pair.read(walked)["link"]).raise_for_status().text
    assert re.findall(r'<img [^>]*alt="([^"]*)"', html) == [ALT]


@in_every_version
def test_one_article_is_one_picture(pair: Pair, walked: str) -> None:
    queued = pair.service.deliveries(walked).count("queued")
    assert (queued, len(pair.service.illustrations(walked))) == (1, 1)


@in_every_version
def test_our_own_write_is_not_told_back(pair: Pair, walked: str) -> None:
    assert pair.service.deliveries(walked, since=pair.service.written(walked)) == []


@in_the_newest
def test_an_article_that_is_published_again_keeps_its_picture(pair: Pair) -> None:
    ref = pair.post(title="A Second Edition", status="publish")
    pair.service.approve(ref)
    before = pair.service.reach(ref, "published")
    with pair.site.api("editor") as api:
        for status in ("draft", "publish"):
            api.post(f"/wp/v2/{ref}", json={"status": status}).raise_for_status()
    assert pair.service.deliveries(ref) == ["queued", "ignored", "coalesced"]
    assert pair.service.illustrations(ref) == [before]


@in_the_newest
def test_a_draft_stays_a_draft(pair: Pair) -> None:
    ref = pair.post(title="Not Yet", status="draft")
    pair.service.approve(ref)
    pair.service.reach(ref, "published")
    assert (pair.read(ref)["status"], pair.image(ref)["post"]) == ("draft", int(ref.removeprefix("posts/")))


@in_the_newest
def test_a_wordpress_that_was_down_gets_the_picture_once(pair: Pair) -> None:
    ref = pair.post(title="Power Cut on the Quay", status="publish")
    pair.service.reach(ref, "in_review")
    with switched_off(pair.site):
        pair.service.approve(ref)
        until(lambda: pair.service.stumbled("publish"), "a write-back that found nobody")
    pair.service.reach(ref, "published")
    attached = pair.read("media", parent=ref.removeprefix("posts/"))
    assert [media["id"] for media in attached] == [pair.read(ref)["featured_media"]]


@contextmanager
def switched_off(site: WordPress) -> Iterator[None]:
    """A power cut: the server is killed, and comes back afterwards."""
    site.stop()
    try:
        yield
    finally:
        site.start()


@in_the_newest
def test_approved_in_the_block_editor_the_picture_appears_there(pair: Pair, page: Page) -> None:
    ref = pair.post(title="The Clock in the Market Hall", status="publish")
    pair.service.reach(ref, "in_review")
    enter_wordpress(page, pair.site, "editor")
    panel = open_panel(page, pair.site, int(ref.removeprefix("posts/")))
    expect(panel.get_by_role("status")).to_have_text("The picture is ready for your decision.", timeout=WAIT)
    expect(panel.get_by_role("radio", name="Picture 1").locator("img")).to_be_visible(timeout=WAIT)
    panel.get_by_role("button", name="Approve").click()
    expect(panel.get_by_role("status")).to_have_text("The picture is on this post.", timeout=WAIT)
    expect(page.locator(".editor-post-featured-image img")).to_be_visible(timeout=WAIT)
    shown = page.evaluate("wp.data.select('core/editor').getEditedPostAttribute('featured_media')")
    assert shown == pair.read(ref)["featured_media"] > 0


@in_the_newest
def test_regenerate_in_the_block_editor_draws_a_second_picture(pair: Pair, page: Page) -> None:
    ref = pair.post(title="Two Sketches of a Bridge", status="publish")
    pair.service.reach(ref, "in_review")
    enter_wordpress(page, pair.site, "editor")
    panel = open_panel(page, pair.site, int(ref.removeprefix("posts/")))
    panel.get_by_role("button", name="Regenerate").click(timeout=WAIT)
    expect(panel.get_by_role("radio", name="Picture 2").locator("img")).to_be_visible(timeout=WAIT)
    first, second = pair.service.reach(ref, "in_review")["candidates"]
    assert first["seed"] != second["seed"]


@in_the_newest
def test_the_token_never_reaches_a_browser(pair: Pair, browser: Browser, tmp_path: Path) -> None:
    ref = pair.post(title="What the Browser May Know", status="publish")
    pair.service.reach(ref, "in_review")
    with browser.new_context(record_har_path=tmp_path / "all.har", record_har_content="embed") as context:
        enter_wordpress(page := context.new_page(), pair.site, "admin")
        page.goto(f"{pair.site.url}/wp-admin/options-general.php?page=frontispiece", timeout=WAIT)
        panel = open_panel(page, pair.site, int(ref.removeprefix("posts/")))
        panel.get_by_role("button", name="Approve").click(timeout=WAIT)
        expect(panel.get_by_role("status")).to_have_text("The picture is on this post.", timeout=WAIT)
    received = bodies(tmp_path / "all.har")
    assert any("/frontispiece/v1/posts/" in url and b'"in_review"' in body for url, body in received)
    assert [url for url, body in received if pair.service.token.encode() in body] == []


def bodies(har: Path) -> list[tuple[str, bytes]]:
    """Every answer that a browser got: its address, and its headers and body as bytes."""
    found = []
    for one in json.loads(har.read_text("utf8"))["log"]["entries"]:
        content = one["response"]["content"]
        text = content.get("text", "")
        body = base64.b64decode(text) if content.get("encoding") == "base64" else text.encode()
        found.append((one["request"]["url"], json.dumps(one["response"]["headers"]).encode() + body))
    return found


@in_the_newest
def test_the_settings_page_says_in_words_that_a_test_delivery_arrived(pair: Pair, page: Page) -> None:
    enter_wordpress(page, pair.site, "admin")
    page.goto(f"{pair.site.url}/wp-admin/options-general.php?page=frontispiece", timeout=WAIT)
    page.get_by_role("button", name="Send a test delivery").click()
    told = page.locator(".notice-success")
    expect(told).to_have_text(["The service took the test delivery.", "The service accepts the API token."])


@in_the_newest
def test_the_doctor_finds_a_fresh_connection_healthy(pair: Pair) -> None:
    said = [line.strip() for line in pair.service.command("doctor", "blog").splitlines()]
    assert said[1:4] == [
        "user frontispiece is accepted and may upload pictures and set them",
        "the Frontispiece plugin is active",
        "a test picture was uploaded with its alt text; it was removed again",
    ]
    assert said[4].startswith("the clocks are ")


def test_the_zip_can_be_uploaded_as_the_guide_says(page: Page, tmp_path: Path) -> None:
    site = WordPress(NEWEST, tmp_path)
    shutil.rmtree(site.folder / "wp-content/plugins/frontispiece")
    archive = tmp_path / "frontispiece-wordpress.zip"
    subprocess.run([sys.executable, ROOT / "scripts/zip_folder.py", PLUGIN, archive], check=True)
    with switched_on(site):
        enter_wordpress(page, site, "admin")
        page.goto(f"{site.url}/wp-admin/plugin-install.php?tab=upload", timeout=WAIT)
        page.get_by_label("Plugin zip file").set_input_files(archive)
        page.get_by_role("button", name="Install Now").click()
        page.get_by_role("link", name="Activate Plugin").click(timeout=WAIT)
        page.goto(f"{site.url}/wp-admin/options-general.php?page=frontispiece", timeout=WAIT)
        expect(page.get_by_role("button", name="Send a test delivery")).to_be_visible()


@contextmanager
def switched_on(site: WordPress) -> Iterator[None]:
    """Runs a WordPress that knows no service."""
    site.start()
    try:
        yield
    finally:
        site.stop()
