"""What `[sites.<name>]` says of a Storyblok space: its token, and which fields of which content types hold what."""

from typing import Any

from pydantic import Field, SecretStr

from frontispiece.cms import ContentType, SiteSettings

TRANSLATED = "__i18n__"  # between the name of a field and a language: title__i18n__pt_br


class StoryblokType(ContentType):
    """A content type's fields by their technical names; without `title` the story's own name is the title."""

    title: str = ""


class StoryblokSettings(SiteSettings):
    """`token` is a personal access token or an OAuth token; `types` by the technical names of content types."""

    url: str = "https://mapi.storyblok.com"
    space_id: int = Field(gt=0)
    token: SecretStr
    locales: tuple[str, ...] = ()  # codes of the space's languages, where fields are translated; the default one first
    types: dict[str, StoryblokType] = Field(min_length=1)

    def path(self, below: str) -> str:
        """Where the Management API has this of the space."""
        return f"/v1/spaces/{self.space_id}/{below}"

    def key(self, field: str, locale: str) -> str:
        """Under which name a story's content, or an asset's metadata, has a field in this locale."""
        return field if locale in self.locales[:1] else f"{field}{TRANSLATED}{locale.replace('-', '_')}"

    def knows(self, story: Any) -> bool:
        """Whether the story's content type is among `types`."""
        return story["content"].get("component") in self.types

    def type_of(self, story: Any) -> StoryblokType:
        return self.types.get(story["content"].get("component"), StoryblokType())
