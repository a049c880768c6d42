"""Flux at Black Forest Labs: submit, poll the URL that comes back, download the picture at once.

The contract is https://docs.bfl.ai and https://api.bfl.ai/openapi.json. There is no cancel and no idempotency key.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar
from urllib.parse import quote

import httpx
from pydantic import AfterValidator, BaseModel, Field, SecretStr, ValidationError

from frontispiece import net
from frontispiece.errors import Busy, Declined, GeneratorProblem, Outage, OutOfCredit, Unknown
from frontispiece.generators import Finished, Generator, GeneratorSettings, Order, Ticket, Waiting
from frontispiece.generators.bfl.body import ENDPOINTS, body

HOSTS = ("*.bfl.ai",)  # may see the key; the polling URL names clusters such as api.eu2.bfl.ai
PICTURE_HOSTS = (*HOSTS, "bfldeliveryprod.blob.core.windows.net")  # the second is what older answers name

_GLOBAL = "https://api.bfl.ai"
_FINETUNES = "https://api.us1.bfl.ai"  # the one cluster that the OpenAPI document names for them
_FACTS = ("seed", "prompt", "start_time", "end_time", "duration")


def _http(url: str) -> str:
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as problem:
        raise ValueError(f"is no URL: {problem}") from problem
    if parsed.scheme not in ("https", "http") or not parsed.host:
        raise ValueError("must start with https:// (or http://) and a host")
    return url.rstrip("/")


def _sendable(key: SecretStr) -> SecretStr:
    secret = key.get_secret_value()
    if not secret or not secret.isascii() or not secret.isprintable() or " " in secret:
        raise ValueError("must be the key as BFL shows it, without spaces or line breaks")
    return key


class BflSettings(GeneratorSettings):
    """`[generators.bfl]`.

    `base_url`: https://api.bfl.ai sends a task wherever there is room; https://api.eu.bfl.ai keeps it in the European
    Union and https://api.us.bfl.ai in the United States. `finetune_url`: where fine-tuned models are asked for; unless
    set, https://api.us1.bfl.ai beside the first of these and `base_url` itself beside any other, so that nothing leaves
    a region that was chosen. `download_seconds`: for one picture.
    """

    api_key: Annotated[SecretStr, AfterValidator(_sendable)]
    base_url: Annotated[str, AfterValidator(_http)] = _GLOBAL
    finetune_url: Annotated[str, AfterValidator(_http)] = ""
    download_seconds: Annotated[float, Field(gt=0)] = 60.0

    def host(self, model: str) -> str:
        """The URL before `/v1/` for a model, by BFL's name."""
        if not model.endswith("-finetuned"):
            return self.base_url
        return self.finetune_url or (_FINETUNES if self.base_url == _GLOBAL else self.base_url)


class _Submitted(BaseModel):
    id: Annotated[str, Field(min_length=1)]
    polling_url: str | None = None  # missing where the order named a webhook
    cost: float | None = None  # credits; one is a US cent


class _Account(BaseModel):
    credits: float


class _Result(BaseModel):
    status: str
    result: Mapping[str, Any] | None = None
    progress: float | None = None
    details: Any = None


class Bfl(Generator):
    """One key's account at BFL."""

    Settings = BflSettings
    active: ClassVar[int] = 24  # BFL answers 429 beyond that
    settings: BflSettings

    @classmethod
    def origins(cls, settings: GeneratorSettings) -> tuple[str, ...]:
        assert isinstance(settings, BflSettings)
        return tuple(filter(None, (settings.base_url, settings.finetune_url)))

    def submit(self, order: Order) -> Ticket:
        sent, host = body(order), self.settings.host(order.model)
        try:
            answer = self.client.post(f"{host}/v1/{order.model}", json=sent, headers=self._key())
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as problem:
            raise Outage(f"BFL cannot be reached: {_say(problem)}") from problem
        except httpx.HTTPError as problem:
            raise Unknown(_unknown(f"the connection failed before the answer ({_say(problem)})")) from problem
        if answer.status_code in (502, 504, 524):  # a gateway that has lost BFL may have lost only its answer
            raise Unknown(_unknown(f"a gateway answered {answer.status_code}"))
        if not answer.is_success:
            raise _refusal(answer)
        return self._ticket(answer, host)

    def _ticket(self, answer: httpx.Response, host: str) -> Ticket:
        try:
            said = _Submitted.model_validate_json(answer.content)
        except ValidationError as problem:
            raise Unknown(_unknown(f"its answer cannot be read ({_text(answer)})")) from problem
        url = said.polling_url or f"{host}/v1/get_result?id={quote(said.id, safe='')}"
        try:
            self._check(url)
        except GeneratorProblem as problem:
            raise Unknown(_unknown(f"its ticket is {said.id}, but {problem}")) from problem
        return Ticket(said.id, url, None if said.cost is None else said.cost / 100)

    def poll(self, ticket: Ticket) -> Waiting | Finished:
        where = self._check(ticket.polling_url)
        try:
            answer = self.client.get(where, headers=self._key())
        except httpx.HTTPError as problem:
            raise Outage(f"BFL cannot be asked for ticket {ticket.remote_id}: {_say(problem)}") from problem
        said = _result(answer)
        if said.status == "Ready":
            return self._finished(ticket, said.result or {})
        _raise_if_over(ticket, said)
        return Waiting(progress=said.progress if said.progress is not None and 0 <= said.progress <= 1 else None)

    def _finished(self, ticket: Ticket, result: Mapping[str, Any]) -> Finished:
        sample = result.get("sample")
        if not isinstance(sample, str):
            raise Outage(f"BFL says that ticket {ticket.remote_id} is ready, but names no picture")
        hosts = (*PICTURE_HOSTS, *map(net.origin, self.origins(self.settings)))
        picture = net.download(self.client, sample, hosts, deadline=self.settings.download_seconds)
        return Finished((picture,), ticket.cost, {name: result[name] for name in _FACTS if name in result})

    def credits(self) -> float:
        """What the account still holds, in US dollars. Raises `Outage`, `GeneratorProblem`."""
        try:
            answer = self.client.get(f"{self.settings.base_url}/v1/credits", headers=self._key())
        except httpx.HTTPError as problem:
            raise Outage(f"BFL cannot be asked for the credits: {_say(problem)}") from problem
        if not answer.is_success:
            raise _refusal(answer)
        try:
            return _Account.model_validate_json(answer.content).credits / 100
        except ValidationError as problem:
            raise Outage(f"BFL's answer about the credits cannot be read: {_text(answer)}") from problem

    def doctor(self, models: Sequence[str]) -> list[str]:
        strange = [model for model in models if model not in ENDPOINTS]
        credit = f"BFL: the account has {self.credits():.2f} US dollars of credit left"
        return [credit, *(f"BFL: no model {model!r} is known here; orders for it are refused" for model in strange)]

    def _check(self, url: str) -> httpx.URL:
        """The key goes to BFL and to the operator's own settings, whatever an answer names."""
        return net.check(url, (*HOSTS, *map(net.origin, self.origins(self.settings))))

    def _key(self) -> dict[str, str]:
        return {"x-key": self.settings.api_key.get_secret_value()}


def _result(answer: httpx.Response) -> _Result:
    """What BFL says of a task; a failed one may come with status 503 and the ordinary body, so that is read first."""
    try:
        return _Result.model_validate_json(answer.content)
    except ValidationError as problem:
        if answer.is_success:
            raise Outage(f"BFL's answer about a ticket cannot be read: {_text(answer)}") from problem
        raise _refusal(answer) from problem


def _raise_if_over(ticket: Ticket, said: _Result) -> None:
    """Raises where the task has ended without a picture; a word not known here means that it goes on."""
    if said.status in ("Request Moderated", "Content Moderated"):
        reasons = _reasons(said.details)
        what = "the prompt" if said.status == "Request Moderated" else "the picture it made"
        raise Declined(f"BFL's safety rules refused {what}" + (f": {', '.join(reasons)}" if reasons else ""), reasons)
    if said.status in ("Error", "Failed"):
        told = f": {said.details}" if said.details else ""
        raise GeneratorProblem(f"BFL could not make the picture of ticket {ticket.remote_id}{told}")
    if said.status == "Task not found":
        raise GeneratorProblem(f"BFL does not know ticket {ticket.remote_id} (any more); it may have been charged")


def _reasons(details: object) -> list[str]:
    given = details.get("Moderation Reasons") if isinstance(details, dict) else None
    return [str(reason) for reason in given] if isinstance(given, list) else []


def _refusal(answer: httpx.Response) -> GeneratorProblem:
    """BFL's no as our error, with its own words. https://docs.bfl.ai, "Errors"."""
    status, words = answer.status_code, _text(answer)
    if status in (401, 403):
        return GeneratorProblem(f"BFL does not accept the key for this ({status}: {words}); see generators.bfl.api_key")
    if status == 402:
        return OutOfCredit(f"the account at BFL has no credit left: {words}")
    if status == 429:
        return Busy(f"BFL has as many of our tasks as it takes: {words}", seconds=net.wait(answer))
    if status >= 500:
        return Outage(f"BFL answered {status}: {words}", seconds=net.wait(answer))
    return GeneratorProblem(f"BFL answered {status}: {words}")


def _text(answer: httpx.Response) -> str:
    """The words of an answer: a `detail` sentence, FastAPI's list of fields, or the beginning of what came."""
    try:
        detail = answer.json()["detail"]
    except (ValueError, KeyError, TypeError):
        return " ".join(answer.text.split())[:300] or "nothing"
    if isinstance(detail, list):
        return "; ".join(map(_field, detail))
    return str(detail)


def _field(problem: object) -> str:
    if not isinstance(problem, dict):
        return str(problem)
    place = ".".join(str(part) for part in problem.get("loc", ()) if part != "body")
    return f"{place}: {problem.get('msg', '')}"


def _say(problem: Exception) -> str:
    return str(problem) or type(problem).__name__


def _unknown(words: str) -> str:
    return f"BFL may have accepted (and charged) the order: {words}; look at its dashboard before trying again"
