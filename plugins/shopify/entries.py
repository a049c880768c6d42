"""Products and articles as Shopify tells them: their refs, what they show, and all of them as an entry."""

import re
from pathlib import PurePath
from typing import Any

import httpx

from frontispiece.cms import Current, Entry, Gone, Unreadable, dig, plain

from .admin import Json

__all__ = ["as_article", "as_product", "gid", "is_ours", "kind_of", "ref_of", "shown"]


def kind_of(ref: str) -> str:
    """`products` or `articles`. Raises `Unreadable` for what is no ref."""
    found = re.fullmatch(r"(products|articles)/[1-9][0-9]{0,19}", ref)
    if found is None:
        raise Unreadable(f"an entry of Shopify's is products/<number> or articles/<number>, not {ref[:50]!r}")
    return found[1]


def gid(ref: str) -> str:
    """The global id that GraphQL wants."""
    return f"gid://shopify/{'Product' if kind_of(ref) == 'products' else 'Article'}/{ref.split('/')[1]}"


def ref_of(kind: str, found: Json) -> str:
    """The ref of what has this global id."""
    return f"{kind}/{found['id'].rsplit('/', 1)[1]}"


def shown(node: Any, ref: str) -> Current:
    """What a product shows first, or an article at all; an empty one for nothing. Raises `Gone`."""
    if node is None:
        raise Gone(f"{ref} is not in the shop")
    return _media(node.get("featuredMedia")) or _image(node.get("image")) or Current("")


def is_ours(image: Current, name: str) -> bool:
    """Whether it is the file of this name, or Shopify's copy of it, whose name may end in more."""
    return _file(image.url).startswith(PurePath(name).stem)


def as_product(found: Json, ref: str, locale: str, edit: str) -> Entry:
    """The answer to `Product`, as an entry."""
    photos = (dig(one, "preview.image.url") for one in found["media"]["nodes"])
    told = {one["name"]: ", ".join(one["values"]) for one in found["options"] if one["name"] != "Title"}
    return Entry(
        ref=ref,
        kind="product",
        title=found["title"],
        locale=locale,
        body=plain(found["descriptionHtml"]),
        tags=tuple(found["tags"]),
        section=found["productType"],
        sections=tuple(filter(None, [found["productType"]])),
        status=found["status"].lower(),
        url=found["onlineStoreUrl"] or "",
        edit_url=edit,
        version=found["updatedAt"],
        image=_media(found["featuredMedia"]),
        photos=tuple(filter(None, photos)),
        attributes=told | ({"vendor": found["vendor"]} if found["vendor"] else {}),
    )


def as_article(found: Json, shop: Json, ref: str, locale: str, edit: str) -> Entry:
    """The answer to `Article`, as an entry."""
    return Entry(
        ref=ref,
        kind="article",
        title=found["title"],
        locale=locale,
        excerpt=plain(found["summary"] or ""),
        body=plain(found["body"]),
        tags=tuple(found["tags"]),
        section=found["blog"]["title"],
        sections=(found["blog"]["title"],),
        author=dig(found, "author.name") or "",
        status="published" if found["isPublished"] else "draft",
        url=f"{shop['primaryDomain']['url']}/blogs/{found['blog']['handle']}/{found['handle']}",
        edit_url=edit,
        version=found["updatedAt"] or "",
        image=_image(found["image"]),
    )


def _media(one: Any) -> Current | None:
    return Current(one["id"], dig(one, "preview.image.url") or "", one["alt"] or "") if one else None


def _image(image: Any) -> Current | None:
    """An article's image has no id of its own that stays, so its file's name is that."""
    return Current(_file(image["url"]), image["url"], image["altText"] or "") if image else None


def _file(url: str) -> str:
    return PurePath(httpx.URL(url).path).name
