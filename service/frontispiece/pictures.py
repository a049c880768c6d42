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


def keep(house: House, render: int, answer: Ticket | Finished) -> list[str]:
    """Puts what a render brought into the storage, as it came; the keys."""
    keys = []
    for data in answer.images if isinstance(answer, Finished) else ():
        keys.append(f"renders/{render}-{hashlib.sha256(data).hexdigest()[:20]}")
        house.storage.put(keys[-1], data, "application/octet-stream")
    return keys


def finish(
    house: House,
    one: Illustration,
    candidate: Candidate,
    model: str,
    name: str,
    formats: Sequence[images.Format],
    entry: Entry,
) -> Picture:
    """The candidate as its slot wants it: cut, scaled, encoded, marked as made by a machine.

    In the locales that the entry has beside its own, the alt text says the title that it has there.
    """
    slot = house.slot(one.slot)
    kind = slot.format if slot.format in formats else formats[0]
    facts = images.Provenance(
        model=house.models[model].title,
        made=datetime.fromtimestamp(candidate.created, UTC),
        id=f"frontispiece:{one.entry.site}:{one.id}:{candidate.id}",
        source=house.generator(house.models[model].generator).source,
    )
    data = house.storage.get(candidate.image)
    done = images.finish(data, width=slot.width, height=slot.height, format=kind, max_bytes=slot.max_bytes, facts=facts)
    ending = done.mime.removeprefix("image/").replace("jpeg", "jpg")
    alts = {
        locale: prompts.alt_text(replace(entry, title=title, locale=locale), locale)
        for locale, title in entry.titles.items()
        if title
    }
    if entry.locale in alts:
        alts[entry.locale] = one.alt
    return Picture(f"{name}.{ending}", done.mime, done.data, done.width, done.height, one.alt, one.caption, alts)
