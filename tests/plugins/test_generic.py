"""The generic plugin over real HTTP: against The Gazette, and against the example of its own README."""

import dataclasses
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import jsonschema  # type: ignore[import-untyped]
import pytest
from servers import gazette
from servers.gazette import SECRET, TOKEN, Newsroom, form, taken_apart

from frontispiece import cms
from frontispiece.cms import (
    Adapter,
    CmsProblem,
    Conflict,
    Delivery,
    Event,
    Gone,
    Picture,
    Refused,
    Unavailable,
    Unreadable,
)
from frontispiece.signatures import sign_standard_webhooks

Generic = cms.load("generic")
HERE = Path(__file__).parents[2] / "plugins" / "generic"
CAPTURED = sorted((HERE / "deliveries").glob("*.http"))
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
PICTURE = Picture("frontispiece-1-hero.webp", "image/webp", b"RIFF....WEBP", 1600, 900, "A loaf on a board", "Drawn")


def adapter(url: str, **keys: str) -> Adapter:
    """The plugin, for a site at `url`."""
    given = {"plugin": "generic", "url": url, "webhook_secret": SECRET, "api_token": TOKEN, **keys}
    return Generic(Generic.Settings.model_validate(given))


def captured(path: Path) -> Delivery:
    """A delivery as it was kept, received when it was sent."""
    headers, body = taken_apart(path.read_bytes())
    return Delivery(cms.Headers(headers.items()), body, received=float(headers["webhook-timestamp"]))


def signed(body: bytes) -> Delivery:
    headers = sign_standard_webhooks(SECRET, "msg_1", 1_000_000, body)
    return Delivery(cms.Headers(headers.items()), body, received=1_000_000.0)


def schema(name: str) -> Any:
    return sys.modules[Generic.__module__].schemas()[name]


@pytest.fixture
def newsroom(tmp_path: Path) -> Iterator[Newsroom]:
    with gazette.serve(tmp_path) as there:
        yield there


@pytest.fixture
def generic(newsroom: Newsroom) -> Adapter:
    return adapter(newsroom.url)


@pytest.fixture
def api(generic: Adapter) -> Iterator[httpx.Client]:
    with generic.open() as client:
        yield client


@pytest.fixture
def ref(newsroom: Newsroom) -> str:
    """An article without a picture."""
    return httpx.post(f"{newsroom.url}/write", data=form(), trust_env=False).headers["Location"].rsplit("/", 1)[1]


@contextmanager
def answering(status: int, sort: str, body: bytes) -> Iterator[Adapter]:
    """The plugin, for a site that answers every GET in one way."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Type", sort)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
            del format, args

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield adapter(f"http://127.0.0.1:{server.server_port}")
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("path", CAPTURED, ids=lambda path: path.stem)
def test_a_captured_delivery_is_authentic(path: Path) -> None:
    delivery = captured(path)
    assert adapter("http://cms.test").verify(delivery) == delivery.headers.get("webhook-id")


@pytest.mark.parametrize("path", CAPTURED, ids=lambda path: path.stem)
def test_a_captured_delivery_with_a_changed_byte_is_refused(path: Path) -> None:
    delivery = captured(path)
    changed = dataclasses.replace(delivery, body=delivery.body.replace(b"i", b"j", 1))
    with pytest.raises(Refused):
        adapter("http://cms.test").verify(changed)


@pytest.mark.parametrize("path", CAPTURED, ids=lambda path: path.stem)
def test_the_published_schema_accepts_a_captured_delivery(path: Path) -> None:
    jsonschema.validate(json.loads(captured(path).body), schema("generic-delivery"))


def test_the_captured_deliveries_say_what_happened() -> None:
    events = [adapter("http://cms.test").events(captured(path)) for path in CAPTURED]
    kinds = [("created", "7"), ("deleted", "7"), ("published", "7"), ("updated", "7"), ("ping", "")]
    assert events == [[Event(kind, ref)] for kind, ref in kinds]  # type: ignore[arg-type]


def test_a_delivery_signed_with_the_previous_secret_is_authentic() -> None:
    rotated = adapter("http://cms.test", webhook_secret="whsec_bmV3IG5ldyBuZXc=", previous_webhook_secret=SECRET)
    assert rotated.verify(signed(b"{}")) == "msg_1"


def test_an_unknown_type_is_not_for_us() -> None:
    assert adapter("http://cms.test").events(signed(b'{"type": "comment.created"}')) == []


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"type": "entry.pub', "not JSON"),
        (b"\xff", "not JSON"),
        (b"[]", "the body"),
        (b'{"type": "entry.published", "timestamp": "2026-01-01T00:00:00Z"}', "data.id is missing"),
        (b'{"type": "entry.published", "timestamp": "2026-01-01T00:00:00Z", "data": {"id": 4}}', "data.id"),
        (b'{"type": "entry.published", "timestamp": "2026-01-01T00:00:00Z", "data": {"id": "a/../b"}}', "data.id"),
    ],
)
def test_an_unreadable_delivery_is_refused_with_the_place(body: bytes, words: str) -> None:
    with pytest.raises(Unreadable, match=words):
        adapter("http://cms.test").events(signed(body))


def test_the_entry_is_what_the_cms_has_now(generic: Adapter, api: httpx.Client, ref: str) -> None:
    entry = generic.fetch(api, ref)
    assert (entry.ref, entry.title, entry.excerpt) == (ref, "Bread at Dawn", "The oven never sleeps.")
    assert (entry.tags, entry.section, entry.status, entry.image) == (("bread",), "Food", "published", None)


def test_a_missing_entry_is_gone(generic: Adapter, api: httpx.Client) -> None:
    with pytest.raises(Gone):
        generic.fetch(api, "999")


def test_a_wrong_token_is_said_in_words(newsroom: Newsroom) -> None:
    wrong = adapter(newsroom.url, api_token="wrong")
    with wrong.open() as api, pytest.raises(CmsProblem, match="answered 401"):
        wrong.doctor(api)


def test_the_doctor_finds_the_list(generic: Adapter, api: httpx.Client) -> None:
    assert len(generic.doctor(api)) == 1


def test_the_picture_is_on_the_entry(generic: Adapter, api: httpx.Client, ref: str) -> None:
    receipt = generic.attach(api, generic.fetch(api, ref), PICTURE)
    image = generic.fetch(api, ref).image
    assert image is not None
    assert (image.id, image.url, image.alt) == (receipt.media_id, receipt.url, "A loaf on a board")
    assert httpx.get(receipt.url, trust_env=False).content == PICTURE.data


def test_attached_twice_is_one_picture(generic: Adapter, api: httpx.Client, ref: str) -> None:
    entry = generic.fetch(api, ref)
    assert generic.attach(api, entry, PICTURE) == generic.attach(api, entry, PICTURE)


def test_attached_again_after_a_lost_answer_is_one_picture(generic: Adapter, api: httpx.Client, ref: str) -> None:
    first = generic.attach(api, generic.fetch(api, ref), PICTURE)
    assert generic.attach(api, generic.fetch(api, ref), PICTURE) == first


def test_a_persons_picture_that_came_meanwhile_is_a_conflict(
    newsroom: Newsroom, generic: Adapter, api: httpx.Client, ref: str
) -> None:
    read_before = generic.fetch(api, ref)
    newsroom.archive.choose(int(ref), "own.webp", "My own loaf")
    with pytest.raises(Conflict, match="another picture"):
        generic.attach(api, read_before, PICTURE)


def test_a_revert_leaves_no_picture_where_none_was(generic: Adapter, api: httpx.Client, ref: str) -> None:
    generic.revert(api, ref, generic.attach(api, generic.fetch(api, ref), PICTURE))
    assert generic.fetch(api, ref).image is None


def test_a_revert_puts_the_picture_before_back(
    newsroom: Newsroom, generic: Adapter, api: httpx.Client, ref: str
) -> None:
    newsroom.archive.choose(int(ref), "own.webp", "My own loaf")
    before = generic.fetch(api, ref)
    generic.revert(api, ref, generic.attach(api, before, PICTURE))
    assert generic.fetch(api, ref).image == before.image


def test_reverted_twice_is_reverted_once(generic: Adapter, api: httpx.Client, ref: str) -> None:
    receipt = generic.attach(api, generic.fetch(api, ref), PICTURE)
    generic.revert(api, ref, receipt)
    generic.revert(api, ref, receipt)
    assert generic.fetch(api, ref).image is None


def test_a_reverted_picture_can_be_attached_again(generic: Adapter, api: httpx.Client, ref: str) -> None:
    first = generic.attach(api, generic.fetch(api, ref), PICTURE)
    generic.revert(api, ref, first)
    assert generic.attach(api, generic.fetch(api, ref), PICTURE) == first


def test_a_revert_spares_what_a_person_set_since(
    newsroom: Newsroom, generic: Adapter, api: httpx.Client, ref: str
) -> None:
    receipt = generic.attach(api, generic.fetch(api, ref), PICTURE)
    newsroom.archive.choose(int(ref), "own.webp", "My own loaf")
    with pytest.raises(Conflict):
        generic.revert(api, ref, receipt)


def test_recent_tells_of_entries_without_a_picture(generic: Adapter, api: httpx.Client, ref: str) -> None:
    generic.attach(api, generic.fetch(api, "2"), PICTURE)
    assert list(generic.recent(api, LONG_AGO)) == [Event("published", one) for one in (ref, "3", "4", "5", "6")]


def test_recent_follows_the_pages_and_leaves_out_entries_that_have_an_image() -> None:
    def page(request: httpx.Request) -> httpx.Response:
        number = int(request.url.params.get("cursor", "1"))
        bare, full = {"id": str(number), "title": "?"}, {"id": f"{number}0", "title": "?", "image": {"id": "1"}}
        entries = [bare, full]
        return httpx.Response(200, json={"entries": entries, "next": "2" if number == 1 else None})

    generic = adapter("http://cms.test")
    with generic.open(httpx.MockTransport(page)) as api:
        assert [event.ref for event in generic.recent(api, LONG_AGO)] == ["1", "2"]


def test_a_cms_that_is_away_is_asked_again_later() -> None:
    refused = pytest.raises(Unavailable)
    with answering(503, "text/plain", b"back soon") as generic, generic.open() as api, refused as said:
        generic.fetch(api, "1")
    assert "back soon" in str(said.value)


@pytest.mark.parametrize(
    ("sort", "body"),
    [("text/html", b"<h1>Hello</h1>"), ("application/json", b'{"id": "1"}'), ("application/json", b"[")],
)
def test_an_answer_that_is_no_entry_is_a_problem_in_words(sort: str, body: bytes) -> None:
    refused = pytest.raises(CmsProblem)
    with answering(200, sort, body) as generic, generic.open() as api, refused as said:
        generic.fetch(api, "1")
    assert f"answered {sort} that cannot be read" in str(said.value)


def test_a_cms_that_answers_with_another_entry_is_not_believed() -> None:
    refused = pytest.raises(CmsProblem)
    with (
        answering(200, "application/json", b'{"id": "2", "title": "?"}') as generic,
        generic.open() as api,
        refused as said,
    ):
        generic.fetch(api, "1")
    assert "answered with '2'" in str(said.value)


def test_a_cms_that_drops_the_picture_is_found_out() -> None:
    def forgetful(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            return httpx.Response(200, json={"id": "9", "url": "/9.webp"})
        return httpx.Response(200, json={"id": "1", "title": "?"})

    generic = adapter("http://cms.test")
    with generic.open(httpx.MockTransport(forgetful)) as api, pytest.raises(CmsProblem, match="the entry shows None"):
        generic.attach(api, generic.fetch(api, "1"), PICTURE)


def test_an_entry_in_several_languages_gets_an_alt_text_in_each() -> None:
    sent: list[bytes] = []

    def keep(request: httpx.Request) -> httpx.Response:
        sent.extend([request.content] if request.method == "POST" else [])
        image = {"id": "9", "url": "/9.webp", "alt": PICTURE.alt} if sent else None
        entry = {"id": "1", "title": "A day at sea", "titles": {"de": "Ein Tag am Meer"}, "image": image}
        return httpx.Response(200, json=entry if request.method == "GET" else image)

    generic = adapter("http://cms.test")
    with generic.open(httpx.MockTransport(keep)) as api:
        entry = generic.fetch(api, "1")
        generic.attach(api, entry, dataclasses.replace(PICTURE, alts={"de": "Ein Boot"}, captions={"de": "Gemalt"}))
    assert (entry.titles["de"], b'{"de": "Ein Boot"}' in sent[0]) == ("Ein Tag am Meer", True)
    assert b'{"de": "Gemalt"}' in sent[0]


def test_the_json_way_follows_the_published_schema() -> None:
    sent: list[Any] = []

    def keep(request: httpx.Request) -> httpx.Response:
        sent.extend([json.loads(request.content)] if request.method == "POST" else [])
        image = {"id": "9", "url": "/9.webp", "alt": PICTURE.alt} if sent else None
        return httpx.Response(200, json={"id": "1", "title": "?", "image": image} if request.method == "GET" else image)

    generic = adapter("http://cms.test", write="json")
    with generic.open(httpx.MockTransport(keep)) as api:
        generic.attach(api, generic.fetch(api, "1"), PICTURE)
    jsonschema.validate(sent[0], schema("generic-picture"))
    assert sent[0]["picture"] == "data:image/webp;base64,UklGRi4uLi5XRUJQ"


@contextmanager
def example(folder: Path, hook: str) -> Iterator[str]:
    """The README's example as a stranger would run it."""
    code = re.findall(r"```python\n(.*?)```", (HERE / "README.md").read_text("utf8"), re.DOTALL)[-1]
    (folder / "home.py").write_text(code, "utf8")
    surroundings = {**os.environ, "HOOK": hook, "SECRET": SECRET, "TOKEN": TOKEN, "PORT": "0", "NO_PROXY": "127.0.0.1"}
    command = [sys.executable, "home.py"]
    with subprocess.Popen(command, cwd=folder, env=surroundings, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            yield next(filter(None, (re.search(r"http://\S+", line) for line in process.stderr)))[0]
        finally:
            process.kill()


def test_the_example_of_the_readme_walks_the_whole_way(tmp_path: Path) -> None:
    with gazette.receive() as receiver, example(tmp_path, receiver.url) as url:
        httpx.post(f"{url}/publish", data={"title": "Hello", "body": "World"}, trust_env=False).raise_for_status()
        headers, body = taken_apart(receiver.requests.get(timeout=10))
        generic = adapter(url)
        delivery = Delivery(cms.Headers(headers.items()), body, received=float(headers["webhook-timestamp"]))
        assert generic.verify(delivery) == headers["webhook-id"]
        with generic.open() as api:
            [event] = generic.events(delivery)
            assert list(generic.recent(api, LONG_AGO)) == [event]
            entry = generic.fetch(api, event.ref)
            receipt = generic.attach(api, entry, PICTURE)
            assert generic.attach(api, generic.fetch(api, event.ref), PICTURE) == receipt
            assert httpx.get(receipt.url, trust_env=False).content == PICTURE.data
            generic.revert(api, event.ref, receipt)
            assert generic.fetch(api, event.ref) == entry
