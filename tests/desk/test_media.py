"""Pictures at the desk: candidates cut as the site will get them, and the image that an entry has now."""

import io
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from desk.furnish import Web, entry, picture
from PIL import Image, ImageChops, ImageStat

from frontispiece import images
from frontispiece.cms import Current


class Site(BaseHTTPRequestHandler):
    """A CMS that has one picture, a page, and an address that leads elsewhere."""

    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        data, kind = (picture(4, 320, 180), "image/png") if self.path == "/a.png" else (b"<p>no</p>", "text/html")
        self.send_response(302 if self.path == "/elsewhere" else 200)
        self.send_header("Content-Type", kind)
        self.send_header("Location", "/a.png")
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def site() -> Iterator[tuple[str, list[str]]]:
    asked: list[str] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Asked", (Site,), {"asked": asked}))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    thread.join()
    server.server_close()


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("RGB")


def at_site(web: Web, url: str, image: str, number: int = 1) -> str:
    """An illustration of an entry that has this image at a site of this address; where the desk shows it."""
    settings = web.house.settings
    theirs = {name: row.model_copy(update={"url": url}) for name, row in settings.sites.items()}
    web.house.settings = settings.model_copy(update={"sites": theirs})
    told = replace(entry(number), image=Current("7", image))
    return f"/media/current/{web.illustration(number=number, told=told)}"


@pytest.mark.parametrize(("slot", "size"), [("hero", (640, 360)), ("social", (640, 336)), ("listing", (640, 640))])
def test_a_cut_has_the_ratio_of_its_slot(web: Web, slot: str, size: tuple[int, int]) -> None:
    web.illustration(data=picture(2, 1600, 900))
    answer = web.browser("viewer").get(f"/media/1?slot={slot}")
    assert (opened(answer.data).size, answer.mimetype) == (size, "image/webp")


def test_a_cut_is_what_the_site_will_get(web: Web) -> None:
    data = picture(2, 1600, 900)
    web.illustration(data=data)
    cut = opened(web.browser().get("/media/1?slot=listing&focal=0.9,0.5").data)
    sent = images.finish(data, width=1200, height=1200, format="png", max_bytes=0, facts=None, focal=(0.9, 0.5))
    theirs = opened(sent.data).resize(cut.size)
    assert max(ImageStat.Stat(ImageChops.difference(cut, theirs)).mean) < 3


def test_another_focal_point_is_another_cut(web: Web) -> None:
    web.illustration(data=picture(2, 1600, 900))
    browser = web.browser()
    left, right = (browser.get(f"/media/1?slot=listing&focal={at},0.5") for at in (0, 1))
    assert left.data != right.data
    assert left.headers["ETag"] != right.headers["ETag"]


@pytest.mark.parametrize(
    "query", ["slot=nonsense", "slot=hero&focal=2,0", "slot=hero&focal=nan,0", "slot=hero&focal=1"]
)
def test_a_cut_that_there_is_not_is_refused(web: Web, query: str) -> None:
    web.illustration()
    assert web.browser().get(f"/media/1?{query}").status_code == 400


def test_a_browser_that_has_a_cut_is_not_sent_it_again(web: Web) -> None:
    web.illustration()
    browser = web.browser()
    tag = browser.get("/media/1?slot=hero").headers["ETag"]
    assert browser.get("/media/1?slot=hero", headers={"If-None-Match": tag}).status_code == 304


def test_the_image_of_the_site_is_shown_as_a_small_copy(web: Web, site: tuple[str, list[str]]) -> None:
    url, asked = site
    path, browser = at_site(web, url, f"{url}/a.png"), web.browser("viewer")
    answers = [browser.get(path) for _ in range(2)]
    assert [opened(answer.data).size for answer in answers] == [(320, 180)] * 2
    assert asked == ["/a.png"]


def test_an_address_below_the_site_is_found(web: Web, site: tuple[str, list[str]]) -> None:
    assert web.browser().get(at_site(web, site[0], "/a.png")).status_code == 200


@pytest.mark.parametrize("path", ["/page", "/elsewhere"])
def test_what_is_no_picture_is_not_shown_and_not_followed(web: Web, site: tuple[str, list[str]], path: str) -> None:
    answer = web.browser().get(at_site(web, site[0], site[0] + path))
    assert answer.status_code == 404
    assert site[1] == [path]


def test_a_private_address_other_than_the_sites_own_is_not_asked(web: Web, site: tuple[str, list[str]]) -> None:
    answer = web.browser().get(at_site(web, "https://cms.example", f"{site[0]}/a.png"))
    assert (answer.status_code, site[1]) == (404, [])
    assert "private address" in answer.text


@pytest.mark.parametrize("address", ["http://[", "file:///etc/passwd", "ftp://127.0.0.1/a.png", "javascript:1", "//"])
def test_what_is_no_web_address_is_not_asked(web: Web, address: str) -> None:
    answer = web.browser().get(at_site(web, "http://127.0.0.1:9", address))
    assert answer.status_code == 404
    assert answer.cache_control.max_age == 300


def test_an_entry_without_an_image_has_none_to_show(web: Web) -> None:
    assert web.browser().get(f"/media/current/{web.illustration()}").status_code == 204
