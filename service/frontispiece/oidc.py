"""The settings of an identity provider at which people log in; `identity.py` asks it."""

import re
from typing import Literal

import httpx
from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from frontispiece import net

Role = Literal["viewer", "editor", "lead", "admin"]
BACK = "/login/oidc/back"  # where the provider sends people; it has to know the whole address


class OidcSettings(BaseModel):
    """The keys of `[oidc]`. A person's role is the highest that `roles` gives to a value of `role_claim`, else `role`.

    `private` are origins on one's own network that may be connected to, also without TLS.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    issuer: str = Field(max_length=300)
    client_id: str = Field(min_length=1)
    client_secret: SecretStr = SecretStr("")  # a public client has none
    title: str = Field(default="single sign-on", min_length=1, max_length=60)  # on the button, after "Log in with"
    scopes: list[str] = ["openid", "profile", "email"]
    username_claim: str = "preferred_username"
    role_claim: str = ""
    roles: dict[str, Role] = {}
    role: Role | Literal[""] = ""  # "" = who has none of the values is refused
    private: list[str] = []
    only: bool = False  # nobody logs in with a password of ours

    @model_validator(mode="after")
    def _can_work(self) -> "OidcSettings":
        if not usable(self.issuer, self.private) or re.search(r"[?#@\s]", self.issuer):
            raise ValueError("issuer: must be an https address, or one whose origin is in private")
        if "openid" not in self.scopes:
            raise ValueError('scopes: "openid" is missing')
        if bool(self.role_claim) != bool(self.roles):
            raise ValueError("role_claim and roles: one is of no use without the other")
        if not self.role and not self.roles:
            raise ValueError("role: nobody could log in without it, or without role_claim and roles")
        return self


def usable(url: str, private: list[str]) -> bool:
    """Whether that is an https address, or one whose origin is among those of the private network."""
    try:
        parsed = httpx.URL(url)
        return bool(parsed.host) and (parsed.scheme == "https" or net.origin(parsed) in map(net.origin, private))
    except httpx.InvalidURL:
        return False
