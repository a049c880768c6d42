"""Flux at fal, through its queue: submit, poll the status URL that comes back, fetch the answer and the picture.

The contract is https://fal.ai/docs/api-reference/inference-api. It is polled, so no webhook is asked for and none
verified.
"""

import base64
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import httpx
from pydantic import AfterValidator, BaseModel, Field, SecretStr, ValidationError

from frontispiece import inputs, net
from frontispiece.errors import Busy, Declined, GeneratorProblem, Outage, OutOfCredit, Unknown
from frontispiece.generators import Finished, Generator, GeneratorSettings, Order, Task, Ticket, Waiting

HOSTS = ("queue.fal.run",)  # may see the key
PICTURE_HOSTS = (
    "fal.media",
    "*.fal.media",
)  # v3.fal.media, v3b.fal.media: https://fal.ai/docs/model-apis/data-retention

_RATIOS = ("21:9", "16:9", "4:3", "3:2", "1:1", "2:3", "3:4", "9:16", "9:21")
_NOT_OURS = "content_policy_violation"  # https://fal.ai/docs/documentation/model-apis/errors
_FACTS = ("seed", "prompt", "timings")


@dataclass(frozen=True, slots=True)
class _Form:
    """How an app is told things: `options` by our names and its own, and where the tasks with pictures are done.

    `size`: as `image_size` {width, height} in pixels, as the nearest `aspect_ratio`, or not at all.
    `paths`: what follows the app's name for a task. `pictures`: their field; "image_urls[]" takes a list.
    """

    options: Mapping[str, str]
    size: Literal["image_size", "aspect_ratio", ""] = "image_size"
    paths: Mapping[Task, str] = field(default_factory=dict)
    pictures: str = ""
    mask: str = ""


def _named(*same: str, **others: str) -> dict[str, str]:
    return {name: name for name in (*same, "output_format")} | others


# The fields are those of the npm package @fal-ai/client 1.10.1 (src/types/endpoints.d.ts), made from fal's own
# OpenAPI files; of klein, those of https://fal.ai/models/fal-ai/flux-2/klein/9b/llms.txt. That white is repainted is
# not said there: the model that fills is BFL's, where it is so.
_OPEN = _named(steps="num_inference_steps", guidance="guidance_scale")
_PRO = _named("safety_tolerance", prompt_upsampling="enhance_prompt")
_LORA = _OPEN | {"lora": "lora", "lora_scale": "lora_scale"}
_FLUX_2 = _named("safety_tolerance")
_KLEIN = _named(steps="num_inference_steps")
_EDITED: Mapping[Task, str] = {"edit": "/edit", "references": "/edit"}
_PLAIN: Mapping[Task, str] = {"text-to-image": "/text-to-image"}
_FORMS = {
    "fal-ai/flux/schnell": _Form(_OPEN),
    "fal-ai/flux/dev": _Form(_OPEN),
    "fal-ai/flux-lora": _Form(_LORA),
    "fal-ai/flux-pro/v1.1": _Form(_PRO),
    "fal-ai/flux-pro/v1.1-ultra": _Form(_PRO | {"raw": "raw"}, "aspect_ratio"),
    "fal-ai/flux-2": _Form(
        _OPEN | {"prompt_upsampling": "enable_prompt_expansion"}, paths=_EDITED, pictures="image_urls[]"
    ),
    "fal-ai/flux-2-pro": _Form(_FLUX_2, paths=_EDITED, pictures="image_urls[]"),
    "fal-ai/flux-2-max": _Form(_FLUX_2, paths=_EDITED, pictures="image_urls[]"),
    "fal-ai/flux-2-flex": _Form(_FLUX_2 | _OPEN, paths=_EDITED, pictures="image_urls[]"),
    "fal-ai/flux-2/klein/4b": _Form(_KLEIN),
    "fal-ai/flux-2/klein/4b/edit": _Form(_KLEIN, pictures="image_urls[]"),
    "fal-ai/flux-2/klein/9b": _Form(_KLEIN),
    "fal-ai/flux-pro/kontext": _Form(_PRO | _OPEN, "aspect_ratio", _PLAIN, "image_url"),
    "fal-ai/flux-pro/kontext/max": _Form(_PRO | _OPEN, "aspect_ratio", _PLAIN, "image_url"),
    "fal-ai/flux-pro/v1/fill": _Form(_PRO, "", pictures="image_url", mask="mask_url"),
    "fal-ai/flux-lora-canny": _Form(_LORA, pictures="image_url"),
    "fal-ai/flux-lora-depth": _Form(_LORA, pictures="image_url"),
}


def _http(url: str) -> str:
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as problem:
        raise ValueError(f"is no URL: {problem}") from problem
    if parsed.scheme not in ("https", "http") or not parsed.host:
        raise ValueError("must start with https:// (or http://) and a host")
    return url.rstrip("/")


def _sendable(key: SecretStr) -> SecretStr:
    if not re.fullmatch("[!-~]+", key.get_secret_value()):
        raise ValueError("must be the key as fal shows it, without spaces or line breaks")
    return key


class FalSettings(GeneratorSettings):
    """`[generators.fal]`.

    `api_key`: one of https://fal.ai/dashboard/keys. `base_url`: the queue. `models_url`: where `doctor` asks for the
    models. `download_seconds`: for one picture.
    """

    api_key: Annotated[SecretStr, AfterValidator(_sendable)]
    base_url: Annotated[str, AfterValidator(_http)] = "https://queue.fal.run"
    models_url: Annotated[str, AfterValidator(_http)] = "https://api.fal.ai/v1/models"
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


class Fal(Generator):
    """One key's account at fal. Its queue takes any number of orders, so there is no limit here."""

    Settings = FalSettings
    settings: FalSettings

    @classmethod
    def origins(cls, settings: GeneratorSettings) -> tuple[str, ...]:
        assert isinstance(settings, FalSettings)
        return (settings.base_url, settings.models_url)

    def submit(self, order: Order) -> Ticket:
        path, body = _asked(order)
        # an order still in the queue when its ticket is given up shall not be made (and charged) after all
        headers = {**self._key(), "X-Fal-Request-Timeout": f"{self.settings.deadline:g}"}
        try:
            answer = self.client.post(f"{self.settings.base_url}/{path}", json=body, headers=headers)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as problem:
            raise Outage(f"fal cannot be reached: {_say(problem)}") from problem
        except httpx.HTTPError as problem:
            raise Unknown(_unknown(f"the connection failed before the answer ({_say(problem)})")) from problem
        if answer.status_code in (502, 504, 524):  # a gateway that has lost fal may have lost only its answer
            raise Unknown(_unknown(f"a gateway answered {answer.status_code}"))
        if not answer.is_success:
            raise _refusal(answer)
        return self._ticket(answer)

    def _ticket(self, answer: httpx.Response) -> Ticket:
        try:
            said = _Submitted.model_validate_json(answer.content)
        except ValidationError as problem:
            raise Unknown(_unknown(f"its answer cannot be read ({_text(answer)})")) from problem
        try:
            self._check(said.status_url)
        except GeneratorProblem as problem:
            raise Unknown(_unknown(f"its request is {said.request_id}, but {problem}")) from problem
        return Ticket(said.request_id, said.status_url)

    def poll(self, ticket: Ticket) -> Waiting | Finished:
        said = self._status(ticket)
        if said.status != "COMPLETED":
            return Waiting()
        answer = self._get(self._beside(ticket, said.response_url, ""), f"the answer to {ticket.remote_id}")
        if not answer.is_success:
            raise _failure(ticket, said, answer)
        if said.error:
            raise GeneratorProblem(f"fal could not make the picture of request {ticket.remote_id}: {said.error}")
        return self._finished(ticket, said, answer)

    def _status(self, ticket: Ticket) -> _Status:
        answer = self._get(self._check(ticket.polling_url), f"request {ticket.remote_id}")
        if answer.status_code == 404:
            raise GeneratorProblem(f"fal does not know request {ticket.remote_id} (any more); it may have been charged")
        if not answer.is_success:
            raise _refusal(answer)
        try:
            return _Status.model_validate_json(answer.content)
        except ValidationError as problem:
            raise Outage(f"fal's answer about a request cannot be read: {_text(answer)}") from problem

    def _beside(self, ticket: Ticket, told: str, last: str) -> httpx.URL:
        """The URL that a status tells, checked; where it tells none, the status URL with another end."""
        url = self._check(ticket.polling_url)
        base = url.path.removesuffix("/status")
        return self._check(told) if told else url.copy_with(path=f"{base}/{last}".rstrip("/"), query=None)

    def _finished(self, ticket: Ticket, said: _Status, answer: httpx.Response) -> Finished:
        try:
            made = _Made.model_validate_json(answer.content)
        except ValidationError as problem:
            raise Outage(f"fal says that {ticket.remote_id} is done, but its answer cannot be read") from problem
        if any(made.has_nsfw_concepts or ()):
            raise Declined("fal's safety checker flagged the picture that was made", ["NSFW"])
        told = answer.json()
        facts = {name: told[name] for name in _FACTS if name in told} | dict(said.metrics or {})
        return Finished(tuple(self._picture(each.url) for each in made.images), ticket.cost, facts)

    def _picture(self, url: str) -> bytes:
        if url.startswith("data:"):
            return _decoded(url)
        hosts = (*PICTURE_HOSTS, net.origin(self.settings.base_url))
        return net.download(self.client, url, hosts, deadline=self.settings.download_seconds)

    def cancel(self, ticket: Ticket) -> None:
        """Takes a request out of the queue; one being made may be finished. Raises `Outage`, `GeneratorProblem`."""
        where = self._beside(ticket, self._status(ticket).cancel_url, "cancel")
        try:
            answer = self.client.put(where, headers=self._key())
        except httpx.HTTPError as problem:
            raise Outage(f"fal cannot be told to stop {ticket.remote_id}: {_say(problem)}") from problem
        if not answer.is_success and answer.status_code != 400:  # 400: it is over already
            raise _refusal(answer)

    def doctor(self, models: Sequence[str]) -> list[str]:
        return list(filter(None, map(self._missing, models)))

    def _missing(self, model: str) -> str:
        where = httpx.URL(self.settings.models_url, params={"endpoint_id": model})
        answer = self._get(where, f"model {model}")
        if answer.status_code == 404:
            return f"fal has no model {model} (any more)."
        if not answer.is_success:
            raise _refusal(answer)
        try:
            found = _Models.model_validate_json(answer.content).models
        except ValidationError as problem:
            raise Outage(f"fal's answer about its models cannot be read: {_text(answer)}") from problem
        status = {each.endpoint_id: each.metadata.status for each in found}.get(model)
        if status is None:
            return f"fal has no model {model} (any more)."
        return "" if status == "active" else f"fal calls model {model} {status}."

    def _get(self, where: httpx.URL, what: str) -> httpx.Response:
        try:
            return self.client.get(where, headers=self._key())
        except httpx.HTTPError as problem:
            raise Outage(f"fal cannot be asked for {what}: {_say(problem)}") from problem

    def _check(self, url: str) -> httpx.URL:
        """The key goes to fal's queue and to the operator's own setting, whatever an answer names."""
        return net.check(url, (*HOSTS, net.origin(self.settings.base_url)))

    def _key(self) -> dict[str, str]:
        return {"Authorization": f"Key {self.settings.api_key.get_secret_value()}"}


def _asked(order: Order) -> tuple[str, dict[str, Any]]:
    """The path and the body of an order."""
    form = _FORMS.get(order.model)
    if form is None:
        raise GeneratorProblem(f"no fal model {order.model!r} is known here; known are: {', '.join(_FORMS)}")
    if strange := sorted(set(order.options) - set(form.options)):
        known = ", ".join(sorted(form.options))
        raise GeneratorProblem(f"{order.model} has no option {', '.join(strange)}; it has: {known}")
    body = {"prompt": order.prompt, "seed": order.seed, **_size(form, order), **_options(order, form)}
    return order.model + form.paths.get(order.task, ""), body | _pictures(form, order)


def _size(form: _Form, order: Order) -> dict[str, Any]:
    told = {"image_size": {"width": order.width, "height": order.height}, "aspect_ratio": _ratio(order)}
    return {form.size: told[form.size]} if form.size else {}


def _options(order: Order, form: _Form) -> dict[str, Any]:
    told = {form.options[name]: value for name, value in order.options.items()}
    if "safety_tolerance" in told:
        told["safety_tolerance"] = str(told["safety_tolerance"])  # "1" to "6" at fal
    scale = told.pop("lora_scale", 1.0)
    if lora := told.pop("lora", ""):
        told["loras"] = [{"path": lora, "scale": scale}]
    return told


def _pictures(form: _Form, order: Order) -> dict[str, Any]:
    """The pictures and the mask as the app takes them; one that fills expands by filling."""
    if order.task == "text-to-image":
        return {}
    if not form.pictures:
        raise GeneratorProblem(f"{order.model} takes no pictures, so it cannot do {order.task}")
    if not order.images:
        raise GeneratorProblem(f"{order.task} needs a picture to start from, and none was handed over")
    images, mask = order.images, order.mask
    if form.mask and order.task == "expand":
        canvas, mask = inputs.expanded(images[0], order.margins)
        images = (canvas,)
    if form.mask and not mask:
        raise GeneratorProblem(
            f"{order.task} needs a mask, white where it shall be repainted, and none was handed over"
        )
    name = form.pictures.removesuffix("[]")
    urls = [inputs.data_url(image) for image in images]
    told: dict[str, Any] = {name: urls if name != form.pictures else urls[0]}
    return told | ({form.mask: inputs.data_url(mask)} if form.mask else {})


def _ratio(order: Order) -> str:
    """The ratio that the order loses least of when it is cropped from it."""
    wanted = math.log(order.width / order.height)
    return min(_RATIOS, key=lambda ratio: abs(_log(ratio) - wanted))


def _log(ratio: str) -> float:
    width, height = map(int, ratio.split(":"))
    return math.log(width / height)


def _decoded(url: str) -> bytes:
    try:
        data = base64.b64decode(url.partition(",")[2], validate=True)
    except ValueError as problem:
        raise GeneratorProblem(f"fal's picture is no base64: {problem}") from problem
    if len(data) > net.LIMIT:
        raise GeneratorProblem(f"fal's picture is larger than {net.LIMIT:,} bytes; it was not kept")
    webp = data[:4] == b"RIFF" and data[8:12] == b"WEBP"
    if not (webp or data.startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"))):
        raise GeneratorProblem(f"fal sent {len(data)} bytes that are no PNG, JPEG or WebP")
    return data


def _failure(ticket: Ticket, said: _Status, answer: httpx.Response) -> GeneratorProblem:
    """A request that is over without pictures: the app's own no comes as the answer, with its status."""
    status = answer.status_code
    if status in (404, 410):
        return GeneratorProblem(f"fal keeps the answer to request {ticket.remote_id} no longer")
    if status == 429 or (status >= 500 and not said.error):
        return _refusal(answer)
    refusal = _refusal(answer)
    if isinstance(refusal, Declined):
        return refusal
    kind = f" ({said.error_type})" if said.error_type else ""
    return GeneratorProblem(f"fal could not make the picture of request {ticket.remote_id}{kind}: {_text(answer)}")


def _refusal(answer: httpx.Response) -> GeneratorProblem:
    """The no of fal as our error, with its own words; see https://fal.ai/docs/documentation/model-apis/errors."""
    status, words = answer.status_code, _text(answer)
    if any(isinstance(each, dict) and each.get("type") == _NOT_OURS for each in _details(answer)):
        return Declined(f"fal's safety rules refused it: {words}", [words])
    if status == 402 or (status == 403 and "balance" in words.lower()):  # "User is locked. Reason: Exhausted balance."
        return OutOfCredit(f"the account at fal has no credit left: {words}")
    if status in (401, 403):
        return GeneratorProblem(f"fal does not accept the key ({status}: {words}); see generators.fal.api_key")
    if status == 429:
        return Busy(f"fal takes no more of our orders for now: {words}", seconds=net.wait(answer))
    if status >= 500:
        return Outage(f"fal answered {status}: {words}", seconds=net.wait(answer))
    return GeneratorProblem(f"fal answered {status}: {words}")


def _details(answer: httpx.Response) -> list[Any]:
    try:
        detail = answer.json()["detail"]
    except (ValueError, KeyError, TypeError):
        return []
    return detail if isinstance(detail, list) else [detail]


def _text(answer: httpx.Response) -> str:
    """The words of an answer: a `detail` sentence, a list of fields, or the beginning of what came."""
    return "; ".join(map(_field, _details(answer))) or " ".join(answer.text.split())[:300] or "nothing"


def _field(problem: Any) -> str:
    if not isinstance(problem, dict):
        return str(problem)
    place = ".".join(str(part) for part in problem.get("loc", ()) if part != "body")
    return f"{place}: {problem.get('msg', '')}".removeprefix(": ")


def _say(problem: Exception) -> str:
    return str(problem) or type(problem).__name__


def _unknown(words: str) -> str:
    return f"fal may have accepted (and charged) the order: {words}; look at its dashboard before trying again"
