"""A service that takes an order as JSON and answers with the picture or its address; the settings say how, no code.

A request of `POST /generate/image {prompt, width, height, style, count}` answered by `{"images": [{"url": …}]}`, say.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Self

import httpx
from pydantic import Field, HttpUrl, JsonValue, model_validator

from frontispiece import inputs
from frontispiece.answers import Answering, JsonPath, Service, found, parsed, picture
from frontispiece.errors import GeneratorProblem
from frontispiece.generators import Finished, Generator, GeneratorSettings, Order, Ticket

_PLACE = re.compile(r"\{(\w+)}")
_PLACES = ("prompt", "width", "height", "seed", "model", "image", "images", "mask")
_ALONE = ("image", "images", "mask")  # nothing to be put into a sentence


class RestSettings(Answering, GeneratorSettings):
    """`[generators.<name>]` with `generator = "rest"`.

    `url` takes the orders. `api_key` goes there as a bearer token, or as it is in the header that `key_header` names.
    `body` is the JSON to send, as a table. A text that is one placeholder, "{width}", becomes the value itself (a
    number); within a text it is written out. There are {prompt}, {width}, {height}, {seed}, {model} (its `name` in the
    catalogue) and whatever stands in `options`. Pictures to start from are `data:` URLs: {image} is the first, {images}
    the list of all, {mask} is white where it is to be repainted; where an order has none, the field is left out.
    `options` are what a row of the catalogue can set beside, with the values for rows that do not; an empty text is not
    sent.
    `images` is the path to the pictures in the answer, each a URL, a `data:` URL or base64: `images[].url`,
    `data[0].b64_json`, `output` (a text or a list). `error` is the path to the words of a no, if that is special.
    `result_hosts` may hand out the pictures, beside the host of `url`; `timeout` is in seconds; `free` says that an
    order which is sent twice costs nothing.
    """

    url: HttpUrl
    key_header: Annotated[str, Field(pattern="^[A-Za-z0-9-]*$")] = ""
    body: dict[str, JsonValue]
    options: Mapping[str, bool | int | float | str] = {}
    images: JsonPath
    error: JsonPath | None = None

    @model_validator(mode="after")
    def _placeholders_are_known(self) -> Self:
        if taken := sorted(set(_PLACES) & set(self.options)):
            raise ValueError(f"options has {', '.join(taken)}, which the order sets")
        known = (*_PLACES, *self.options)
        for text in _texts(self.body):
            for name in _PLACE.findall(text):
                if name not in known:
                    raise ValueError(f"body has {{{name}}}, which is not known; known are: {_braced(known)}")
                if name in _ALONE and text != f"{{{name}}}":
                    raise ValueError(f"body has {{{name}}} within {text!r}; it must stand alone")
        for name in ("prompt", *self.options):
            if not self.uses(name):
                raise ValueError(f"body has no {{{name}}}")
        return self

    def uses(self, *names: str) -> bool:
        """Whether the body has a place for one of these."""
        return any(name in names for text in _texts(self.body) for name in _PLACE.findall(text))


class Rest(Generator):
    """One service. Pictures that it only names are a ticket, so that a failed download is no second order."""

    Settings = RestSettings
    settings: RestSettings

    def __init__(self, settings: RestSettings, client: httpx.Client) -> None:
        super().__init__(settings, client)
        where = str(settings.url).partition("?")[0]  # what follows may be a secret and is not for words
        extra = {"key_header": settings.key_header, "error": settings.error or ""}
        self.service = Service(client, settings, where, "url", **extra)
        self.repeatable = settings.free

    @classmethod
    def origins(cls, settings: GeneratorSettings) -> tuple[str, ...]:
        assert isinstance(settings, RestSettings)
        return (str(settings.url), *(host for host in settings.result_hosts if "://" in host))

    def submit(self, order: Order) -> Ticket | Finished:
        values = _values(order, self.settings)
        raw = self.service.order(str(self.settings.url), json=_filled(self.settings.body, values))
        told = parsed(raw)
        texts = found(told, self.settings.images)
        if not texts and self.settings.error and found(told, self.settings.error):
            raise self.service.refusal(raw)
        if not texts:
            words = f"its answer has nothing at {self.settings.images}: {self.service.said(raw)[1]}"
            raise self.service.spent(words)
        try:
            return self._made(texts)
        except GeneratorProblem as problem:
            raise self.service.spent(problem.words) from problem

    def _made(self, texts: list[str]) -> Ticket | Finished:
        """All of them, since all are paid for; a service names its pictures or sends them, never both."""
        if not _is_address(texts[0]):
            return Finished(tuple(map(picture, texts)))
        addresses = list(map(self.service.address, texts))
        return Ticket(f"{len(addresses)} picture(s) at {httpx.URL(addresses[0]).host}", " ".join(addresses))

    def poll(self, ticket: Ticket) -> Finished:
        return Finished(tuple(map(self.service.fetch, ticket.polling_url.split(" "))))


def _is_address(text: str) -> bool:
    """Whether it is a URL or a path at the service; a JPEG in base64 begins with "/9j/"."""
    if text.startswith(("http://", "https://")):
        return True
    return text.startswith("/") and not text.startswith("/9j/")


def _values(order: Order, settings: RestSettings) -> dict[str, Any]:
    if strange := sorted(set(order.options) - set(settings.options)):
        known = ", ".join(settings.options) or "none"
        raise GeneratorProblem(
            f"the settings for {order.model} have no option {', '.join(strange)}; they have: {known}"
        )
    images, mask = _given(order, settings)
    urls = list(map(inputs.data_url, images))
    return {
        **{name: value for name, value in {**settings.options, **order.options}.items() if value != ""},
        "prompt": order.prompt,
        "width": order.width,
        "height": order.height,
        "seed": order.seed,
        "model": order.model,
        **({"image": urls[0], "images": urls} if urls else {}),
        **({"mask": inputs.data_url(mask)} if mask else {}),
    }


def _given(order: Order, settings: RestSettings) -> tuple[tuple[bytes, ...], bytes]:
    """The pictures and the mask of an order, for which the body has a place."""
    if order.task == "text-to-image":
        return (), b""
    if not order.images or (order.task == "fill" and not order.mask):
        missing = "mask" if order.images else "picture to start from"
        raise GeneratorProblem(f"{order.task} with {order.model} needs a {missing}, and the order has none")
    images, mask = order.images if order.task == "references" else order.images[:1], b""
    if order.task == "fill":
        mask = order.mask
    if order.task == "expand":
        whole, mask = inputs.expanded(images[0], order.margins)
        images = (whole,)
    _has_room(settings, order, len(images), bool(mask))
    return images, mask


def _has_room(settings: RestSettings, order: Order, images: int, mask: bool) -> None:
    """Nothing is left out silently: a service that never saw the picture would draw another, and charge for it."""
    needed = (["image", "images"] if images == 1 else ["images"], *([["mask"]] if mask else []))
    for names in needed:
        if not settings.uses(*names):
            places = " or ".join(f"{{{name}}}" for name in names)
            raise GeneratorProblem(f"{order.task} with {order.model} needs {places} in the body of the settings")


def _filled(value: Any, values: Mapping[str, Any]) -> Any:
    """A copy with the placeholders replaced, once: what an author writes in braces stays as it is.

    A field whose placeholder has no value is left out.
    """
    if isinstance(value, dict):
        return {key: new for key, old in value.items() if (new := _filled(old, values)) is not None}
    if isinstance(value, list):
        return [new for old in value if (new := _filled(old, values)) is not None]
    if not isinstance(value, str):
        return value
    if alone := _PLACE.fullmatch(value):
        return values.get(alone[1])
    return _PLACE.sub(lambda place: _written(values.get(place[1], "")), value)


def _written(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _texts(value: JsonValue) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _texts(each)


def _braced(names: tuple[str, ...]) -> str:
    return ", ".join(f"{{{name}}}" for name in names)
