"""Any server that speaks OpenAI's images API: your own (sd-server, SGLang, vLLM-Omni, LocalAI) or a hosted one.

The contract is https://platform.openai.com/docs/api-reference/images/create; the call lasts as long as the drawing.
"""

import base64
import re
import time
from typing import Annotated, Any, Literal, Self

import httpx
from pydantic import AfterValidator, BaseModel, Field, HttpUrl, SecretStr, ValidationError, model_validator
from pydantic_core import from_json

from frontispiece import net
from frontispiece.errors import Busy, Declined, GeneratorProblem, Outage, OutOfCredit, Unknown
from frontispiece.generators import Finished, Generator, GeneratorSettings, Order, Ticket

_ANSWER = net.LIMIT * 4 // 3 + 100_000  # bytes; base64 makes four of three
_UNPAID = ("insufficient_quota", "billing_hard_limit_reached")
_MODERATED = re.compile("content.policy|moderation_blocked|safety system", re.IGNORECASE)
_REASONS = re.compile(r"safety_violations=\[([^][]*)]")
# sd-server obeys what stands in this tag in a prompt, and a prompt holds an author's words: examples/server/api.md
# of https://github.com/leejet/stable-diffusion.cpp
_TAG = "sd_cpp_extra_args"
_TAGGED = re.compile(f"<{_TAG}>.*?</{_TAG}>|</?{_TAG}>", re.DOTALL)

Host = Annotated[str, Field(pattern=r"^(https?://[a-z0-9.-]+(:\d{1,5})?|(\*\.)?[a-z0-9.-]+)$")]


def _sendable(key: SecretStr) -> SecretStr:
    if not re.fullmatch("[!-~]+", key.get_secret_value()):
        raise ValueError("must be the key as the service shows it, without spaces or line breaks")
    return key


class OpenaiSettings(GeneratorSettings):
    """`[generators.openai]`, or another name with `generator = "openai"`; docs/models.md says what each key is for."""

    api_key: Annotated[SecretStr, AfterValidator(_sendable)] | None = None
    base_url: HttpUrl = HttpUrl("https://api.openai.com/v1")
    response_format: Literal["", "b64_json", "base64", "url"] = ""  # sent only when set
    size: Literal["WxH", "width+height"] = "WxH"
    extras: bool | Literal["sd-server"] = False  # whether the seed is sent: as a field, or in the prompt
    result_hosts: tuple[Host, ...] = ()  # may hand out pictures, beside the one of base_url; as `net.check` takes them
    timeout: Annotated[float, Field(gt=0, le=800)] = 300.0  # seconds; a step of the queue has half an hour
    free: bool = False  # sending an order twice costs nothing

    @model_validator(mode="after")
    def _openai_wants_a_key(self) -> Self:
        if self.base_url.host == "api.openai.com" and self.api_key is None:
            raise ValueError("api_key is missing, which OpenAI wants; for a server of your own, set base_url")
        return self


class _Picture(BaseModel):
    b64_json: str | None = None
    url: str | None = None
    revised_prompt: str | None = None


class _Answer(BaseModel):
    data: Annotated[list[_Picture], Field(min_length=1)]


class Openai(Generator):
    """One server. A picture that it only names is a ticket, so that a failed download is no second order."""

    Settings = OpenaiSettings
    settings: OpenaiSettings

    def __init__(self, settings: OpenaiSettings, client: httpx.Client) -> None:
        super().__init__(settings, client)
        self.base = str(settings.base_url).rstrip("/")
        self.hosts = (*settings.result_hosts, net.origin(self.base))
        self.repeatable = settings.free

    @classmethod
    def origins(cls, settings: GeneratorSettings) -> tuple[str, ...]:
        assert isinstance(settings, OpenaiSettings)
        return (str(settings.base_url), *(host for host in settings.result_hosts if "://" in host))

    def submit(self, order: Order) -> Ticket | Finished:
        limits = httpx.Timeout(self.settings.timeout, connect=min(self.settings.timeout, 5.0))
        headers, key = {"Accept-Encoding": "identity"}, self.settings.api_key
        if key:
            headers["Authorization"] = f"Bearer {key.get_secret_value()}"
        where, body = f"{self.base}/images/generations", _body(order, self.settings)
        try:
            with self.client.stream("POST", where, json=body, headers=headers, timeout=limits) as answer:
                raw = self._read(answer)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as problem:
            raise Outage(f"{self.base} cannot be reached: {problem}") from problem
        except httpx.HTTPError as problem:
            raise self._spent(f"no whole answer came ({str(problem) or type(problem).__name__})", Outage) from problem
        if answer.is_success:
            return self._made(raw)
        raise self._refusal(answer, *_said(raw, key))

    def poll(self, ticket: Ticket) -> Finished:
        try:
            return Finished((net.download(self.client, ticket.polling_url, self.hosts),))
        except GeneratorProblem as problem:
            raise problem if problem.retry else self._spent(problem.words) from problem

    def _read(self, answer: httpx.Response) -> bytes:
        end, data = time.monotonic() + self.settings.timeout, bytearray()
        for part in answer.iter_bytes():
            data += part
            if len(data) > _ANSWER:
                raise self._spent(f"its answer is larger than {_ANSWER:,} bytes")
            if time.monotonic() > end:
                raise httpx.ReadTimeout(f"it did not end within {self.settings.timeout:g} seconds")
        return bytes(data)

    def _made(self, raw: bytes) -> Ticket | Finished:
        try:
            picture = _Answer.model_validate_json(raw).data[0]
            if picture.b64_json:
                return Finished((_decoded(picture.b64_json),), facts=picture.model_dump(include={"revised_prompt"}))
            path = (picture.url or "").startswith("/")  # as SGLang has it
            address = net.check((net.origin(self.base) if path else "") + (picture.url or ""), self.hosts)
        except ValidationError as problem:
            raise self._spent(f"its answer cannot be read: {_said(raw, self.settings.api_key)[1]}") from problem
        except GeneratorProblem as problem:
            raise self._spent(f"{problem.words} (see result_hosts)" if picture.url else problem.words) from problem
        return Ticket(f"a picture at {address.host}", str(address))

    def _spent(self, words: str, otherwise: type[GeneratorProblem] = GeneratorProblem) -> GeneratorProblem:
        """The order was sent and brought no picture; it may have been charged, where anything ever is."""
        words = f"{self.base} was asked for a picture, but {words}"
        return otherwise(words) if self.settings.free else Unknown(f"{words}; it may have been charged, so look there")

    def _refusal(self, answer: httpx.Response, code: str, words: str) -> GeneratorProblem:
        status, wait, told = answer.status_code, net.wait(answer), f"{self.base} answered {answer.status_code}: {words}"
        if status in (504, 524):  # a gateway gave up waiting; the server behind it may not have
            return self._spent(f"a gateway answered {status}: {words}", Outage)
        if status >= 500:
            return Outage(told, seconds=wait)
        if status == 402 or code in _UNPAID:
            return OutOfCredit(told)
        if _MODERATED.search(code) or (status == 400 and _MODERATED.search(words)):
            return Declined(told, [each.strip() for found in _REASONS.findall(words) for each in found.split(",")])
        if status == 429:
            return Busy(told, seconds=wait)
        wrong_key = "; see api_key in the table with this base_url"
        return GeneratorProblem(told + {401: wrong_key, 403: wrong_key, 404: "; is base_url right?"}.get(status, ""))


def _body(order: Order, settings: OpenaiSettings) -> dict[str, Any]:
    prompt = order.prompt
    while (plain := _TAGGED.sub("", prompt)) != prompt:  # what is left may be a new tag
        prompt = plain
    if settings.extras == "sd-server":
        prompt += f' <{_TAG}>{{"seed":{order.seed}}}</{_TAG}>'
    body: dict[str, Any] = {**order.options, "model": order.model, "prompt": prompt, "n": 1}
    sides = {"width": order.width, "height": order.height}
    body |= {"size": f"{order.width}x{order.height}"} if settings.size == "WxH" else sides
    body |= {"response_format": settings.response_format} if settings.response_format else {}
    return body | ({"seed": order.seed} if settings.extras is True else {})


def _decoded(text: str) -> bytes:
    try:
        data = base64.b64decode(text.rpartition(",")[2])  # some put "data:image/png;base64," before it
    except ValueError as problem:
        raise GeneratorProblem(f"its picture is no base64: {problem}") from problem
    webp = data[:4] == b"RIFF" and data[8:12] == b"WEBP"
    if len(data) > net.LIMIT or not (webp or data.startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"))):
        raise GeneratorProblem(f"its {len(data):,} bytes are no PNG, JPEG or WebP of at most {net.LIMIT:,}")
    return data


def _said(raw: bytes, key: SecretStr | None) -> tuple[str, str]:
    """The code and the words of an answer: `error.message`, `error`, `detail`, or the beginning of what came."""
    try:
        told: Any = from_json(raw)
    except ValueError:
        told = None
    error = told.get("error", told) if isinstance(told, dict) else None
    parts: dict[str, Any] = error if isinstance(error, dict) else {"message": error}
    words = str(parts.get("message") or parts.get("detail") or raw[:1000].decode("utf-8", "replace"))
    words = words.replace(key.get_secret_value(), "(the key)") if key else words
    return str(parts.get("code") or ""), " ".join(words.split())[:300] or "nothing"
