"""`frontispiece connect` and `doctor` from the command line, with a home-made CMS."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

CONFIG = """
data = "{data}"
[server]
url = "{server}"
[sites.shop]
plugin = "{plugin}"
url = "{site}"
{secret}
{more}
"""
ADAPTER = """
from frontispiece.cms import CmsProblem, Connection, load
Generic = load("generic")
class Choosy(Generic):
    connects = True
    def connect(self, api, hook):
        if "no" in self.settings.url:
            raise CmsProblem("it may not be registered with this key")
        return Connection((f"the webhook to {hook} is there",), "whsec_Y2hvc2Vu")
"""


class Connect:
    """`frontispiece` in a folder with a site, whose secret is in the configuration or not."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "plugins/choosy").mkdir(parents=True)
        (folder / "plugins/choosy/adapter.py").write_text(ADAPTER)
        self.kept = folder / "data/secrets/shop"

    def __call__(
        self,
        *words: str,
        plugin: str = "generic",
        secret: str = "",
        server: str = "https://pictures.example",
        site: str = "https://shop.example",
        more: str = "",
    ) -> "subprocess.CompletedProcess[str]":
        line = f'webhook_secret = "{secret}"' if secret else ""
        text = CONFIG.format(data=self.folder / "data", plugin=plugin, secret=line, server=server, site=site, more=more)
        (self.folder / "frontispiece.toml").write_text(text)
        environment = {**os.environ, "FRONTISPIECE_PLUGINS": str(self.folder / "plugins")}
        command = [sys.executable, "-m", "frontispiece", *words]
        return subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False, timeout=60
        )


@pytest.fixture
def run(tmp_path: Path) -> Connect:
    return Connect(tmp_path)


def test_a_site_without_a_secret_is_told_how_to_have_one(run: Connect) -> None:
    assert "`frontispiece connect shop` makes one" in run("check").stderr


def test_connect_makes_a_secret_and_says_it(run: Connect) -> None:
    said = run("connect", "shop").stdout
    assert run.kept.read_text().startswith("whsec_")
    assert (run.kept.read_text() in said, f"it is kept in {run.kept}" in said) == (True, True)


def test_other_sites_without_a_secret_are_no_hindrance(run: Connect) -> None:
    said = run("connect", "shop", more='[sites.other]\nplugin = "generic"\nurl = "https://other.example"')
    assert said.returncode == 0


def test_a_secret_that_was_made_is_used_from_then_on(run: Connect) -> None:
    run("connect", "shop")
    assert run("check").returncode == 0


def test_connecting_again_keeps_the_secret(run: Connect) -> None:
    run("connect", "shop")
    before = run.kept.read_text()
    run("connect", "shop")
    assert run.kept.read_text() == before


def test_a_kept_secret_is_for_its_owner_s_eyes_only(run: Connect) -> None:
    run("connect", "shop")
    assert (stat.S_IMODE(run.kept.stat().st_mode), stat.S_IMODE(run.kept.parent.stat().st_mode)) == (0o600, 0o700)


def test_no_secret_is_made_where_the_configuration_has_one(run: Connect) -> None:
    run("connect", "shop", secret="whsec_c2VjcmV0")
    assert not run.kept.exists()


def test_connect_ends_with_the_plugin_s_own_steps(run: Connect) -> None:
    said = run("connect", "shop").stdout
    assert "# " in said
    assert "https://pictures.example/hooks/shop" in said


def test_connect_registers_the_webhook_where_the_cms_lets_us(run: Connect) -> None:
    assert (
        "the webhook to https://pictures.example/hooks/shop is there" in run("connect", "shop", plugin="choosy").stdout
    )


def test_where_the_cms_refuses_the_webhook_it_can_be_made_by_hand(run: Connect) -> None:
    done = run("connect", "shop", plugin="choosy", site="https://no.example")
    assert "it may not be registered with this key" in done.stderr
    assert f"webhook secret  {run.kept.read_text()}" in done.stdout


def test_a_secret_that_the_cms_chooses_is_kept(run: Connect) -> None:
    run("connect", "shop", plugin="choosy")
    assert run.kept.read_text() == "whsec_Y2hvc2Vu"


def test_a_secret_that_the_cms_chooses_does_not_hide_behind_the_configured_one(run: Connect) -> None:
    said = run("connect", "shop", plugin="choosy", secret="whsec_c2VjcmV0").stdout
    assert "Set webhook_secret of [sites.shop] to the secret that it chose: whsec_Y2hvc2Vu" in said


@pytest.mark.parametrize("secret", ["whsec_", "whsec_bmV3"])
def test_a_secret_that_proves_nothing_is_refused(run: Connect, secret: str) -> None:
    assert "sites.shop.webhook_secret: is too short to prove anything" in run("check", secret=secret).stderr


def test_an_address_that_the_cms_cannot_reach_is_said(run: Connect) -> None:
    said = run("connect", "shop", server="http://127.0.0.1:8460").stdout
    assert "Warning: shop.example cannot reach http://127.0.0.1:8460/hooks/shop" in said
