"""Flux at fal, through its queue: submit, poll the status URL that comes back, fetch the answer and the picture.

The contract is https://fal.ai/docs/api-reference/inference-api. It is polled, so no webhook is asked for and none
verified.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import httpx
from pydantic import BaseModel, Field, SecretStr, ValidationError

from frontispiece import net
from frontispiece.answers import picture, sendable
from frontispiece.errors import Declined, GeneratorProblem, Outage, OutOfCredit
from frontispiece.generators import Finished, Generator, GeneratorSettings, Order, Ticket, Waiting
from frontispiece.generators.fal.body import asked
from frontispiece.hosted import Account, Url, details, said

HOSTS = ("queue.fal.run",)  # may see the key
PICTURE_HOSTS = (
    "fal.media",
    "*.fal.media",
)  # v3.fal.media, v3b.fal.media: https://fal.ai/docs/model-apis/data-retention

_NOT_OURS = "content_policy_violation"  # https://fal.ai/docs/documentation/model-apis/errors
_FACTS = ("seed", "prompt", "timings")


class FalSettings(GeneratorSettings):
    """`[generators.fal]`.

    `api_key`: one of https://fal.ai/dashboard/keys. `base_url`: the queue. `models_url`: where `doctor` asks for the
    models. `download_seconds`: for one picture.
    """

    api_key: Annotated[SecretStr, sendable("the key as fal shows it")]
    base_url: Url = "https://queue.fal.run"
    models_url: Url = "https://api.fal.ai/v1/models"
    download_seconds: Annotated[float, Field(gt=0)] = 60.0


class _Submitted(BaseModel):
    request_id: Annotated[str, Field(min_length=1)]
    status_url: str


class _Status(BaseModel):
    status: str
    response_url: str = ""
    cancel_url: str = ""
    error: Any = None
    error_type: str | None = None
    metrics: Mapping[str, Any] | None = None


class _Picture(BaseModel):
    url: str


class _Made(BaseModel):
    images: Annotated[list[_Picture], Field(min_length=1)]
    has_nsfw_concepts: list[bool] | None = None


class _About(BaseModel):
    status: str = "active"


class _Model(BaseModel):
    endpoint_id: str
    metadata: _About = _About()


class _Models(BaseModel):
    models: list[_Model]


class _Account(Account):
    """fal's own ways to say no; see https://fal.ai/docs/documentation/model-apis/errors."""

    def refusal(self, answer: httpx.Response) -> GeneratorProblem:
        words = said(answer)
        if any(isinstance(each, dict) and each.get("type") == _NOT_OURS for each in details(answer)):
            return Declined(f"fal's safety rules refused it: {words}", [words])
        if answer.status_code == 403 and "balance" in words.lower():  # "User is locked. Reason: Exhausted balance."
            return OutOfCredit(f"the account at fal has no credit left: {words}")
        return super().refusal(answer)


class Fal(Generator):
    """One key's account at fal. Its queue takes any number of orders, so there is no limit here."""

    Settings = FalSettings
    settings: FalSettings

    def __init__(self, settings: FalSettings, client: httpx.Client) -> None:
        super().__init__(settings, client)
        key = {"Authorization": f"Key {settings.api_key.get_secret_value()}"}
        own = tuple(map(net.origin, self.origins(settings)))
        self.account = _Account(client, "fal", (*HOSTS, *own), key, "generators.fal.api_key")
        self.picture_hosts = (*PICTURE_HOSTS, net.origin(settings.base_url))

    @classmethod
    def origins(cls, settings: GeneratorSettings) -> tuple[str, ...]:
        assert isinstance(settings, FalSettings)
        return (settings.base_url, settings.models_url)

    def submit(self, order: Order) -> Ticket:
        path, body = asked(order)
        # an order still in the queue when its ticket is given up shall not be made (and charged) after all
        given_up = {"X-Fal-Request-Timeout": f"{self.settings.deadline:g}"}
        told = self.account.order(f"{self.settings.base_url}/{path}", body, _Submitted, given_up)
        return Ticket(told.request_id, self.account.ticket(told.request_id, told.status_url))

    def poll(self, ticket: Ticket) -> Waiting | Finished:
        status = self._status(ticket)
        if status.status != "COMPLETED":
            return Waiting()
        where = self._beside(ticket, status.response_url, "")
        answer = self.account.ask(where, f"the answer to {ticket.remote_id}")
        if not answer.is_success:
            raise self._failure(ticket, status, answer)
        if status.error:
            raise GeneratorProblem(f"fal could not make the picture of request {ticket.remote_id}: {status.error}")
        return self._finished(ticket, status, answer)

    def _status(self, ticket: Ticket) -> _Status:
        answer = self.account.ask(ticket.polling_url, f"request {ticket.remote_id}")
        if answer.status_code == 404:
            raise GeneratorProblem(f"fal does not know request {ticket.remote_id} (any more); it may have been charged")
        return self.account.read(answer, _Status, "a request")

    def _beside(self, ticket: Ticket, told: str, last: str) -> httpx.URL | str:
        """The URL that a status tells; where it tells none, the status URL with another end."""
        url = httpx.URL(ticket.polling_url)
        base = url.path.removesuffix("/status")
        return told or url.copy_with(path=f"{base}/{last}".rstrip("/"), query=None)

    def _failure(self, ticket: Ticket, status: _Status, answer: httpx.Response) -> GeneratorProblem:
        """A request that is over without pictures: the app's own no comes as the answer, with its HTTP status."""
        code, refusal = answer.status_code, self.account.refusal(answer)
        if code in (404, 410):
            return GeneratorProblem(f"fal keeps the answer to request {ticket.remote_id} no longer")
        if isinstance(refusal, Declined) or code == 429 or (code >= 500 and not status.error):
            return refusal
        kind = f" ({status.error_type})" if status.error_type else ""
        told = f"fal could not make the picture of request {ticket.remote_id}{kind}"
        return GeneratorProblem(f"{told}: {said(answer)}")

    def _finished(self, ticket: Ticket, status: _Status, answer: httpx.Response) -> Finished:
        try:
            made = _Made.model_validate_json(answer.content)
        except ValidationError as problem:
            raise Outage(f"fal says that {ticket.remote_id} is done, but its answer cannot be read") from problem
        if any(made.has_nsfw_concepts or ()):
            raise Declined("fal's safety checker flagged the picture that was made", ["NSFW"])
        told = answer.json()
        facts = {name: told[name] for name in _FACTS if name in told} | dict(status.metrics or {})
        return Finished(tuple(self._picture(each.url) for each in made.images), ticket.cost, facts)

    def _picture(self, url: str) -> bytes:
        if not url.startswith("data:"):
            return net.download(self.client, url, self.picture_hosts, deadline=self.settings.download_seconds)
        try:
            return picture(url)
        except GeneratorProblem as problem:
            raise GeneratorProblem(f"fal sent bytes that are no PNG, JPEG or WebP: {problem}") from problem

    def cancel(self, ticket: Ticket) -> None:
        """Takes a request out of the queue; one being made may be finished. Raises `Outage`, `GeneratorProblem`."""
        where = self._beside(ticket, self._status(ticket).cancel_url, "cancel")
        answer = self.account.send("PUT", where, f"told to stop {ticket.remote_id}")
        if not answer.is_success and answer.status_code != 400:  # 400: it is over already
            raise self.account.refusal(answer)

    def doctor(self, models: Sequence[str]) -> list[str]:
        return list(filter(None, map(self._missing, models)))

    def _missing(self, model: str) -> str:
        where = httpx.URL(self.settings.models_url, params={"endpoint_id": model})
        answer = self.account.ask(where, f"model {model}")
        if answer.status_code == 404:
            return f"fal has no model {model} (any more)."
        found = self.account.read(answer, _Models, "its models").models
        status = {each.endpoint_id: each.metadata.status for each in found}.get(model)
        if status is None:
            return f"fal has no model {model} (any more)."
        return "" if status == "active" else f"fal calls model {model} {status}."
