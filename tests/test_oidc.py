"""What an identity provider may say, and what is believed of it; `real/test_identity.py` asks a real one."""

import base64
import json
import time
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey
from servers.vouching import BACK, ISSUER, KEY, METADATA, SECRET, SIGNING, Said, Sign, signed

from frontispiece.identity import Denied, Person, Provider, Stale, Untrusted, made_of
from frontispiece.oidc import OidcSettings


def test_the_way_in_carries_state_nonce_and_an_s256_challenge() -> None:
    url = urlsplit(Said().provider.way_in(KEY))
    sent = dict(parse_qsl(url.query))
    assert url._replace(query="").geturl() == METADATA["authorization_endpoint"]
    assert (sent["state"], sent["nonce"]) == (made_of(KEY, "state"), made_of(KEY, "nonce"))
    assert (sent["response_type"], sent["code_challenge_method"], sent["redirect_uri"]) == ("code", "S256", BACK)
    assert made_of(KEY, "verifier") not in url.query


def test_who_is_vouched_for_is_known_by_issuer_and_sub() -> None:
    assert Said().person() == Person(f"{ISSUER} 1", "Jo", None)


def test_the_code_is_sent_with_the_verifier_and_the_secret_of_the_client() -> None:
    said = Said(client_secret="half: a/secret")
    said.person()
    request = next(one for one in said.asked if one.url.path.endswith("/token"))
    sent = {name: values[0] for name, values in parse_qs(request.content.decode()).items()}
    assert (sent["code"], sent["code_verifier"], sent["redirect_uri"]) == ("a code", made_of(KEY, "verifier"), BACK)
    given = base64.b64decode(request.headers["Authorization"].removeprefix("Basic ")).decode()
    assert given == "frontispiece:half%3A+a%2Fsecret"


@pytest.mark.parametrize(("secret", "sent"), [(SECRET, [SECRET]), ("", None)])
def test_a_client_without_basic_authentication_says_who_it_is_in_the_body(secret: str, sent: list[str] | None) -> None:
    said = Said(client_secret=secret)
    said.metadata["token_endpoint_auth_methods_supported"] = ["client_secret_post", "none"]
    said.person()
    request = next(one for one in said.asked if one.url.path.endswith("/token"))
    body = parse_qs(request.content.decode())
    assert (body["client_id"], body.get("client_secret")) == (["frontispiece"], sent)
    assert "Authorization" not in request.headers


@pytest.mark.parametrize("state", ["", "another", made_of("another key", "state"), "ü"])
def test_an_answer_with_another_state_is_not_looked_at(state: str) -> None:
    said = Said()
    with pytest.raises(Stale):
        said.person(state=state)
    assert said.asked == []


def test_an_answer_without_a_login_that_was_begun_is_not_looked_at() -> None:
    with pytest.raises(Stale):
        Said().provider.person("", {"state": made_of("", "state"), "code": "a code"})


@pytest.mark.parametrize("issuer", ["https://evil.example", "", f"{ISSUER}/"])
def test_an_answer_of_another_issuer_is_refused_before_the_code_is_sent(issuer: str) -> None:
    said = Said()
    with pytest.raises(Untrusted, match="another issuer"):
        said.person(iss=issuer)
    assert not any(request.url.path.endswith("/token") for request in said.asked)


def test_a_provider_that_says_its_name_must_say_it() -> None:
    said = Said()
    said.metadata["authorization_response_iss_parameter_supported"] = True
    assert said.person(iss=ISSUER).name == "Jo"
    with pytest.raises(Untrusted, match="another issuer"):
        said.person()


def test_a_refusal_of_the_provider_is_told() -> None:
    said = Said()
    with pytest.raises(Denied, match="access_denied"):
        said.provider.person(KEY, {"state": made_of(KEY, "state"), "error": "access_denied"})


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://evil.example"},
        {"iss": None},
        {"aud": "another client"},
        {"aud": ["frontispiece", "another client"]},  # without azp
        {"aud": "another client", "azp": "frontispiece"},
        {"azp": "another client"},
        {"exp": time.time() - 120},
        {"exp": float("nan")},
        {"exp": None},
        {"iat": time.time() + 600},
        {"nonce": "another"},
        {"nonce": None},
        {"sub": None},
        {"sub": 7},
        {"sub": ""},
        {"sub": "x" * 400},
        {"sub": "1\u2028"},
        {"at_hash": "another"},
    ],
    ids=lambda claims: " ".join(claims) + " " + type(next(iter(claims.values()))).__name__,
)
def test_an_id_token_that_is_not_for_this_login_is_refused(claims: dict[str, Any]) -> None:
    said = Said()
    said.claims = {name: value for name, value in (said.claims | claims).items() if value is not None}
    with pytest.raises(Untrusted):
        said.person()


def unsigned(claims: dict[str, Any], alg: str = "none") -> str:
    parts = (json.dumps(part).encode() for part in ({"alg": alg, "kid": "one"}, claims))
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts) + "."


def with_our_secret(claims: dict[str, Any]) -> str:
    return jwt.encode({"alg": "HS256", "kid": "one"}, claims, OctKey.import_key(SECRET), algorithms=["HS256"])


def with_the_public_key(claims: dict[str, Any]) -> str:
    public = OctKey.import_key(json.dumps(SIGNING.as_dict(private=False)))
    return jwt.encode({"alg": "HS256", "kid": "one"}, claims, public, algorithms=["HS256"])


SIGNATURES: list[Sign] = [
    unsigned,
    lambda claims: unsigned(claims, "NONE"),
    lambda claims: unsigned(claims, "ES256"),
    with_our_secret,
    with_the_public_key,
    lambda claims: signed(claims, key=ECKey.generate_key("P-256")),
    lambda claims: signed(claims, kid="two"),
    lambda _: "no token",
    lambda _: "",
    lambda _: 7,
]


@pytest.mark.parametrize("sign", SIGNATURES)
def test_an_id_token_without_the_providers_signature_is_refused(sign: Sign) -> None:
    said = Said()
    said.sign = sign
    with pytest.raises(Untrusted, match="ID token"):
        said.person()


def test_a_provider_may_sign_with_one_of_several_keys() -> None:
    said = Said()
    rsa = RSAKey.generate_key(2048, {"kid": "r", "alg": "RS256"})
    locking = RSAKey.generate_key(2048, {"kid": "r", "use": "enc"})
    said.keys = {
        "keys": [*(key.as_dict(private=False) for key in (locking, SIGNING, rsa)), {"kty": "PQ", "kid": "p"}, 7]
    }
    said.sign = lambda claims: jwt.encode({"alg": "RS256", "kid": "r", "x5t": "a"}, claims, rsa)
    assert said.person().name == "Jo"


@pytest.mark.parametrize("keys", [{}, {"keys": []}, {"keys": 7}, {"keys": [{"kty": "EC"}]}, [], httpx.Response(500)])
def test_keys_that_are_none_let_nobody_in(keys: Any) -> None:
    said = Said()
    said.keys = keys
    with pytest.raises(Untrusted):
        said.person()


@pytest.mark.parametrize(
    "change",
    [
        {"issuer": "https://evil.example"},
        {"issuer": f"{ISSUER}/"},
        {"token_endpoint": "http://id.example/token"},
        {"jwks_uri": "ftp://id.example/keys"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"userinfo_endpoint": "https://"},
        {"token_endpoint": None},
        {"jwks_uri": "https://id.example:x/"},
    ],
    ids=str,
)
def test_a_description_that_is_not_the_issuers_is_refused(change: dict[str, Any]) -> None:
    said = Said()
    said.metadata |= change
    with pytest.raises(Untrusted, match="discovery document"):
        said.provider.way_in(KEY)


@pytest.mark.parametrize(
    "answer",
    [httpx.Response(404), httpx.Response(200, text="<html>"), httpx.Response(200, json=[]), httpx.Response(302)],
)
def test_a_description_that_is_none_is_refused(answer: httpx.Response) -> None:
    said = Said()
    said.metadata = answer  # type: ignore[assignment]
    with pytest.raises(Untrusted, match=r"id\.example"):
        said.provider.way_in(KEY)


def test_the_description_is_asked_for_once() -> None:
    said = Said()
    said.provider.way_in(KEY)
    said.provider.way_in(KEY)
    assert len(said.asked) == 1


@pytest.mark.parametrize(
    "token", [{"error": "invalid_grant"}, {"id_token": None}, {"id_token": ["a"]}, {"error": 7, "id_token": None}]
)
def test_a_token_endpoint_that_gives_no_token_lets_nobody_in(token: dict[str, Any]) -> None:
    said = Said()
    said.token = token
    with pytest.raises(Untrusted):
        said.person()


def test_claims_that_the_id_token_lacks_are_asked_for() -> None:
    said = Said()
    del said.claims["preferred_username"]
    said.userinfo = {"sub": "1", "preferred_username": "Kim", "iss": "https://evil.example"}
    assert said.person() == Person(f"{ISSUER} 1", "Kim", None)
    assert said.asked[-1].headers["Authorization"] == "Bearer a token"


def test_claims_of_somebody_else_are_refused() -> None:
    said = Said()
    del said.claims["preferred_username"]
    said.userinfo = {"sub": "2", "preferred_username": "Kim"}
    with pytest.raises(Untrusted, match="somebody else"):
        said.person()


def test_the_way_out_names_the_client_and_where_to_come_back_to() -> None:
    said = Said()
    said.metadata["end_session_endpoint"] = f"{ISSUER}/out?realm=news"
    sent = dict(parse_qsl(urlsplit(said.provider.way_out("https://pictures.example/login")).query))
    assert sent == {
        "realm": "news",
        "client_id": "frontispiece",
        "post_logout_redirect_uri": "https://pictures.example/login",
    }


def test_there_is_no_way_out_where_the_provider_offers_none() -> None:
    assert Said().provider.way_out("https://pictures.example/login") == ""


def test_the_doctor_says_what_can_be_had_of_it() -> None:
    told = [f"It logs people in at {ISSUER}/auth.", "Its keys can be read.", "It offers no way to log out from here."]
    assert list(Said().provider.doctor()) == told


def test_a_private_address_is_not_connected_to_unless_the_settings_name_it() -> None:
    settings = OidcSettings(issuer="https://127.0.0.1:9", client_id="frontispiece", role="editor")
    with pytest.raises(Untrusted, match=r"private address .*name its origin in \[oidc\] private"):
        Provider(settings, BACK).way_in(KEY)
