"""The halves of WooCommerce's contract that are to be had: PHP signs, and WordPress itself takes the picture."""

import io
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest
from PIL import Image
from servers.wordpress import SUITES, WordPress, running
from servers.wordpress_core import php

from frontispiece import cms
from frontispiece.cms import TEST_PICTURE, Adapter, CmsProblem, Delivery, Entry, Headers, Picture

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]
SIGN = Path(__file__).parents[1] / "servers/woocommerce-files/sign.php"
WooCommerce = cms.load("woocommerce")


def adapter(**keys: Any) -> Adapter:
    facts = {
        "plugin": "woocommerce",
        "url": "http://shop",
        "user": "admin",
        "password": "x",
        "webhook_secret": "a secret of tests",
    }
    return WooCommerce(WooCommerce.Settings.model_validate(facts | keys))


def module() -> ModuleType:
    return sys.modules[WooCommerce.__module__]


@pytest.fixture(scope="module", params=SUITES)
def site(request: pytest.FixtureRequest) -> Iterator[WordPress]:
    with running(request.param, "http://127.0.0.1:9") as wordpress:  # nobody listens: it need not
        yield wordpress


@pytest.fixture
def api(site: WordPress) -> Iterator[httpx.Client]:
    with adapter(url=site.url, user="editor", password=site.passwords["editor"]).open() as client:
        yield client


def picture(data: bytes, **changes: Any) -> Picture:
    return replace(Picture("f-1.webp", "image/webp", data, 640, 360, alt="A boat"), **changes)


def drawing(colour: int) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (640, 360), (colour, 90, 120)).save(file, "webp")
    return file.getvalue()


def entry(site: WordPress) -> Entry:
    """A post in a product's place: the attachment hangs on either."""
    return Entry(ref=str(site.post()["id"]), kind="product", title="A day at sea")


@pytest.mark.parametrize("secret", [WooCommerce.Settings.new_secret(), "letters and digits 123"])
def test_php_signs_as_we_verify(secret: str) -> None:
    body = json.dumps({"id": 7, "name": "Zwölf Boote", "permalink": "http://shop/7/"}, separators=(",", ":"))
    body = body.replace("/", "\\/")
    made = subprocess.run([*php(), str(SIGN), secret], input=body, capture_output=True, text=True, check=True)
    delivery = Delivery(Headers([("X-WC-Webhook-Signature", made.stdout)]), body.encode())
    assert adapter(webhook_secret=secret).verify(delivery) == ""


def test_wordpress_keeps_the_picture_with_its_words_below_the_product(site: WordPress, api: httpx.Client) -> None:
    product = entry(site)
    stored = module().store(api, None, product, picture(drawing(1), alt="A boat", caption="Drawing: A < B"))
    assert (stored["post"], stored["alt_text"]) == (int(product.ref), "A boat")
    assert stored["caption"]["raw"] == "Drawing: A &lt; B"


def test_what_an_earlier_try_has_left_in_wordpress_is_found(site: WordPress, api: httpx.Client) -> None:
    product, shown = entry(site), picture(drawing(2), alt="A boat")
    stored = module().store(api, None, product, shown)
    assert module().uploaded(api, product, shown)["id"] == stored["id"]


def test_the_words_of_an_earlier_try_are_brought_up_to_date(site: WordPress, api: httpx.Client) -> None:
    product = entry(site)
    older, newer = (picture(drawing(3), alt=alt) for alt in ("Older words", "Newer words"))
    stored = module().store(api, None, product, older)
    assert module().store(api, stored, product, newer)["alt_text"] == "Newer words"


def test_another_product_with_the_same_bytes_has_a_picture_of_its_own(site: WordPress, api: httpx.Client) -> None:
    shown = picture(drawing(4), alt="A boat")
    module().store(api, None, entry(site), shown)
    assert module().uploaded(api, entry(site), shown) is None


@pytest.mark.parametrize(
    "data", [drawing(5)[:20], drawing(5)[:-20], b"no picture at all"], ids=["head", "half", "text"]
)
def test_a_broken_picture_is_final_and_leaves_nothing(site: WordPress, api: httpx.Client, data: bytes) -> None:
    product, shown = entry(site), picture(data, alt="A boat")
    with pytest.raises(CmsProblem) as caught:
        module().store(api, None, product, shown)
    assert (caught.value.retry, module().uploaded(api, product, shown)) == (False, None)


def test_the_doctor_s_own_picture_goes_again(api: httpx.Client) -> None:
    files = {"file": ("frontispiece-test.png", TEST_PICTURE.data, "image/png")}
    number = api.post(module().MEDIA, files=files).raise_for_status().json()["id"]
    api.delete(f"{module().MEDIA}/{number}", params={"force": "true"}).raise_for_status()
    assert api.get(f"{module().MEDIA}/{number}").status_code == 404
