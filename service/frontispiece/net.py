"""The HTTP client that generators are handed, and the download of a finished picture.

A service tells us where to fetch from, so an address is checked after it is resolved and before it is connected to: a
private one is refused however it is written, unless it is an origin that the operator configured.
"""

import ipaddress
import re
import socket
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import httpcore
import httpx

from frontispiece.errors import GeneratorProblem, Outage

LIMIT = 40_000_000  # bytes; a 4 megapixel PNG of noise has 13
_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
_TUNNELS = (ipaddress.ip_network("2001::/32"), ipaddress.ip_network("2002::/16"))  # Teredo, 6to4: each hides an IPv4
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_PLAIN_HOST = re.compile(r"[a-z0-9.-]+")  # not "elsewhere\\.bfl.ai", which programs read in more than one way
_TYPES = {"image/png", "image/jpeg", "image/webp", "application/octet-stream", "binary/octet-stream", ""}

Resolve = Callable[..., Iterable[tuple[Any, ...]]]


def client(allow: Iterable[str] = (), *, seconds: float = 30.0, resolve: Resolve = socket.getaddrinfo) -> httpx.Client:
    """A client without redirects and without proxies from the environment, that connects to public addresses only.

    `allow` are URLs of the operator's own settings (`http://127.0.0.1:8901`), whose scheme, host and port may be
    private. `seconds` limits each read and write; connecting has five seconds at most. A refused address raises
    `GeneratorProblem`.
    """
    return httpx.Client(
        transport=_Transport(Guard(allow, resolve)),
        timeout=httpx.Timeout(seconds, connect=min(seconds, 5.0)),
        follow_redirects=False,
        trust_env=False,
        headers={"User-Agent": "Frontispiece"},
    )


class Guard(httpcore.SyncBackend):
    """Asks the resolver once, refuses unless every address is public, and connects to what was checked.

    URL, Host header, SNI and pooling stay as they are. `resolve` is `socket.getaddrinfo` or works like it.
    """

    def __init__(self, allow: Iterable[str] = (), resolve: Resolve = socket.getaddrinfo) -> None:
        self.allow = {(url.host, _port(url)) for url in map(httpx.URL, allow)}
        self.resolve = resolve

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        addresses = [host] if (host, port) in self.allow else self._checked(host, port)
        problem: httpcore.NetworkError | httpcore.TimeoutException = httpcore.ConnectError(f"{host} has no address")
        for address in addresses:
            try:
                return super().connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as failed:
                problem = failed
        raise problem

    def _checked(self, host: str, port: int) -> list[str]:
        try:
            found = self.resolve(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as problem:
            raise httpcore.ConnectError(f"{host} cannot be resolved: {problem}") from problem
        addresses = list(dict.fromkeys(str(info[4][0]) for info in found))
        if not all(map(public, addresses)):
            raise GeneratorProblem(
                f"{host} leads to a private address ({', '.join(addresses)}), which is not connected to; "
                "if it is your own server, name it as base_url in the settings of the generator"
            )
        return addresses


class _Transport(httpx.HTTPTransport):
    def __init__(self, guard: Guard) -> None:
        context = httpx.create_ssl_context()  # SSL_CERT_FILE of the operator still counts
        super().__init__(verify=context, trust_env=False)
        # httpx 0.28 offers no way to name the network backend, so the pool is set again, as HTTPTransport does it
        self._pool = httpcore.ConnectionPool(
            ssl_context=context,
            max_connections=100,
            max_keepalive_connections=20,
            keepalive_expiry=5.0,
            network_backend=guard,
        )


def public(address: str) -> bool:
    """Whether an IP address is one on the public internet; an IPv4 address inside an IPv6 one is unwrapped first."""
    ip = _unwrapped(ipaddress.ip_address(address.partition("%")[0]))
    if not ip.is_global or ip.is_multicast:
        return False
    return ip.version == 4 or (ip in _GLOBAL_UNICAST and not any(ip in tunnel for tunnel in _TUNNELS))


def _unwrapped(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    if isinstance(ip, ipaddress.IPv4Address):
        return ip
    if ip in _NAT64:
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip


def origin(url: httpx.URL | str) -> str:
    """Scheme, host and port of a URL: `https://api.bfl.ai:443`."""
    url = httpx.URL(url)
    return f"{url.scheme}://{url.host}:{_port(url)}"


def _port(url: httpx.URL) -> int:
    return url.port or {"http": 80}.get(url.scheme, 443)


def check(url: str, hosts: Iterable[str]) -> httpx.URL:
    """The URL, if it may be followed; raises `GeneratorProblem` if not.

    An entry of `hosts` is a host (`delivery.example`), all hosts below one (`*.bfl.ai`), both https on port 443 only,
    or the origin of an operator's own setting (`http://127.0.0.1:8901`).
    """
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, TypeError) as problem:
        raise GeneratorProblem(f"the service gave an address that is none: {problem}") from problem
    if parsed.userinfo or not any(_matches(parsed, entry) for entry in hosts):
        where = f"{parsed.scheme}://{parsed.netloc.decode()}"
        raise GeneratorProblem(f"the service points to {where}, which is not one of its own hosts; it is not followed")
    return parsed


def _matches(url: httpx.URL, entry: str) -> bool:
    if "://" in entry:
        return origin(url) == origin(entry)
    if (url.scheme, _port(url)) != ("https", 443):
        return False
    below = entry.startswith("*.") and url.host.endswith(entry[1:]) and _PLAIN_HOST.fullmatch(url.host) is not None
    return below or url.host == entry


def download(
    client: httpx.Client, url: str, hosts: Sequence[str], limit_bytes: int = LIMIT, deadline: float = 60.0
) -> bytes:
    """The bytes of a PNG, JPEG or WebP picture, of `limit_bytes` at most, within `deadline` seconds in all.

    `hosts` as in `check`. Raises `Outage` where asking again can help (cut off, too slow, 5xx), else
    `GeneratorProblem`. The words never hold the whole URL, because a signed one is a key to the picture.
    """
    address = check(url, hosts)
    try:
        # identity: so that `limit_bytes` is not passed by unpacking
        with client.stream("GET", address, headers={"Accept-Encoding": "identity"}) as answer:
            _check_answer(answer)
            data = _read(answer, limit_bytes, deadline)
    except httpx.HTTPError as problem:
        words = str(problem) or type(problem).__name__
        raise Outage(f"the picture did not arrive whole from {address.host}: {words}") from problem
    if not _is_picture(data):
        raise GeneratorProblem(f"{address.host} sent {len(data)} bytes that are no PNG, JPEG or WebP")
    return data


def _check_answer(answer: httpx.Response) -> None:
    host, status = answer.url.host, answer.status_code
    if status in (403, 404, 410):
        raise GeneratorProblem(f"the link to the picture has expired: {host} answered {status}")
    if status == 429 or answer.is_server_error:
        raise Outage(f"{host} answered {status} instead of the picture", seconds=wait(answer))
    if status != 200:
        raise GeneratorProblem(f"{host} answered {status} instead of the picture")
    kind = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind not in _TYPES:
        raise GeneratorProblem(f"{host} sent {kind} instead of a PNG, JPEG or WebP picture")


def wait(answer: httpx.Response) -> float:
    """The seconds that a `Retry-After` header asks for; 0 without one, or where it is a date."""
    header = answer.headers.get("Retry-After", "")
    return float(header) if header.isascii() and header.isdigit() else 0.0


def _read(answer: httpx.Response, limit_bytes: int, deadline: float) -> bytes:
    host, end, data = answer.url.host, time.monotonic() + deadline, bytearray()
    for part in answer.iter_raw():
        data += part
        if len(data) > limit_bytes:
            raise GeneratorProblem(f"the picture at {host} is larger than {limit_bytes:,} bytes; it was not kept")
        if time.monotonic() > end:
            raise Outage(f"the picture did not arrive from {host} within {deadline:g} seconds")
    return bytes(data)


def _is_picture(data: bytes) -> bool:
    webp = data[:4] == b"RIFF" and data[8:12] == b"WEBP"
    return webp or data.startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"))
