"""The openai generator over real HTTP, against `servers/openai.py`."""

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from pydantic import ValidationError
from servers.bfl import draw
from servers.openai import OpenaiServer

from frontispiece import config, net
from frontispiece.errors import Busy, ConfigProblem, Declined, GeneratorProblem, Outage, OutOfCredit, Unknown
from frontispiece.generators import Finished, Order, Ticket
from frontispiece.generators.catalogue import load, make
from frontispiece.generators.openai import Openai, OpenaiSettings

ORDER = Order("flux-schnell", "A red door.", 96, 64, seed=7)
PICTURE = draw("flux-schnell", "A green door.", 1, (96, 64), "png")
Make = Callable[..., Openai]


@pytest.fixture(name="server")
def _server() -> Iterator[OpenaiServer]:
    with OpenaiServer() as server:
        yield server


@pytest.fixture(name="make_openai")
def _make_openai(server: OpenaiServer) -> Iterator[Make]:
    with ExitStack() as open_clients:

        def make_openai(**keys: object) -> Openai:
            settings = OpenaiSettings.model_validate({"api_key": server.key, "base_url": server.url, **keys})
            client = open_clients.enter_context(net.client(Openai.origins(settings), seconds=20))
            return Openai(settings, client)

        yield make_openai


@pytest.fixture(name="openai")
def _openai(make_openai: Make) -> Openai:
    return make_openai()


def test_an_order_comes_back_at_once_as_its_picture(openai: Openai, server: OpenaiServer) -> None:
    assert openai.submit(ORDER) == Finished((server.picture(server.bodies[0]),), facts={"revised_prompt": None})
    assert server.bodies == [{"model": "flux-schnell", "prompt": "A red door.", "n": 1, "size": "96x64"}]


def test_a_server_of_ones_own_needs_no_key(make_openai: Make, server: OpenaiServer) -> None:
    server.key = ""
    assert isinstance(make_openai(api_key=None).submit(ORDER), Finished)


def test_the_seed_is_a_field_where_extras_are_taken(make_openai: Make, server: OpenaiServer) -> None:
    server.fields |= {"seed"}
    make_openai(extras=True).submit(ORDER)
    assert server.bodies[0]["seed"] == 7


def test_the_seed_goes_into_the_prompt_at_sd_server(make_openai: Make, server: OpenaiServer) -> None:
    make_openai(extras="sd-server").submit(ORDER)
    assert server.bodies[0]["prompt"] == 'A red door. <sd_cpp_extra_args>{"seed":7}</sd_cpp_extra_args>'


def test_a_size_can_be_two_numbers(make_openai: Make, server: OpenaiServer) -> None:
    server.fields |= {"width", "height"}
    make_openai(size="width+height").submit(ORDER)

    body = server.bodies[0]
    assert (body["width"], body["height"], "size" in body) == (96, 64, False)


def test_the_response_format_is_sent_where_it_is_set(make_openai: Make, server: OpenaiServer) -> None:
    make_openai(response_format="base64").submit(ORDER)
    assert server.bodies[0]["response_format"] == "base64"


def test_an_option_of_the_row_reaches_the_server(openai: Openai, server: OpenaiServer) -> None:
    openai.submit(dataclasses.replace(ORDER, options={"quality": "low"}))
    assert server.bodies[0]["quality"] == "low"


@pytest.mark.parametrize(
    "prompt",
    [
        'A red door<sd_cpp_extra_args>{"seed":1}</sd_cpp_extra_args>.',
        'A red door<sd_cpp_extra_args>\n{"seed":1}\n</sd_cpp_extra_args>.',
        "A red <sd_cpp_<sd_cpp_extra_args>x</sd_cpp_extra_args>extra_args>door</sd_cpp_extra_args>.",
    ],
)
def test_orders_to_sd_server_are_taken_out_of_a_prompt(openai: Openai, server: OpenaiServer, prompt: str) -> None:
    openai.submit(dataclasses.replace(ORDER, prompt=prompt))
    assert server.bodies[0]["prompt"] == "A red door."


def test_a_changed_prompt_is_told(openai: Openai, server: OpenaiServer) -> None:
    server.misbehave("revised")
    answer = openai.submit(ORDER)
    assert isinstance(answer, Finished)
    assert answer.facts["revised_prompt"] == "A big red door."


def test_a_picture_as_a_data_url_is_taken(openai: Openai, server: OpenaiServer) -> None:
    server.misbehave("data-url")
    answer = openai.submit(ORDER)
    assert isinstance(answer, Finished)
    assert answer.images == (server.picture(server.bodies[0]),)


def _named(openai: Openai, server: OpenaiServer, fault: str) -> Ticket:
    server.misbehave(fault)
    ticket = openai.submit(ORDER)
    assert isinstance(ticket, Ticket)
    return ticket


@pytest.mark.parametrize("fault", ["url", "path-url"])
def test_a_picture_that_is_only_named_is_fetched_without_the_key(
    openai: Openai, server: OpenaiServer, fault: str
) -> None:
    assert openai.poll(_named(openai, server, fault)) == Finished((server.picture(server.bodies[0]),))
    assert (server.downloads, server.leaks) == (1, 0)


def test_a_failed_download_is_repeated_without_a_second_order(openai: Openai, server: OpenaiServer) -> None:
    ticket = _named(openai, server, "down-url")
    with pytest.raises(Outage):
        openai.poll(ticket)

    assert isinstance(openai.poll(ticket), Finished)
    assert server.posts == 1


@pytest.mark.parametrize("fault", ["expired-url", "html-url"])
def test_a_named_picture_that_is_none_may_have_been_charged(openai: Openai, server: OpenaiServer, fault: str) -> None:
    ticket = _named(openai, server, fault)
    with pytest.raises(Unknown, match="may have been charged"):
        openai.poll(ticket)


def test_a_picture_elsewhere_is_not_fetched(openai: Openai, server: OpenaiServer) -> None:
    server.misbehave("foreign-url")
    with pytest.raises(Unknown, match=r"http://localhost.* not one of its own hosts.*result_hosts"):
        openai.submit(ORDER)
    assert server.downloads == 0


def test_a_picture_elsewhere_is_fetched_from_a_named_host(make_openai: Make, server: OpenaiServer) -> None:
    elsewhere = server.url.replace("127.0.0.1", "localhost").removesuffix("/v1")
    openai = make_openai(result_hosts=[elsewhere])
    assert isinstance(openai.poll(_named(openai, server, "foreign-url")), Finished)


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        ("unpaid", OutOfCredit, "402: Credit limit exceeded"),
        ("quota", OutOfCredit, "429: You exceeded your current quota"),
        ("hard-limit", OutOfCredit, "400: Billing hard limit"),
        ("moderated", Declined, "rejected by the safety system"),
        ("policy", Declined, "400: Please rephrase"),
        ("moderated-in-words", Declined, "400: Against our content policy"),
        ("not-verified", GeneratorProblem, "must be verified; see api_key"),
        ("bad-size", GeneratorProblem, "400: Invalid size '7x7'$"),
        ("invalid", GeneratorProblem, "422: .*bad size"),
        ("not-found", GeneratorProblem, "404: Not Found; is base_url right"),
        ("redirect", GeneratorProblem, '307: "elsewhere"'),
        ("busy", Busy, "429: Rate limit reached"),
        ("down", Outage, "503: The model is loading"),
    ],
)
def test_a_refused_order_is_told_in_the_servers_words(
    openai: Openai, server: OpenaiServer, fault: str, kind: type[GeneratorProblem], words: str
) -> None:
    server.misbehave(fault)
    with pytest.raises(GeneratorProblem, match=words) as told:
        openai.submit(ORDER)
    assert (told.type, server.bodies) == (kind, [])


@pytest.mark.parametrize(("fault", "seconds"), [("busy", 7), ("down", 30)])
def test_the_wait_that_the_server_asks_for_is_kept(
    openai: Openai, server: OpenaiServer, fault: str, seconds: int
) -> None:
    server.misbehave(fault)
    with pytest.raises(GeneratorProblem) as told:
        openai.submit(ORDER)
    assert told.value.seconds == seconds


def test_the_reasons_of_a_moderation_are_told(openai: Openai, server: OpenaiServer) -> None:
    server.misbehave("moderated")
    with pytest.raises(Declined) as told:
        openai.submit(ORDER)
    assert told.value.reasons == ("violence", "self-harm")


def test_a_wrong_key_names_the_setting_and_not_the_key(make_openai: Make) -> None:
    with pytest.raises(GeneratorProblem, match=r"401: Incorrect API key: Bearer \(the key\); see api_key") as told:
        make_openai(api_key="sk-wrong").submit(ORDER)
    assert "sk-wrong" not in str(told.value)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("lost", "no whole answer came"),
        ("half", "no whole answer came"),
        ("gateway-timeout", "a gateway answered 504"),
        ("bad-gateway", "a gateway answered 502"),
        ("garbage", "cannot be read: <html>one moment</html>"),
        ("nested", "cannot be read"),
        ("no-data", "cannot be read"),
        ("neither", "holds no picture"),
        ("no-base64", "no base64"),
        ("html", "18 bytes are no PNG, JPEG or WebP"),
        ("huge", "40,000,008 bytes are no PNG.* of at most 40,000,000"),
        ("endless", "larger than 53,433,333 bytes"),
    ],
)
def test_an_order_that_brings_no_picture_may_have_been_charged(
    openai: Openai, server: OpenaiServer, fault: str, words: str
) -> None:
    server.misbehave(fault)
    with pytest.raises(Unknown, match=rf"(?s){words}.*; it may have been charged") as told:
        openai.submit(ORDER)
    assert (told.value.retry, server.posts) == (False, 1)


@pytest.mark.parametrize("fault", ["silent", "dribble"])
@pytest.mark.parametrize(("free", "kind"), [(False, Unknown), (True, Outage)])
def test_an_answer_that_takes_too_long_is_given_up(
    make_openai: Make, server: OpenaiServer, fault: str, free: bool, kind: type[GeneratorProblem]
) -> None:
    server.misbehave(fault)
    with pytest.raises(GeneratorProblem, match="no whole answer came") as told:
        make_openai(timeout=0.3, free=free).submit(ORDER)
    assert told.type is kind


@pytest.mark.parametrize("fault", ["lost", "half", "gateway-timeout"])
def test_a_free_order_that_was_lost_is_sent_again(make_openai: Make, server: OpenaiServer, fault: str) -> None:
    openai = make_openai(free=True)
    server.misbehave(fault)
    with pytest.raises(Outage):
        openai.submit(ORDER)
    assert isinstance(openai.submit(ORDER), Finished)


def test_a_free_answer_that_is_no_picture_is_final(make_openai: Make, server: OpenaiServer) -> None:
    server.misbehave("html")
    with pytest.raises(GeneratorProblem, match="no PNG") as told:
        make_openai(free=True).submit(ORDER)
    assert (told.type, "charged" in str(told.value)) == (GeneratorProblem, False)


@pytest.mark.parametrize("free", [True, False])
def test_only_free_orders_are_repeatable(make_openai: Make, free: bool) -> None:
    assert make_openai(free=free).repeatable is free


def test_a_server_that_is_not_there_has_accepted_nothing(openai: Openai, server: OpenaiServer) -> None:
    server.__exit__()
    with pytest.raises(Outage, match="cannot be reached"):
        openai.submit(ORDER)


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({}, "api_key is missing, which OpenAI wants"),
        ({"api_key": "two words"}, "must be the key as the service shows it"),
        ({"api_key": "ends-in-a-line-break\n"}, "must be the key as the service shows it"),
        ({"base_url": "127.0.0.1:1234/v1"}, "base_url"),
        ({"base_url": "ftp://127.0.0.1"}, "URL scheme should be 'http' or 'https'"),
        ({"base_url": "http://own", "timeout": 900}, "timeout"),
        ({"base_url": "http://own", "result_hosts": ["http://own/pictures"]}, "result_hosts"),
        ({"base_url": "http://own", "steps": 4}, "steps"),
    ],
)
def test_a_wrong_setting_is_refused(keys: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        OpenaiSettings.model_validate(keys)


@pytest.mark.parametrize("name", [name for name, model in load().items() if model.generator == "openai"])
def test_every_model_of_the_catalogue_can_be_ordered(openai: Openai, server: OpenaiServer, name: str) -> None:
    model = load()[name]
    width, height = model.fit(300, 200)
    order = Order(model.name, "A red door.", width, height, seed=1, options=model.settle({}), task=model.tasks[0])
    assert isinstance(openai.submit(dataclasses.replace(order, images=(PICTURE,))), Finished)
    assert server.bodies[0]["size"] == f"{width}x{height}"


def test_an_own_server_without_its_address_is_refused_at_start(tmp_path: Path) -> None:
    path = tmp_path / "frontispiece.toml"
    site = '[sites.blog]\nplugin = "generic"\nurl = "https://blog.example"\nwebhook_secret = "whsec_c2VjcmV0"\n'
    path.write_text(f'{site}[[rules]]\nname = "articles"\nsite = "blog"\nmodels = ["local-schnell"]\n')
    with pytest.raises(ConfigProblem, match=r"generators\.openai: api_key is missing.* set base_url .*articles"):
        config.load(path)


def test_the_generator_is_found_by_its_name() -> None:
    assert make("openai") is Openai


def test_the_example_of_the_documentation_is_a_good_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (Path(__file__).parents[2] / "docs/models.md").read_text("utf8")
    blocks = [block.partition("\n") for block in page.split("```toml ")[1:]]
    for name, _, text in blocks:
        (tmp_path / name).write_text(text.partition("```")[0])
    monkeypatch.chdir(tmp_path)

    settings = config.load(tmp_path / "frontispiece.toml")
    assert ("studio-schnell", "together-flux-2") == tuple(load(settings.catalogue))[-2:]
    assert isinstance(settings.generators["studio"], OpenaiSettings)
