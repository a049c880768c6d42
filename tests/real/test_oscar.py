"""What is particular to a real django-oscar: galleries, variants, rights, what is told and what is not."""

import io
import subprocess
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image
from servers.oscar import PRODUCTS, Server
from servers.oscar_shop import environment
from servers.oscar_shop import shop as installed_shop
from servers.recorder import Recorder, recording

from frontispiece.cms import Adapter, CmsProblem, Conflict, Delivery, Event, EventKind, Picture

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]


KINDS: tuple[EventKind, ...] = ("created", "updated", "published", "deleted")


@pytest.fixture(scope="module")
def service() -> Iterator[Recorder]:
    with recording() as recorder:
        yield recorder


@pytest.fixture(scope="module")
def shop(service: Recorder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    made = Server(tmp_path_factory.mktemp("oscar"))
    try:
        made.start()
        made.hook(f"{service.url}/hooks/shop")
        yield made
    finally:
        made.stop()


@pytest.fixture
def adapter(shop: Server) -> Adapter:
    return shop.adapter()


def drawing(kind: str = "webp", **options: Any) -> bytes:
    file = io.BytesIO()
    Image.effect_noise((320, 180), 90).convert("RGB").save(file, kind, **options)
    return file.getvalue()


def picture(data: bytes | None = None, kind: str = "webp") -> Picture:
    data = drawing(kind) if data is None else data
    return Picture(f"frontispiece-1.{kind}", f"image/{kind}", data, 320, 180, alt="A boat leaves the harbour")


def gallery(shop: Server, ref: str) -> list[str]:
    return [str(image["id"]) for image in shop.product(ref)["images"]]


def with_photos(shop: Server, count: int) -> str:
    """A product to which an editor gave so many pictures."""
    ref = shop.create("published")
    for number in range(count):
        form = {f"images-{number}-original": ("photo.png", drawing("png"), "image/png")}
        shop.submit(f"{PRODUCTS}/{ref}/", files=form)
    return ref


def told_until(adapter: Adapter, shop: Server, service: Recorder) -> list[Event]:
    """All that the shop told until now."""
    marker, found = Event("created", shop.create("draft")), list[Event]()
    while marker not in found:
        request = service.take()
        found += adapter.events(Delivery(request.headers, request.body))
    return found[:-1]


def test_the_pictures_of_an_editor_stay_behind_ours_in_their_order(
    shop: Server, adapter: Adapter, api: httpx.Client
) -> None:
    ref = with_photos(shop, 3)
    theirs = gallery(shop, ref)
    receipt = adapter.attach(api, adapter.fetch(api, ref), picture())
    assert gallery(shop, ref) == [receipt.media_id, *theirs]


def test_a_revert_leaves_the_gallery_as_it_was(shop: Server, adapter: Adapter, api: httpx.Client) -> None:
    ref = with_photos(shop, 3)
    before = shop.product(ref)["images"]
    adapter.revert(api, ref, adapter.attach(api, adapter.fetch(api, ref), picture()))
    assert shop.product(ref)["images"] == before


def test_photos_are_handed_over_and_our_own_picture_is_not(shop: Server, adapter: Adapter, api: httpx.Client) -> None:
    ref = with_photos(shop, 2)
    adapter.attach(api, adapter.fetch(api, ref), picture())
    photos = adapter.fetch(api, ref).photos
    assert [httpx.get(url).status_code for url in photos] == [200, 200]


def test_a_picture_that_an_editor_moved_back_is_not_put_first_again(
    shop: Server, adapter: Adapter, api: httpx.Client
) -> None:
    ref, shown = with_photos(shop, 1), picture()
    entry = adapter.fetch(api, ref)
    adapter.attach(api, entry, shown)
    shop.submit(f"{PRODUCTS}/{ref}/", **{"images-0-display_order": "1", "images-1-display_order": "0"})
    moved = gallery(shop, ref)
    with pytest.raises(Conflict, match="not where Frontispiece put it"):
        adapter.attach(api, entry, shown)
    assert gallery(shop, ref) == moved


def test_nothing_but_the_images_changes(shop: Server, adapter: Adapter, api: httpx.Client) -> None:
    ref = shop.create("published")
    before = shop.product(ref)
    adapter.attach(api, adapter.fetch(api, ref), picture())
    assert shop.product(ref) | {"images": []} == before


def test_the_shop_serves_the_very_bytes(shop: Server, adapter: Adapter, api: httpx.Client) -> None:
    shown = picture(drawing("jpeg", exif=b"Exif\x00\x00our metadata"), "jpeg")
    receipt = adapter.attach(api, adapter.fetch(api, shop.create("published")), shown)
    assert httpx.get(receipt.url).content == shown.data


def test_a_visitor_sees_the_picture(shop: Server, adapter: Adapter, api: httpx.Client) -> None:
    entry = adapter.fetch(api, shop.create("published"))
    adapter.attach(api, entry, picture())
    page = httpx.get(entry.url).raise_for_status().text
    assert "cache/" in page.split('id="product_gallery"')[1].split("</div>")[0]


@pytest.mark.parametrize("kind", ["webp", "jpeg"])
def test_half_a_picture_is_refused_for_good(shop: Server, adapter: Adapter, api: httpx.Client, kind: str) -> None:
    whole = drawing(kind)
    entry = adapter.fetch(api, shop.create("published"))
    with pytest.raises(CmsProblem, match="answered 400") as caught:
        adapter.attach(api, entry, picture(whole[: len(whole) // 2], kind))
    assert (caught.value.retry, shop.image(entry.ref)) == (False, "")


def test_our_write_tells_nothing(shop: Server, adapter: Adapter, api: httpx.Client, service: Recorder) -> None:
    entry = adapter.fetch(api, shop.create("published"))
    told_until(adapter, shop, service)
    receipt = adapter.attach(api, entry, picture())
    adapter.revert(api, entry.ref, receipt)
    assert told_until(adapter, shop, service) == []


def test_each_act_in_the_dashboard_is_told_once(shop: Server, adapter: Adapter, service: Recorder) -> None:
    told_until(adapter, shop, service)
    ref = shop.create("draft")
    shop.rename(ref, "A night at sea")
    shop.submit(f"{PRODUCTS}/{ref}/", is_public="on")
    shop.delete(ref)
    found = told_until(adapter, shop, service)
    assert sorted(found, key=str) == sorted((Event(kind, ref) for kind in KINDS), key=str)


def test_a_product_made_through_the_api_is_told_once(shop: Server, adapter: Adapter, service: Recorder) -> None:
    told_until(adapter, shop, service)
    made = shop.oscarapi.post("/admin/products/", json={"title": "Oars", "slug": "oars", "product_class": "books"})
    assert told_until(adapter, shop, service) == [Event("published", str(made.raise_for_status().json()["id"]))]


def test_what_changes_nothing_that_we_use_is_not_told(shop: Server, adapter: Adapter, service: Recorder) -> None:
    ref = shop.create("published")
    told_until(adapter, shop, service)
    shop.oscarapi.patch(f"/admin/products/{ref}/", json={"priority": 3}).raise_for_status()
    shop.set_image(ref, drawing("png"))
    assert told_until(adapter, shop, service) == []


def test_a_variant_is_neither_told_nor_missed(
    shop: Server, adapter: Adapter, api: httpx.Client, service: Recorder
) -> None:
    parent = shop.create("published")
    since = datetime.fromisoformat(shop.product(parent)["date_updated"])
    told_until(adapter, shop, service)
    answer = shop.submit(f"{PRODUCTS}/{parent}/create-variant/", title="Large", is_public="on", action="continue")
    child = str(answer.url).rstrip("/").rsplit("/", 1)[1]
    assert child not in {event.ref for event in told_until(adapter, shop, service)}
    assert child not in {event.ref for event in adapter.recent(api, since)}


def test_recent_goes_through_all_pages(shop: Server, adapter: Adapter, api: httpx.Client) -> None:
    """The shop gives a hundred at a time."""
    since = datetime.fromisoformat(shop.product(shop.create("draft"))["date_updated"])
    made = [shop.oscarapi.post("/admin/products/", json=named(number)).json()["id"] for number in range(101)]
    found = [event.ref for event in adapter.recent(api, since)][1:]  # the draft itself is the first
    assert found == [str(number) for number in made]


def named(number: int) -> dict[str, Any]:
    return {"title": f"Oar {number}", "slug": f"oar-{number}", "product_class": "books"}


def test_an_attribute_keeps_a_product_without_a_picture(shop: Server, adapter: Adapter, api: httpx.Client) -> None:
    ref = shop.create("published")
    shop.submit(f"{PRODUCTS}/{ref}/", attr_no_automatic_image="on")
    assert adapter.fetch(api, ref).opted_out


def test_a_user_without_the_rights_is_told_which_they_are(shop: Server) -> None:
    poor = shop.adapter(token=shop.tokens["nobody"])
    with poor.open() as api, pytest.raises(CmsProblem, match="add_productimage"):
        poor.doctor(api)


def test_the_doctor_says_what_the_shop_met_on_its_way_to_us(
    adapter: Adapter, api: httpx.Client, service: Recorder
) -> None:
    service.status, service.words = 401, "the signature does not match"
    try:
        with pytest.raises(CmsProblem, match="401 the signature does not match"):
            adapter.doctor(api)
    finally:
        service.status, service.words = 202, ""
        service.take()


def test_bytes_are_more_than_oscar_s_own_api_takes(shop: Server) -> None:
    """The reason for an address of our own; if this fails, Oscar has learnt it."""
    ref = shop.create("published")
    sent = {"images[0]original": ("a.png", drawing("png"), "image/png")}
    assert shop.oscarapi.patch(f"/admin/products/{ref}/", files=sent).status_code == 500


@pytest.mark.parametrize("secret", ["", "no base64!"])
def test_a_shop_that_could_not_sign_does_not_start(tmp_path: Path, secret: str) -> None:
    told = environment(tmp_path) | {"FRONTISPIECE_HOOK": "https://here/hooks/shop", "FRONTISPIECE_SECRET": secret}
    python = str(installed_shop() / "venv/bin/python")
    done = subprocess.run([python, "-m", "django", "check"], env=told, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "FRONTISPIECE needs" in done.stderr


def test_a_save_succeeds_while_we_are_away(shop: Server, service: Recorder) -> None:
    service.status = 500
    try:
        ref = shop.create("published")
        service.take()
    finally:
        service.status = 202
    assert shop.state(ref) == "published"
