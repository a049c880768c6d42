"""What the settings of an identity provider make of somebody's claims: their name and their role."""

from typing import Any

import pytest
from pydantic import ValidationError
from servers.vouching import ISSUER, SECRET, Said

from frontispiece.config import Settings
from frontispiece.identity import claim


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        ({"preferred_username": "jo.e", "name": "Jo"}, "jo.e"),
        ({"preferred_username": "", "name": "Jo"}, "Jo"),
        ({"preferred_username": 7, "name": " Jo\u202e\x00 "}, "Jo"),
        ({"preferred_username": None, "email": "jo@example.org", "email_verified": True}, "jo@example.org"),
        ({"preferred_username": None, "email": "jo@example.org", "email_verified": "true"}, "1"),
        ({"preferred_username": "J" * 200}, "J" * 60),
        ({"preferred_username": "<b>Jo</b>"}, "<b>Jo</b>"),
    ],
)
def test_somebody_is_called_by_the_first_claim_that_is_a_name(claims: dict[str, Any], name: str) -> None:
    said = Said()
    said.claims |= claims
    assert said.person().name == name


ROLES = {"desk": "editor", "chief": "lead", "it": "admin"}


@pytest.mark.parametrize(
    ("value", "role"),
    [
        ("desk", "editor"),
        (["desk", "chief", "tennis"], "lead"),
        (["tennis"], "viewer"),
        ([], "viewer"),
        (None, "viewer"),
        ({"it": True}, "viewer"),
        ([["it"], 7, {"it": 1}], "viewer"),
        ("desk chief", "viewer"),
    ],
)
def test_the_role_is_the_highest_that_a_value_of_the_claim_gives(value: Any, role: str) -> None:
    said = Said(role_claim="groups", roles=ROLES, role="viewer")
    said.claims["groups"] = value
    assert said.person().role == role


def test_the_id_token_is_believed_before_the_userinfo_endpoint() -> None:
    said = Said(role_claim="groups", roles=ROLES, role="viewer", username_claim="nickname")
    said.claims["groups"] = ["desk"]
    said.userinfo = {"sub": "1", "nickname": "jo", "groups": ["it"]}
    assert (said.person().name, said.person().role) == ("jo", "editor")


def test_without_a_value_and_without_a_role_for_everybody_there_is_none() -> None:
    assert Said(role_claim="groups", roles=ROLES, role="").person().role == ""


@pytest.mark.parametrize(
    ("name", "value"),
    [("a.b", 1), ("a", {"b": 2}), ("c.d.e", 3), ("https://news.example/roles", 4), ("a.x", None), ("c.d.e.f", None)],
)
def test_a_claim_is_found_inside_others_and_with_dots_in_its_name(name: str, value: Any) -> None:
    claims = {"a.b": 1, "a": {"b": 2}, "c": {"d": {"e": 3}}, "https://news.example/roles": 4}
    assert claim(claims, name) == value


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"issuer": "http://id.example"}, "must be an https address"),
        ({"issuer": "https://jo@id.example"}, "must be an https address"),
        ({"issuer": "https://id.example?a=b"}, "must be an https address"),
        ({"issuer": "id.example"}, "must be an https address"),
        ({"role": ""}, "nobody could log in"),
        ({"role": "boss"}, "role"),
        ({"role_claim": "groups"}, "one is of no use"),
        ({"roles": {"desk": "editor"}}, "one is of no use"),
        ({"role_claim": "groups", "roles": {"desk": "boss"}}, "roles.desk"),
        ({"scopes": ["profile"]}, "openid"),
        ({"secret": "a"}, "secret"),
    ],
    ids=str,
)
def test_settings_that_cannot_work_are_refused(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Said(**change)


def test_an_address_without_tls_may_be_one_of_the_private_ones() -> None:
    issuer = "http://keycloak:8080/realms/news"
    assert Said(issuer=issuer, private=["http://keycloak:8080"]).provider.settings.issuer == issuer


def test_the_secret_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRONTISPIECE_OIDC__CLIENT_SECRET", SECRET)
    settings = Settings(oidc={"issuer": ISSUER, "client_id": "frontispiece", "role": "editor"})  # type: ignore[arg-type]
    assert settings.oidc
    assert settings.oidc.client_secret.get_secret_value() == SECRET
