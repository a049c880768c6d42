"""The WordPress adapter without a WordPress: captured deliveries, odd bodies, odd answers, HTML as text."""

import json
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from servers.recorder import parse

from frontispiece import cms
from frontispiece.cms import Adapter, CmsProblem, Delivery, Event, Refused, Unreadable

WordPress = cms.load("wordpress")
DELIVERIES = Path(__file__).parents[2] / "plugins/wordpress/deliveries"
CAPTURED = sorted(DELIVERIES.glob("*.http"))
plain = cms.plain


@pytest.fixture
def adapter() -> Adapter:
    site = tomllib.loads((DELIVERIES / "site.toml").read_text())
    return WordPress(WordPress.Settings.model_validate(site))


def captured(path: Path) -> Delivery:
    """A delivery as WordPress sent it, at the moment when it came."""
    request = parse(path.read_bytes())
    return Delivery(request.headers, request.body, request.path, float(request.headers.get("webhook-timestamp")))


def body(**fields: Any) -> Delivery:
    usual = {"event": "entry.published", "rest_base": "posts", "id": 12}
    return Delivery(cms.Headers(), json.dumps(usual | fields).encode())


def answering(adapter: Adapter, status: int, text: str) -> httpx.Client:
    return adapter.open(httpx.MockTransport(lambda _: httpx.Response(status, text=text)))


@pytest.mark.parametrize("path", CAPTURED, ids=lambda path: path.stem)
def test_a_captured_delivery_is_authentic(adapter: Adapter, path: Path) -> None:
    delivery = captured(path)
    assert adapter.verify(delivery) == delivery.headers.get("webhook-id")


@pytest.mark.parametrize("path", CAPTURED, ids=lambda path: path.stem)
def test_a_flipped_byte_is_refused(adapter: Adapter, path: Path) -> None:
    delivery = captured(path)
    flipped = bytes([delivery.body[0] ^ 1]) + delivery.body[1:]
    with pytest.raises(Refused):
        adapter.verify(Delivery(delivery.headers, flipped, received=delivery.received))


@pytest.mark.parametrize("path", CAPTURED, ids=lambda path: path.stem)
def test_a_captured_delivery_says_what_its_file_is_called_after(adapter: Adapter, path: Path) -> None:
    kind = path.stem.split("-")[0]
    expected = Event("ping", "") if kind == "test" else Event(kind, "posts/4")  # type: ignore[arg-type]
    assert adapter.events(captured(path)) == [expected]


def test_there_is_a_delivery_of_every_kind_from_two_cores() -> None:
    kinds = [path.stem.split("-")[0] for path in CAPTURED]
    assert {kind: kinds.count(kind) for kind in kinds} == dict.fromkeys(
        ("created", "deleted", "published", "test", "updated"), 2
    )


def test_a_page_has_the_base_of_pages_in_its_ref(adapter: Adapter) -> None:
    assert adapter.events(body(rest_base="pages", id=3)) == [Event("published", "pages/3")]


@pytest.mark.parametrize(
    "fields",
    [
        {"event": "entry.exploded"},
        {"event": None},
        {"id": "12"},
        {"id": 0},
        {"id": True},
        {"id": None},
        {"rest_base": "../users"},
        {"rest_base": ""},
        {"rest_base": 5},
    ],
    ids=str,
)
def test_a_field_that_our_plugin_never_sends_is_unreadable(adapter: Adapter, fields: dict[str, Any]) -> None:
    with pytest.raises(Unreadable):
        adapter.events(body(**fields))


@pytest.mark.parametrize(
    "text", [b"", b"{", b"[]", b"null", b"7", b'"entry"', b"\xff\xfe", b"[" * 200_000], ids=lambda text: repr(text[:9])
)
def test_a_body_that_is_no_delivery_is_unreadable(adapter: Adapter, text: bytes) -> None:
    with pytest.raises(Unreadable):
        adapter.events(Delivery(cms.Headers(), text))


def test_a_page_instead_of_json_is_explained(adapter: Adapter) -> None:
    with answering(adapter, 200, "<html>Coming soon</html>") as api, pytest.raises(CmsProblem, match="without JSON"):
        adapter.fetch(api, "posts/4")


def test_an_address_below_a_folder_is_kept() -> None:
    site = tomllib.loads((DELIVERIES / "site.toml").read_text()) | {"url": "https://example.org/blog/"}
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        return httpx.Response(404)

    below = WordPress(WordPress.Settings.model_validate(site))
    with below.open(httpx.MockTransport(answer)) as api, pytest.raises(cms.Gone):
        below.fetch(api, "posts/4")
    assert asked == ["/blog/wp-json/wp/v2/posts/4"]


def test_recent_reads_by_id_and_tells_the_oldest_change_first(adapter: Adapter) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert request.url.params["orderby"] == "id"
        number = int(request.url.params["page"])
        post = {"id": number, "status": "draft", "featured_media": 0, "modified_gmt": f"2026-11-2{9 - number}T08:00:00"}
        return httpx.Response(200, json=[post], headers={"X-WP-TotalPages": "3"})

    with adapter.open(httpx.MockTransport(answer)) as api:
        found = list(adapter.recent(api, datetime(2026, 11, 21, tzinfo=UTC)))
    assert found == [Event("created", f"posts/{number}") for number in (3, 2, 1)]


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("", ""),
        ("Tea &amp; cake", "Tea & cake"),
        ("<p>One\n two</p>\n\n<p>three</p>", "One two\nthree"),
        ("a<br>b<br/>c", "a\nb\nc"),
        ("<ul><li>a</li><li>b</li></ul>", "a\nb"),
        ("<b>bo</b>ld", "bold"),
        ("&lt;script&gt; stays", "<script> stays"),
        ("before<script>if (a < b) { alert('x') }</script><style>p{}</style>after", "beforeafter"),
        ("<!-- wp:paragraph --><p>x</p><!-- /wp:paragraph -->", "x"),
        ("</script>x", "x"),
        ("<p>unclosed", "unclosed"),
        ("2 < 3 & 4 > 3", "2 < 3 & 4 > 3"),
    ],
)
def test_html_becomes_what_a_reader_would_see(html: str, text: str) -> None:
    assert plain(html) == text
