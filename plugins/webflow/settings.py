"""What `[sites.<name>]` says of a Webflow site: its token, and which fields of which collections hold what."""

from pydantic import Field, SecretStr

from frontispiece.cms import CmsProblem, ContentType, SiteSettings


class WebflowType(ContentType):
    """Fields by their slugs, as Webflow's own blog template has them."""

    image: str = "main-image"
    title: str = "name"
    excerpt: str = "post-summary"
    body: str = "post-body"


class WebflowSettings(SiteSettings):
    """`webhook_secret` may hold several with spaces between, as each webhook has its own; `types` by collection id."""

    url: str = "https://api.webflow.com"
    site_id: str = Field(pattern="^[0-9a-f]{24}$")
    token: SecretStr
    types: dict[str, WebflowType] = Field(min_length=1)

    def path(self, below: str = "") -> str:
        """Where the Data API has the site, and what belongs to it."""
        return f"/v2/sites/{self.site_id}{below}"

    def type_of(self, ref: str) -> WebflowType:
        """The collection of an item. Raises `CmsProblem` where the settings do not name it."""
        collection, _, _ = ref.partition("/")
        if collection not in self.types:
            raise CmsProblem(f"{ref}: there is no table types.{collection} in this site's settings (any more)")
        return self.types[collection]
