"""Pictures as Contentful's assets: uploaded, named in an asset of an id of our own, taken over, published."""

import re
import time
from pathlib import PurePath

import httpx

from frontispiece.cms import CmsProblem, Entry, Gone, Picture, Unavailable, dig

from .management import Json, sent, status, told

__all__ = ["address", "number_of", "removed", "stored"]

PAUSES = [0.1 * 1.3**count for count in range(18)]  # seconds between looks at a picture in work; 37 in all


def number_of(picture: Picture) -> str:
    """The id of its asset: the same for the same bytes only, so that what it finds is ours; 64 characters at most."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", PurePath(picture.stable_name).stem)[-64:]


def address(asset: Json, locale: str) -> str:
    """Where the asset's file lies, "" until Contentful has taken it over; it is told without https."""
    url = dig(asset["fields"].get("file", {}).get(locale), "url") or ""
    return f"https:{url}" if url.startswith("//") else str(url)


def stored(api: httpx.Client, root: str, locale: str, entry: Entry, picture: Picture) -> Json:
    """The published asset of the picture: a new one, or what an earlier try has left, brought up to date.

    `root` is the path of the environment, `locale` its default language.
    """
    path, words = f"{root}/assets/{number_of(picture)}", _words(locale, entry, picture)
    asset = _left(api, path, locale)
    if not address(asset, locale):
        asset = _uploaded(api, root, path, locale, asset, words, picture)
    elif any(asset["fields"].get(name) != text for name, text in words.items()):
        asset = told(api, "PUT", path, asset["sys"]["version"], json={"fields": asset["fields"] | words})
    if dig(asset["fields"]["file"][locale], "details.image.width") != picture.width:
        raise CmsProblem(f"Contentful keeps {picture.name} as {path}, but cannot read it as a picture")
    if status(asset) != "published":
        asset = told(api, "PUT", f"{path}/published", asset["sys"]["version"])
    return asset


def removed(api: httpx.Client, root: str, picture: Picture) -> None:
    """Unpublishes the picture's asset and deletes it."""
    for path in ("/published", ""):
        sent(api, "DELETE", f"{root}/assets/{number_of(picture)}{path}")


def _words(locale: str, entry: Entry, picture: Picture) -> Json:
    """Title and description, which is the alt text, by language."""
    titles = {locale: entry.title or picture.name} | {code: text for code, text in entry.titles.items() if text}
    alts = {locale: picture.alt, entry.locale or locale: picture.alt, **picture.alts}
    return {"title": {code: text[:255] for code, text in titles.items()}, "description": alts}


def _left(api: httpx.Client, path: str, locale: str) -> Json:
    """The asset that an earlier try has left; what it sent may be in work still."""
    try:
        asset = told(api, "GET", path)
        return asset if address(asset, locale) else _taken_over(api, path, locale, PAUSES[:8])
    except Gone:
        return {"sys": {}, "fields": {}}


def _uploaded(api: httpx.Client, root: str, path: str, locale: str, asset: Json, words: Json, picture: Picture) -> Json:
    where = str(api.base_url).rstrip("/").replace("://api.", "://upload.") + f"{root}/uploads"
    octets = {"Content-Type": "application/octet-stream"}
    upload = told(api, "POST", where, headers=octets, content=picture.data, timeout=120)
    link = {"sys": {"type": "Link", "linkType": "Upload", "id": upload["sys"]["id"]}}
    file = {locale: {"contentType": picture.mime, "fileName": picture.name, "uploadFrom": link}}
    made = told(api, "PUT", path, asset["sys"].get("version"), json={"fields": {**words, "file": file}})
    sent(api, "PUT", f"{path}/files/{locale}/process", made["sys"]["version"])
    asset = _taken_over(api, path, locale, PAUSES)
    if not address(asset, locale):
        raise Unavailable(f"Contentful has not finished with {picture.name} yet; the file may be damaged")
    return asset


def _taken_over(api: httpx.Client, path: str, locale: str, pauses: list[float]) -> Json:
    """The asset as soon as Contentful serves its file, or as it is at the end."""
    asset: Json = {}
    for pause in pauses:
        time.sleep(pause)
        asset = told(api, "GET", path)
        if address(asset, locale):
            break
    return asset
