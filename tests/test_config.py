"""Configuration: what is refused at start, and in which words."""

from pathlib import Path

import pytest

from frontispiece import config
from frontispiece.errors import ConfigProblem

GOOD = """
[sites.shop]
plugin = "generic"
url = "https://shop.example"
webhook_secret = "whsec_c2VjcmV0"

[[rules]]
name = "articles"
site = "shop"
models = ["sketch"]
"""


def load(folder: Path, text: str) -> config.Settings:
    path = folder / "frontispiece.toml"
    path.write_text(text, "utf8")
    return config.load(path)


def refusal(folder: Path, text: str) -> str:
    with pytest.raises(ConfigProblem) as problem:
        load(folder, text)
    return problem.value.words


def test_a_small_file_is_enough(tmp_path: Path) -> None:
    assert load(tmp_path, GOOD).rules[0].slot == "hero"


def test_without_a_file_everything_has_its_default(tmp_path: Path) -> None:
    assert config.load(tmp_path / "none.toml").sites == {}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("url =", "ulr ="), "sites.shop.ulr: Extra inputs are not permitted"),
        (('webhook_secret = "whsec_c2VjcmV0"', ""), "sites.shop.webhook_secret: Field required"),
        (('"generic"', '"generik"'), "there is no plugin 'generik'; there are: "),
        (('["sketch"]', '["flux-9"]'), "there is no 'flux-9'; there are: flux-"),
        (
            ('["sketch"]', '["flux-2-pro"]'),
            "generators.bfl.api_key: Field required (needed by rules.0 (articles).models)",
        ),
        (('site = "shop"', 'site = "shoop"'), "rules.0 (articles).site: there is no 'shoop'; there are: shop"),
        (('site = "shop"', 'site = "shop"\nslot = "herro"'), "there is no 'herro'; there are: gallery, hero"),
        (('site = "shop"', 'site = "shop"\ntemplate = "article/herro"'), "article/herro"),
        (('site = "shop"', 'site = "shop"\n[[rules]]\nname = "articles"\nsite = "shop"'), "another rule of this name"),
        (("whsec_c2VjcmV0", "whsec_…"), "sites.shop.webhook_secret: webhook_secret is not whsec_ followed by base64"),
        (("https://shop", "https://user:word@shop"), "sites.shop.url: must hold no user and password"),
        (("https://shop", "shop"), "sites.shop.url: must start with http:// or https://"),
        (("[sites.shop]", "[sites.shop"), "is not valid TOML"),
    ],
)
def test_a_mistake_is_named_with_its_key(tmp_path: Path, change: tuple[str, str], words: str) -> None:
    assert words in refusal(tmp_path, GOOD.replace(*change))


def test_a_mistake_is_named_with_its_file(tmp_path: Path) -> None:
    assert str(tmp_path / "frontispiece.toml") in refusal(tmp_path, GOOD.replace("url =", "ulr ="))


def test_a_variable_overrides_one_key_and_keeps_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRONTISPIECE_SITES__SHOP__URL", "https://other.example")
    shop = load(tmp_path, GOOD).sites["shop"]

    assert (shop.url, shop.secrets) == ("https://other.example", ["whsec_c2VjcmV0"])


def test_a_secret_file_overrides_one_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "frontispiece_sites__shop__webhook_secret").write_text("whsec_b3RoZXIgb3RoZXI=")
    monkeypatch.setenv("FRONTISPIECE_SECRETS", str(tmp_path / "secrets"))

    assert load(tmp_path, GOOD).sites["shop"].secrets == ["whsec_b3RoZXIgb3RoZXI="]


def test_a_variable_is_stronger_than_a_secret_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "frontispiece_sites__shop__webhook_secret").write_text("whsec_b3RoZXIgb3RoZXI=")
    monkeypatch.setenv("FRONTISPIECE_SECRETS", str(tmp_path))
    monkeypatch.setenv("FRONTISPIECE_SITES__SHOP__WEBHOOK_SECRET", "whsec_dGhpcmQgdGhpcmQ=")

    assert load(tmp_path, GOOD).sites["shop"].secrets == ["whsec_dGhpcmQgdGhpcmQ="]


def test_the_key_of_bfl_is_found_under_its_usual_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BFL_API_KEY", "a-key")

    assert "bfl" in load(tmp_path, GOOD.replace("sketch", "flux-2-pro")).generators


def test_two_services_may_speak_the_same_contract(tmp_path: Path) -> None:
    two = '[generators.bfl]\napi_key = "a"\n[generators.bfl-eu]\ngenerator = "bfl"\napi_key = "b"\n'

    assert load(tmp_path, two + GOOD).generators["bfl-eu"].generator == "bfl"


def test_a_service_that_nobody_can_speak_to_is_named(tmp_path: Path) -> None:
    assert "generators.dalle.generator: there is no generator 'dalle'" in refusal(
        tmp_path, "[generators.dalle]\n" + GOOD
    )


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("database_url", "database_url: must start with sqlite:/// or postgresql:// or postgresql+psycopg://"),
        ("redis_url", "redis_url: must start with redis:// or rediss:// or unix://"),
    ],
)
def test_an_address_of_an_unknown_kind_is_refused_without_its_password(tmp_path: Path, key: str, words: str) -> None:
    told = refusal(tmp_path, f'{key} = "mysql://ada:hunter2@db.example/pictures"\n' + GOOD)

    assert (True, False) == (words in told, "hunter2" in told)


def test_no_secret_is_printed(tmp_path: Path) -> None:
    assert "c2VjcmV0" not in repr(load(tmp_path, GOOD))


def test_the_previous_secret_is_good_during_a_rotation(tmp_path: Path) -> None:
    both = GOOD.replace("webhook_secret =", 'previous_webhook_secret = "whsec_b2xkIG9sZCBvbGQ="\nwebhook_secret =')

    assert load(tmp_path, both).sites["shop"].secrets == ["whsec_c2VjcmV0", "whsec_b2xkIG9sZCBvbGQ="]
