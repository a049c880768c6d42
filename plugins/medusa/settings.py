"""What `[sites.<name>]` says of a Medusa shop."""

from pydantic import SecretStr

from frontispiece.cms import SiteSettings
from frontispiece.signatures import StandardSecret


class MedusaSettings(SiteSettings):
    """`api_key` is a secret API key; `alt_key` the key of a product's metadata that takes the alt text, "" = none."""

    webhook_secret: StandardSecret
    previous_webhook_secret: StandardSecret | None = None
    api_key: SecretStr
    alt_key: str = "thumbnail_alt"
    product_url: str = ""  # the public page, with {handle} or {id} in it
    opt_out: str = "no-automatic-image"  # a product tag: products that have it get no picture
