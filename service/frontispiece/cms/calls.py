"""Calls to a CMS's API, their failures turned into our errors with the CMS's own words."""

import time
from collections.abc import Generator as Steps
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from frontispiece.errors import CmsProblem, Gone, NotAllowed, Unavailable

MOST_BYTES = 20_000_000  # of an answer, unpacked
MOST_SECONDS = 60.0  # from the first byte of an answer to its last


def call(api: httpx.Client, method: str, path: str, **request: Any) -> httpx.Response:
    """One request to a CMS, its failures turned into our errors with the CMS's own words.

    401 is `NotAllowed`, 404 and 410 are `Gone`; 408, 429, 5xx and every transport failure are `Unavailable`; the rest
    is `CmsProblem`. An answer is read by `whole`.
    """
    where = f"{method} {api.build_request(method, path).url}"
    try:
        with api.stream(method, path, **request) as coming:
            answer = whole(coming)
    except httpx.HTTPError as problem:
        raise Unavailable(f"{where}: {str(problem) or type(problem).__name__}") from problem
    if answer.is_success:
        return answer
    words = f"{where} answered {answer.status_code}: {' '.join(answer.text.split())[:300]}"
    if answer.status_code == 401:
        raise NotAllowed(f"{words}: are the credentials of this site right?")
    if answer.status_code in (404, 410):
        raise Gone(words)
    if answer.status_code in (408, 429) or answer.is_server_error:
        raise Unavailable(words, seconds=_wait(answer))
    raise CmsProblem(words)


def whole(coming: httpx.Response) -> httpx.Response:
    """The answer with its body, unpacked, up to `MOST_BYTES` and for `MOST_SECONDS`; for the hooks of a client, too."""
    where = f"{coming.request.method} {coming.request.url.copy_with(query=None)}"
    body, end = bytearray(), time.monotonic() + MOST_SECONDS
    for part in coming.iter_bytes():
        body += part
        if len(body) > MOST_BYTES:
            raise CmsProblem(f"{where} answered with more than {MOST_BYTES:,} bytes, which were not read")
        if time.monotonic() > end:
            raise Unavailable(f"{where}: the answer did not come to its end within {MOST_SECONDS:.0f} seconds")
    packing = {b"content-encoding", b"content-length", b"transfer-encoding"}
    headers = [(name, value) for name, value in coming.headers.raw if name.lower() not in packing]
    return httpx.Response(coming.status_code, headers=headers, content=bytes(body), request=coming.request)


def _wait(answer: httpx.Response) -> float:
    """The seconds that Retry-After asks for, as a number or as a date; 0 where it asks for nothing."""
    header = answer.headers.get("Retry-After", "")
    if header.isascii() and header.isdigit():
        return float(header)
    try:
        return max(0.0, (parsedate_to_datetime(header) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):  # no date, or one without a time zone
        return 0.0


def read_json(answer: httpx.Response) -> Any:
    """The JSON of an answer. Raises `CmsProblem` where it has none, as where the site's url is not the CMS's."""
    try:
        return answer.json()
    except ValueError as problem:
        raise CmsProblem(f"{answer.url} answered without JSON: is the site's url the CMS's own?") from problem


class Header(httpx.Auth):
    """A credential in one header on every call: `Header("Authorization", "Bearer …")`."""

    def __init__(self, name: str, value: str) -> None:
        self.name, self.value = name, value

    def auth_flow(self, request: httpx.Request) -> Steps[httpx.Request, httpx.Response, None]:
        """Sets the header."""
        request.headers[self.name] = self.value
        yield request


def clock(answer: httpx.Response, most: float = 240) -> str:
    """How far apart the CMS's clock and ours are, in words; `CmsProblem` above `most` seconds."""
    if "Date" not in answer.headers:
        return "the CMS does not tell its time"
    off = abs((parsedate_to_datetime(answer.headers["Date"]) - datetime.now(UTC)).total_seconds())
    if off > most:
        raise CmsProblem(f"the clocks are {off:.0f} seconds apart and a delivery is refused from 300: set both by NTP")
    return f"the clocks are {off:.0f} seconds apart"


def removed(api: httpx.Client, path: str, **request: Any) -> str:
    """Removes a test picture again; what came of it, in words, as one that has to stay is no failure."""
    try:
        call(api, "DELETE", path, **request)
    except CmsProblem as problem:
        return f"it stays, and may be deleted: {problem.words}"
    return "it was removed again"
