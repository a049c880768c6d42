"""An identity provider in this process whose every word can be another one."""

import time
from collections.abc import Callable
from typing import Any

import httpx
from joserfc import jwt
from joserfc.jwk import ECKey

from frontispiece.identity import Person, Provider, made_of
from frontispiece.oidc import OidcSettings

__all__ = ["BACK", "ISSUER", "KEY", "METADATA", "SECRET", "SIGNING", "Said", "Sign", "signed"]

ISSUER = "https://id.example/realms/news"
BACK = "https://pictures.example/login/oidc/back"
KEY = "a key of this browser"
SIGNING = ECKey.generate_key("P-256", {"kid": "one", "use": "sig"})
METADATA = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/auth",
    "token_endpoint": f"{ISSUER}/token",
    "jwks_uri": f"{ISSUER}/keys",
    "userinfo_endpoint": f"{ISSUER}/me",
}
SECRET = "a secret of sixteen letters"


Sign = Callable[[dict[str, Any]], Any]


def signed(claims: dict[str, Any], kid: str = "one", key: ECKey = SIGNING) -> str:
    return jwt.encode({"alg": "ES256", "kid": kid}, claims, key)


class Said:
    """An identity provider whose every word can be another one."""

    def __init__(self, **settings: Any) -> None:
        usual = {"issuer": ISSUER, "client_id": "frontispiece", "client_secret": SECRET, "role": "editor"}
        self.metadata: dict[str, Any] = dict(METADATA)
        now = time.time()
        self.claims: dict[str, Any] = {"iss": ISSUER, "sub": "1", "aud": "frontispiece", "preferred_username": "Jo"}
        self.claims |= {"iat": now, "exp": now + 300, "nonce": made_of(KEY, "nonce")}
        self.keys: Any = {"keys": [SIGNING.as_dict(private=False)]}
        self.token: dict[str, Any] = {"access_token": "a token", "token_type": "Bearer"}
        self.sign: Callable[[dict[str, Any]], str] = lambda claims: jwt.encode(
            {"alg": "ES256", "kid": "one"}, claims, SIGNING
        )
        self.userinfo: Any = {"sub": "1"}
        self.asked: list[httpx.Request] = []
        client = httpx.Client(transport=httpx.MockTransport(self._answer))
        self.provider = Provider(OidcSettings(**(usual | settings)), BACK, client)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if request.url.path.endswith("/token"):
            return httpx.Response(200, json={"id_token": self.sign(self.claims)} | self.token)
        told = {"openid-configuration": self.metadata, "keys": self.keys, "me": self.userinfo}
        found = told[request.url.path.rpartition("/")[2]]
        return found if isinstance(found, httpx.Response) else httpx.Response(200, json=found)

    def person(self, **answer: str) -> Person:
        return self.provider.person(KEY, {"state": made_of(KEY, "state"), "code": "a code"} | answer)
