"""Accounts at hosted services: what is known of an order, where a key goes, what a no means."""

from collections.abc import Callable, Iterator

import httpx
import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from frontispiece.errors import Busy, GeneratorProblem, Outage, OutOfCredit, Unknown
from frontispiece.hosted import Account, Url, check_options, nearest_ratio, said

OWN = "https://api.own.example"
KEY = {"x-key": "k-1234"}

Answer = Callable[[httpx.Request], httpx.Response]
Make = Callable[[Answer], Account]


class _Queued(BaseModel):
    id: str


@pytest.fixture(name="make")
def _make() -> Iterator[Make]:
    """An account whose service answers as told."""
    clients: list[httpx.Client] = []

    def make(answer: Answer) -> Account:
        clients.append(httpx.Client(transport=httpx.MockTransport(answer)))
        return Account(clients[-1], "Own", ("*.own.example", "http://127.0.0.1:8901"), KEY, "generators.own.api_key")

    yield make
    for client in clients:
        client.close()


def _always(status: int, **content: object) -> Answer:
    return lambda _: httpx.Response(status, **content)  # type: ignore[arg-type] # as httpx takes it


def _failing(kind: type[httpx.HTTPError]) -> Answer:
    def fail(_: httpx.Request) -> httpx.Response:
        raise kind("")

    return fail


def test_an_order_goes_with_its_key_and_comes_back_read(make: Make) -> None:
    account = make(
        lambda request: httpx.Response(201, json={"id": f"{request.headers['x-key']} {request.headers['a']}"})
    )
    assert account.order(f"{OWN}/v1", {}, _Queued, {"a": "b"}) == _Queued(id="k-1234 b")


@pytest.mark.parametrize("kind", [httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout])
def test_an_order_that_never_left_is_an_outage(make: Make, kind: type[httpx.HTTPError]) -> None:
    with pytest.raises(Outage, match=f"Own cannot be reached: {kind.__name__}"):
        make(_failing(kind)).order(OWN, {}, _Queued)


@pytest.mark.parametrize(
    "answer",
    [
        *map(_failing, [httpx.ReadTimeout, httpx.WriteTimeout, httpx.ReadError, httpx.RemoteProtocolError]),
        *(_always(status) for status in (502, 504, 524)),
        _always(200, json={"id": None}),
        _always(200, text="<html>"),
    ],
)
def test_an_order_that_may_have_arrived_is_unknown(make: Make, answer: Answer) -> None:
    with pytest.raises(Unknown, match=r"Own may have accepted \(and charged\) the order: .*; look at its dashboard"):
        make(answer).order(OWN, {}, _Queued)


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (401, GeneratorProblem, r"does not accept the key \(401: No\.\); see generators\.own\.api_key"),
        (402, OutOfCredit, r"no credit left: No\."),
        (404, GeneratorProblem, r"^Own answered 404: No\.$"),
        (429, Busy, r"takes no more of our orders for now: No\."),
        (503, Outage, r"^Own answered 503: No\.$"),
    ],
)
def test_a_no_to_an_order_is_what_its_status_says(
    make: Make, status: int, kind: type[GeneratorProblem], words: str
) -> None:
    with pytest.raises(GeneratorProblem, match=words) as told:
        make(_always(status, json={"detail": "No."})).order(OWN, {}, _Queued)
    assert kind is told.type


@pytest.mark.parametrize("status", [429, 503])
def test_the_wait_that_a_service_asks_for_is_kept(make: Make, status: int) -> None:
    assert 7 == make(_always(200)).refusal(httpx.Response(status, headers={"Retry-After": "7"})).seconds


@pytest.mark.parametrize(
    "url",
    [
        "https://own.example/1",
        "https://api.own.example.else.example/1",
        "http://api.own.example/1",
        "https://api.own.example:8443/1",
        "https://u:p@api.own.example/1",
        "http://127.0.0.1:8902/1",
        "1",
    ],
)
def test_the_key_goes_nowhere_else(make: Make, url: str) -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200)

    with pytest.raises(GeneratorProblem, match="not one of its own hosts"):
        make(answer).ask(url, "it")
    with pytest.raises(GeneratorProblem, match="not one of its own hosts"):
        make(answer).send("PUT", url, "told")
    assert [] == seen


def test_a_ticket_is_polled_where_the_key_may_go(make: Make) -> None:
    url = "http://127.0.0.1:8901/tickets/1?a=%2F"
    assert url == make(_always(200)).ticket("t-1", url)


def test_a_ticket_that_leads_elsewhere_is_still_told(make: Make) -> None:
    with pytest.raises(Unknown, match="its ticket is t-1, but the service points to https://else"):
        make(_always(200)).ticket("t-1", "https://else.example/t-1")


def test_a_question_that_does_not_arrive_is_an_outage(make: Make) -> None:
    with pytest.raises(Outage, match="Own cannot be asked for ticket 1: ReadTimeout"):
        make(_failing(httpx.ReadTimeout)).ask(OWN, "ticket 1")


def test_a_good_answer_that_cannot_be_read_is_an_outage(make: Make) -> None:
    with pytest.raises(Outage, match="Own's answer about a ticket cannot be read: one moment please"):
        make(_always(200)).read(httpx.Response(200, text="one moment\nplease"), _Queued, "a ticket")


def test_a_no_is_never_read_as_an_answer(make: Make) -> None:
    with pytest.raises(GeneratorProblem, match="Own answered 410: gone"):
        make(_always(200)).read(httpx.Response(410, json={"id": "1", "detail": "gone"}), _Queued, "a ticket")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"detail": " No,\\n not that. "}', "No, not that."),
        ('{"detail": [{"loc": ["body", "a", 0], "msg": "is odd"}, {"msg": "so"}, "x"]}', "a.0: is odd; so; x"),
        ('{"detail": []}', '{"detail": []}'),
        ("[1]", "[1]"),
        ("<p>\n  No.</p>", "<p> No.</p>"),
        ("x" * 2000, "x" * 300),
        ("", "nothing"),
    ],
)
def test_the_words_of_an_answer_are_found(text: str, words: str) -> None:
    assert words == said(httpx.Response(400, text=text))


def test_an_option_that_a_model_lacks_is_named_beside_those_it_has() -> None:
    with pytest.raises(GeneratorProblem, match=r"^flux has no option c, d; it has: a, b$"):
        check_options("flux", ["d", "a", "c"], ["b", "a"])


@pytest.mark.parametrize(
    ("size", "ratio"),
    [((1450, 1000), "2:1"), ((1000, 1450), "1:2"), ((1400, 1000), "1:1"), ((9000, 90), "2:1")],
)
def test_the_nearest_ratio_loses_least_of_the_picture(size: tuple[int, int], ratio: str) -> None:
    assert ratio == nearest_ratio(*size, ["2:1", "1:1", "1:2"])  # 1.45 is nearer to 1 than to 2, but loses more there


@pytest.mark.parametrize("url", ["own.example", "ftp://own.example", "https://", "https://x:port", ""])
def test_what_is_no_address_is_refused_as_a_setting(url: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Url).validate_python(url)


def test_an_address_has_no_slash_at_its_end() -> None:
    assert "https://own.example/v1" == TypeAdapter(Url).validate_python("https://own.example/v1/")
