"""Any server that speaks OpenAI's images API: your own (sd-server, SGLang, vLLM-Omni, LocalAI) or a hosted one.

The contract is https://platform.openai.com/docs/api-reference/images; a call lasts as long as the drawing.
"""

import difflib
import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self

import httpx
from pydantic import BaseModel, Field, HttpUrl, ValidationError, model_validator

from frontispiece import inputs, net
from frontispiece.answers import Answering, Service, parsed, picture
from frontispiece.errors import GeneratorProblem
from frontispiece.generators import Finished, Generator, GeneratorSettings, Order, Ticket

# sd-server obeys what stands in this tag in a prompt, and a prompt holds an author's words: examples/server/api.md
# of https://github.com/leejet/stable-diffusion.cpp
_TAG = "sd_cpp_extra_args"
_TAGGED = re.compile(f"<{_TAG}>.*?</{_TAG}>|</?{_TAG}>", re.DOTALL)
_NAMED = 8  # models of a list that a sentence can hold


class OpenaiSettings(Answering, GeneratorSettings):
    """`[generators.openai]`, or another name with `generator = "openai"`; docs/models.md says what each key is for."""

    base_url: HttpUrl = HttpUrl("https://api.openai.com/v1")
    response_format: Literal["", "b64_json", "base64", "url"] = ""  # sent only when set
    size: Literal["WxH", "width+height"] = "WxH"
    extras: bool | Literal["sd-server"] = False  # whether the seed is sent: as a field, or in the prompt
    pictures: Literal["form", "json"] = "form"  # to start from: posted to /images/edits, or as Together takes them
    models_path: Annotated[str, Field(pattern="^(/.*)?$")] = ""  # asked for the models that there are, not /models

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
        self.service = Service(client, settings, self.base, "base_url")
        self.repeatable = settings.free

    @classmethod
    def origins(cls, settings: GeneratorSettings) -> tuple[str, ...]:
        assert isinstance(settings, OpenaiSettings)
        return (str(settings.base_url), *(host for host in settings.result_hosts if "://" in host))

    def submit(self, order: Order) -> Ticket | Finished:
        path, content = _request(order, self.settings)
        raw = self.service.order(f"{self.base}/images/{path}", **content)
        try:
            made = _Answer.model_validate_json(raw).data[0]
            if made.b64_json:
                return Finished((picture(made.b64_json),), facts=made.model_dump(include={"revised_prompt"}))
            address = self.service.address(made.url or "")
        except ValidationError as problem:
            raise self.service.spent(f"its answer cannot be read: {self.service.said(raw)[1]}") from problem
        except GeneratorProblem as problem:
            raise self.service.spent(problem.words) from problem
        return Ticket(f"a picture at {httpx.URL(address).host}", address)

    def poll(self, ticket: Ticket) -> Finished:
        return Finished((self.service.fetch(ticket.polling_url),))

    def doctor(self, models: Sequence[str]) -> list[str]:
        """Which of the `models` are gone. sd-server draws with the one it was started with, whatever the name."""
        where = f"{net.origin(self.base)}{self.settings.models_path}" if self.settings.models_path else ""
        raw = self.service.look(where or f"{self.base}/models")
        there = _names(parsed(raw))
        if not there:
            raise GeneratorProblem(f"{self.base}'s list of models cannot be read: {self.service.said(raw)[1]}")
        if self.settings.extras == "sd-server":
            return []
        return [
            f"{self.base} has no model {name} any more; it has: {_near(name, there)}"
            for name in models
            if name not in there
        ]


def _names(told: Any) -> list[str]:
    """The models of a list, which is bare at Together; `model_name` is how the price lists of aggregators say it.

    https://github.com/QuantumNous/new-api is the software of many of these, `/api/pricing` its price list.
    """
    rows = told.get("data") if isinstance(told, dict) else told
    dicts = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    return [name for row in dicts if isinstance(name := row.get("id") or row.get("model_name"), str)]


def _near(name: str, there: Sequence[str]) -> str:
    """The models most like one that is gone, since an aggregator has hundreds."""
    near = difflib.get_close_matches(name, there, n=_NAMED, cutoff=0)
    more = len(there) - len(near)
    return ", ".join(near) + (f" and {more} others" if more else "")


def _request(order: Order, settings: OpenaiSettings) -> tuple[str, dict[str, Any]]:
    """The path below /images and what is posted there, as httpx takes it."""
    body = _body(order, settings)
    if order.task == "text-to-image":
        return "generations", {"json": body}
    images, mask = _given(order)
    if settings.pictures == "json":
        return "generations", {"json": body | _in_json(order.model, images, mask)}
    # sd-server reads the grey of a mask and repaints the white: examples/server/routes_openai.cpp
    mask = mask if settings.extras == "sd-server" or not mask else inputs.clear_where_white(mask)
    field = "image" if len(images) == 1 else "image[]"
    files = [*((field, each) for each in images), *([("mask", mask)] if mask else [])]
    return "edits", {"data": body, "files": [(name, _file(name, data)) for name, data in files]}


def _given(order: Order) -> tuple[tuple[bytes, ...], bytes]:
    """The pictures that are sent along and, where only a part shall be painted, our mask."""
    if order.task not in ("edit", "references", "fill", "expand"):
        raise GeneratorProblem(f"a server of OpenAI's kind cannot do {order.task}")
    if not order.images:
        raise GeneratorProblem(f"{order.task} with {order.model} starts from a picture, and the order has none")
    if order.task == "references":
        return order.images, b""
    if order.task == "edit":
        return order.images[:1], b""
    if order.task == "expand":
        whole, mask = inputs.expanded(order.images[0], order.margins)
        return (whole,), mask
    if not order.mask:
        raise GeneratorProblem(f"fill with {order.model} needs a mask, and the order has none")
    return order.images[:1], order.mask


def _in_json(model: str, images: Sequence[bytes], mask: bytes) -> dict[str, Any]:
    """https://docs.together.ai/docs/inference/images/reference-images: Kontext takes one picture, others a list."""
    if mask:
        raise GeneratorProblem(f'{model} takes no mask where pictures = "json"; nothing can be filled or expanded')
    urls = [inputs.data_url(image) for image in images]
    if "kontext" not in model.lower():
        return {"reference_images": urls}
    if len(urls) > 1:
        raise GeneratorProblem(f"{model} takes one picture, and the order has {len(urls)}")
    return {"image_url": urls[0]}


def _file(name: str, data: bytes) -> tuple[str, bytes, str]:
    kind = inputs.mime(data)
    return f"{name.removesuffix('[]')}.{kind.removeprefix('image/')}", data, kind


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
