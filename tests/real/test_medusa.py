"""What is particular to Medusa, on a real one: the gallery, variants' images, metadata, and what our plugin sends."""

import io
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
from PIL import Image
from servers.medusa import Server
from servers.recorder import Recorder, recording

from frontispiece.cms import Adapter, CmsProblem, Conflict, Delivery, Entry, Event, Picture, Unavailable

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    made = Server(tmp_path_factory.mktemp("medusa"))
    try:
        made.start()
        yield made
    finally:
        made.stop()


@pytest.fixture
def service(shop: Server) -> Iterator[Recorder]:
    with recording() as recorder:
        shop.hook(f"{recorder.url}/hooks/shop")
        while not recorder.arrived.empty():  # the test delivery
            recorder.take()
        yield recorder


@pytest.fixture
def adapter(shop: Server) -> Adapter:
    return shop.adapter()


def drawing(colour: int, kind: str = "webp") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (64, 36), (colour, 90, 120)).save(file, kind)
    return file.getvalue()


def picture(entry: Entry, **changes: Any) -> Picture:
    usual = Picture(f"frontispiece-{entry.ref[-6:]}.webp", "image/webp", drawing(9), 64, 36, "A chair by the sea")
    return replace(usual, **changes)


def product(shop: Server, adapter: Adapter, api: httpx.Client, **fields: Any) -> Entry:
    return adapter.fetch(api, shop.product("A chair", **fields))


def illustrated(shop: Server, adapter: Adapter, api: httpx.Client, thumbnail: int | None) -> tuple[Entry, list[str]]:
    """A product with three images, one of which may be its thumbnail; the addresses of the three."""
    old = [shop.upload(drawing(number, "png")) for number in range(3)]
    entry = product(shop, adapter, api, images=[{"url": one} for one in old])
    shop.change(entry.ref, thumbnail=None if thumbnail is None else old[thumbnail])
    return adapter.fetch(api, entry.ref), old


def gallery(shop: Server, entry: Entry) -> tuple[str, list[str]]:
    """The thumbnail, and the images in their order."""
    shown = shop.ask("GET", f"/admin/products/{entry.ref}", params={"fields": "thumbnail,images.url,images.rank"})
    images = sorted(shown["product"]["images"], key=lambda image: image["rank"])
    return shop.image(entry.ref), [image["url"] for image in images]


def events(adapter: Adapter, service: Recorder, number: int) -> list[Event]:
    """What the next deliveries say."""
    found: list[Event] = []
    for request in (service.take() for _ in range(number)):
        delivery = Delivery(request.headers, request.body)
        adapter.verify(delivery)
        found += adapter.events(delivery)
    return found


@pytest.mark.parametrize("thumbnail", [0, 2, None])
def test_the_images_stay_and_ours_comes_before_what_it_replaces(
    shop: Server, adapter: Adapter, api: httpx.Client, thumbnail: int | None
) -> None:
    entry, old = illustrated(shop, adapter, api, thumbnail)
    ours, place = adapter.attach(api, entry, picture(entry)).media_id, thumbnail or 0
    assert gallery(shop, entry) == (ours, [*old[:place], ours, *old[place:]])


@pytest.mark.parametrize("thumbnail", [0, 2, None])
def test_a_revert_leaves_the_images_as_they_were(
    shop: Server, adapter: Adapter, api: httpx.Client, thumbnail: int | None
) -> None:
    entry, old = illustrated(shop, adapter, api, thumbnail)
    adapter.attach(api, entry, picture(entry))  # the receipt is lost with the worker
    adapter.revert(api, entry.ref, adapter.attach(api, adapter.fetch(api, entry.ref), picture(entry)))
    assert gallery(shop, entry) == ("" if thumbnail is None else old[thumbnail], old)


def of_variants(shop: Server, entry: Entry, image: str) -> list[bool]:
    """Whether each variant has the image: all have those that are assigned to none."""
    variants = sorted(shop.read(entry.ref)["variants"], key=lambda variant: variant["id"])
    return [image in {one["id"] for one in variant["images"]} for variant in variants]


def test_a_variant_keeps_the_image_that_is_its_own(shop: Server, adapter: Adapter, api: httpx.Client) -> None:
    entry, _ = illustrated(shop, adapter, api, 0)
    before = shop.read(entry.ref)
    image, variant = before["images"][1]["id"], min(one["id"] for one in before["variants"])
    shop.ask("POST", f"/admin/products/{entry.ref}/images/{image}/variants/batch", json={"add": [variant]})
    receipt = adapter.attach(api, entry, picture(entry))
    assert of_variants(shop, entry, image) == [True, False]
    adapter.revert(api, entry.ref, receipt)
    assert of_variants(shop, entry, image) == [True, False]


def test_nothing_but_the_images_and_our_words_changes(shop: Server, adapter: Adapter, api: httpx.Client) -> None:
    entry = product(shop, adapter, api, metadata={"care": "oil once a year"})
    before = shop.read(entry.ref)
    receipt = adapter.attach(api, entry, picture(entry))
    after = shop.read(entry.ref)
    replaced = {"frontispiece_replaced": {"thumbnail": None, "alt": ""}}
    assert after["metadata"] == {"care": "oil once a year", "thumbnail_alt": "A chair by the sea"} | replaced
    assert {name for name in after if after[name] != before[name]} == {"thumbnail", "images", "metadata", "variants"}
    adapter.revert(api, entry.ref, receipt)
    assert shop.read(entry.ref) == before


def test_an_alt_text_that_was_there_comes_back_by_a_revert(shop: Server, adapter: Adapter, api: httpx.Client) -> None:
    entry = product(shop, adapter, api, metadata={"thumbnail_alt": "An oak chair"})
    adapter.revert(api, entry.ref, adapter.attach(api, entry, picture(entry)))
    assert shop.read(entry.ref)["metadata"] == {"thumbnail_alt": "An oak chair"}


def test_options_and_photos_are_read(shop: Server, adapter: Adapter, api: httpx.Client) -> None:
    entry, old = illustrated(shop, adapter, api, 0)
    assert sorted(entry.attributes["Size"].split(", ")) == ["L", "M"]
    assert entry.photos == tuple(old)


def test_a_tag_keeps_a_product_without_a_picture(shop: Server, adapter: Adapter, api: httpx.Client) -> None:
    tag = shop.ask("POST", "/admin/product-tags", json={"value": "no-automatic-image"})["product_tag"]["id"]
    assert product(shop, adapter, api, tags=[{"id": tag}]).opted_out


def test_the_shop_serves_the_very_bytes(shop: Server, adapter: Adapter, api: httpx.Client) -> None:
    entry = product(shop, adapter, api)
    receipt = adapter.attach(api, entry, picture(entry))
    assert httpx.get(receipt.url).content == picture(entry).data


class _AfterUpload(httpx.BaseTransport):
    """Goes through to Medusa; does something as soon as an upload was answered."""

    def __init__(self, then: Callable[[], None]) -> None:
        self.then, self.real = then, httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self.real.handle_request(request)
        if (request.method, request.url.path) == ("POST", "/admin/uploads"):
            answer.read()
            self.then()
        return answer

    def close(self) -> None:
        self.real.close()


def test_an_upload_that_came_too_late_is_removed_again(shop: Server, adapter: Adapter, api: httpx.Client) -> None:
    entry, files = product(shop, adapter, api), shop.folder / "static"
    there = {file.name for file in files.iterdir() if "frontispiece" in file.name}
    late = _AfterUpload(lambda: shop.set_image(entry.ref, drawing(1, "png")))
    with adapter.open(late) as slow, pytest.raises(Conflict):
        adapter.attach(slow, entry, picture(entry))
    assert {file.name for file in files.iterdir() if "frontispiece" in file.name} == there


def test_a_shop_that_ends_after_the_upload_has_one_picture_in_the_end(
    shop: Server, adapter: Adapter, api: httpx.Client
) -> None:
    entry, there = product(shop, adapter, api), shop.pictures()
    with adapter.open(_AfterUpload(shop.stop)) as dying, pytest.raises(Unavailable):
        adapter.attach(dying, entry, picture(entry))
    shop.start()
    receipt = adapter.attach(api, entry, picture(entry))
    assert (shop.image(entry.ref), shop.pictures()) == (receipt.media_id, there + 1)


def test_what_happens_to_a_product_is_told(shop: Server, adapter: Adapter, service: Recorder) -> None:
    ref = shop.create("draft")
    assert events(adapter, service, 1) == [Event("created", ref)]
    shop.change(ref, status="published")
    assert events(adapter, service, 1) == [Event("published", ref), Event("updated", ref)]
    shop.delete(ref)
    assert events(adapter, service, 1) == [Event("deleted", ref)]


def test_our_write_is_told_once_and_shows_our_picture(
    shop: Server, adapter: Adapter, api: httpx.Client, service: Recorder
) -> None:
    entry = product(shop, adapter, api)
    service.take()
    receipt = adapter.attach(api, entry, picture(entry))
    assert {event.ref for event in events(adapter, service, 1)} == {entry.ref}
    marker = shop.create("published")
    assert events(adapter, service, 1) == [Event("published", marker)]
    shown = adapter.fetch(api, entry.ref).image
    assert shown is not None
    assert shown.id == receipt.media_id


def test_a_delivery_that_was_not_taken_comes_again(shop: Server, service: Recorder) -> None:
    service.status = 503
    shop.create("published")
    first = service.take()
    service.status = 202
    again = service.take()
    assert (again.headers.get("webhook-id"), again.body) == (first.headers.get("webhook-id"), first.body)


def test_a_redirect_is_not_followed(shop: Server, service: Recorder) -> None:
    service.status = 302
    shop.create("published")
    first = service.take()
    service.status = 202
    assert service.take().headers.get("webhook-id") == first.headers.get("webhook-id")


def test_connecting_leaves_what_else_the_store_s_metadata_has(
    shop: Server, adapter: Adapter, api: httpx.Client, service: Recorder
) -> None:
    store = shop.ask("GET", "/admin/stores")["stores"][0]
    shop.ask("POST", f"/admin/stores/{store['id']}", json={"metadata": {"opening": "nine"}})
    adapter.connect(api, f"{service.url}/hooks/shop")
    assert shop.ask("GET", "/admin/stores")["stores"][0]["metadata"]["opening"] == "nine"


def test_the_doctor_has_the_shop_send_a_test_delivery(adapter: Adapter, api: httpx.Client, service: Recorder) -> None:
    words = adapter.doctor(api)
    assert any("answered 202" in line for line in words)
    assert events(adapter, service, 1) == [Event("ping", "")]


def test_the_doctor_says_that_the_shop_does_not_reach_us(
    adapter: Adapter, api: httpx.Client, service: Recorder
) -> None:
    service.status = 401
    with pytest.raises(CmsProblem, match="answered 401"):
        adapter.doctor(api)


def test_our_address_in_the_shop_is_for_its_administrators(shop: Server) -> None:
    assert httpx.get(f"{shop.url}/admin/frontispiece").status_code == 401
