"""The rest generator over real HTTP, against `servers/rest.py`."""

import dataclasses
import io
import tomllib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from PIL import Image
from pydantic import ValidationError
from servers.bfl import draw
from servers.rest import RestServer, texts

from frontispiece import config, inputs, net
from frontispiece.errors import Busy, Declined, GeneratorProblem, Outage, OutOfCredit, Unknown
from frontispiece.generators import Finished, Margins, Order, Ticket
from frontispiece.generators.catalogue import load, make
from frontispiece.generators.rest import Rest, RestSettings

BODY = {"prompt": "{prompt}", "width": "{width}", "height": "{height}"}
ORDER = Order("photo", "A red door.", 96, 64, seed=7)
DOOR, CHAIR = (draw("flux", words, 1, (32, 32), "png") for words in ("A door.", "A chair."))
EDIT = dataclasses.replace(ORDER, task="edit", images=(DOOR,))
Make = Callable[..., Rest]


@pytest.fixture(name="server")
def _server() -> Iterator[RestServer]:
    with RestServer() as server:
        yield server


@pytest.fixture(name="make_rest")
def _make_rest(server: RestServer) -> Iterator[Make]:
    with ExitStack() as open_clients:

        def make_rest(body: dict[str, object] | None = None, **keys: object) -> Rest:
            usual = {"url": server.url, "api_key": server.key, "body": BODY | (body or {}), "images": "images[].url"}
            settings = RestSettings.model_validate(usual | keys)
            client = open_clients.enter_context(net.client(Rest.origins(settings), seconds=20))
            return Rest(settings, client)

        yield make_rest


@pytest.fixture(name="rest")
def _rest(make_rest: Make) -> Rest:
    return make_rest()


def _white() -> bytes:
    file = io.BytesIO()
    Image.new("L", (32, 32), 255).save(file, "PNG")
    return file.getvalue()


def _ticket(rest: Rest) -> Ticket:
    ticket = rest.submit(ORDER)
    assert isinstance(ticket, Ticket)
    return ticket


def test_the_body_is_filled_in_as_the_settings_say(rest: Rest, server: RestServer) -> None:
    rest.submit(ORDER)
    assert [{"prompt": "A red door.", "width": 96, "height": 64}] == server.bodies


def test_a_picture_that_is_only_named_is_fetched_without_the_key(rest: Rest, server: RestServer) -> None:
    assert Finished(tuple(server.pictures({"prompt": "A red door.", "width": 96, "height": 64}))) == rest.poll(
        _ticket(rest)
    )
    assert (1, 0) == (server.downloads, server.leaks)


def test_all_pictures_of_an_answer_are_brought(make_rest: Make, server: RestServer) -> None:
    rest = make_rest({"count": 3})
    assert tuple(server.pictures(BODY | {"prompt": "A red door.", "width": 96, "height": 64, "count": 3})) == (
        rest.poll(_ticket(rest)).images
    )


@pytest.mark.parametrize(
    ("path", "shape"),
    [
        ("data[0].b64_json", lambda made: {"data": [{"b64_json": text} for text in texts(made)]}),
        ("output", lambda made: {"output": texts(made)[0]}),
        ("output", lambda made: {"output": texts(made)}),
        ("[].image", lambda made: [{"image": text} for text in texts(made)]),
        ("result.images[].data", lambda made: {"result": {"images": [{"data": text} for text in texts(made)]}}),
        ("artifacts[].base64", lambda made: {"artifacts": [{"base64": f"data:image/png;base64,{texts(made)[0]}"}]}),
    ],
)
def test_pictures_are_found_by_their_path(
    make_rest: Make, server: RestServer, path: str, shape: Callable[[list[bytes]], object]
) -> None:
    server.shape = shape
    answer = make_rest(images=path).submit(ORDER)
    assert Finished(tuple(server.pictures(server.bodies[0]))) == answer


def test_a_jpeg_in_base64_is_not_taken_for_a_path(make_rest: Make, server: RestServer) -> None:
    server.shape = lambda made: {"images": [{"url": text} for text in texts(made)]}
    answer = make_rest({"format": "jpeg"}).submit(ORDER)
    assert isinstance(answer, Finished)
    assert answer.images[0].startswith(b"\xff\xd8\xff")


def test_a_path_is_one_at_the_service(rest: Rest, server: RestServer) -> None:
    server.shape = lambda _: {"images": [{"url": "/made/0"}]}
    assert f"{server.origin}/made/0" == _ticket(rest).polling_url


def test_an_option_has_the_value_of_the_order(make_rest: Make, server: RestServer) -> None:
    rest = make_rest({"style": "{style}", "steps": "{steps}"}, options={"style": "photo", "steps": 4})
    rest.submit(dataclasses.replace(ORDER, options={"style": "drawing"}))
    assert ("drawing", 4) == (server.bodies[0]["style"], server.bodies[0]["steps"])


def test_an_empty_option_is_not_sent(make_rest: Make, server: RestServer) -> None:
    make_rest({"style": "{style}"}, options={"style": ""}).submit(ORDER)
    assert "style" not in server.bodies[0]


def test_placeholders_are_filled_in_wherever_they_stand(make_rest: Make, server: RestServer) -> None:
    options = {"raw": True, "steps": 4}
    make_rest({"input": {"list": [{"say": "{model}, {seed}: {raw}"}, "{steps}", 2.5, True]}}, options=options).submit(
        ORDER
    )
    assert {"list": [{"say": "photo, 7: true"}, 4, 2.5, True]} == server.bodies[0]["input"]


@pytest.mark.parametrize("prompt", ["A {seed} door {width}.", "{model}", "{0.__class__} {", "%s \\1 ${x}"])
def test_what_an_author_writes_in_braces_stays(make_rest: Make, server: RestServer, prompt: str) -> None:
    make_rest({"text": "Draw: {prompt}"}).submit(dataclasses.replace(ORDER, prompt=prompt))
    assert (prompt, f"Draw: {prompt}") == (server.bodies[0]["prompt"], server.bodies[0]["text"])


def test_the_key_can_go_into_a_header_of_its_own(make_rest: Make, server: RestServer) -> None:
    server.credential = ("X-Api-Key", server.key)
    assert isinstance(make_rest(key_header="X-Api-Key").submit(ORDER), Ticket)


def test_a_service_can_do_without_a_key(make_rest: Make, server: RestServer) -> None:
    server.credential = ("Authorization", None)
    assert isinstance(make_rest(api_key=None).submit(ORDER), Ticket)


def test_a_query_is_kept_in_the_request_and_out_of_words(make_rest: Make, server: RestServer) -> None:
    server.misbehave("down")
    with pytest.raises(Outage) as told:
        make_rest(url=f"{server.url}?token=secret").submit(ORDER)
    assert (["/generate/image?token=secret"], False) == (server.paths, "secret" in str(told.value))


def test_a_picture_to_start_from_is_a_data_url(make_rest: Make, server: RestServer) -> None:
    make_rest({"init": "{image}", "mask": "{mask}"}).submit(EDIT)
    assert (inputs.data_url(DOOR), False) == (server.bodies[0]["init"], "mask" in server.bodies[0])


def test_references_are_a_list(make_rest: Make, server: RestServer) -> None:
    make_rest({"refs": "{images}"}).submit(dataclasses.replace(EDIT, task="references", images=(DOOR, CHAIR)))
    assert [inputs.data_url(DOOR), inputs.data_url(CHAIR)] == server.bodies[0]["refs"]


def test_an_edit_starts_from_the_first_picture_only(make_rest: Make, server: RestServer) -> None:
    make_rest({"refs": "{images}"}).submit(dataclasses.replace(EDIT, images=(DOOR, CHAIR)))
    assert [inputs.data_url(DOOR)] == server.bodies[0]["refs"]


def test_a_mask_stays_white_where_it_is_repainted(make_rest: Make, server: RestServer) -> None:
    make_rest({"init": "{image}", "mask": "{mask}"}).submit(dataclasses.replace(EDIT, task="fill", mask=_white()))
    assert inputs.data_url(_white()) == server.bodies[0]["mask"]


def test_an_expansion_is_sent_as_a_fill(make_rest: Make, server: RestServer) -> None:
    order = dataclasses.replace(EDIT, task="expand", margins=Margins(8, 8, 8, 8))
    make_rest({"init": "{image}", "mask": "{mask}"}).submit(order)
    whole, mask = inputs.expanded(DOOR, order.margins)
    assert (inputs.data_url(whole), inputs.data_url(mask)) == (server.bodies[0]["init"], server.bodies[0]["mask"])


def test_the_fields_of_pictures_are_left_out_without_any(make_rest: Make, server: RestServer) -> None:
    make_rest({"init": "{image}", "refs": "{images}"}).submit(ORDER)
    assert {"prompt", "width", "height"} == set(server.bodies[0])


@pytest.mark.parametrize(
    ("order", "body", "words"),
    [
        (dataclasses.replace(ORDER, options={"tint": 1}), {}, "for photo have no option tint; they have: none"),
        (EDIT, {}, r"edit with photo needs {image} or {images} in the body"),
        (
            dataclasses.replace(EDIT, task="references", images=(DOOR, CHAIR)),
            {"init": "{image}"},
            r"references with photo needs {images} in the body",
        ),
        (dataclasses.replace(EDIT, task="fill", mask=_white()), {"init": "{image}"}, r"fill with photo needs {mask}"),
        (dataclasses.replace(EDIT, task="fill"), {"init": "{image}", "mask": "{mask}"}, "needs a mask"),
        (dataclasses.replace(EDIT, images=()), {"init": "{image}"}, "needs a picture to start from"),
    ],
)
def test_an_order_that_cannot_be_asked_for_is_not_sent(
    make_rest: Make, server: RestServer, order: Order, body: dict[str, object], words: str
) -> None:
    with pytest.raises(GeneratorProblem, match=words):
        make_rest(body).submit(order)
    assert server.posts == 0


@pytest.mark.parametrize(
    ("fault", "kind", "words", "seconds"),
    [
        ("unpaid", OutOfCredit, "402: No credit left", 0),
        ("busy", Busy, "429: One at a time", 7),
        ("down", Outage, "503: Loading", 30),
        ("bad", GeneratorProblem, "422: No such style", 0),
        ("moderated", Declined, "400: Against our content policy", 0),
        ("not-found", GeneratorProblem, "404: No route; is url right", 0),
        ("no-in-200", GeneratorProblem, "200: The model has crashed", 0),
    ],
)
def test_a_refused_order_is_told_in_the_words_of_the_service(
    make_rest: Make, server: RestServer, fault: str, kind: type[GeneratorProblem], words: str, seconds: int
) -> None:
    server.misbehave(fault)
    with pytest.raises(GeneratorProblem, match=words) as told:
        make_rest(error="fault.text").submit(ORDER)
    assert (kind, seconds) == (told.type, told.value.seconds)


def test_a_wrong_key_names_the_setting_and_not_the_key(make_rest: Make) -> None:
    with pytest.raises(GeneratorProblem, match=r"401: I do not know Bearer \(the key\); see api_key") as told:
        make_rest(api_key="wrong-key").submit(ORDER)
    assert "wrong-key" not in str(told.value)


BROKEN = [
    ("lost", "no whole answer came"),
    ("half", "no whole answer came"),
    ("gateway", "a gateway answered 504"),
    ("garbage", "nothing at images.*url: <html>one moment"),
    ("empty", "nothing at images"),
    ("html", "6 bytes are no PNG"),
    ("foreign", "not one of its own hosts.*result_hosts"),
    ("mixed", "no PNG|no base64"),
]


@pytest.mark.parametrize(("fault", "words"), BROKEN)
def test_an_order_that_brings_no_picture_may_have_been_charged(
    rest: Rest, server: RestServer, fault: str, words: str
) -> None:
    server.misbehave(fault)
    with pytest.raises(Unknown, match=rf"(?s){words}.*; it may have been charged") as told:
        rest.submit(ORDER)
    assert (False, 1) == (told.value.retry, server.posts)


@pytest.mark.parametrize(("fault", "words"), BROKEN)
def test_a_free_order_was_not_charged(make_rest: Make, server: RestServer, fault: str, words: str) -> None:
    server.misbehave(fault)
    with pytest.raises(GeneratorProblem, match=rf"(?s){words}") as told:
        make_rest(free=True).submit(ORDER)
    again = fault in ("lost", "half", "gateway")
    assert (Outage if again else GeneratorProblem, False) == (told.type, "charged" in str(told.value))


@pytest.mark.parametrize(("free", "kind"), [(False, Unknown), (True, Outage)])
def test_an_answer_that_takes_too_long_is_given_up(
    make_rest: Make, server: RestServer, free: bool, kind: type[GeneratorProblem]
) -> None:
    server.misbehave("silent")
    with pytest.raises(kind, match="no whole answer came"):
        make_rest(timeout=0.3, free=free).submit(ORDER)


def test_a_failed_download_is_repeated_without_a_second_order(rest: Rest, server: RestServer) -> None:
    server.misbehave("down-once")
    ticket = _ticket(rest)
    with pytest.raises(Outage):
        rest.poll(ticket)

    assert isinstance(rest.poll(ticket), Finished)
    assert server.posts == 1


def test_a_named_picture_that_is_gone_may_have_been_charged(rest: Rest, server: RestServer) -> None:
    server.misbehave("expired")
    with pytest.raises(Unknown, match=r"expired.*may have been charged"):
        rest.poll(_ticket(rest))


def test_a_picture_elsewhere_is_fetched_from_a_named_host(make_rest: Make, server: RestServer) -> None:
    elsewhere = server.origin.replace("127.0.0.1", "localhost")
    server.shape = lambda _: {"images": [{"url": f"{elsewhere}/made/0"}]}
    rest = make_rest(result_hosts=[elsewhere])
    assert isinstance(rest.poll(_ticket(rest)), Finished)


def test_a_service_that_is_not_there_has_accepted_nothing(rest: Rest, server: RestServer) -> None:
    server.__exit__()
    with pytest.raises(Outage, match="cannot be reached"):
        rest.submit(ORDER)


@pytest.mark.parametrize("free", [True, False])
def test_only_free_orders_are_repeatable(make_rest: Make, free: bool) -> None:
    assert free is make_rest(free=free).repeatable


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"body": {"prompt": "{promt}"}}, r"body has {promt}, which is not known; known are: {prompt}, .*{style}"),
        ({"body": {"input": [{"prompt": "{prompt} {tint}"}]}}, r"body has {tint}, which is not known"),
        ({"body": {"prompt": "A door."}}, r"body has no {prompt}"),
        ({"body": {"prompt": "{prompt}", "init": "see {image}"}}, r"{image} within 'see {image}'; it must stand alone"),
        ({"options": {"style": "", "tint": "red"}}, r"body has no {tint}"),
        ({"options": {"seed": 1}}, "options has seed, which the order sets"),
        ({"images": "images[x].url"}, "images"),
        ({"images": ""}, "images"),
        ({"images": "a..b"}, "images"),
        ({"api_key": "two words"}, "must be the key as the service shows it"),
        ({"key_header": "X Key"}, "key_header"),
        ({"url": "pictures.example"}, "url"),
        ({"steps": 4}, "steps"),
    ],
)
def test_a_wrong_setting_is_refused(keys: dict[str, object], words: str) -> None:
    good = {
        "url": "http://own/x",
        "body": {"prompt": "{prompt}{style}"},
        "images": "images[].url",
        "options": {"style": ""},
    }
    RestSettings.model_validate(good)
    with pytest.raises(ValidationError, match=words):
        RestSettings.model_validate(good | keys)


def test_the_generator_is_found_by_its_name() -> None:
    assert make("rest") is Rest


def test_the_example_beside_the_code_is_a_good_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (Path(config.__file__).parent / "generators/rest.toml").read_text("utf8")
    lines = [line.removeprefix("#     ") for line in page.splitlines() if line.startswith("#     ")]
    start = lines.index('catalogue = ["models.toml"]')
    end = lines.index("[pictures-photo]")
    rule = '[[rules]]\nname = "articles"\nsite = "blog"\nmodels = ["pictures-photo"]\n'
    site = '[sites.blog]\nplugin = "generic"\nurl = "https://blog.example"\nwebhook_secret = "whsec_c2VjcmV0"\n'
    (tmp_path / "frontispiece.toml").write_text("\n".join([*lines[start:end], site, rule]))
    (tmp_path / "models.toml").write_text("\n".join(lines[end:]))
    monkeypatch.chdir(tmp_path)

    settings = config.load(tmp_path / "frontispiece.toml")
    assert isinstance(settings.generators["pictures"], RestSettings)
    assert {"style": "photo"} == load(settings.catalogue)["pictures-photo"].settle({})
    assert tomllib.loads(page) == {}
