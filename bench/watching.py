"""How long somebody at the keyboard waits in a browser for the next picture after a decision, for `full_desk.py`."""

import logging
import statistics
from collections.abc import Iterator

from desk.browsing import serving
from desk.furnish import Web
from playwright.sync_api import Page
from servers.browsing import chromium
from sqlalchemy import func, select

from frontispiece.models import Review

DECISIONS = 100
LIMIT = 0.15  # seconds from the key to the picture, the target
THOUGHT = 1_500  # milliseconds for which each picture is looked at; a hundred in ten minutes have six thousand
KEYS = (("a",), ("a",), ("a",), ("a",), ("r", "Enter"))  # every fifth is rejected

# Notes when a key was pressed and when the picture after it was painted: loaded, decoded, and a frame later. The times
# lie in the session's storage, as the next picture may be on another page.
SCRIPT = """
const now = () => performance.timeOrigin + performance.now();
const shown = () => [...document.querySelectorAll(".large figure img")].find((image) => image.offsetParent);
const read = (name, other) => JSON.parse(sessionStorage.getItem(name) ?? other);
function look() {
  const mark = read("mark", "null");
  const image = shown();
  if (!mark) return;
  const there = image?.complete && image.naturalWidth && image.currentSrc !== mark.before;
  if (!there) return requestAnimationFrame(look);
  sessionStorage.removeItem("mark");
  image.decode().then(() => requestAnimationFrame(() => setTimeout(() =>
    sessionStorage.setItem("times", JSON.stringify([...read("times", "[]"), now() - mark.at])))));
}
addEventListener("keydown", (event) => {
  if (event.key !== "a" && event.key !== "Enter") return;
  sessionStorage.setItem("mark", JSON.stringify({ at: now(), before: shown()?.currentSrc ?? "" }));
  requestAnimationFrame(look);
}, true);
addEventListener("DOMContentLoaded", look);
"""


def watch(desk: Web) -> list[str]:
    """Decides a hundred illustrations by keyboard alone; prints what it took, and says what missed the target."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    before = _reviews(desk)
    with serving(desk) as url, chromium() as browser:
        context = browser.new_context(base_url=url, viewport={"width": 1280, "height": 800})
        context.add_cookies([{"name": "frontispiece", "value": desk.login(), "url": url}])
        context.add_init_script(SCRIPT)
        page = context.new_page()
        page.goto("/desk", wait_until="load")
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        page.wait_for_url("**/desk/*", wait_until="load")
        page.evaluate("sessionStorage.clear()")
        pressed = sum(_decide(page))
        times = [float(one) / 1000 for one in page.evaluate("JSON.parse(sessionStorage.getItem('times'))")]
        page.wait_for_load_state("networkidle")
        context.close()
    decided = _reviews(desk) - before
    middle, late = statistics.median(times), statistics.quantiles(times, n=20)[-1]
    print(
        f"\nin Chromium: {decided} decided with {pressed} keys; to the next picture {middle * 1000:.0f} ms (median), "
        f"{late * 1000:.0f} ms (p95), {max(times) * 1000:.0f} ms (most)"
    )
    missed = {"Chromium, median": middle > LIMIT, "Chromium, p95": late > LIMIT, "decisions": decided != DECISIONS}
    return [name for name, is_missed in missed.items() if is_missed]


def _decide(page: Page) -> Iterator[int]:
    """Decides picture after picture; how many keys each took."""
    for number in range(DECISIONS):
        page.wait_for_timeout(THOUGHT)
        for key in KEYS[number % len(KEYS)]:
            page.keyboard.press(key)
        page.wait_for_function("many => JSON.parse(sessionStorage.getItem('times') ?? '[]').length > many", arg=number)
        yield len(KEYS[number % len(KEYS)])


def _reviews(desk: Web) -> int:
    with desk.house.database.read() as session:
        return session.scalar(select(func.count()).select_from(Review)) or 0
