"""Flux at Black Forest Labs: submit, poll the URL that comes back, download the picture at once.

The contract is https://docs.bfl.ai and https://api.bfl.ai/openapi.json. There is no cancel and no idempotency key.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel, Field, SecretStr, ValidationError

from frontispiece import net
from frontispiece.answers import sendable
from frontispiece.errors import Declined, GeneratorProblem, Outage
from frontispiece.generators import Finished, Generator, GeneratorSettings, Order, Ticket, Waiting
from frontispiece.generators.bfl.body import ENDPOINTS, body
from frontispiece.hosted import Account, Url

HOSTS = ("*.bfl.ai",)  # may see the key; the polling URL names clusters such as api.eu2.bfl.ai
PICTURE_HOSTS = (*HOSTS, "bfldeliveryprod.blob.core.windows.net")  # the second is what older answers name

_GLOBAL = "https://api.bfl.ai"
_FINETUNES = "https://api.us1.bfl.ai"  # the one cluster that the OpenAPI document names for them
_FACTS = ("seed", "prompt", "start_time", "end_time", "duration")


class BflSettings(GeneratorSettings):
    """`[generators.bfl]`.

    `base_url`: https://api.bfl.ai sends a task wherever there is room; https://api.eu.bfl.ai keeps it in the European
    Union and https://api.us.bfl.ai in the United States. `finetune_url`: where fine-tuned models are asked for; unless
    set, https://api.us1.bfl.ai beside the first of these and `base_url` itself beside any other, so that nothing leaves
    a region that was chosen. `download_seconds`: for one picture.
    """

    api_key: Annotated[SecretStr, sendable("the key as BFL shows it")]
    base_url: Url = _GLOBAL
    finetune_url: Url = ""
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


class _Credits(BaseModel):
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

    def __init__(self, settings: BflSettings, client: httpx.Client) -> None:
        super().__init__(settings, client)
        own = tuple(map(net.origin, self.origins(settings)))
        key = {"x-key": settings.api_key.get_secret_value()}
        self.account = Account(client, "BFL", (*HOSTS, *own), key, "generators.bfl.api_key")
        self.picture_hosts = (*PICTURE_HOSTS, *own)

    @classmethod
    def origins(cls, settings: GeneratorSettings) -> tuple[str, ...]:
        assert isinstance(settings, BflSettings)
        return tuple(filter(None, (settings.base_url, settings.finetune_url)))

    def submit(self, order: Order) -> Ticket:
        host = self.settings.host(order.model)
        said = self.account.order(f"{host}/v1/{order.model}", body(order), _Submitted)
        url = said.polling_url or f"{host}/v1/get_result?id={quote(said.id, safe='')}"
        return Ticket(said.id, self.account.ticket(said.id, url), None if said.cost is None else said.cost / 100)

    def poll(self, ticket: Ticket) -> Waiting | Finished:
        said = self._result(ticket)
        if said.status == "Ready":
            return self._finished(ticket, said.result or {})
        _raise_if_over(ticket, said)
        return Waiting(progress=said.progress if said.progress is not None and 0 <= said.progress <= 1 else None)

    def _result(self, ticket: Ticket) -> _Result:
        """What BFL says of a task; a failed one may come with status 503 and the ordinary body: that is read first."""
        answer = self.account.ask(ticket.polling_url, f"ticket {ticket.remote_id}")
        try:
            return _Result.model_validate_json(answer.content)
        except ValidationError:
            return self.account.read(answer, _Result, "a ticket")

    def _finished(self, ticket: Ticket, result: Mapping[str, Any]) -> Finished:
        sample = result.get("sample")
        if not isinstance(sample, str):
            raise Outage(f"BFL says that ticket {ticket.remote_id} is ready, but names no picture")
        picture = net.download(self.client, sample, self.picture_hosts, deadline=self.settings.download_seconds)
        return Finished((picture,), ticket.cost, {name: result[name] for name in _FACTS if name in result})

    def credits(self) -> float:
        """What the account still holds, in US dollars. Raises `Outage`, `GeneratorProblem`."""
        answer = self.account.ask(f"{self.settings.base_url}/v1/credits", "the credits")
        return self.account.read(answer, _Credits, "the credits").credits / 100

    def doctor(self, models: Sequence[str]) -> list[str]:
        strange = [model for model in models if model not in ENDPOINTS]
        credit = f"BFL: the account has {self.credits():.2f} US dollars of credit left"
        return [credit, *(f"BFL: no model {model!r} is known here; orders for it are refused" for model in strange)]


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
