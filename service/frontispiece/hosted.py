"""What hosted services have in common that queue an order, give a ticket for it and are asked until it is done.

A generator makes an `Account`: its `submit` calls `order` and `ticket`, its `poll` calls `ask` and `read`.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, TypeVar

import httpx
from pydantic import AfterValidator, BaseModel, ValidationError

from frontispiece import net
from frontispiece.answers import GATEWAYS, NOT_SENT, say
from frontispiece.errors import Busy, GeneratorProblem, Outage, OutOfCredit, Unknown

Told = TypeVar("Told", bound=BaseModel)


def _http(url: str) -> str:
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as problem:
        raise ValueError(f"is no URL: {problem}") from problem
    if parsed.scheme not in ("https", "http") or not parsed.host:
        raise ValueError("must start with https:// (or http://) and a host")
    return url.rstrip("/")


Url = Annotated[str, AfterValidator(_http)]
"""A setting to which paths are added: without a slash at its end."""


class Account:
    """One key at one service, by its `name`; whatever an answer says, the key goes only to `hosts` (as `net.check`).

    `key` is the header that carries it, `setting` where the operator has set it, `called` the service's word for it.
    A service with other ways to say no overrides `refusal`.
    """

    def __init__(
        self,
        client: httpx.Client,
        name: str,
        hosts: Iterable[str],
        key: Mapping[str, str],
        setting: str,
        *,
        called: str = "key",
    ) -> None:
        self.client, self.name, self.hosts, self.key = client, name, tuple(hosts), dict(key)
        self.setting, self.called = setting, called

    def order(self, url: str, body: Any, kind: type[Told], headers: Mapping[str, str] | None = None) -> Told:
        """Posts an order to a URL of the operator's settings, once, and reads the answer. Raises as `submit` does."""
        try:
            answer = self.client.post(url, json=body, headers={**self.key, **(headers or {})})
        except NOT_SENT as problem:
            raise Outage(f"{self.name} cannot be reached: {say(problem)}") from problem
        except httpx.HTTPError as problem:
            raise self.unknown(f"the connection failed before the answer ({say(problem)})") from problem
        if answer.status_code in GATEWAYS:
            raise self.unknown(f"a gateway answered {answer.status_code}")
        if not answer.is_success:
            raise self.refusal(answer)
        try:
            return kind.model_validate_json(answer.content)
        except ValidationError as problem:
            raise self.unknown(f"its answer cannot be read ({said(answer)})") from problem

    def ticket(self, remote_id: str, url: str) -> str:
        """The URL to poll that an order has brought. Raises `Unknown`, with the `remote_id`, if it leads elsewhere."""
        try:
            self.check(url)
        except GeneratorProblem as problem:
            raise self.unknown(f"its ticket is {remote_id}, but {problem}") from problem
        return url

    def ask(self, url: httpx.URL | str, what: str) -> httpx.Response:
        """Gets something, which costs nothing; any answer is returned. Raises `Outage`, `GeneratorProblem`."""
        return self.send("GET", url, f"asked for {what}")

    def send(self, method: str, url: httpx.URL | str, deed: str, **content: Any) -> httpx.Response:
        """The same with another method and with `content` as httpx takes it; never for an order.

        `deed` is for the words: the service "cannot be told to stop it".
        """
        where = self.check(url)
        try:
            return self.client.request(method, where, headers=self.key, **content)
        except httpx.HTTPError as problem:
            raise Outage(f"{self.name} cannot be {deed}: {say(problem)}") from problem

    def read(self, answer: httpx.Response, kind: type[Told], what: str) -> Told:
        """What a good answer says. Raises what `refusal` makes of a no, and `Outage` where it cannot be read."""
        if not answer.is_success:
            raise self.refusal(answer)
        try:
            return kind.model_validate_json(answer.content)
        except ValidationError as problem:
            raise Outage(f"{self.name}'s answer about {what} cannot be read: {said(answer)}") from problem

    def check(self, url: httpx.URL | str) -> httpx.URL:
        """The URL, if the key may go there. Raises `GeneratorProblem`."""
        return net.check(str(url), self.hosts)

    def refusal(self, answer: httpx.Response) -> GeneratorProblem:
        """The service's no as our error, with its own words.

        The statuses are those of "Errors" at https://docs.bfl.ai and at https://replicate.com/docs/reference/http.
        """
        status, words = answer.status_code, said(answer)
        if status in (401, 403):
            told = f"{self.name} does not accept the {self.called} ({status}: {words})"
            return GeneratorProblem(f"{told}; see {self.setting}")
        if status == 402:
            return OutOfCredit(f"the account at {self.name} has no credit left: {words}")
        if status == 429:
            return Busy(f"{self.name} takes no more of our orders for now: {words}", seconds=net.wait(answer))
        if status >= 500:
            return Outage(f"{self.name} answered {status}: {words}", seconds=net.wait(answer))
        return GeneratorProblem(f"{self.name} answered {status}: {words}")

    def unknown(self, words: str) -> Unknown:
        """The order was sent, and nobody here knows what became of it."""
        told = f"{self.name} may have accepted (and charged) the order: {words}"
        return Unknown(f"{told}; look at its dashboard before trying again")


def details(answer: httpx.Response) -> list[Any]:
    """The `detail` of an answer, of which these services have one sentence or FastAPI's list of fields."""
    try:
        detail = answer.json()["detail"]
    except (ValueError, KeyError, TypeError):
        return []
    return detail if isinstance(detail, list) else [detail]


def said(answer: httpx.Response) -> str:
    """The words of an answer: its `detail`, or the beginning of what came."""
    words = "; ".join(map(_field, details(answer)))
    return " ".join(words.split()) or " ".join(answer.text.split())[:300] or "nothing"


def _field(problem: Any) -> str:
    if not isinstance(problem, dict):
        return str(problem)
    place = ".".join(str(part) for part in problem.get("loc", ()) if part != "body")
    return f"{place}: {problem.get('msg', '')}".removeprefix(": ")


def check_options(model: str, given: Iterable[str], known: Iterable[str]) -> None:
    """Raises `GeneratorProblem` for options that a model does not have."""
    if strange := sorted(set(given) - set(known)):
        raise GeneratorProblem(f"{model} has no option {', '.join(strange)}; it has: {', '.join(sorted(known))}")


def nearest_ratio(width: int, height: int, ratios: Iterable[str]) -> str:
    """The ratio ("16:9") of which least is lost when a picture of width × height pixels is cropped from it."""
    wanted = math.log(width / height)
    return min(ratios, key=lambda ratio: abs(_log(ratio) - wanted))


def _log(ratio: str) -> float:
    width, height = map(int, ratio.split(":"))
    return math.log(width / height)
