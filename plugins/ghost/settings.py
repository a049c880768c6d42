"""What `[sites.<name>]` says of a Ghost: its key, and which posts and pages are meant."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, SecretStr

from frontispiece.cms import SiteSettings


def _is_key(key: SecretStr) -> SecretStr:
    if not re.fullmatch("[0-9a-f]{24}:[0-9a-f]{64}", key.get_secret_value()):
        raise ValueError("must be an Admin API key: 24 hexadecimal digits, a colon and 64 more, as Ghost shows it")
    return key


class GhostSettings(SiteSettings):
    """`admin_key` is the Admin API key of a custom integration, as Ghost shows it: an id, a colon and a secret."""

    admin_key: Annotated[SecretStr, AfterValidator(_is_key)]
    post_types: tuple[Literal["posts", "pages"], ...] = ("posts",)  # what `connect` and `recent` are about
    opt_out_tag: str = "#no-picture"  # an entry with this tag gets no picture; # makes a tag internal
