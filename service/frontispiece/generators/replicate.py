"""Flux at Replicate: a prediction is created, the URL that comes back polled, the picture downloaded at once.

The contract is https://replicate.com/docs/reference/http. It is polled, so no webhook is asked for and none verified.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import quote

import httpx
from pydantic import AfterValidator, BaseModel, Field, SecretStr, ValidationError

from frontispiece import inputs, net
from frontispiece.errors import Busy, Declined, GeneratorProblem, Outage, OutOfCredit, Unknown
from frontispiece.generators import Finished, Generator, GeneratorSettings, Order, Ticket, Waiting

HOSTS = ("api.replicate.com",)  # may see the token
PICTURE_HOSTS = ("replicate.delivery", "*.replicate.delivery")  # they keep a picture for an hour
INLINE = 256_000  # bytes; a larger picture is uploaded first: https://replicate.com/docs/topics/predictions/input-files

_RATIOS = ("21:9", "16:9", "3:2", "4:3", "5:4", "1:1", "4:5", "3:4", "2:3", "9:16", "9:21")
_NAME = re.compile(r"[\w.-]+/[\w.-]+(:[0-9a-f]{6,64})?")
_UNSAFE = re.compile(r"nsfw|flagged as|\bE005\b|safety (system|filter|checker)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Form:
    """How a model is told things: `options` by our names and its own, the fields of pictures, what is always said.

    `ratios` are those it can choose from; none means that width and height are told (`sized`) or nothing of it.
    """

    options: Mapping[str, str]
    ratios: Sequence[str] = ()
    sized: bool = False
    prompted: bool = True
    pictures: str = ""  # "images[]" takes a list
    mask: str = ""
    always: Mapping[str, Any] | None = None


def _named(*same: str, **others: str) -> dict[str, str]:
    return {name: name for name in (*same, "output_format")} | others


# The fields are those of https://replicate.com/black-forest-labs/<model>/api/schema; of the open models also
# https://github.com/replicate/cog-flux (predict.py): white is repainted, edges and depth are found by the model.
_OPEN = _named(steps="num_inference_steps")
_GUIDED = _OPEN | {"guidance": "guidance"}
_PRO = _named("safety_tolerance", "prompt_upsampling")
_TUNED = _PRO | {"steps": "steps", "guidance": "guidance"}
_FLUX_2 = _named("safety_tolerance")
_LORA = {"lora": "lora_weights", "lora_scale": "lora_scale"}
_FAST = {"go_fast": "go_fast"}
_MATCHED = {"megapixels": "match_input"}  # as large as the picture handed over, within 1440 × 1440 pixels
_KONTEXT = _Form(_PRO, (*_RATIOS, "2:1", "1:2"), pictures="input_image")
_FORMS = {
    "black-forest-labs/flux-schnell": _Form(_OPEN | _FAST, _RATIOS),
    "black-forest-labs/flux-dev": _Form(_GUIDED | _FAST, _RATIOS),
    "black-forest-labs/flux-dev-lora": _Form(_GUIDED | _FAST | _LORA, _RATIOS),
    "black-forest-labs/flux-1.1-pro": _Form(_PRO, sized=True),
    "black-forest-labs/flux-1.1-pro-ultra": _Form(_named("safety_tolerance", "raw"), _RATIOS),
    "black-forest-labs/flux-2-pro": _Form(_FLUX_2, sized=True, pictures="input_images[]"),
    "black-forest-labs/flux-2-max": _Form(_FLUX_2, sized=True, pictures="input_images[]"),
    "black-forest-labs/flux-2-flex": _Form(_TUNED, sized=True, pictures="input_images[]"),
    "black-forest-labs/flux-2-dev": _Form(_named("go_fast"), sized=True),
    "black-forest-labs/flux-2-klein-4b": _Form(
        _named(), _RATIOS, pictures="images[]", always={"output_megapixels": "1"}
    ),
    "black-forest-labs/flux-kontext-pro": _KONTEXT,
    "black-forest-labs/flux-kontext-max": _KONTEXT,
    "black-forest-labs/flux-kontext-dev": _Form(_GUIDED | _FAST, _RATIOS, pictures="input_image"),
    "black-forest-labs/flux-fill-pro": _Form(_TUNED, pictures="image", mask="mask"),
    "black-forest-labs/flux-fill-dev": _Form(_GUIDED | _LORA, pictures="image", mask="mask", always=_MATCHED),
    "black-forest-labs/flux-canny-pro": _Form(_TUNED, pictures="control_image"),
    "black-forest-labs/flux-canny-dev": _Form(_GUIDED, pictures="control_image"),
    "black-forest-labs/flux-depth-pro": _Form(_TUNED, pictures="control_image"),
    "black-forest-labs/flux-depth-dev": _Form(_GUIDED, pictures="control_image"),
    "black-forest-labs/flux-redux-dev": _Form(_GUIDED, _RATIOS, prompted=False, pictures="redux_image"),
    "black-forest-labs/flux-redux-schnell": _Form(_OPEN, _RATIOS, prompted=False, pictures="redux_image"),
}
# What Replicate's Flux trainer makes of somebody's pictures is always a version: "owner/name:version"
_TRAINED = _Form(_named("lora_scale", steps="num_inference_steps", guidance="guidance_scale"), sized=True)


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
        raise ValueError("must be the token as Replicate shows it, without spaces or line breaks")
    return key


class ReplicateSettings(GeneratorSettings):
    """`[generators.replicate]`.

    `api_key`: a token of https://replicate.com/account/api-tokens. `base_url`: another address of the same service.
    `download_seconds`: for one picture.
    """

    api_key: Annotated[SecretStr, AfterValidator(_sendable)]
    base_url: Annotated[str, AfterValidator(_http)] = "https://api.replicate.com"
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


class _Account(BaseModel):
    username: str


class Replicate(Generator):
    """One token's account at Replicate."""

    Settings = ReplicateSettings
    settings: ReplicateSettings

    def submit(self, order: Order) -> Ticket:
        where, body = self._asked(order)
        try:
            answer = self.client.post(where, json=body, headers=self._key())
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as problem:
            raise Outage(f"Replicate cannot be reached: {_say(problem)}") from problem
        except httpx.HTTPError as problem:
            raise Unknown(_unknown(f"the connection failed before the answer ({_say(problem)})")) from problem
        if answer.status_code in (502, 504, 524):  # a gateway that has lost Replicate may have lost only its answer
            raise Unknown(_unknown(f"a gateway answered {answer.status_code}"))
        if not answer.is_success:
            raise _refusal(answer)
        return self._ticket(answer)

    def _asked(self, order: Order) -> tuple[str, dict[str, Any]]:
        """The address and the body of an order; large pictures are uploaded for it."""
        if not _NAME.fullmatch(order.model):
            raise GeneratorProblem(f"{order.model!r} is no model of Replicate's; they are named owner/name")
        name, _, version = order.model.partition(":")
        form = _FORMS.get(name, _TRAINED if version else None)
        if form is None:
            raise GeneratorProblem(f"no Replicate model {name!r} is known here; known are: {', '.join(_FORMS)}")
        told = {"input": _told(form, order) | self._pictures(form, order)}
        if version:
            return f"{self.settings.base_url}/v1/predictions", {"version": version, **told}
        return f"{self.settings.base_url}/v1/models/{name}/predictions", told

    def _pictures(self, form: _Form, order: Order) -> dict[str, Any]:
        images, mask = _taken(form, order)
        if not images:
            return {}
        addresses = [self._address(image) for image in images]
        field = form.pictures.removesuffix("[]")
        told: dict[str, Any] = {field: addresses if field != form.pictures else addresses[0]}
        return told | ({form.mask: self._address(mask)} if form.mask else {})

    def _address(self, picture: bytes) -> str:
        """Where the model finds a picture: in the order itself, or on Replicate's shelf, which keeps it for a day."""
        if len(picture) <= INLINE:
            return inputs.data_url(picture)
        kind = inputs.mime(picture)
        sent = {"content": (f"picture.{kind.rpartition('/')[2]}", picture, kind)}
        try:
            answer = self.client.post(f"{self.settings.base_url}/v1/files", files=sent, headers=self._key())
        except httpx.HTTPError as problem:
            raise Outage(f"a picture could not be sent to Replicate: {_say(problem)}") from problem
        if not answer.is_success:
            raise _refusal(answer)
        try:
            return _File.model_validate_json(answer.content).urls.get
        except ValidationError as problem:
            raise Outage(f"Replicate's answer about a picture cannot be read: {_text(answer)}") from problem

    def _ticket(self, answer: httpx.Response) -> Ticket:
        try:
            said = _Prediction.model_validate_json(answer.content)
        except ValidationError as problem:
            raise Unknown(_unknown(f"its answer cannot be read ({_text(answer)})")) from problem
        try:
            self._check(said.urls.get)
        except GeneratorProblem as problem:
            raise Unknown(_unknown(f"its prediction is {said.id}, but {problem}")) from problem
        return Ticket(said.id, said.urls.get)

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
        answer = self._get(self._check(ticket.polling_url), f"prediction {ticket.remote_id}")
        if answer.status_code == 404:
            raise GeneratorProblem(f"Replicate does not know prediction {ticket.remote_id}; it may have been charged")
        if not answer.is_success:
            raise _refusal(answer)
        try:
            return _Prediction.model_validate_json(answer.content)
        except ValidationError as problem:
            raise Outage(f"Replicate's answer about a prediction cannot be read: {_text(answer)}") from problem

    def _finished(self, ticket: Ticket, said: _Prediction) -> Finished:
        links = said.output if isinstance(said.output, list) else [said.output]
        if not links or not all(isinstance(link, str) for link in links):
            told = f"Replicate says that prediction {ticket.remote_id} succeeded"
            raise GeneratorProblem(f"{told}, but names no picture (it keeps one for an hour)")
        hosts = (*PICTURE_HOSTS, net.origin(self.settings.base_url))
        seconds = self.settings.download_seconds
        pictures = tuple(net.download(self.client, link, hosts, deadline=seconds) for link in links)
        facts = {**(said.metrics or {}), **({"version": said.version} if said.version else {})}
        return Finished(pictures, ticket.cost, facts)

    def cancel(self, ticket: Ticket) -> None:
        """Stops a prediction; one that is over stays as it is. Raises `Outage`, `GeneratorProblem`."""
        where = self._check(self._prediction(ticket).urls.cancel)
        try:
            answer = self.client.post(where, headers=self._key())
        except httpx.HTTPError as problem:
            raise Outage(f"Replicate cannot be told to stop {ticket.remote_id}: {_say(problem)}") from problem
        if not answer.is_success:
            raise _refusal(answer)

    def doctor(self, models: Sequence[str]) -> list[str]:
        answer = self._get(f"{self.settings.base_url}/v1/account", "the account")
        if not answer.is_success:
            raise _refusal(answer)
        try:
            whose = _Account.model_validate_json(answer.content).username
        except ValidationError as problem:
            raise Outage(f"Replicate's answer about the account cannot be read: {_text(answer)}") from problem
        return [f"The token is that of {whose} at Replicate.", *filter(None, map(self._missing, models))]

    def _missing(self, model: str) -> str:
        name, _, version = model.partition(":")
        path = quote(name) + (f"/versions/{version}" if version else "")
        answer = self._get(f"{self.settings.base_url}/v1/models/{path}", f"model {model}")
        if answer.status_code == 404:
            return f"Replicate has no model {model} (any more)."
        if not answer.is_success:
            raise _refusal(answer)
        return ""

    def _get(self, where: httpx.URL | str, what: str) -> httpx.Response:
        try:
            return self.client.get(where, headers=self._key())
        except httpx.HTTPError as problem:
            raise Outage(f"Replicate cannot be asked for {what}: {_say(problem)}") from problem

    def _check(self, url: str) -> httpx.URL:
        """The token goes to Replicate and to the operator's own setting, whatever an answer names."""
        return net.check(url, (*HOSTS, net.origin(self.settings.base_url)))

    def _key(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.settings.api_key.get_secret_value()}"}


def _told(form: _Form, order: Order) -> dict[str, Any]:
    """The input without its pictures."""
    if strange := sorted(set(order.options) - set(form.options)):
        known = ", ".join(sorted(form.options))
        raise GeneratorProblem(f"{order.model} has no option {', '.join(strange)}; it has: {known}")
    told: dict[str, Any] = {"prompt": order.prompt} if form.prompted else {}
    told |= {"seed": order.seed, **(form.always or {})}
    if form.sized:
        told |= {"aspect_ratio": "custom", "width": order.width, "height": order.height}
    if form.ratios:
        told |= {"aspect_ratio": _ratio(order, form.ratios)}
    return told | {form.options[name]: _spelt(value) for name, value in order.options.items()}


def _spelt(value: Any) -> Any:
    return "jpg" if value == "jpeg" else value


def _taken(form: _Form, order: Order) -> tuple[tuple[bytes, ...], bytes]:
    """The pictures and the mask as the model takes them; a model that fills expands by filling."""
    if order.task == "text-to-image":
        return (), b""
    if not form.pictures:
        raise GeneratorProblem(f"{order.model} takes no pictures, so it cannot do {order.task}")
    if not order.images:
        raise GeneratorProblem(f"{order.task} needs a picture to start from, and none was handed over")
    if form.mask and order.task == "expand":
        canvas, mask = inputs.expanded(order.images[0], order.margins)
        return (canvas,), mask
    if form.mask and not order.mask:
        raise GeneratorProblem(
            f"{order.task} needs a mask, white where it shall be repainted, and none was handed over"
        )
    return order.images, order.mask


def _ratio(order: Order, ratios: Sequence[str]) -> str:
    """The ratio that the order loses least of when it is cropped from it."""
    wanted = math.log(order.width / order.height)
    return min(ratios, key=lambda ratio: abs(_log(ratio) - wanted))


def _log(ratio: str) -> float:
    width, height = map(int, ratio.split(":"))
    return math.log(width / height)


def _failure(ticket: Ticket, said: _Prediction) -> GeneratorProblem:
    words = str(said.error or "no reason was given")
    if _UNSAFE.search(words):
        return Declined(f"Replicate's safety rules refused it: {words}", [words])
    return GeneratorProblem(f"Replicate could not make the picture of prediction {ticket.remote_id}: {words}")


def _refusal(answer: httpx.Response) -> GeneratorProblem:
    """Replicate's no as our error, with its own words; see "Errors" at https://replicate.com/docs/reference/http."""
    status, words = answer.status_code, _text(answer)
    if status in (401, 403):
        told = f"Replicate does not accept the token ({status}: {words})"
        return GeneratorProblem(f"{told}; see generators.replicate.api_key")
    if status == 402:
        return OutOfCredit(f"the account at Replicate has no credit left: {words}")
    if status == 429:
        return Busy(f"Replicate takes no more of our orders for now: {words}", seconds=net.wait(answer))
    if status >= 500:
        return Outage(f"Replicate answered {status}: {words}", seconds=net.wait(answer))
    return GeneratorProblem(f"Replicate answered {status}: {words}")


def _text(answer: httpx.Response) -> str:
    """The words of an answer: its `detail`, or the beginning of what came."""
    try:
        return " ".join(str(answer.json()["detail"]).split())
    except (ValueError, KeyError, TypeError):
        return " ".join(answer.text.split())[:300] or "nothing"


def _say(problem: Exception) -> str:
    return str(problem) or type(problem).__name__


def _unknown(words: str) -> str:
    return f"Replicate may have accepted (and charged) the order: {words}; look at its dashboard before trying again"
