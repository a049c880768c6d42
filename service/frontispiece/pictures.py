"""The bytes of a picture: kept as the generator gave them, and finished for their slot on the way to the CMS."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from frontispiece import images, prompts
from frontispiece.cms import Entry, Picture
from frontispiece.generators import Finished, Ticket
from frontispiece.house import House
from frontispiece.models import Candidate, Illustration
from frontispiece.storage import kept

SHOWN = (240, 480, 960)  # pixels: the widths that pages ask for first


def keep(house: House, render: int, answer: Ticket | Finished) -> list[str]:
    """Puts what a render brought into the storage, as it came; the keys."""
    keys = []
    for data in answer.images if isinstance(answer, Finished) else ():
        keys.append(f"renders/{render}-{hashlib.sha256(data).hexdigest()[:20]}")
        house.storage.put(keys[-1], data, "application/octet-stream")
    return keys


def look(house: House, key: str) -> images.Facts:
    """What the picture under that key is. Its thumbnails are made along the way, so that no editor waits for them."""
    data = house.storage.get(key)
    facts = images.check(data)
    if facts.width > SHOWN[0]:
        for width, made in zip(SHOWN, images.thumbnails(data, *SHOWN), strict=True):
            house.storage.put(thumbnail_key(key, width), made, "image/webp")
    return facts


def thumbnail(house: House, key: str, width: int) -> bytes:
    """The picture under that key, at most `width` pixels wide, as WebP; made and kept the first time."""

    def make() -> bytes:
        return images.thumbnails(house.storage.get(key), width)[0]

    return kept(house.storage, thumbnail_key(key, width), "image/webp", make)


def thumbnail_key(key: str, width: int) -> str:
    """Where the thumbnail of a picture lies in the storage."""
    return f"thumbs/{key.replace('/', '-')}-{width}"


def finish(
    house: House,
    one: Illustration,
    candidate: Candidate,
    model: str,
    name: str,
    formats: Sequence[images.Format],
    entry: Entry,
) -> Picture:
    """The candidate as its slot wants it: cut around its focal point, scaled, encoded.

    What a machine drew is marked as that, what a person gave (no `model`) is not. In the locales that the entry has
    beside its own, the alt text is the editor's, or says the title that it has there.
    """
    slot = house.slot(one.slot)
    kind = slot.format if slot.format in formats else formats[0]
    done = images.finish(
        house.storage.get(candidate.image),
        width=slot.width,
        height=slot.height,
        format=kind,
        max_bytes=slot.max_bytes,
        facts=_provenance(house, one, candidate, model) if model else None,
        focal=(one.focal[0], one.focal[1]) if one.focal else (0.5, 0.5),
    )
    ending = done.mime.removeprefix("image/").replace("jpeg", "jpg")
    return Picture(
        f"{name}.{ending}",
        done.mime,
        done.data,
        done.width,
        done.height,
        one.alt,
        one.caption,
        alts=alts_of(one, entry),
        captions=captions_of(one, entry),
        focal=done.focal if one.focal else None,
    )


def alts_of(one: Illustration, entry: Entry) -> dict[str, str]:
    """The alt text in each locale of an entry that has several."""
    told = {
        locale: one.alts.get(locale) or prompts.alt_text(replace(entry, title=title, locale=locale), locale)
        for locale, title in entry.titles.items()
        if title
    }
    return told | ({entry.locale: one.alt} if entry.locale in told else {})


def captions_of(one: Illustration, entry: Entry) -> dict[str, str]:
    """The caption in each locale of an entry that has several; the entry's own where an editor wrote no other."""
    return {
        locale: one.caption if locale == entry.locale else one.captions.get(locale, one.caption)
        for locale in entry.titles
    }


def _provenance(house: House, one: Illustration, candidate: Candidate, model: str) -> images.Provenance:
    generator = house.generator(house.models[model].generator)
    return images.Provenance(
        model=house.models[model].title,
        made=datetime.fromtimestamp(candidate.created, UTC),
        id=f"frontispiece:{one.entry.site}:{one.id}:{candidate.id}",
        source="compositeWithTrainedAlgorithmicMedia" if _begun_by_a_person(candidate) else generator.source,
    )


def _begun_by_a_person(candidate: Candidate) -> bool:
    """Whether a machine has only changed what a person photographed or drew."""
    render = candidate.render
    if render is None or not render.given or render.task not in ("edit", "fill", "expand"):
        return False
    return str(render.given[0]).startswith(("starts/", "photos/"))
