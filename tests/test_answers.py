"""Services that answer at once: ways into their JSON, their words, their pictures."""

import base64
from collections.abc import Iterator

import httpx
import pytest
from pydantic import TypeAdapter, ValidationError

from frontispiece.answers import Answering, JsonPath, Service, found, parsed, picture
from frontispiece.errors import Busy, Declined, GeneratorProblem, Outage, OutOfCredit

PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)
DOCUMENT = {"images": [{"url": "a"}, {"url": "b"}, {"url": 3}, "c"], "output": "d", "list": ["e", "", "f"]}


@pytest.fixture(name="client")
def _client() -> Iterator[httpx.Client]:
    with httpx.Client() as client:
        yield client


@pytest.mark.parametrize(
    ("path", "texts"),
    [
        ("images[].url", ["a", "b"]),
        ("images[1].url", ["b"]),
        ("images[9].url", []),
        ("images[]", ["c"]),
        ("output", ["d"]),
        ("output[]", []),
        ("list", ["e", "f"]),
        ("list[]", ["e", "f"]),
        ("output.url", []),
        ("nowhere[].url", []),
    ],
)
def test_a_path_finds_texts(path: str, texts: list[str]) -> None:
    assert texts == found(DOCUMENT, path)


def test_a_path_can_begin_with_a_list() -> None:
    assert ["a", "b"] == found([{"url": "a"}, {"url": "b"}], "[].url")


@pytest.mark.parametrize("path", ["", ".", "a.", ".a", "a[x]", "a b", "[-1]", "a[0", "a[]b"])
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(JsonPath).validate_python(path)


@pytest.mark.parametrize("path", ["a", "a[]", "[0]", "a[0][].b-c", "a.b[].c"])
def test_a_path_is_taken(path: str) -> None:
    assert path == TypeAdapter(JsonPath).validate_python(path)


@pytest.mark.parametrize("before", ["", "data:image/png;base64,"])
def test_a_picture_is_read_from_base64(before: str) -> None:
    assert picture(before + base64.b64encode(PNG).decode()) == PNG


@pytest.mark.parametrize(("text", "words"), [("abc", "no base64"), ("PGh0bWw+", "6 bytes are no PNG")])
def test_what_is_no_picture_is_refused(text: str, words: str) -> None:
    with pytest.raises(GeneratorProblem, match=words):
        picture(text)


def test_what_is_no_json_is_none() -> None:
    assert parsed(b"<html>") is None


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b'{"error": {"message": "No.", "code": "no"}}', ("no", "No.")),
        (b'{"error": "No."}', ("", "No.")),
        (b'{"detail": "No."}', ("", "No.")),
        (b'{"message": "No.", "code": 7}', ("7", "No.")),
        (b'{"fault": [{"text": "No."}]}', ("", '{"fault": [{"text": "No."}]}')),
        (b"<p>\n  No.</p>", ("", "<p> No.</p>")),
        (b"", ("", "nothing")),
        (b"[1]", ("", "[1]")),
        (b'{"error": {"message": "not k-1234"}}', ("", "not (the key)")),
        (b"x" * 2000, ("", "x" * 300)),
    ],
)
def test_the_words_of_an_answer_are_found(client: httpx.Client, raw: bytes, said: tuple[str, str]) -> None:
    settings = Answering.model_validate({"api_key": "k-1234"})
    assert said == Service(client, settings, "https://own.example", "url").said(raw)


def test_the_words_are_looked_for_where_the_settings_say(client: httpx.Client) -> None:
    service = Service(client, Answering(), "https://own.example", "url", error="fault[0].text")
    assert ("", "No.") == service.said(b'{"fault": [{"text": "No."}]}')


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "insufficient_quota", OutOfCredit),
        (402, "", OutOfCredit),
        (400, "content_policy_violation", Declined),
        (403, "", GeneratorProblem),
        (429, "", Busy),
        (500, "", Outage),
    ],
)
def test_a_no_is_what_its_status_and_code_say(
    client: httpx.Client, status: int, code: str, kind: type[GeneratorProblem]
) -> None:
    service = Service(client, Answering(), "https://own.example", "url")
    raw = f'{{"error": {{"message": "No.", "code": "{code}"}}}}'.encode()
    assert kind is type(service.refusal(raw, httpx.Response(status)))


@pytest.mark.parametrize(
    ("url", "whole"),
    [
        ("/made/1", "https://own.example/made/1"),
        ("//else.example/1", "https://own.example//else.example/1"),  # a path of this host, however strange
        ("https://own.example/1", "https://own.example/1"),
    ],
)
def test_an_address_may_be_a_path(client: httpx.Client, url: str, whole: str) -> None:
    assert whole == Service(client, Answering(), "https://own.example/v1", "url").address(url)


@pytest.mark.parametrize(
    "url", ["https://else.example/1", "https://u:p@own.example/1", "file:///etc/passwd", "1.png", ""]
)
def test_an_address_elsewhere_is_not_followed(client: httpx.Client, url: str) -> None:
    service = Service(client, Answering(), "https://own.example/v1", "url")
    with pytest.raises(GeneratorProblem, match=r"not one of its own hosts|holds no picture"):
        service.address(url)
