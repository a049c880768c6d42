"""OpenID Connect: the questions by which an identity provider vouches for somebody; `oidc.py` has its settings.

Authorization code with PKCE, state and nonce (OpenID Connect Core 1.0, RFC 7636, RFC 9207). Nothing that comes through
the browser is believed: the provider itself is asked, over TLS, and what it signed is checked.
"""

import base64
import hmac
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus

import httpx
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.client import OAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from pydantic import BaseModel, ValidationError

from frontispiece import net
from frontispiece.errors import GeneratorProblem, Problem
from frontispiece.oidc import OidcSettings, usable

# none that needs no key, none whose key is a shared secret
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"]
KEPT = 600  # seconds for which the provider's description of itself is believed
LEEWAY = 60  # seconds that its clock and ours may be apart
MOST_NAME = 60  # characters


class Stale(Problem):
    """The answer belongs to no login that this browser has begun, or to one that is long over."""


class Denied(Problem):
    """The provider said no; the words are its error code."""


class Untrusted(Problem):
    """The provider could not be asked, or what it said is not what it must be; the words are for the log."""


@dataclass(frozen=True)
class Person:
    """Whom the provider vouches for; `role` is "" where it gives none, None where that is not its business."""

    subject: str
    name: str
    role: str | None


class _Metadata(BaseModel):
    """OpenID Connect Discovery 1.0, section 3, and RFC 9207, as far as it matters here."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str = ""
    end_session_endpoint: str = ""
    token_endpoint_auth_methods_supported: list[str] = ["client_secret_basic"]
    authorization_response_iss_parameter_supported: bool = False


class Provider:
    """The identity provider of `settings`, to whom people come back at the address `back`.

    A `key` is random, kept by one browser for one login, and never shown to the provider: state, nonce and PKCE's
    verifier are made of it.
    """

    def __init__(self, settings: OidcSettings, back: str, client: httpx.Client | None = None) -> None:
        self.settings, self.back = settings, back
        self.client = client or net.client(settings.private, seconds=10)
        self._known: tuple[float, _Metadata] | None = None

    def way_in(self, key: str) -> str:
        """Where somebody is sent to say who they are. Raises `Untrusted`."""
        at = self._metadata().authorization_endpoint
        made = {"state": made_of(key, "state"), "nonce": made_of(key, "nonce")}
        url, _ = self._oauth().create_authorization_url(at, code_verifier=made_of(key, "verifier"), **made)
        return str(url)

    def way_out(self, back: str) -> str:
        """Where somebody is sent to log out there as well; "" where that is not offered, or nobody answers."""
        try:
            at = self._metadata().end_session_endpoint
        except Untrusted:
            return ""
        facts = {"client_id": self.settings.client_id, "post_logout_redirect_uri": back}
        return str(httpx.URL(at).copy_merge_params(facts)) if at else ""

    def person(self, key: str, answer: Mapping[str, str]) -> Person:
        """Who has come back, by the parameters of the address. Raises `Stale`, `Denied` or `Untrusted`."""
        state = answer.get("state", "").encode("utf8", "replace")
        if not key or not hmac.compare_digest(state, made_of(key, "state").encode()):
            raise Stale("this login was not begun here, or too long ago")
        metadata = self._metadata()
        says_who = "iss" in answer or metadata.authorization_response_iss_parameter_supported  # RFC 9207
        if says_who and answer.get("iss") != metadata.issuer:
            raise Untrusted("the answer is from another issuer")
        if "code" not in answer:
            raise Denied(answer.get("error", "no code")[:80])
        token = self._token(metadata, key, answer["code"])
        claims = self._checked(metadata, key, token)
        return self._person(self._with_userinfo(metadata, token, claims))

    def doctor(self) -> Iterator[str]:
        """What it says when asked how it is doing, in sentences. Raises `Untrusted`."""
        metadata = self._metadata()
        yield f"It logs people in at {metadata.authorization_endpoint}."
        self._keys(metadata)
        yield "Its keys can be read."
        if not metadata.end_session_endpoint:
            yield "It offers no way to log out from here."

    def _keys(self, metadata: _Metadata) -> KeySet:
        try:
            return KeySet.import_key_set(_usual(self._get(metadata.jwks_uri)))
        except (JoseError, TypeError, ValueError) as problem:
            raise Untrusted(f"its keys cannot be read: {problem}") from problem

    def _oauth(self) -> Any:
        # Authlib's own httpx client would choose httpx2 where that is installed; with a session it takes ours
        return OAuth2Client(
            session=self.client,
            client_id=self.settings.client_id,
            scope=" ".join(self.settings.scopes),
            redirect_uri=self.back,
            code_challenge_method="S256",
        )

    def _metadata(self) -> _Metadata:
        if self._known and self._known[0] > time.monotonic() - KEPT:
            return self._known[1]
        given = self._get(f"{self.settings.issuer.rstrip('/')}/.well-known/openid-configuration")
        try:
            found = _Metadata.model_validate(given)
        except ValidationError as problem:
            first = problem.errors(include_url=False)[0]
            raise Untrusted(f"the discovery document: {first['loc'][0]}: {first['msg']}") from None
        if found.issuer != self.settings.issuer:
            raise Untrusted(f"the discovery document is that of {found.issuer!r}, not of {self.settings.issuer!r}")
        for name, url in found:
            if name.endswith(("_endpoint", "_uri")) and url and not usable(url, self.settings.private):
                raise Untrusted(f"the discovery document: {name}: {url!r} is not https, nor is its origin in private")
        self._known = time.monotonic(), found
        return found

    def _token(self, metadata: _Metadata, key: str, code: str) -> dict[str, Any]:
        """The answer of the token endpoint to the code, which is good once."""
        name, secret = self.settings.client_id, self.settings.client_secret.get_secret_value()
        facts, auth = {"code": code, "code_verifier": made_of(key, "verifier")}, None
        if secret and "client_secret_basic" in metadata.token_endpoint_auth_methods_supported:
            auth = httpx.BasicAuth(quote_plus(name), quote_plus(secret))  # RFC 6749, section 2.3.1
        else:
            facts |= {"client_id": name} | ({"client_secret": secret} if secret else {})
        try:
            return dict(self._oauth().fetch_token(metadata.token_endpoint, auth=auth or _nothing, **facts))
        except (httpx.HTTPError, OAuth2Error, ValueError, GeneratorProblem) as problem:
            raise Untrusted(f"the code was not accepted: {_why(problem)}") from problem

    def _checked(self, metadata: _Metadata, key: str, token: dict[str, Any]) -> dict[str, Any]:
        """The claims of an ID token that is signed, for us, of this login and still good."""
        keys = self._keys(metadata)
        registry = jws.JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
        facts = {"nonce": made_of(key, "nonce"), "client_id": self.settings.client_id}
        wanted = {"iss": metadata.issuer, "aud": self.settings.client_id}
        options: dict[str, Any] = {name: {"essential": True, "value": value} for name, value in wanted.items()}
        try:
            found = jwt.decode(token["id_token"], keys, registry=registry)
            claims = CodeIDToken(found.claims, found.header, options, facts | _access(token))
            claims.validate(leeway=LEEWAY)
        except (JoseError, KeyError, TypeError, ValueError) as problem:
            raise Untrusted(f"the ID token is not accepted: {type(problem).__name__}: {problem}") from problem
        return dict(claims)

    def _with_userinfo(self, metadata: _Metadata, token: dict[str, Any], claims: dict[str, Any]) -> dict[str, Any]:
        """The claims and, where one that matters is not among them, those of the userinfo endpoint (Core, 5.3)."""
        wanted = [name for name in (self.settings.username_claim, self.settings.role_claim) if name]
        missing = any(claim(claims, name) is None for name in wanted)
        if not missing or not metadata.userinfo_endpoint or "access_token" not in token:
            return claims
        more = self._get(metadata.userinfo_endpoint, {"Authorization": f"Bearer {token['access_token']}"})
        if more.get("sub") != claims["sub"]:
            raise Untrusted("the userinfo endpoint told of somebody else")
        return more | claims

    def _person(self, claims: dict[str, Any]) -> Person:
        subject = f"{self.settings.issuer} {claims['sub']}"
        if not claims["sub"] or len(subject) > 400 or not subject.isprintable():
            raise Untrusted("the ID token's sub is empty, too long or not printable")
        return Person(subject, self._name(claims), self._role(claims))

    def _name(self, claims: dict[str, Any]) -> str:
        """What to call them: the first claim that is a name; an address only where the provider has verified it."""
        for name in dict.fromkeys((self.settings.username_claim, "preferred_username", "name", "email", "sub")):
            value = claim(claims, name)
            if isinstance(value, str) and (name != "email" or claims.get("email_verified") is True):
                flat = "".join(sign for sign in value if sign.isprintable()).strip()[:MOST_NAME]
                if flat:
                    return flat
        return "somebody"

    def _role(self, claims: dict[str, Any]) -> str | None:
        if not self.settings.role_claim:
            return None
        given = claim(claims, self.settings.role_claim)
        values = given if isinstance(given, list) else [given]
        found = {self.settings.roles.get(value) for value in values if isinstance(value, str)}
        return next((role for role in ("admin", "lead", "editor", "viewer") if role in found), self.settings.role)

    def _get(self, url: str, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
        where = httpx.URL(url).host
        try:
            answer = self.client.get(url, headers=headers)
            found = answer.json() if answer.status_code == 200 else None
        except (httpx.HTTPError, ValueError, GeneratorProblem) as problem:
            raise Untrusted(f"{where}: {_why(problem)}") from problem
        if not isinstance(found, dict):
            raise Untrusted(f"{where} answered {answer.status_code} and no JSON object at {answer.url.path}")
        return found


def made_of(key: str, what: str) -> str:
    """Forty-three characters that only the holder of the key can know, other ones for each purpose."""
    made = hmac.digest(key.encode("utf8", "replace"), f"oidc {what}".encode(), "sha256")
    return base64.urlsafe_b64encode(made).decode().rstrip("=")


def claim(claims: Mapping[str, Any], name: str) -> Any:
    """The claim of that name, or the one inside others (`realm_access.roles`); None where there is none."""
    if name in claims:
        return claims[name]
    outer, _, inner = name.partition(".")
    within = claims.get(outer)
    return claim(within, inner) if inner and isinstance(within, dict) else None


def _usual(keys: dict[str, Any]) -> Any:
    """The keys of the kinds that we know; a provider may have others beside them."""
    given = keys.get("keys")
    known = [
        key
        for key in (given if isinstance(given, list) else [])
        if isinstance(key, dict) and key.get("kty") in ("RSA", "EC", "OKP")
    ]
    if not known:
        raise ValueError("the provider has no key that we know")
    return {"keys": known}


def _why(problem: Exception) -> str:
    if isinstance(problem, GeneratorProblem):  # the guarded client's; it does not know for whom it asks
        return f"{str(problem).partition(';')[0]}; if it is your own, name its origin in [oidc] private"
    return str(problem) or type(problem).__name__


def _access(token: dict[str, Any]) -> dict[str, Any]:
    return {"access_token": token["access_token"]} if isinstance(token.get("access_token"), str) else {}


def _nothing(request: httpx.Request) -> httpx.Request:
    return request
