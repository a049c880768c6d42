"""What `[sites.<name>]` says of a Contentful: its token and environment, and which fields of which types hold what."""

from hashlib import sha256
from typing import Literal

from pydantic import Field, SecretStr

from frontispiece.cms import ContentType, SiteSettings


class ContentfulType(ContentType):
    """Fields by their ids. The asset itself keeps the alt text, in every language."""

    alt: Literal[""] = ""


class ContentfulSettings(SiteSettings):
    """`token` is a personal access token of a user for Frontispiece alone, `locale` the environment's default.

    `hook_path` is the path that Contentful calls, where a proxy in front of us changes it: it is signed.
    """

    url: str = "https://api.contentful.com"
    token: SecretStr
    space: str = Field(pattern=r"^[A-Za-z0-9]+$")
    environment: str = Field("master", pattern=r"^[A-Za-z0-9_.-]+$")
    locale: str = "en-US"
    types: dict[str, ContentfulType] = Field(min_length=1)
    hook_path: str = ""

    @classmethod
    def new_secret(cls) -> str:
        """Contentful wants exactly 64 characters."""
        return sha256(super().new_secret().encode()).hexdigest()
