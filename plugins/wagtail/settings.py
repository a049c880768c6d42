"""What `[sites.<name>]` says of a Wagtail project: our user's token, where its API is, and its page types."""

from pydantic import SecretStr

from frontispiece.cms import ContentType, SiteSettings
from frontispiece.signatures import StandardSecret


class WagtailSettings(SiteSettings):
    """`token` is an API token of Frontispiece's own user; `types` are page types such as `blog.ArticlePage`."""

    webhook_secret: StandardSecret
    previous_webhook_secret: StandardSecret | None = None
    token: SecretStr
    api: str = "/api/v3"  # where urls.py has Wagtail's API v3
    collection: int | None = None  # id of the collection for our pictures; else the root
    types: dict[str, ContentType]

    @property
    def place(self) -> dict[str, int]:
        """Where in the library an upload goes."""
        return {} if self.collection is None else {"collection_id": self.collection}
