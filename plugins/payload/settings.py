"""What `[sites.<name>]` says of a Payload project: our user there, its upload collection, its locales and types."""

from typing import Any

from pydantic import SecretStr

from frontispiece.cms import CmsProblem, ContentType, Picture, SiteSettings
from frontispiece.signatures import StandardSecret


class PayloadSettings(SiteSettings):
    """`api_key` is that of Frontispiece's own user; `types` are the collections whose documents get pictures."""

    webhook_secret: StandardSecret
    previous_webhook_secret: StandardSecret | None = None
    api_key: SecretStr
    users: str = "users"  # slug of the collection that this user is in
    media: str = "media"  # slug of the upload collection
    alt: str = "alt"  # its field for alt text; "" = it has none
    caption: str = ""  # its field for a caption
    locales: tuple[str, ...] = ()  # where `localization` is configured: its codes, the default one first
    types: dict[str, ContentType]

    def type_of(self, ref: str) -> ContentType:
        """The type of a document. Raises `CmsProblem` where the settings name it no more."""
        slug = ref.partition("/")[0]
        if slug not in self.types:
            raise CmsProblem(f"{ref}: the site's settings have no table types.{slug}")
        return self.types[slug]

    def known(self, locale: str) -> str:
        """The locale if Payload has it, else "": nothing is asked in it."""
        return locale if locale in self.locales else ""

    def within(self, locale: str) -> dict[str, Any]:
        """What is added to a call that is about one locale."""
        return {"locale": locale} if self.known(locale) else {}

    def spoken(self, locale: str, picture: Picture) -> dict[str, Picture]:
        """The picture with its words in each locale that Payload has; the one that the entry was read in is last.

        A field that is not localised keeps what was written to it last.
        """
        others = {other: picture.within(other) for other in picture.alts if self.known(other) and other != locale}
        return {**others, locale: picture}
