"""What `[sites.<name>]` says of a Drupal: our user there, its languages, and which fields of its nodes hold what."""

from pydantic import Field, SecretStr

from frontispiece.cms import CmsProblem, ContentType, SiteSettings


class DrupalType(ContentType):
    """Fields by their machine names; `media` is the media type that the field `image` refers to, if any."""

    image: str = "field_image"
    body: str = "body"
    tags: str = "field_tags"
    media: str = ""
    media_field: str = "field_media_image"

    def upload(self, bundle: str) -> str:
        """Where a new file for this field is posted. Never to a node itself: that would save it beside its draft."""
        return f"media/{self.media}/{self.media_field}" if self.media else f"node/{bundle}/{self.image}"


class DrupalSettings(SiteSettings):
    """`user` is a user of Frontispiece's own: what that user saves is never taken for news."""

    user: str
    password: SecretStr
    locales: tuple[str, ...] = ()  # where nodes are translated: the languages' codes, the site's default one first
    types: dict[str, DrupalType] = Field({"article": DrupalType()}, min_length=1)

    def type_of(self, ref: str) -> DrupalType:
        """The type of a node. Raises `CmsProblem` where the settings name it no more."""
        bundle, _, _ = ref.partition("/")
        if bundle not in self.types:
            raise CmsProblem(f"{ref}: there is no table types.{bundle} in this site's settings (any more)")
        return self.types[bundle]

    def root(self, locale: str) -> str:
        """Where JSON:API answers in a language: below the prefix of its addresses; the default one has none."""
        return f"/{locale}/jsonapi" if locale in self.locales[1:] else "/jsonapi"
