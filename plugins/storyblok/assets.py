"""The space's library of assets, where a file name that only these bytes have finds what an earlier try has left."""

from typing import Any

import httpx

from frontispiece.cms import TEST_PICTURE, Current, Picture, call, read_json, removed

from .settings import StoryblokSettings


def store(api: httpx.Client, settings: StoryblokSettings, picture: Picture) -> Any:
    """The picture's asset; one whose file an earlier try did not bring to its end is made anew."""
    name = picture.stable_name  # Storyblok keeps it as the end of the address
    found = read_json(call(api, "GET", settings.path("assets"), params={"search": name}))["assets"]
    for one in found:
        if one["filename"].endswith(f"/{name}"):
            if one.get("content_length"):
                return one
            call(api, "DELETE", settings.path(f"assets/{one['id']}"))
    wanted = {"filename": name, "size": f"{picture.width}x{picture.height}", "validate_upload": 1, **_words(picture)}
    wanted |= _in_all(settings, picture)
    made = read_json(call(api, "POST", settings.path("assets"), json=wanted))
    file = {"file": (name, picture.data, picture.mime)}  # to another host, which must not see the token
    call(api, "POST", made["post_url"], auth=None, data=made["fields"], files=file, timeout=120)
    return read_json(call(api, "GET", settings.path(f"assets/{made['id']}/finish_upload")))


def value(settings: StoryblokSettings, asset: Any, picture: Picture, locale: str = "") -> dict[str, Any]:
    """What the field gets in a locale, "" for the default one.

    The API names a file by its place in S3, the editor by the address it is served from.
    """
    address = asset["filename"].replace("https://s3.amazonaws.com/a", "https://a", 1)
    shown = {"fieldtype": "asset", "id": asset["id"], "filename": address, "name": "", **_words(picture)}
    return shown if locale else shown | _in_all(settings, picture)


def rebuilt(image: Current | None) -> dict[str, Any]:
    """The field's value before an earlier try, as far as it was noted."""
    if image is None:
        return {}
    number = int(image.id) if image.id.isdigit() else None
    return {"fieldtype": "asset", "id": number, "filename": image.url, "alt": image.alt}


def tried(api: httpx.Client, settings: StoryblokSettings) -> str:
    """Uploads a test picture, and removes it again."""
    gone = removed(api, settings.path(f"assets/{store(api, settings, TEST_PICTURE)['id']}"))
    return f"a test picture was uploaded; {gone}"


def _words(picture: Picture) -> dict[str, str]:
    return {"alt": picture.alt, "title": picture.caption, "focus": _focus(picture)}


def _in_all(settings: StoryblokSettings, picture: Picture) -> dict[str, Any]:
    """The metadata of an asset, which have its words in all locales; none where there is one locale only."""
    spoken = dict.fromkeys(settings.locales[:1], picture)
    spoken |= {code: picture.within(code) for code in settings.locales[1:] if code in picture.alts}
    told = {code: _words(said) for code, said in spoken.items()}
    words = {settings.key(name, code): told[code][name] for code in told for name in ("alt", "title")}
    return {"meta_data": words} if words else {}


def _focus(picture: Picture) -> str:
    """A point as Storyblok writes it: the corners of one pixel."""
    if picture.focal is None:
        return ""
    x = min(int(picture.focal[0] * picture.width), picture.width - 1)
    y = min(int(picture.focal[1] * picture.height), picture.height - 1)
    return f"{x}x{y}:{x + 1}x{y + 1}"
