"""What services have in common that answer an order at once: with the picture itself, or with its address.

One request is the whole order, so a lost answer may have cost money: it is `Unknown`, unless the operator says `free`.
"""

import base64
import re
import time
from collections.abc import Sequence
from typing import Annotated, Any

import httpx
from pydantic import AfterValidator, BaseModel, Field, SecretStr
from pydantic_core import from_json

from frontispiece import net
from frontispiece.errors import Busy, Declined, GeneratorProblem, Outage, OutOfCredit, Unknown

NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)  # any other may have been, and have cost money
GATEWAYS = (502, 504, 524)  # from one that has lost the server, which may have lost only its answer
LIMIT = net.LIMIT * 4 // 3 + 100_000  # bytes of an answer; base64 makes four of three
_UNPAID = ("insufficient_quota", "billing_hard_limit_reached")
_MODERATED = re.compile("content.policy|moderation_blocked|safety system", re.IGNORECASE)
_REASONS = re.compile(r"safety_violations=\[([^][]*)]")
_STEP = re.compile(r"[^.\[\]]+|\[\d*]")
_PATH = r"^([^.\[\]\s]+|\[\d*])(\.[^.\[\]\s]+|\[\d*])*$"


def sendable(key: str) -> AfterValidator:
    """A check for settings that a header can carry what they hold; `key` are the words for what that should be."""

    def check(secret: SecretStr) -> SecretStr:
        if not re.fullmatch("[!-~]+", secret.get_secret_value()):
            raise ValueError(f"must be {key}, without spaces or line breaks")
        return secret

    return AfterValidator(check)


Key = Annotated[SecretStr, sendable("the key as the service shows it")]
Host = Annotated[str, Field(pattern=r"^(https?://[a-z0-9.-]+(:\d{1,5})?|(\*\.)?[a-z0-9.-]+)$")]
JsonPath = Annotated[str, Field(pattern=_PATH)]
"""A way into JSON: `images[].url` is the `url` of each of `images`, `data[0].b64_json` that of the first."""


class Answering(BaseModel):
    """The settings that all these services have."""

    api_key: Key | None = None
    result_hosts: tuple[Host, ...] = ()  # may hand out pictures, beside the service's own; as `net.check` takes them
    timeout: Annotated[float, Field(gt=0, le=800)] = 300.0  # seconds; a step of the queue has half an hour
    free: bool = False  # sending an order twice costs nothing


class Service:
    """One service. `where` is its URL and `named` the setting that holds it, for the words of errors.

    `error` is the path to the words in an answer that says no; without it, the usual places are looked at.
    """

    def __init__(
        self,
        client: httpx.Client,
        settings: Answering,
        where: str,
        named: str,
        *,
        key_header: str = "",
        error: str = "",
    ) -> None:
        self.client, self.settings, self.where, self.named, self.error = client, settings, where, named, error
        self.hosts = (*settings.result_hosts, net.origin(where))
        self.key = settings.api_key.get_secret_value() if settings.api_key else ""
        self.headers = {"Accept-Encoding": "identity"}
        if self.key:
            self.headers |= {key_header: self.key} if key_header else {"Authorization": f"Bearer {self.key}"}

    def order(self, url: str, **content: Any) -> bytes:
        """Posts `content` (as httpx takes it) and returns the body of a good answer. Raises as `submit` does."""
        limits = httpx.Timeout(self.settings.timeout, connect=min(self.settings.timeout, 5.0))
        try:
            with self.client.stream("POST", url, headers=self.headers, timeout=limits, **content) as answer:
                raw = self._read(answer)
        except NOT_SENT as problem:
            raise Outage(f"{self.where} cannot be reached: {problem}") from problem
        except httpx.HTTPError as problem:
            raise self.spent(f"no whole answer came ({say(problem)})", Outage) from problem
        if answer.status_code in GATEWAYS:
            raise self.spent(f"a gateway answered {answer.status_code}: {self.said(raw)[1]}", Outage)
        if not answer.is_success:
            raise self.refusal(raw, answer)
        return raw

    def look(self, url: str) -> bytes:
        """Gets something that costs nothing. Raises `Outage`, `GeneratorProblem`."""
        try:
            answer = self.client.get(url, headers=self.headers)
        except httpx.HTTPError as problem:
            raise Outage(f"{self.where} cannot be asked: {say(problem)}") from problem
        if not answer.is_success:
            raise self.refusal(answer.content, answer)
        return answer.content

    def _read(self, answer: httpx.Response) -> bytes:
        end, data = time.monotonic() + self.settings.timeout, bytearray()
        for part in answer.iter_bytes():
            data += part
            if len(data) > LIMIT:
                raise self.spent(f"its answer is larger than {LIMIT:,} bytes")
            if time.monotonic() > end:
                raise httpx.ReadTimeout(f"it did not end within {self.settings.timeout:g} seconds")
        return bytes(data)

    def address(self, url: str) -> str:
        """The whole URL of a picture, which may be a path at the service. Raises `GeneratorProblem` if elsewhere."""
        if not url:
            raise GeneratorProblem("its answer holds no picture")
        whole = net.origin(self.where) + url if url.startswith("/") else url
        try:
            return str(net.check(whole, self.hosts))
        except GeneratorProblem as problem:
            raise GeneratorProblem(f"{problem.words} (see result_hosts)") from problem

    def fetch(self, url: str) -> bytes:
        """The picture at an address that an order brought. Raises `Outage`, or what `spent` makes."""
        try:
            return net.download(self.client, url, self.hosts)
        except GeneratorProblem as problem:
            raise problem if problem.retry else self.spent(problem.words) from problem

    def spent(self, words: str, otherwise: type[GeneratorProblem] = GeneratorProblem) -> GeneratorProblem:
        """The order was sent and brought no picture; it may have been charged, where anything ever is."""
        words = f"{self.where} was asked for a picture, but {words}"
        return otherwise(words) if self.settings.free else Unknown(f"{words}; it may have been charged, so look there")

    def refusal(self, raw: bytes, answer: httpx.Response | None = None) -> GeneratorProblem:
        """The service's no as our error, with its own words; without `answer` it came as a good one."""
        status, wait = (answer.status_code, net.wait(answer)) if answer is not None else (200, 0.0)
        code, words = self.said(raw)
        told = f"{self.where} answered {status}: {words}"
        if status >= 500:
            return Outage(told, seconds=wait)
        if status == 402 or code in _UNPAID:
            return OutOfCredit(told)
        if _MODERATED.search(code) or (status in (200, 400) and _MODERATED.search(words)):
            return Declined(told, [each.strip() for found in _REASONS.findall(words) for each in found.split(",")])
        if status == 429:
            return Busy(told, seconds=wait)
        wrong_key = f"; see api_key in the table with this {self.named}"
        hints = {401: wrong_key, 403: wrong_key, 404: f"; is {self.named} right?"}
        return GeneratorProblem(told + hints.get(status, ""))

    def said(self, raw: bytes) -> tuple[str, str]:
        """The code and the words of an answer: what is at `error`, or `error.message`, `error`, `detail`, `message`.

        Else the beginning of what came.
        """
        told = parsed(raw)
        named = found(told, self.error) if self.error else []
        error = told.get("error", told) if isinstance(told, dict) else None
        parts: dict[str, Any] = error if isinstance(error, dict) else {"message": error}
        words = named[0] if named else parts.get("message") or parts.get("detail")
        words = str(words or raw[:1000].decode("utf-8", "replace"))
        words = words.replace(self.key, "(the key)") if self.key else words
        return str(parts.get("code") or ""), " ".join(words.split())[:300] or "nothing"


def say(problem: Exception) -> str:
    """Its words, or what it is called where it has none."""
    return str(problem) or type(problem).__name__


def parsed(raw: bytes) -> Any:
    """What JSON says, None where it is none."""
    try:
        return from_json(raw)
    except ValueError:
        return None


def found(document: Any, path: str) -> list[str]:
    """The texts at a `JsonPath`, a list of texts unfolded; empty where the path leads nowhere."""
    values: Sequence[Any] = [document]
    for step in [*_STEP.findall(path), ""]:
        values = [each for value in values for each in _stepped(value, step)]
    return [value for value in values if isinstance(value, str) and value]


def _stepped(value: Any, step: str) -> Sequence[Any]:
    if not step:  # the end of the path
        return value if isinstance(value, list) else [value]
    if not step.startswith("["):
        return [value[step]] if isinstance(value, dict) and step in value else []
    if not isinstance(value, list):
        return []
    number = step[1:-1]
    return value[int(number) :][:1] if number else value


def picture(text: str) -> bytes:
    """The picture in base64, which may be a `data:` URL. Raises `GeneratorProblem` where it is none."""
    try:
        data = base64.b64decode(text.rpartition(",")[2])  # some put "data:image/png;base64," before it
    except ValueError as problem:
        raise GeneratorProblem(f"its picture is no base64: {problem}") from problem
    webp = data[:4] == b"RIFF" and data[8:12] == b"WEBP"
    if len(data) > net.LIMIT or not (webp or data.startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"))):
        raise GeneratorProblem(f"its {len(data):,} bytes are no PNG, JPEG or WebP of at most {net.LIMIT:,}")
    return data
