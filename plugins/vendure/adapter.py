"""Vendure 3.6 and later, through its admin GraphQL API and the Vendure plugin in `plugin`.

An entry is a product and its `ref` the product's id. The picture becomes the featured asset and stands in the gallery
just before the one it replaces, so that what was there before can be read off the product itself.
"""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import PurePath
from typing import Any, ClassVar

import httpx
from pydantic import SecretStr

from frontispiece.cms import (
    TEST_PICTURE,
    Adapter,
    CmsProblem,
    Conflict,
    Connection,
    Current,
    Delivery,
    Entry,
    Event,
    EventKind,
    Gone,
    Header,
    NotAllowed,
    Picture,
    Receipt,
    SiteSettings,
    Unavailable,
    call,
    clock,
    dig,
    fill,
    plain,
    read_json,
    reading,
    texts,
    unchanged,
)
from frontispiece.signatures import StandardSecret, standard_webhooks

EVENTS: dict[str, EventKind] = {f"entry.{kind}": kind for kind in ("created", "published", "updated", "deleted")}
MOST = 100  # products a page, and variants whose photos are looked at
IMAGES = "featuredAsset { id source } assets { id }"
PRODUCT = """query($id: ID!) { product(id: $id) {
  id languageCode name description slug enabled updatedAt
  featuredAsset { id name source ALT } assets { type preview }
  facetValues { code name facet { name } } collections { name }
  optionGroups { name options { name } } translations { languageCode name }
  variantList(options: {take: 100}) { items { featuredAsset { type preview } assets { type preview } } }
} }"""
RECENT = """query($options: ProductListOptions) {
  products(options: $options) { totalItems items { id enabled featuredAsset { id } } }
}"""
UPLOAD = """mutation($file: Upload!) { createAssets(input: [{file: $file}]) {
  ... on Asset { id source width height } ... on ErrorResult { errorCode message }
} }"""
FIND = "query($name: String!) { assets(options: {filter: {source: {contains: $name}}}) { items { id source } } }"
DESCRIBE = "mutation($input: UpdateAssetInput!) { updateAsset(input: $input) { id } }"
REMOVE = "mutation($id: ID!) { deleteAsset(input: {assetId: $id}) { result message } }"
WRITE = f"mutation($input: UpdateProductInput!) {{ updateProduct(input: $input) {{ {IMAGES} }} }}"
CONNECT = "mutation($input: SettingsStoreInput!) { setSettingsStoreValue(input: $input) { result error } }"
LAST = 'query { getSettingsStoreValue(key: "frontispiece.last") }'
UNEXPECTED = {"None", "INTERNAL_SERVER_ERROR"}  # such as a database that is away; but also a picture it cannot read


class VendureSettings(SiteSettings):
    """`api_key` is an API key of Vendure; `alt_field` a custom field of the shop's assets, "" = their name is used."""

    webhook_secret: StandardSecret
    previous_webhook_secret: StandardSecret | None = None
    api_key: SecretStr
    channel_token: str = ""  # "" = the shop's default channel
    admin_path: str = "/admin-api"
    alt_field: str = ""
    product_url: str = ""  # the public page, with {slug} or {id} in it
    opt_out: str = "no-automatic-image"  # code of a facet value: products that have it get no picture


class Vendure(Adapter):
    """One channel of a shop."""

    Settings = VendureSettings
    settings: VendureSettings
    title: ClassVar[str] = "Vendure"
    docs: ClassVar[str] = "https://docs.vendure.io/reference/graphql-api/admin/mutations"
    signs: ClassVar[str] = "Standard Webhooks"
    connects: ClassVar[bool] = True
    needs_plugin: ClassVar[bool] = True
    focal_point: ClassVar[bool] = True
    proved: ClassVar[str] = "Vendure 3.7"

    def auth(self) -> httpx.Auth:
        return Header("vendure-api-key", self.settings.api_key.get_secret_value())

    def verify(self, delivery: Delivery) -> str:
        return standard_webhooks(delivery, self.settings.secrets)

    def events(self, delivery: Delivery) -> list[Event]:
        with reading("our plugin for Vendure sends no such body"):
            said = json.loads(delivery.body)
            return [Event(EVENTS[said["event"]], _ref(said["product"]))]

    def fetch(self, api: httpx.Client, ref: str, locale: str = "") -> Entry:
        alt = f"customFields {{ {self.settings.alt_field} }}" if self.settings.alt_field else ""
        found = _there(ref, self._ask(api, PRODUCT.replace("ALT", alt), locale=locale, id=ref)["product"])
        return Entry(
            ref=ref,
            kind="product",
            title=found["name"],
            locale=_tag(found["languageCode"]),
            body=plain(found["description"]),
            tags=texts(found, "facetValues"),
            section=next(iter(texts(found, "collections")), ""),
            sections=texts(found, "collections"),
            status="published" if found["enabled"] else "draft",
            url=fill(self.settings.product_url, found),
            edit_url=f"{self.settings.url}/dashboard/products/{ref}",
            version=found["updatedAt"],
            image=self._current(found["featuredAsset"]),
            photos=_photos(found),
            opted_out=any(value["code"] == self.settings.opt_out for value in found["facetValues"]),
            attributes=_attributes(found),
            titles={_tag(one["languageCode"]): one["name"] for one in found["translations"]},
        )

    def attach(self, api: httpx.Client, entry: Entry, picture: Picture) -> Receipt:
        asset, product = self._uploaded(api, picture), self._images(api, entry.ref)
        if asset is None or _featured(product) != asset["id"]:
            before = entry.image.id if entry.image else ""
            unchanged(f"product {entry.ref}", _shown(product), before)
            asset = asset or self._upload(api, picture)
            self._describe(api, asset["id"], picture, entry.locale or self.settings.language)
            product = self._images(api, entry.ref)  # uploading took its time, and the gallery is written whole
            unchanged(f"product {entry.ref}", _shown(product), before)
            product = self._write(api, entry.ref, asset["id"], _gallery(product, asset["id"]))
        return Receipt(asset["id"], asset["source"], {"featuredAssetId": _replaced(product, asset["id"])})

    def revert(self, api: httpx.Client, ref: str, receipt: Receipt) -> None:
        product, before = self._images(api, ref), receipt.previous["featuredAssetId"]
        if _featured(product) not in (before, receipt.media_id):
            raise Conflict(
                f"product {ref} has another featured asset ({_featured(product) or 'none'}) than ours by now"
            )
        if _featured(product) != before:
            if before and self._ask(api, "query($id: ID!) { asset(id: $id) { id } }", id=before)["asset"] is None:
                raise CmsProblem(f"asset {before}, which product {ref} had before, was deleted in Vendure")
            self._write(api, ref, before, [one["id"] for one in product["assets"] if one["id"] != receipt.media_id])

    def recent(self, api: httpx.Client, since: datetime) -> Iterator[Event]:
        start, there = 0, 1
        changed = {"updatedAt": {"after": since.astimezone(UTC).isoformat().replace("+00:00", "Z")}}
        while start < there:
            options = {"filter": changed, "sort": {"updatedAt": "ASC"}, "take": MOST, "skip": start}
            found = self._ask(api, RECENT, options=options)["products"]
            start, there = start + MOST, found["totalItems"]
            for product in found["items"]:
                if product["featuredAsset"] is None:
                    yield Event("published" if product["enabled"] else "created", product["id"])

    def connect(self, api: httpx.Client, hook: str) -> Connection:
        value = {"hook": hook, "secret": self.settings.secrets[0]}
        answer = self._ask(api, CONNECT, input={"key": "frontispiece.connection", "value": value})
        if not answer["setSettingsStoreValue"]["result"]:
            told = answer["setSettingsStoreValue"]["error"]
            raise CmsProblem(f"{told}: is the plugin in vendure-config.ts, and may the role ConnectFrontispiece?")
        return Connection((f"the shop tells {hook} of its products from now on",))

    def doctor(self, api: httpx.Client) -> list[str]:
        told = clock(call(api, "GET", "/health"))
        try:
            self._ask(api, WRITE, input={"id": "0"})
        except NotAllowed:
            raise
        except CmsProblem:
            pass  # there is no product 0; who may not change products is told so first
        asset = self._upload(api, TEST_PICTURE)
        try:
            self._describe(api, asset["id"], TEST_PICTURE, self.settings.language)
        finally:
            self._remove(api, asset["id"])
        last = self._ask(api, LAST)["getSettingsStoreValue"]
        sent = f"its last delivery to {last['hook']} ({last['at']}): {last['words']}" if last else "it told nothing yet"
        return ["the API key may change products", "a test picture was uploaded and removed", f"the shop: {sent}", told]

    def _ask(self, api: httpx.Client, query: str, *, locale: str = "", file: Any = None, **named: Any) -> Any:
        """The `data` of an answer, whose errors come with a 200 and a code."""
        asked: dict[str, Any] = {"json": {"query": query, "variables": named}}
        if file:  # github.com/jaydenseric/graphql-multipart-request-spec
            form = {"operations": json.dumps(asked["json"]), "map": '{"0": ["variables.file"]}'}
            asked = {"data": form, "files": {"0": file}, "timeout": 120}
        asked["headers"] = {"vendure-token": self.settings.channel_token} if self.settings.channel_token else {}
        asked["params"] = {"languageCode": _code(locale)} if locale else {}
        answer = call(api, "POST", self.settings.admin_path, **asked)
        told = read_json(answer)
        if told.get("errors"):
            raise _problem(str(answer.url), told["errors"], final=file is not None)
        return told["data"]

    def _images(self, api: httpx.Client, ref: str) -> Any:
        return _there(ref, self._ask(api, f"query($id: ID!) {{ product(id: $id) {{ {IMAGES} }} }}", id=ref)["product"])

    def _write(self, api: httpx.Client, ref: str, featured: str | None, gallery: list[str]) -> Any:
        """Vendure leaves out assets that it does not know, without a word: so compare."""
        change = {"id": ref, "featuredAssetId": featured, "assetIds": gallery}
        product = self._ask(api, WRITE, input=change)["updateProduct"]
        if (_featured(product), [one["id"] for one in product["assets"]]) != (featured, gallery):
            raise CmsProblem(f"product {ref} did not keep the featured asset {featured} and the gallery {gallery}")
        return product

    def _uploaded(self, api: httpx.Client, picture: Picture) -> Any | None:
        """The asset that an earlier try has left of this very picture."""
        found = self._ask(api, FIND, name=PurePath(picture.stable_name).stem)["assets"]["items"]
        return next(iter(found), None)

    def _upload(self, api: httpx.Client, picture: Picture) -> Any:
        file = (picture.stable_name, picture.data, picture.mime)
        asset = self._ask(api, UPLOAD, file=file)["createAssets"][0]
        if "errorCode" in asset:
            raise CmsProblem(f"Vendure does not take {picture.name}: {asset['message']}")
        if (asset["width"], asset["height"]) != (picture.width, picture.height):  # it takes any bytes at all
            self._remove(api, asset["id"])
            raise CmsProblem(f"Vendure cannot read {picture.name} as a picture; it was removed again")
        return asset

    def _describe(self, api: httpx.Client, asset: str, picture: Picture, locale: str) -> None:
        field, change = self.settings.alt_field, dict[str, Any](id=asset)
        if picture.focal:
            change["focalPoint"] = {"x": picture.focal[0], "y": picture.focal[1]}
        if field:
            change["customFields"] = {field: picture.alt}
        else:
            alts = picture.alts or {locale: picture.alt}
            change["translations"] = [{"languageCode": _code(tag), "name": alt} for tag, alt in alts.items()]
        self._ask(api, DESCRIBE, input=change)

    def _remove(self, api: httpx.Client, asset: str) -> None:
        removed = self._ask(api, REMOVE, id=asset)["deleteAsset"]
        if removed["result"] != "DELETED":
            raise CmsProblem(f"asset {asset} could not be removed: {removed['message']}")

    def _current(self, asset: Any) -> Current | None:
        if asset is None:
            return None
        field = self.settings.alt_field
        return Current(asset["id"], asset["source"], (asset["customFields"][field] or "") if field else asset["name"])


def _ref(number: Any) -> str:
    """Ids are numbers or UUIDs, as the shop's EntityIdStrategy has it."""
    if not isinstance(number, str) or not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", number):
        raise ValueError(f"product is {number!r}")
    return number


def _tag(code: str) -> str:
    """Vendure's pt_BR as the pt-BR of everybody else."""
    return code.replace("_", "-")


def _code(tag: str) -> str:
    return tag.replace("-", "_")


def _problem(where: str, errors: list[Any], *, final: bool) -> CmsProblem:
    """What GraphQL's errors mean; without a code of their own they may pass, but not where a picture is their cause."""
    codes = {str(dig(error, "extensions.code")) for error in errors}
    words = "; ".join(str(error.get("message")) for error in errors)
    words = f"{where} answered {words[:300]} ({', '.join(sorted(codes))})"
    if "FORBIDDEN" in codes:
        return NotAllowed(f"{words}: is api_key right, and has its role all the rights that the guide names?")
    return Unavailable(words) if codes & UNEXPECTED and not final else CmsProblem(words)


def _there(ref: str, product: Any) -> Any:
    if product is None:
        raise Gone(f"product {ref} is not there, or not in this channel")
    return product


def _featured(product: Any) -> Any:
    return product["featuredAsset"] and product["featuredAsset"]["id"]


def _shown(product: Any) -> Current | None:
    asset = product["featuredAsset"]
    return Current(asset["id"], asset["source"]) if asset else None


def _gallery(product: Any, ours: str) -> list[str]:
    """The gallery with our asset just before the featured one, or at its end where none is featured."""
    old, featured = [one["id"] for one in product["assets"] if one["id"] != ours], _featured(product)
    if featured is None:
        return [*old, ours]
    old = old if featured in old else [featured, *old]
    place = old.index(featured)
    return [*old[:place], ours, *old[place:]]


def _replaced(product: Any, ours: str) -> str | None:
    gallery = [one["id"] for one in product["assets"]]
    after = gallery[gallery.index(ours) + 1 :] if ours in gallery else []
    return next(iter(after), None)


def _photos(product: Any) -> tuple[str, ...]:
    """The gallery's and then the variants' own, each once."""
    variants = product["variantList"]["items"]
    assets = [*product["assets"], *(asset for one in variants for asset in [one["featuredAsset"], *one["assets"]])]
    return tuple(dict.fromkeys(asset["preview"] for asset in assets if asset and asset["type"] == "IMAGE"))


def _attributes(product: Any) -> dict[str, str]:
    """Facets and option groups by name: {"Material": "oak", "Size": "M, L"}."""
    pairs = [(value["facet"]["name"], value["name"]) for value in product["facetValues"]]
    pairs += [(group["name"], option["name"]) for group in product["optionGroups"] for option in group["options"]]
    return {name: ", ".join(value for one, value in pairs if one == name) for name in dict.fromkeys(dict(pairs))}
