"""Takes the screenshots in docs/pictures: the desk with the demo's newspaper, the panel in a real WordPress's editor.

PYTHONPATH=tests python scripts/pictures.py     # needs what `make test-real` needs: PHP, Chromium, npm
"""

import io
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
from PIL import Image
from playwright.sync_api import Browser, Page, ViewportSize, expect
from servers.browsing import WAIT, chromium, enter_desk, enter_wordpress, open_panel
from servers.database import free_port
from servers.frontispiece import paired
from servers.wordpress import SUITES

from frontispiece.demo import stories

FOLDER = Path(__file__).parents[1] / "docs/pictures"
WINDOW: ViewportSize = {"width": 1280, "height": 800}  # pixels
LIMIT = 200_000  # bytes of a picture
LOADED = "Promise.all([...document.images].filter((one) => one.loading !== 'lazy').map((one) => one.decode()))"
SHOWN = "The Tide Pool Garden Opens Beneath the Old Pier"


def main() -> None:
    """Takes all of them anew."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="pictures-") as work, chromium() as browser:
        desk(browser, Path(work) / "demo")
        panel(browser, Path(work))


def desk(browser: Browser, folder: Path) -> None:
    """The queue, and one picture that waits, by day and by night."""
    with demo(folder) as (service, newsroom):
        for story in written():
            httpx.post(f"{newsroom}/write", data=story | {"act": "publish"})
        password = json.loads((folder / "secrets.json").read_text("utf8"))["password"]
        page = browser.new_page(viewport=WINDOW, color_scheme="light", reduced_motion="reduce")
        enter_desk(page, service, "editor", password)
        expect(page.locator(".tile img")).to_have_count(len(written()), timeout=WAIT)
        keep(page, "queue")
        page.get_by_role("link", name=SHOWN).click()
        page.get_by_role("button", name="Draw another").click()
        page.goto(f"{service}/desk")
        page.get_by_role("link", name=SHOWN).click(timeout=WAIT)
        keep(page, "desk")
        page.emulate_media(color_scheme="dark")
        keep(page, "desk-dark")
        page.close()


def written() -> Sequence[dict[str, str]]:
    """The stories whose pictures wait, in the fields of the newspaper's form."""
    older = [story | {"tags": ", ".join(story["tags"])} for story in stories.OLDER[1:]]
    return [*older, *stories.SUGGESTIONS]


def panel(browser: Browser, folder: Path) -> None:
    """The post in WordPress's editor, with its picture and the buttons beside it."""
    story = next(one for one in stories.SUGGESTIONS if one["title"] == SHOWN)
    blocks = (f"<!-- wp:paragraph --><p>{text}</p><!-- /wp:paragraph -->" for text in story["body"].split("\n\n"))
    with paired(SUITES[-1], folder) as (service, site):
        site.php("update_option('show_avatars', 0);")  # they would come from gravatar.com
        post = site.post(title=story["title"], content="".join(blocks), status="publish")
        service.reach(f"posts/{post['id']}", "in_review")
        page = browser.new_page(viewport=WINDOW, color_scheme="light", reduced_motion="reduce")
        enter_wordpress(page, site, "editor")
        ours = open_panel(page, site, post["id"])
        expect(ours.get_by_role("radio", name="Picture 1").locator("img")).to_be_visible(timeout=WAIT)
        ours.get_by_role("button", name="Approve").scroll_into_view_if_needed()
        keep(page, "wordpress-panel")
        page.close()


@contextmanager
def demo(folder: Path) -> Iterator[tuple[str, str]]:
    """`frontispiece demo` in this folder; the addresses of the service and of the newspaper."""
    port = free_port()
    command = [sys.executable, "-m", "frontispiece", "demo", "--folder", str(folder), "--port", str(port)]
    bare = {name: value for name, value in os.environ.items() if not name.startswith(("FRONTISPIECE_", "BFL_"))}
    process = subprocess.Popen(command, env=bare, process_group=0, stdout=subprocess.PIPE, text=True)  # noqa: S603 - ours
    assert process.stdout is not None
    try:
        newspaper = next(line.split()[-1] for line in process.stdout if line.startswith("  The Gazette "))
        yield f"http://127.0.0.1:{port}", newspaper
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.wait(60)


def keep(page: Page, name: str) -> None:
    """Waits until all pictures are there, and writes what one sees with as many colours as the limit allows."""
    page.mouse.move(640, 790)
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
