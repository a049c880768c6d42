"""What `[sites.<name>]` says of a Directus: its tokens, and which fields of which collections hold what."""

import re
from typing import Self

from pydantic import Field, SecretStr, model_validator

from frontispiece.cms import ContentType, EventKind, SiteSettings

GAP = re.compile(r"\{([\w.-]+)\}")  # of an address, as `frontispiece.cms.fill` fills it


class DirectusType(ContentType):
    """Fields of a collection. Of another item by a path: `section.name`, `tags.tags_id.name`."""

    key: str = "id"  # the primary key
    caption: str = ""
    status: str = "status"  # "" = every item is public
    published: str = "published"  # the value of `status` that visitors see
    archived: str = "archived"  # … and the one of what was put away
    created: str = "date_created"  # times by which `recent` finds what changed; "" = there is none
    updated: str = "date_updated"
    translations: str = ""  # a field of type translations: paths below it are read and written in each locale
    language: str = "languages_code"  # a translation's own field for its language

    @property
    def paths(self) -> list[str]:
        """What is asked of Directus."""
        own = (self.key, self.status, self.created, self.updated, self.title, self.excerpt, self.body, self.tags)
        kept = [f"{self.translations}.{name}" for name in ("id", self.language) if self.translations]
        more = (self.section, self.author, self.opt_out, self.alt, self.caption, *GAP.findall(self.url))
        return list(filter(None, (*own, *more, f"{self.image}.id", f"{self.image}.description", *kept)))

    @property
    def written(self) -> list[str]:
        """The fields of an item that we write."""
        return [self.image, *self.words, *([self.translations] if self.translated else [])]

    @property
    def words(self) -> dict[str, str]:
        """Fields of the item itself that say what the picture says: `{"hero_alt": "alt"}`."""
        named = {self.alt: "alt", self.caption: "caption"}
        return {path: word for path, word in named.items() if path and not self.is_translated(path)}

    @property
    def translated(self) -> dict[str, str]:
        """The same of each of its translations."""
        named = {self.alt: "alt", self.caption: "caption"}
        return {path.partition(".")[2]: word for path, word in named.items() if self.is_translated(path)}

    def is_translated(self, path: str) -> bool:
        """Whether a path leads into the translations."""
        return bool(self.translations) and path.startswith(f"{self.translations}.")

    @property
    def times(self) -> list[str]:
        """The fields that say when an item was changed."""
        return sorted({name for name in (self.created, self.updated) if name})

    def happened(self, what: str, status: str) -> EventKind:
        """Which event it is when Directus emits `items.create`, `items.update` or `items.delete`."""
        if what == "items.delete" or (self.status and status == self.archived):
            return "deleted"
        if status == self.published or (what == "items.create" and not self.status):
            return "published"
        return "created" if what == "items.create" else "updated"


class DirectusSettings(SiteSettings):
    """`token` is the static token of a user of its own; `admin_token` an administrator's, wanted by `connect` only."""

    token: SecretStr
    admin_token: SecretStr | None = None
    locales: tuple[str, ...] = ()  # of translations: the codes of their languages, the default one first
    types: dict[str, DirectusType] = Field(min_length=1)

    @model_validator(mode="after")
    def _knows_its_locales(self) -> Self:
        if not self.locales and any(kind.translations for kind in self.types.values()):
            raise ValueError(
                "a type with translations needs locales: the codes of its languages, the default one first"
            )
        return self
