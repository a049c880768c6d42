"""What `[sites.<name>]` says of a django-oscar shop: our user's token, and where our app's addresses are."""

from pydantic import SecretStr

from frontispiece.cms import SiteSettings
from frontispiece.signatures import StandardSecret


class OscarSettings(SiteSettings):
    """`token` is a DRF token of a user who may view products, and add and delete product images."""

    webhook_secret: StandardSecret
    previous_webhook_secret: StandardSecret | None = None
    token: SecretStr
    path: str = "/frontispiece"  # where the app's addresses are included in the project's urls.py
