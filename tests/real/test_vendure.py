"""What is particular to Vendure, on a real one: gallery, variants, words, focal point, and what our plugin sends."""

import io
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
from PIL import Image
from servers.recorder import Recorder, recording
from servers.vendure import Server

from frontispiece.cms import Adapter, CmsProblem, Conflict, Delivery, Entry, Event, NotAllowed, Picture, Unavailable

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    made = Server(tmp_path_factory.mktemp("vendure"))
    try:
        made.start()
        yield made
    finally:
        made.stop()


@pytest.fixture
def service(shop: Server) -> Iterator[Recorder]:
    with recording() as recorder:
        shop.hook(f"{recorder.url}/hooks/shop")
        yield recorder


@pytest.fixture
def adapter(shop: Server) -> Adapter:
    return shop.adapter()


def drawing(colour: int, kind: str = "webp") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (64, 36), (colour, 90, 120)).save(file, kind)
    return file.getvalue()


def picture(entry: Entry, **changes: Any) -> Picture:
    name = f"frontispiece-{entry.ref}.webp"
    usual = Picture(name, "image/webp", drawing(int(entry.ref)), 64, 36, "A chair by the sea")
    return replace(usual, **changes)


def product(shop: Server, adapter: Adapter, api: httpx.Client, **fields: Any) -> Entry:
    return adapter.fetch(api, shop.product("A chair", **fields))


def gallery(shop: Server, entry: Entry) -> tuple[str, list[str]]:
    """The featured asset, and the gallery in its order."""
    return shop.image(entry.ref), [one["id"] for one in shop.read(entry.ref)["assets"]]


def events(adapter: Adapter, service: Recorder, number: int) -> list[Event]:
    """What the next deliveries say."""
    found: list[Event] = []
    for request in (service.take() for _ in range(number)):
        delivery = Delivery(request.headers, request.body)
        adapter.verify(delivery)
        found += adapter.events(delivery)
    return found


@pytest.mark.parametrize("featured", [0, 1, 2])
def test_the_gallery_stays_and_ours_comes_before_what_it_replaces(
    shop: Server, adapter: Adapter, api: httpx.Client, featured: int
) -> None:
    old = [shop.upload(drawing(number, "png")) for number in range(3)]
    entry = product(shop, adapter, api, assetIds=old, featuredAssetId=old[featured])
    ours = adapter.attach(api, entry, picture(entry)).media_id
    assert gallery(shop, entry) == (ours, [*old[:featured], ours, *old[featured:]])


@pytest.mark.parametrize("featured", [0, 1, 2])
def test_a_revert_leaves_the_gallery_as_it_was(
    shop: Server, adapter: Adapter, api: httpx.Client, featured: int
) -> None:
    old = [shop.upload(drawing(number, "png")) for number in range(3)]
    entry = product(shop, adapter, api, assetIds=old, featuredAssetId=old[featured])
    adapter.attach(api, entry, picture(entry))  # the receipt is lost with the worker
    adapter.revert(api, entry.ref, adapter.attach(api, adapter.fetch(api, entry.ref), picture(entry)))
    assert gallery(shop, entry) == (old[featured], old)


def test_a_gallery_without_a_featured_asset_is_as_before_after_a_revert(
    shop: Server, adapter: Adapter, api: httpx.Client
) -> None:
    old = [shop.upload(drawing(number, "png")) for number in range(2)]
    entry = product(shop, adapter, api, assetIds=old)
    receipt = adapter.attach(api, entry, picture(entry))
    assert gallery(shop, entry) == (receipt.media_id, [*old, receipt.media_id])
    adapter.revert(api, entry.ref, receipt)
    assert gallery(shop, entry) == ("", old)


def test_a_featured_asset_outside_the_gallery_is_not_lost(shop: Server, adapter: Adapter, api: httpx.Client) -> None:
    featured, other = (shop.upload(drawing(number, "png")) for number in range(2))
    entry = product(shop, adapter, api, assetIds=[other], featuredAssetId=featured)
    receipt = adapter.attach(api, entry, picture(entry))
    adapter.revert(api, entry.ref, receipt)
    assert gallery(shop, entry) == (featured, [featured, other])


def test_a_featured_asset_that_was_deleted_cannot_come_back(shop: Server, adapter: Adapter, api: httpx.Client) -> None:
    old = shop.upload(drawing(1, "png"))
    entry = product(shop, adapter, api, assetIds=[old], featuredAssetId=old)
    receipt = adapter.attach(api, entry, picture(entry))
    shop.ask("mutation($id: ID!) { deleteAsset(input: {assetId: $id, force: true}) { result } }", id=old)
    with pytest.raises(CmsProblem, match="was deleted") as caught:
        adapter.revert(api, entry.ref, receipt)
    assert caught.value.retry is False


def test_a_featured_asset_that_a_person_took_away_meanwhile_is_a_conflict(
    shop: Server, adapter: Adapter, api: httpx.Client
) -> None:
    old = shop.upload(drawing(1, "png"))
    entry = product(shop, adapter, api, assetIds=[old], featuredAssetId=old)
    shop.change(entry.ref, assetIds=[])
    with pytest.raises(Conflict):
        adapter.attach(api, entry, picture(entry))


def test_nothing_but_the_images_changes(shop: Server, adapter: Adapter, api: httpx.Client) -> None:
    entry = product(shop, adapter, api, facetValueIds=[_facet(shop, "oak")])
    before = shop.read(entry.ref)
    adapter.attach(api, entry, picture(entry))
    after = shop.read(entry.ref)
    images = ("featuredAsset", "assets")
    assert {name: after[name] for name in after if name not in images} == {
        name: before[name] for name in before if name not in images
    }


def _facet(shop: Server, code: str) -> str:
    """The id of a new facet value."""
    words = [{"languageCode": "en", "name": code.capitalize()}]
    facet = {"isPrivate": False, "translations": [{"languageCode": "en", "name": "Material"}]}
    values = {"values": [{"code": code, "translations": words}]}
    made = shop.ask(
        "mutation($input: CreateFacetInput!) { createFacet(input: $input) { values { id } } }",
        input={"code": f"material-{code}", **facet, **values},
    )
    return str(made["createFacet"]["values"][0]["id"])


def test_facets_are_tags_and_attributes(shop: Server, adapter: Adapter, api: httpx.Client) -> None:
    entry = product(shop, adapter, api, facetValueIds=[_facet(shop, "ash")])
    assert (entry.tags, entry.attributes, entry.opted_out) == (("Ash",), {"Material": "Ash"}, False)


def test_a_facet_value_keeps_a_product_without_a_picture(shop: Server, adapter: Adapter, api: httpx.Client) -> None:
    assert product(shop, adapter, api, facetValueIds=[_facet(shop, "no-automatic-image")]).opted_out


def _variant(shop: Server, ref: str, asset: str) -> None:
    """A variant in the size M, with a photo of its own."""
    name = [{"languageCode": "en", "name": "Size"}]
    size = {"code": "m", "translations": [{"languageCode": "en", "name": "M"}]}
    group = shop.ask(
        "mutation($input: CreateProductOptionGroupInput!) { createProductOptionGroup(input: $input) "
        "{ id options { id } } }",
        input={"code": f"size-{ref}", "translations": name, "options": [size]},
    )["createProductOptionGroup"]
    add = "mutation($p: ID!, $g: ID!) { addOptionGroupToProduct(productId: $p, optionGroupId: $g) { id } }"
    shop.ask(add, p=ref, g=group["id"])
    zone = shop.ask('mutation { createZone(input: {name: "Home"}) { id } }')["createZone"]["id"]
    home = "mutation($z: ID!) { updateChannel(input: {id: 1, defaultTaxZoneId: $z}) { __typename } }"
    shop.ask(home, z=zone)
    tax = shop.ask('mutation { createTaxCategory(input: {name: "Standard", isDefault: true}) { id } }')
    option = {"optionIds": [group["options"][0]["id"]], "taxCategoryId": tax["createTaxCategory"]["id"]}
    shop.ask(
        "mutation($input: [CreateProductVariantInput!]!) { createProductVariants(input: $input) { id } }",
        input=[{"productId": ref, "translations": name, "sku": f"C-{ref}", "assetIds": [asset], **option}],
    )


def test_the_variants_options_and_photos_are_read(shop: Server, adapter: Adapter, api: httpx.Client) -> None:
    mine, theirs = (shop.upload(drawing(number, "png")) for number in (5, 6))
    ref = product(shop, adapter, api, assetIds=[mine]).ref
    _variant(shop, ref, theirs)
    entry = adapter.fetch(api, ref)
    assert entry.attributes == {"Size": "M"}
    assert [httpx.get(photo).status_code for photo in entry.photos] == [200, 200]


def test_the_shop_serves_the_very_bytes(shop: Server, adapter: Adapter, api: httpx.Client) -> None:
    entry = product(shop, adapter, api)
    receipt = adapter.attach(api, entry, picture(entry))
    assert httpx.get(receipt.url).content == picture(entry).data


def asset(shop: Server, number: str) -> dict[str, Any]:
    query = "query($id: ID!) { asset(id: $id) { focalPoint { x y } translations { languageCode name } } }"
    found: dict[str, Any] = shop.ask(query, id=number)["asset"]
    return found


def test_the_focal_point_arrives(shop: Server, adapter: Adapter, api: httpx.Client) -> None:
    entry = product(shop, adapter, api)
    receipt = adapter.attach(api, entry, picture(entry, focal=(0.25, 0.75)))
    assert asset(shop, receipt.media_id)["focalPoint"] == {"x": 0.25, "y": 0.75}


def test_without_a_field_for_it_the_alt_text_is_the_asset_s_name_in_every_language(shop: Server) -> None:
    adapter = shop.adapter(alt_field="")
    words = {"en": "A chair by the sea", "pt-BR": "Uma cadeira à beira-mar"}
    with adapter.open() as api:
        entry = product(shop, adapter, api)
        receipt = adapter.attach(api, entry, picture(entry, alts=words))
    names = {one["languageCode"]: one["name"] for one in asset(shop, receipt.media_id)["translations"]}
    assert names == {"en": "A chair by the sea", "pt_BR": "Uma cadeira à beira-mar"}


def test_a_field_for_the_alt_text_that_the_shop_does_not_have_is_said(shop: Server) -> None:
    wrong = shop.adapter(alt_field="description_of_image")
    with wrong.open() as api, pytest.raises(CmsProblem, match="description_of_image") as caught:
        product(shop, wrong, api)
    assert caught.value.retry is False


@pytest.mark.parametrize(
    ("data", "mime"), [(b"no picture at all", "image/webp"), (drawing(1, "png")[:60], "image/png")], ids=["text", "cut"]
)
def test_bytes_that_are_no_picture_are_final_and_leave_nothing(
    shop: Server, adapter: Adapter, api: httpx.Client, data: bytes, mime: str
) -> None:
    entry, there = product(shop, adapter, api), shop.pictures()
    with pytest.raises(CmsProblem) as caught:
        adapter.attach(api, entry, picture(entry, data=data, mime=mime))
    assert (caught.value.retry, shop.image(entry.ref), shop.pictures()) == (False, "", there)


def test_what_happens_to_a_product_is_told(shop: Server, adapter: Adapter, service: Recorder) -> None:
    ref = shop.create("draft")
    shop.rename(ref, "Another chair")
    shop.change(ref, enabled=True)
    shop.change(ref, enabled=True, translations=[{"languageCode": "en", "name": "A third chair"}])
    shop.delete(ref)
    kinds = [event.kind for event in events(adapter, service, 5)]
    assert sorted(kinds) == ["created", "deleted", "published", "updated", "updated"]


def test_our_own_write_is_not_told(shop: Server, adapter: Adapter, api: httpx.Client, service: Recorder) -> None:
    entry = product(shop, adapter, api)
    adapter.revert(api, entry.ref, adapter.attach(api, entry, picture(entry)))
    marker = shop.create("published")
    assert events(adapter, service, 2) == [Event("published", entry.ref), Event("published", marker)]


def test_a_delivery_that_was_not_taken_comes_again(shop: Server, service: Recorder) -> None:
    service.status = 503
    shop.create("published")
    first = service.take()
    service.status = 202
    again = service.take()
    assert again.headers.get("webhook-id") == first.headers.get("webhook-id")
    assert again.body == first.body


def test_the_doctor_tells_how_the_last_delivery_went(
    shop: Server, adapter: Adapter, api: httpx.Client, service: Recorder
) -> None:
    shop.create("published")
    service.take()
    assert any(f"delivery to {service.url}/hooks/shop" in line for line in adapter.doctor(api))


def test_a_role_without_a_right_is_said(shop: Server) -> None:
    weak = shop.adapter(api_key=shop.key(["ReadCatalog", "ReadAsset"]))
    with weak.open() as api, pytest.raises(NotAllowed):
        weak.doctor(api)


def test_only_our_role_may_say_where_products_are_told(shop: Server) -> None:
    weak = shop.adapter(api_key=shop.key(["ReadCatalog", "UpdateProduct"]))
    with weak.open() as api, pytest.raises(CmsProblem, match="ConnectFrontispiece"):
        weak.connect(api, "http://127.0.0.1:9/hooks/shop")


def test_the_secret_is_not_read_by_our_key(adapter: Adapter, api: httpx.Client) -> None:
    adapter.connect(api, "http://127.0.0.1:9/hooks/shop")
    query = '{ getSettingsStoreValue(key: "frontispiece.connection") }'
    answer = api.post("/admin-api", json={"query": query}).json()
    assert answer["data"] == {"getSettingsStoreValue": None}


class _AwayAfterUpload(httpx.BaseTransport):
    """Goes through to Vendure until the upload was answered, then ends the shop."""

    def __init__(self, shop: Server) -> None:
        self.shop, self.real = shop, httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self.real.handle_request(request)
        if "multipart" in request.headers["Content-Type"]:
            answer.read()
            self.shop.stop()
        return answer

    def close(self) -> None:
        self.real.close()


def test_a_shop_that_ends_after_the_upload_has_one_picture_in_the_end(
    shop: Server, adapter: Adapter, api: httpx.Client
) -> None:
    entry, there = product(shop, adapter, api), shop.pictures()
    with adapter.open(_AwayAfterUpload(shop)) as dying, pytest.raises(Unavailable):
        adapter.attach(dying, entry, picture(entry))
    shop.start()
    receipt = adapter.attach(api, entry, picture(entry))
    assert (shop.image(entry.ref), shop.pictures()) == (receipt.media_id, there + 1)
