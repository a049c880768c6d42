"""Flux on this machine: a thin client of `frontispiece local`, which keeps the model warm in a process of its own.

Nothing here needs torch. The HTTP that is spoken is written down in frontispiece/local/server.py.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import httpx
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, NonNegativeInt, PositiveInt, ValidationError

from frontispiece import net
from frontispiece.errors import Busy, GeneratorProblem, Outage
from frontispiece.generators import Finished, Generator, GeneratorSettings, Order, Ticket, Waiting

Shape = TypeVar("Shape", bound=BaseModel)
Seconds = Annotated[float, Field(gt=0)]
Device = Annotated[str, Field(pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$")]


def _http(url: str) -> str:
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as problem:
        raise ValueError(f"is no URL: {problem}") from problem
    if parsed.scheme != "http" or not parsed.host or parsed.path not in ("", "/"):
        raise ValueError("must be http:// with a host and a port, and nothing behind it")
    return url.rstrip("/")


class DiffusersSettings(GeneratorSettings):
    """`[generators.diffusers]`, for the client and for `frontispiece local`.

    `base_url`: where `frontispiece local` listens; it has no password, so let it be this machine.
    `models`: a folder with models in it ("FLUX.1-schnell" or "black-forest-labs/FLUX.1-schnell" in the form of
    diffusers); without it the hub's cache, as `hf download` fills it. Nothing is ever downloaded by itself.
    `devices`: one child process each, such as ["cuda:0", "cuda:1"]; "auto" is the first GPU, else the processor.
    `precision`: bf16; fp8 (computed so, with torchao, on cards from 2022 on); fp8-storage (kept so, computed in bf16:
    half the memory, slower); fp32. `offload`: what is not needed at a moment waits in the computer's memory, by whole
    models or by groups of layers. `auto` picks both after the card's memory. `compile`: faster pictures, after a first
    one of each size that takes minutes. `threads`: of the processor (0: torch decides).
    `load_seconds`, `picture_seconds`: after that long the child is ended and the order fails.
    `waiting`: orders that are taken before the next one is told to come back.
    """

    deadline: Seconds = 3600.0
    base_url: Annotated[str, AfterValidator(_http)] = "http://127.0.0.1:8461"
    models: Path | None = None
    devices: Annotated[tuple[Device, ...], Field(min_length=1)] = ("auto",)
    precision: Literal["auto", "bf16", "fp8", "fp8-storage", "fp32"] = "auto"
    offload: Literal["auto", "none", "model", "group"] = "auto"
    compile: bool = False
    threads: NonNegativeInt = 0
    load_seconds: Seconds = 900.0
    picture_seconds: Seconds = 900.0
    waiting: PositiveInt = 100


class Errand(BaseModel):
    """The body of `POST /orders`; pictures travel as base64."""

    model_config = ConfigDict(extra="forbid", ser_json_bytes="base64", val_json_bytes="base64")

    order: Order


class Status(BaseModel):
    """What has become of an order. `progress` runs from 0 to 1; `ahead` is how many orders come before it."""

    state: Literal["waiting", "loading", "drawing", "finished", "failed"]
    progress: float | None = None
    ahead: int = 0
    words: str = ""
    facts: Mapping[str, Any] = {}


class _Placed(BaseModel):
    id: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]


class _Told(BaseModel):
    words: str


class _Sentences(BaseModel):
    sentences: list[str]


class Diffusers(Generator):
    """The local server. An order is known by what is in it, so sending it twice makes one picture."""

    Settings = DiffusersSettings
    settings: DiffusersSettings
    repeatable = True

    def submit(self, order: Order) -> Ticket:
        plain = dataclasses.replace(order, headline="", section="", language="en", palette=())
        errand = Errand(order=plain).model_dump_json()
        answer = self._ask("POST", "/orders", content=errand, headers={"Content-Type": "application/json"})
        return Ticket(_read(_Placed, answer).id, cost=0.0)

    def poll(self, ticket: Ticket) -> Waiting | Finished:
        said = _read(Status, self._ask("GET", f"/orders/{ticket.remote_id}"))
        if said.state == "failed":
            raise GeneratorProblem(said.words)
        if said.state != "finished":
            return Waiting(progress=said.progress)
        where = f"{self.settings.base_url}/orders/{ticket.remote_id}/picture"
        picture = net.download(self.client, where, (net.origin(self.settings.base_url),))
        return Finished((picture,), 0.0, said.facts)

    def cancel(self, ticket: Ticket) -> None:
        self._ask("DELETE", f"/orders/{ticket.remote_id}")

    def doctor(self, models: Sequence[str]) -> list[str]:
        return _read(_Sentences, self._ask("GET", "/doctor", params={"model": list(models)})).sentences

    def _ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        try:
            answer = self.client.request(method, self.settings.base_url + path, **more)
        except httpx.HTTPError as problem:  # also where an answer got lost: the same order twice is one order
            words = str(problem) or type(problem).__name__
            raise Outage(
                f"the local generator at {self.settings.base_url} does not answer ({words}); "
                "`frontispiece up` starts it, or `frontispiece local` by itself"
            ) from problem
        if answer.is_success:
            return answer
        raise _refusal(answer)


def _refusal(answer: httpx.Response) -> GeneratorProblem:
    try:
        words = _Told.model_validate_json(answer.content).words
    except ValidationError:
        words = f"{answer.url.netloc.decode()} answered {answer.status_code}; is it `frontispiece local`?"
    if answer.status_code == 429:
        return Busy(words, seconds=net.wait(answer))
    return Outage(words) if answer.is_server_error else GeneratorProblem(words)


def _read(shape: type[Shape], answer: httpx.Response) -> Shape:
    try:
        return shape.model_validate_json(answer.content)
    except ValidationError as problem:
        raise GeneratorProblem(f"{answer.url.netloc.decode()} is not `frontispiece local`: {problem}") from problem
