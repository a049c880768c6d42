"""Flux at Replicate: a prediction is created, the URL that comes back polled, the picture downloaded at once.

The contract is https://replicate.com/docs/reference/http. It is polled, so no webhook is asked for and none verified.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any
from urllib.parse import quote

import httpx
from pydantic import BaseModel, Field, SecretStr

from frontispiece import inputs, net
from frontispiece.answers import sendable
from frontispiece.errors import Declined, GeneratorProblem
from frontispiece.generators import Finished, Generator, GeneratorSettings, Order, Ticket, Waiting
from frontispiece.generators.replicate.body import asked
from frontispiece.hosted import Account, Url

HOSTS = ("api.replicate.com",)  # may see the token
PICTURE_HOSTS = ("replicate.delivery", "*.replicate.delivery")  # they keep a picture for an hour
INLINE = 256_000  # bytes; a larger picture is uploaded first: https://replicate.com/docs/topics/predictions/input-files

_UNSAFE = re.compile(r"nsfw|flagged as|\bE005\b|safety (system|filter|checker)", re.IGNORECASE)


class ReplicateSettings(GeneratorSettings):
    """`[generators.replicate]`.

    `api_key`: a token of https://replicate.com/account/api-tokens. `base_url`: another address of the same service.
    `download_seconds`: for one picture.
    """

    api_key: Annotated[SecretStr, sendable("the token as Replicate shows it")]
    base_url: Url = "https://api.replicate.com"
    download_seconds: Annotated[float, Field(gt=0)] = 60.0


class _Urls(BaseModel):
    get: str
    cancel: str = ""


class _Prediction(BaseModel):
    id: Annotated[str, Field(min_length=1)]
    status: str
    urls: _Urls
    output: Any = None
    error: Any = None
    version: str | None = None
    metrics: Mapping[str, Any] | None = None


class _File(BaseModel):
    urls: _Urls


class _Owner(BaseModel):
    username: str


class Replicate(Generator):
    """One token's account at Replicate."""

    Settings = ReplicateSettings
    settings: ReplicateSettings

    def __init__(self, settings: ReplicateSettings, client: httpx.Client) -> None:
        super().__init__(settings, client)
        own = net.origin(settings.base_url)
        key = {"Authorization": f"Bearer {settings.api_key.get_secret_value()}"}
        setting = "generators.replicate.api_key"
        self.account = Account(client, "Replicate", (*HOSTS, own), key, setting, called="token")
        self.base, self.picture_hosts = f"{settings.base_url}/v1", (*PICTURE_HOSTS, own)

    def submit(self, order: Order) -> Ticket:
        path, body = asked(order, self._address)
        said = self.account.order(f"{self.base}/{path}", body, _Prediction)
        return Ticket(said.id, self.account.ticket(said.id, said.urls.get))

    def _address(self, picture: bytes) -> str:
        """Where the model finds a picture: in the order itself, or on Replicate's shelf, which keeps it for a day."""
        if len(picture) <= INLINE:
            return inputs.data_url(picture)
        kind = inputs.mime(picture)
        files = {"content": (f"picture.{kind.rpartition('/')[2]}", picture, kind)}
        answer = self.account.send("POST", f"{self.base}/files", "sent a picture", files=files)
        return self.account.read(answer, _File, "a picture").urls.get

    def poll(self, ticket: Ticket) -> Waiting | Finished:
        said = self._prediction(ticket)
        if said.status == "succeeded":
            return self._finished(ticket, said)
        if said.status == "failed":
            raise _failure(ticket, said)
        if said.status in ("canceled", "aborted"):
            raise GeneratorProblem(f"prediction {ticket.remote_id} was {said.status} at Replicate")
        return Waiting()

    def _prediction(self, ticket: Ticket) -> _Prediction:
        answer = self.account.ask(ticket.polling_url, f"prediction {ticket.remote_id}")
        if answer.status_code == 404:
            raise GeneratorProblem(f"Replicate does not know prediction {ticket.remote_id}; it may have been charged")
        return self.account.read(answer, _Prediction, "a prediction")

    def _finished(self, ticket: Ticket, said: _Prediction) -> Finished:
        links = said.output if isinstance(said.output, list) else [said.output]
        if not links or not all(isinstance(link, str) for link in links):
            told = f"Replicate says that prediction {ticket.remote_id} succeeded"
            raise GeneratorProblem(f"{told}, but names no picture (it keeps one for an hour)")
        seconds = self.settings.download_seconds
        pictures = tuple(net.download(self.client, link, self.picture_hosts, deadline=seconds) for link in links)
        facts = {**(said.metrics or {}), **({"version": said.version} if said.version else {})}
        return Finished(pictures, ticket.cost, facts)

    def cancel(self, ticket: Ticket) -> None:
        """Stops a prediction; one that is over stays as it is. Raises `Outage`, `GeneratorProblem`."""
        where = self._prediction(ticket).urls.cancel
        answer = self.account.send("POST", where, f"told to stop {ticket.remote_id}")
        if not answer.is_success:
            raise self.account.refusal(answer)

    def doctor(self, models: Sequence[str]) -> list[str]:
        answer = self.account.ask(f"{self.base}/account", "the account")
        whose = self.account.read(answer, _Owner, "the account").username
        return [f"The token is that of {whose} at Replicate.", *filter(None, map(self._missing, models))]

    def _missing(self, model: str) -> str:
        name, _, version = model.partition(":")
        path = quote(name) + (f"/versions/{version}" if version else "")
        answer = self.account.ask(f"{self.base}/models/{path}", f"model {model}")
        if answer.status_code == 404:
            return f"Replicate has no model {model} (any more)."
        if not answer.is_success:
            raise self.account.refusal(answer)
        return ""


def _failure(ticket: Ticket, said: _Prediction) -> GeneratorProblem:
    words = str(said.error or "no reason was given")
    if _UNSAFE.search(words):
        return Declined(f"Replicate's safety rules refused it: {words}", [words])
    return GeneratorProblem(f"Replicate could not make the picture of prediction {ticket.remote_id}: {words}")
