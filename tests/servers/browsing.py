"""What people do in a real browser: log in at the desk and at WordPress, write a post, open the editor's panel."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from playwright.sync_api import Browser, FrameLocator, Locator, Page, expect, sync_playwright
from playwright.sync_api import TimeoutError as TooLate
from servers.wordpress import WordPress

WAIT = 60_000  # milliseconds; the block editor is large, and the panel asks again after 3 to 15 seconds
QUIET = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=QUIET.split())
        yield browser
        browser.close()


def enter_desk(page: Page, url: str, name: str, password: str) -> None:
    """Logs in at the desk of the service at `url`; the queue is open afterwards."""
    page.goto(f"{url}/login")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("navigation", name="State")).to_be_visible()


def enter_wordpress(page: Page, site: WordPress, login: str) -> None:
    """Logs in at wp-login.php; once more where the page's own script was quicker than we and emptied a field."""
    for _ in range(3):
        page.goto(f"{site.url}/wp-login.php", timeout=WAIT)
        page.fill("#user_login", login)
        page.fill("#user_pass", "password")
        page.click("#wp-submit")
        with suppress(TooLate):
            page.wait_for_url("**/wp-admin/**", timeout=WAIT / 3)
            return
    raise AssertionError(f"{login} could not log in at {page.url}: {page.inner_text('body')[:300]}")


def write_post(page: Page, site: WordPress, title: str, *paragraphs: str) -> int:
    """Writes and publishes a post in the block editor, key by key; its number."""
    _open(page, f"{site.url}/wp-admin/post-new.php")
    canvas = _canvas(page)
    canvas.get_by_role("textbox", name="Add title").fill(title)
    canvas.get_by_role("textbox", name="Add title").press("Enter")
    for paragraph in paragraphs:
        page.keyboard.type(paragraph)
        page.keyboard.press("Enter")
    page.get_by_role("button", name="Publish", exact=True).click()
    page.get_by_role("region", name="Editor publish").get_by_role("button", name="Publish", exact=True).click()
    expect(page.get_by_text("is now live").first).to_be_visible(timeout=WAIT)
    return int(page.evaluate("wp.data.select('core/editor').getCurrentPostId()"))


def open_panel(page: Page, site: WordPress, number: int) -> Locator:
    """The Frontispiece panel beside this post in the block editor."""
    _open(page, f"{site.url}/wp-admin/post.php?post={number}&action=edit")
    heading = page.get_by_role("button", name="Frontispiece", exact=True)
    if heading.get_attribute("aria-expanded", timeout=WAIT) == "false":
        heading.click()
    return page.locator(".frontispiece-panel")


def _open(page: Page, address: str) -> None:
    page.goto(address, timeout=WAIT)
    page.wait_for_function("window.wp?.data?.select('core/editor')?.getCurrentPostId()", timeout=WAIT)
    page.evaluate("wp.data.dispatch('core/preferences').set('core/edit-post', 'welcomeGuide', false)")


def _canvas(page: Page) -> Page | FrameLocator:
    """Where one writes: a frame of its own, or the page itself, by WordPress's version and theme."""
    framed = page.locator("iframe[name=editor-canvas]")
    framed.or_(page.get_by_role("textbox", name="Add title")).first.wait_for(timeout=WAIT)
    return page.frame_locator("iframe[name=editor-canvas]") if framed.count() else page
