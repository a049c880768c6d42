"""What `[sites.<name>]` says of a Vendure shop."""

from pydantic import SecretStr

from frontispiece.cms import SiteSettings
from frontispiece.signatures import StandardSecret


class VendureSettings(SiteSettings):
    """`api_key` is an API key of Vendure; `alt_field` a custom field of the shop's assets, "" = their name is used."""

    webhook_secret: StandardSecret
    previous_webhook_secret: StandardSecret | None = None
    api_key: SecretStr
    channel_token: str = ""  # "" = the shop's default channel
    admin_path: str = "/admin-api"
    alt_field: str = ""
    product_url: str = ""  # the public page, with {slug} or {id} in it
    opt_out: str = "no-automatic-image"  # code of a facet value: products that have it get no picture
