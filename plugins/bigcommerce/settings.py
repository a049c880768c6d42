"""What `[sites.<name>]` says of a BigCommerce store: which one it is, and what opens it."""

from pydantic import Field, SecretStr

from frontispiece.cms import SiteSettings


class BigCommerceSettings(SiteSettings):
    """`access_token` and `client_secret` are those of a store-level API account."""

    url: str = "https://api.bigcommerce.com"
    store_hash: str = Field(pattern="^[a-z0-9]+$")
    access_token: SecretStr
    client_secret: SecretStr | None = None
    shop_url: str = ""  # the storefront, for links to product pages

    def path(self, below: str) -> str:
        """Where the V3 API has this of the store: `catalog/products/77`, `hooks`."""
        return f"/stores/{self.store_hash}/v3/{below}"
