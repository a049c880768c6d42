"""What every plugin promises, asked of each folder in `plugins/` that there is."""

import re
import tomllib
from dataclasses import replace
from datetime import UTC, datetime
from itertools import repeat
from pathlib import Path
from typing import Any

import httpx
import pytest
from servers.recorder import parse

from frontispiece import cms
from frontispiece.cms import Adapter, CmsProblem, Delivery, Refused, Unreadable

PLUGINS = Path(__file__).parents[2] / "plugins"
CAPTURED = sorted(PLUGINS.glob("*/deliveries/*.http"))


def name(path: Path) -> str:
    return f"{path.parts[-3]}/{path.stem}"


def adapter(plugin: str, **other: Any) -> Adapter:
    keys = tomllib.loads((PLUGINS / plugin / "deliveries" / "site.toml").read_text("utf8"))
    kind = cms.load(plugin)
    return kind(kind.Settings.model_validate({**keys, **other}))


def captured(path: Path) -> tuple[Adapter, Delivery]:
    """The delivery in a file, as if it had just come, and the adapter of its site."""
    request, asked = parse(path.read_bytes()), adapter(path.parts[-3])
    return asked, Delivery(request.headers, request.body, request.path, _sent(request.headers))


def _sent(headers: cms.Headers) -> float:
    """When it was signed, in seconds since the epoch, by whichever header tells; 0 where none does."""
    told = (
        re.search(r"^(\d{10,13})$" if "timestamp" in name else r"\bt=(\d{10,13})\b", value)
        for name, value in headers.pairs
    )
    stamp = next((float(found[1]) for found in told if found), 0.0)
    return stamp / 1000 if stamp > 1e11 else stamp


def by(fact: str) -> list[Path]:
    """The deliveries of plugins of which this fact is true."""
    return [path for path in CAPTURED if getattr(cms.load(path.parts[-3]), fact)]


@pytest.mark.parametrize("plugin", cms.names())
def test_a_plugin_has_a_guide_and_three_captured_deliveries(plugin: str) -> None:
    assert (PLUGINS / plugin / "README.md").exists()
    assert len(list((PLUGINS / plugin / "deliveries").glob("*.http"))) >= 3


@pytest.mark.parametrize("plugin", cms.names())
def test_a_plugin_states_its_facts(plugin: str) -> None:
    kind = cms.load(plugin)

    assert all((kind.title, kind.docs, kind.signs, kind.proved, 200 <= kind.accepted < 300))


@pytest.mark.parametrize("path", CAPTURED, ids=name)
def test_a_captured_delivery_is_authentic(path: Path) -> None:
    asked, delivery = captured(path)

    assert isinstance(asked.verify(delivery), str)


@pytest.mark.parametrize("path", CAPTURED, ids=name)
def test_a_captured_delivery_can_be_read(path: Path) -> None:
    asked, delivery = captured(path)

    assert all(event.ref or event.kind == "ping" for event in asked.events(delivery))


@pytest.mark.parametrize("path", by("signs_body"), ids=name)
def test_one_flipped_bit_is_refused(path: Path) -> None:
    asked, delivery = captured(path)
    body = bytes([delivery.body[0] ^ 1]) + delivery.body[1:]

    with pytest.raises(Refused):
        asked.verify(replace(delivery, body=body))


@pytest.mark.parametrize("path", CAPTURED, ids=name)
def test_without_its_own_headers_a_delivery_is_refused(path: Path) -> None:
    asked, delivery = captured(path)

    with pytest.raises(Refused):
        asked.verify(replace(delivery, headers=cms.Headers([("content-type", "application/json")])))


@pytest.mark.parametrize("path", by("signs_time"), ids=name)
def test_a_delivery_that_is_sent_again_tomorrow_is_refused(path: Path) -> None:
    asked, delivery = captured(path)

    with pytest.raises(Refused):
        asked.verify(replace(delivery, received=delivery.received + 86_400))


@pytest.mark.parametrize("path", CAPTURED, ids=name)
def test_the_previous_secret_is_good_during_a_rotation(path: Path) -> None:
    asked, delivery = captured(path)
    old = asked.settings.webhook_secret
    rotated = adapter(path.parts[-3], webhook_secret=asked.settings.new_secret(), previous_webhook_secret=old)

    assert rotated.verify(delivery) == asked.verify(delivery)


@pytest.mark.parametrize("path", CAPTURED, ids=name)
def test_another_secret_is_refused(path: Path) -> None:
    asked, delivery = captured(path)

    with pytest.raises(Refused):
        adapter(path.parts[-3], webhook_secret=asked.settings.new_secret()).verify(delivery)


@pytest.mark.parametrize("path", CAPTURED, ids=name)
def test_a_captured_delivery_names_nobody_and_no_real_host(path: Path) -> None:
    mails = re.findall(rb"[\w.+-]+@([\w-]+(?:\.[\w-]+)+)", path.read_bytes())

    assert {mail for mail in mails if not re.search(rb"(^|\.)(example(\.\w+)?|test|invalid|localhost)$", mail)} == set()


@pytest.mark.parametrize("plugin", cms.names())
def test_what_is_no_message_at_all_is_unreadable(plugin: str) -> None:
    for body in (b"", b"{", b"[]", b"null", b"\xff"):
        with pytest.raises(Unreadable):
            adapter(plugin).events(Delivery(cms.Headers([("content-type", "application/json")]), body))


@pytest.mark.parametrize("status", [200, 409, 423])
@pytest.mark.parametrize("plugin", cms.names())
def test_an_answer_of_any_status_is_read_up_to_a_bound(plugin: str, status: int) -> None:
    asked = adapter(plugin)
    enormous = httpx.MockTransport(lambda _: httpx.Response(status, content=repeat(b"x" * 1_000_000, 25)))

    with asked.open(enormous) as api, pytest.raises(CmsProblem, match="more than 20,000,000"):
        list(asked.recent(api, datetime.now(UTC)))
