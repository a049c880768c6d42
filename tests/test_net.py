"""The guarded client and the download, against a real server on 127.0.0.1."""

import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

from frontispiece import net
from frontispiece.errors import GeneratorProblem, Outage

PNG = b"\x89PNG\r\n\x1a\n" + b"x" * 100
Answer = Callable[[BaseHTTPRequestHandler], None]


class Site(ThreadingHTTPServer):
    """Answers every GET by `answer`, a function of the handler; `hits` counts what arrived."""

    daemon_threads = True
    answer: Answer
    hits = 0

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Site

    def do_GET(self) -> None:
        self.server.hits += 1
        self.server.answer(self)

    def log_message(self, *_: object) -> None:
        """Keeps quiet."""


def _send(data: bytes, kind: str = "image/png", status: int = 200, *, length: int | None = None, **more: str) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(length or len(data)), **more}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(data)

    return answer


@pytest.fixture(name="site")
def _site() -> Iterator[Site]:
    with Site(("127.0.0.1", 0), Handler) as site:
        site.answer = _send(PNG)
        thread = threading.Thread(target=site.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield site
        site.shutdown()
        thread.join()


def _names(*addresses: str) -> net.Resolve:
    """A resolver that knows one answer."""
    return lambda _host, port, **_: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in addresses]


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001", "0.0.0.0", "0"),
        *("[::1]", "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]", "public@127.0.0.1", "127。0。0。1"),
    ],
)
def test_a_private_address_is_refused_however_it_is_written(site: Site, host: str) -> None:
    with net.client() as client, pytest.raises(GeneratorProblem, match="private address"):
        client.get(f"http://{host}:{site.server_port}/")
    assert site.hits == 0


@pytest.mark.parametrize("addresses", [("127.0.0.1",), ("93.184.215.14", "127.0.0.1"), ("10.0.0.5",)])
def test_a_name_with_any_private_address_is_refused(site: Site, addresses: tuple[str, ...]) -> None:
    with net.client(resolve=_names(*addresses)) as client, pytest.raises(GeneratorProblem, match="private address"):
        client.get(f"http://pictures.example:{site.server_port}/")
    assert site.hits == 0


def test_a_name_is_asked_for_once(site: Site) -> None:
    asked: list[str] = []

    def resolve(host: str, _port: int, **_: object) -> list[tuple[Any, ...]]:
        asked.append(host)
        return []

    with net.client(resolve=resolve) as client, pytest.raises(httpx.ConnectError, match="has no address"):
        client.get(f"http://pictures.example:{site.server_port}/")
    assert asked == ["pictures.example"]


def test_the_address_that_was_checked_is_the_one_connected_to(site: Site) -> None:
    resolve = _names("2000::1")  # public, and nobody's; localhost itself would lead to the site
    with net.client(resolve=resolve, seconds=0.3) as client, pytest.raises(httpx.TransportError):
        client.get(f"http://localhost:{site.server_port}/")
    assert site.hits == 0


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "64:ff9b::808:808", "::ffff:8.8.8.8"])
def test_an_address_on_the_internet_is_public(address: str) -> None:
    assert net.public(address)


@pytest.mark.parametrize(
    "address",
    [
        *("10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "192.0.2.1", "198.18.0.1"),
        *("224.0.0.1", "240.0.0.1", "255.255.255.255", "::", "fe80::1%lo", "fc00::1", "fec0::1", "ff02::1"),
        *("2002:7f00:1::", "2001:0:7f00:1::", "::127.0.0.1", "64:ff9b::a00:1", "64:ff9b:1::1", "2001:db8::1"),
    ],
)
def test_an_address_off_the_internet_is_not_public(address: str) -> None:
    assert not net.public(address)


def test_an_origin_that_the_operator_names_may_be_private(site: Site) -> None:
    with net.client([site.origin]) as client:
        assert client.get(site.origin).content == PNG


def test_another_port_of_an_allowed_host_stays_refused(site: Site) -> None:
    with net.client(["http://127.0.0.1:1"]) as client, pytest.raises(GeneratorProblem, match="private address"):
        client.get(site.origin)


def test_a_name_that_does_not_resolve_is_a_failed_connection() -> None:
    with net.client() as client, pytest.raises(httpx.ConnectError, match="cannot be resolved"):
        client.get("https://nowhere.invalid/")


def test_a_proxy_in_the_environment_is_not_used(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with net.client([site.origin]) as client:
        assert client.get(site.origin).status_code == 200


def test_a_redirect_is_not_followed(site: Site) -> None:
    site.answer = _send(b"", status=302, Location="/elsewhere")
    with net.client([site.origin]) as client:
        assert (client.get(site.origin).status_code, site.hits) == (302, 1)


@pytest.mark.parametrize(
    "url",
    [
        *("https://api.bfl.ai/x", "https://delivery.eu2.bfl.ai/x", "https://store.example/x"),
        *("https://API.BFL.AI:443/x", "http://127.0.0.1:8901/x"),
    ],
)
def test_an_address_on_a_known_host_may_be_followed(url: str) -> None:
    assert net.check(url, ("*.bfl.ai", "store.example", "http://127.0.0.1:8901")).host


@pytest.mark.parametrize(
    "url",
    [
        *("http://api.bfl.ai/", "https://api.bfl.ai:8443/", "https://bfl.ai.evil.example/", "https://evilbfl.ai/"),
        *(
            "https://api.bfl.ai@evil.example/",
            "https://user@api.bfl.ai/",
            "https://evil.example#.bfl.ai",
            "//api.bfl.ai",
        ),
        *("https://sub.store.example/", "http://127.0.0.1:8902/", "https://127.0.0.1:8901/", "file:///etc/passwd", ""),
        *(
            "https://api.bfl.ai\\@evil.example/",
            "https://evil.example\\.bfl.ai/",
            "https://evil.example%2f.bfl.ai/",
            "https://x:y:z/",
        ),
    ],
)
def test_an_address_elsewhere_is_not_followed(url: str) -> None:
    with pytest.raises(GeneratorProblem, match=r"not followed|is none"):
        net.check(url, ("*.bfl.ai", "store.example", "http://127.0.0.1:8901"))


@pytest.mark.parametrize("data", [PNG, b"\xff\xd8\xff\xe0jpeg", b"RIFF\x10\0\0\0WEBPVP8 "])
@pytest.mark.parametrize("kind", ["image/png", "Image/JPEG; q=1", "application/octet-stream"])
def test_a_picture_is_downloaded_as_it_is(site: Site, data: bytes, kind: str) -> None:
    site.answer = _send(data, kind)
    with net.client([site.origin]) as client:
        assert net.download(client, f"{site.origin}/p.png", [site.origin]) == data


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (_send(b"<html>", "text/html"), "sent text/html instead of a PNG"),
        (_send(b"<html>"), "6 bytes that are no PNG"),
        (_send(b""), "0 bytes that are no PNG"),
        (_send(b"GIF89a", "image/gif"), "sent image/gif instead"),
        (_send(b"gone", status=403), "link to the picture has expired"),
        (_send(b"gone", status=410), "link to the picture has expired"),
        (_send(b"", status=204), "answered 204 instead"),
        (_send(PNG * 100), "larger than 1,000 bytes"),
    ],
)
def test_what_is_no_picture_is_refused_for_good(site: Site, answer: Answer, words: str) -> None:
    site.answer = answer
    with net.client([site.origin]) as client, pytest.raises(GeneratorProblem, match=words) as told:
        net.download(client, f"{site.origin}/p.png?sig=secret", [site.origin], limit_bytes=1000)
    assert not told.value.retry
    assert "secret" not in str(told.value)


@pytest.mark.parametrize("answer", [_send(PNG, length=1000), _send(b"later", status=503), _send(b"later", status=429)])
def test_what_was_cut_off_or_put_off_can_be_asked_for_again(site: Site, answer: Answer) -> None:
    site.answer = answer
    with net.client([site.origin]) as client, pytest.raises(Outage) as told:
        net.download(client, f"{site.origin}/p.png", [site.origin])
    assert told.value.retry


def test_a_download_that_trickles_ends_at_its_deadline(site: Site) -> None:
    over = threading.Event()

    def trickle(handler: BaseHTTPRequestHandler) -> None:
        _send(PNG, length=10_000)(handler)
        while not over.wait(0.02):
            handler.wfile.write(b"x")

    site.answer = trickle
    with net.client([site.origin]) as client, pytest.raises(Outage, match=r"within 0\.1 seconds"):
        net.download(client, f"{site.origin}/p.png", [site.origin], deadline=0.1)
    over.set()
