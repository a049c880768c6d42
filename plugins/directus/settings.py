"""What `[sites.<name>]` says of a Directus: its tokens, and which fields of which collections hold what."""

import re

from pydantic import Field, SecretStr

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

    @property
    def paths(self) -> list[str]:
        """What is asked of Directus."""
        own = (self.key, self.status, self.created, self.updated, self.title, self.excerpt, self.body, self.tags)
        more = (self.section, self.author, self.opt_out, self.alt, self.caption, *GAP.findall(self.url))
        return list(filter(None, (*own, *more, f"{self.image}.id", f"{self.image}.description")))

    @property
    def written(self) -> list[str]:
        """The fields that we write."""
        return [name for name in (self.image, self.alt, self.caption) if name]

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
    types: dict[str, DirectusType] = Field(min_length=1)
