"""What `[sites.<name>]` says of a Strapi: its tokens, and which fields of which types hold what."""

from typing import Annotated

from pydantic import Field, SecretStr, StringConstraints, field_validator

from frontispiece.cms import ContentType, SiteSettings

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]+$")]  # strict: it becomes part of an address


class StrapiType(ContentType):
    """`plural` and `uid` are Strapi's own words for the type: by default `articles` and `api::article.article`."""

    image: str = Field("cover", pattern=r"^\w+$")  # a media field that holds one file
    photos: str = ""  # a media field with a product's own pictures
    plural: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]*$")] = ""
    uid: str = ""

    @property
    def path(self) -> str:
        """Where Strapi's API has the entries of this type."""
        return f"/api/{self.plural}"

    def named(self, name: str) -> "StrapiType":
        """The same type with Strapi's usual words for one of this name, where the settings say no others."""
        return self.model_copy(update={"plural": self.plural or f"{name}s", "uid": self.uid or f"api::{name}.{name}"})


class StrapiSettings(SiteSettings):
    """`api_token` may find and update the types and files; `admin_token` may register the webhook."""

    api_token: SecretStr
    admin_token: SecretStr | None = None
    types: dict[Name, StrapiType] = Field(min_length=1)

    @field_validator("types")
    @classmethod
    def _are_named(cls, types: dict[str, StrapiType]) -> dict[str, StrapiType]:
        return {name: kind.named(name) for name, kind in types.items()}

    def name_of(self, uid: str) -> str:
        """The name of the type with this uid; "" for one that is not ours."""
        return next((name for name, kind in self.types.items() if kind.uid == uid), "")

    def absolute(self, url: str) -> str:
        """The whole address of a file, which Strapi tells without its own host."""
        return url if url.startswith("http") else self.url + url
