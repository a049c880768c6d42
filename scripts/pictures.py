"""Takes the screenshots in docs/pictures: the desk with the demo's newspaper, the panel in a real WordPress's editor.

PYTHONPATH=tests python scripts/pictures.py          # needs what `make test-real` needs: PHP, Chromium, npm
PYTHONPATH=tests python scripts/pictures.py desk     # only those of the desk, with Chromium alone
"""

import io
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, ViewportSize, expect
from servers.browsing import WAIT, chromium, enter_desk, enter_wordpress, open_panel
from servers.demo import Demo, demo
from servers.frontispiece import paired
from servers.wordpress import SUITES

from frontispiece.demo import stories

FOLDER = Path(__file__).parents[1] / "docs/pictures"
WINDOW: ViewportSize = {"width": 1280, "height": 800}  # pixels
LIMIT = 200_000  # bytes of a picture
SEEN = "(one) => one.getAttribute('src') && one.checkVisibility() && one.getBoundingClientRect().top < innerHeight"
LOADED = f"Promise.all([...document.images].filter({SEEN}).map((one) => one.decode()))"
PHONE: ViewportSize = {"width": 390, "height": 844}
SHOWN = "Honey from the Roof of the Opera House"
WRITTEN = stories.SUGGESTIONS[0]  # the post in WordPress


def main() -> None:
    """Takes all of them anew, or those that are asked for."""
    wanted = sys.argv[1:] or ["desk", "panel"]
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="pictures-") as work, chromium() as browser:
        if "desk" in wanted:
            desk(browser, Path(work) / "demo")
        if "panel" in wanted:
            panel(browser, Path(work))


def desk(browser: Browser, folder: Path) -> None:
    """The queue, one picture that waits by day and by night, how it is changed, on a phone; and the board."""
    with demo(folder) as running:
        page = entered(browser, running, WINDOW)
        keep(page, "queue")
        again(page)
        judging(page)
        phone = entered(browser, running, PHONE)
        open_one(phone)
        keep(phone, "phone")
        phone.close()
        decide(page, running)
        page.goto(running.desk.replace("/desk", "/board"))
        keep(page, "board")
        page.close()


def entered(browser: Browser, running: Demo, window: ViewportSize) -> Page:
    """The queue with all that waits in it, in a window of its own."""
    fine = 2 if window is PHONE else 1
    page = browser.new_page(
        viewport=window, color_scheme="light", reduced_motion="reduce", locale="en", device_scale_factor=fine
    )
    enter_desk(page, running.desk.removesuffix("/desk"), running.name, running.password)
    expect(page.locator(".tile img")).to_have_count(len(stories.TODAY), timeout=WAIT)
    return page


def open_one(page: Page) -> None:
    page.get_by_role("link", name=SHOWN).click()
    page.wait_for_url("**/desk/*")  # and until its keys work


def again(page: Page) -> None:
    """Has another picture drawn, so that there are two to choose from."""
    open_one(page)
    page.keyboard.press("g")
    expect(page.get_by_text(f"“{SHOWN}” is being drawn")).to_be_visible(timeout=WAIT)
    page.keyboard.press("q")
    expect(page.get_by_text("2 pictures")).to_be_visible(timeout=WAIT)


def judging(page: Page) -> None:
    """The page on which one decides."""
    open_one(page)
    keep(page, "desk")
    page.emulate_media(color_scheme="dark")
    keep(page, "desk-dark")
    page.emulate_media(color_scheme="light")
    page.get_by_text("Badly cropped").first.click()
    page.get_by_text("Looks artificial").first.click()
    expect(page.locator("#preview ins").first).to_be_visible(timeout=WAIT)
    page.locator("fieldset.wrong").evaluate("(one) => one.scrollIntoView()")
    keep(page, "change")
    page.goto(page.url.split("?")[0])
    page.keyboard.press("p")
    keep(page, "places")


def decide(page: Page, running: Demo) -> None:
    """All but two are decided, so that the board has something to tell."""
    page.goto(running.desk)
    for keys in ("ja", "a", "a", "a", "a", "a", "r", "g"):
        for key in keys:
            page.keyboard.press(key)
        if keys == "r":
            page.locator("#bulk").get_by_label("Wrong subject").check()
            page.locator("#bulk-reason").press("Enter")
        expect(page.locator(".going")).to_have_count(0, timeout=WAIT)
    page.goto(f"{running.desk}?tab=published")
    expect(page.locator(".state.published")).to_have_count(6, timeout=WAIT)


def panel(browser: Browser, folder: Path) -> None:
    """The post in WordPress's editor, with its picture and the buttons beside it."""
    blocks = (f"<!-- wp:paragraph --><p>{text}</p><!-- /wp:paragraph -->" for text in WRITTEN["body"].split("\n\n"))
    with paired(SUITES[-1], folder) as (service, site):
        site.php("update_option('show_avatars', 0);")  # they would come from gravatar.com
        post = site.post(title=WRITTEN["title"], content="".join(blocks), status="publish")
        service.reach(f"posts/{post['id']}", "in_review")
        page = browser.new_page(viewport=WINDOW, color_scheme="light", reduced_motion="reduce")
        enter_wordpress(page, site, "editor")
        ours = open_panel(page, site, post["id"])
        expect(ours.get_by_role("radio", name="Picture 1").locator("img")).to_be_visible(timeout=WAIT)
        ours.get_by_role("button", name="Approve").scroll_into_view_if_needed()
        keep(page, "wordpress-panel")
        page.close()


def keep(page: Page, name: str) -> None:
    """Waits until all pictures are there, and writes what one sees with as many colours as the limit allows."""
    page.mouse.move(4, 400)  # over nothing that would answer
    page.evaluate("document.activeElement.blur()")
    page.evaluate(LOADED)
    shot = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    for colours in (256, 128, 64, 32):
        out = io.BytesIO()
        shot.quantize(colours, kmeans=2, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
        if out.tell() < LIMIT:
            break
    (FOLDER / f"{name}.png").write_bytes(out.getvalue())
    print(f"{FOLDER / name}.png: {out.tell() // 1000} kB, {colours} colours")


if __name__ == "__main__":
    main()
