"""Our verification of Webflow's webhooks and our calls of its API, held against Webflow's own client."""

import hmac
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from servers.recorder import parse
from servers.webflow import SITE, TOKEN, Server
from servers.webflow_client import authentic, drive

from frontispiece.cms import Adapter, Delivery, Headers, Picture, Refused, load

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]

FOLDER = Path(__file__).parents[2] / "plugins/webflow/deliveries"
KEYS = tomllib.loads((FOLDER / "site.toml").read_text("utf8"))
SECRET = str(KEYS["webhook_secret"])
STAMP = 1_795_229_586_123


@pytest.fixture
def adapter() -> Adapter:
    kind = load("webflow")
    return kind(kind.Settings.model_validate(KEYS))


def signed(body: str, secret: str = SECRET) -> Delivery:
    signature = hmac.new(secret.encode(), f"{STAMP}:{body}".encode(), "sha256").hexdigest()
    headers = Headers([("x-webflow-timestamp", str(STAMP)), ("x-webflow-signature", signature)])
    return Delivery(headers, body.encode(), received=STAMP / 1000)


def taken(adapter: Adapter, delivery: Delivery) -> bool:
    try:
        adapter.verify(delivery)
    except Refused:
        return False
    return True


def test_the_deliveries_are_authentic_to_webflow_s_own_client() -> None:
    requests = [parse(path.read_bytes()) for path in sorted(FOLDER.glob("*.http"))]
    said = authentic([(Delivery(request.headers, request.body), SECRET) for request in requests])
    assert said == [True] * len(requests)
    assert len(said) >= 3


def test_both_say_the_same_of_what_is_authentic_and_what_is_not(adapter: Adapter) -> None:
    good = signed('{"name":"Zwölf Boote – 十二"}\n')
    moved = Headers([(name, value.replace("123", "124")) for name, value in good.headers.pairs])
    wrong = [replace(good, body=good.body.strip()), replace(good, headers=moved), signed("{}", "another secret")]
    cases = [good, signed(""), signed("{ }"), *wrong]
    ours = [taken(adapter, delivery) for delivery in cases]
    assert ours == authentic([(delivery, SECRET) for delivery in cases]) == [True] * 3 + [False] * 3


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path)
    made.start()
    yield made
    made.stop()


def work(site: Server) -> str:
    """Does all that an adapter does, in a published and in a draft item; the published one's `ref`."""
    adapter, refs = site.adapter(), [site.create("published"), site.create("draft")]
    drawing = Picture("boats-1-2.webp", "image/webp", b"RIFF a drawing", 1600, 900, "A boat leaves the harbour")
    with adapter.open() as api:
        for ref in refs:
            adapter.revert(api, ref, adapter.attach(api, adapter.fetch(api, ref), drawing))
        adapter.connect(api, "https://frontispiece.example.org/hooks/site")
        adapter.doctor(api)
        assert [event.ref for event in adapter.recent(api, datetime(2020, 1, 1, tzinfo=UTC))] == refs
    return refs[0]


def test_our_calls_are_those_that_webflow_s_own_client_makes(site: Server) -> None:
    ref = work(site)
    ours, site.calls, site.hooks = site.calls, set(), []
    found = drive(site.url, TOKEN, SITE, ref)
    assert found["fieldData"]["name"] == "Named by Webflow's client"
    listed = "GET /v2/collections/*/items lastUpdated[gte] limit sortBy"  # in the client's source from 3.3.5 on
    assert ours - site.calls == {"POST /s3/bucket ", listed}
