"""The BFL generator over real HTTP, against `servers/bfl.py`."""

import dataclasses
import io
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from PIL import Image
from pydantic import ValidationError
from servers.bfl import BflServer, draw

from frontispiece import net
from frontispiece.errors import Busy, ConfigProblem, Declined, GeneratorProblem, Outage, OutOfCredit, Unknown
from frontispiece.generators import Finished, Margins, Order, Ticket, Waiting
from frontispiece.generators.bfl import Bfl, BflSettings
from frontispiece.generators.catalogue import Model, Option, load

ORDER = Order("flux-2-pro", "A lighthouse in a storm.", 512, 320, seed=7, options={"output_format": "png"})
MODELS = {name: model for name, model in load().items() if model.generator == "bfl"}

_FLUX_2 = {"prompt", "width", "height", "seed", "output_format", "safety_tolerance"}
_KONTEXT = {"prompt", "aspect_ratio", "seed", "output_format", "safety_tolerance", "prompt_upsampling"}
_FILL = {
    "prompt",
    "seed",
    "output_format",
    "safety_tolerance",
    "prompt_upsampling",
    "guidance",
    "steps",
    "image",
    "mask",
}
_FINETUNE = {"finetune_id", "finetune_strength"}
FIELDS = {  # https://api.bfl.ai/openapi.json, without webhooks and what is sent beside a picture that need not be there
    "flux-2-max": _FLUX_2,
    "flux-2-pro": _FLUX_2,
    "flux-2-flex": {*_FLUX_2, "prompt_upsampling", "guidance", "steps"},
    "flux-2-klein-4b": _FLUX_2,
    "flux-2-klein-9b": _FLUX_2,
    "flux-3-image": {"prompt", "aspect_ratio", "resolution", "safety_tolerance", "grounding"},
    "flux-pro-1.1": {*_FLUX_2, "prompt_upsampling"},
    "flux-pro-1.1-ultra": {*_KONTEXT, "raw"},
    "flux-pro-1.1-ultra-finetuned": _KONTEXT | _FINETUNE,
    "flux-dev": {*_FLUX_2, "prompt_upsampling", "guidance", "steps"},
    "flux-kontext-pro": _KONTEXT,
    "flux-kontext-max": _KONTEXT,
    "flux-pro-1.0-fill": _FILL,
    "flux-pro-1.0-fill-finetuned": _FILL | _FINETUNE,
    "flux-pro-1.0-expand": _FILL - {"mask"} | {"top", "right", "bottom", "left"},
}


def _order(model: Model, **options: Any) -> Order:
    """The first of a model's tasks, with pictures where it needs them."""
    width, height = model.fit(1415, 796)  # beyond a megapixel, and 1415 is rounded otherwise to 16 than to 32
    own = {"finetune_id": "house"} if "finetune_id" in model.options else {}
    order = Order(model.name, "A red door.", width, height, seed=1, options=model.settle(own | options))
    if model.tasks[0] == "text-to-image":
        return order
    order = dataclasses.replace(order, task=model.tasks[0])
    if order.task == "fill":
        return dataclasses.replace(order, images=(_flat(width, height),), mask=_flat(width, height))
    return dataclasses.replace(order, images=(_flat(width - 200, height),), margins=Margins(left=150, right=50))


def _flat(width: int, height: int) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height), "white").save(file, "PNG")
    return file.getvalue()


def _beyond(rule: Option) -> list[object]:
    """Values just outside of what an option takes, and one of another kind."""
    kind: Any = type(rule.default)
    below, above = [kind(limit) for limit in _each(rule.min)], [kind(limit) for limit in _each(rule.max)]
    other: object = 2 if rule.default == "" else "gif" if kind is str else "2"
    return [*(limit - 1 for limit in below), *(limit + 1 for limit in above), other]


def _each(edge: float | tuple[object, ...] | None) -> list[Any]:
    return [] if edge is None else list(edge) if isinstance(edge, tuple) else [edge]


@pytest.fixture(name="service")
def _service() -> Iterator[BflServer]:
    with BflServer() as service:
        yield service


@pytest.fixture(name="bfl")
def _bfl(service: BflServer) -> Iterator[Bfl]:
    with net.client([service.url], seconds=20) as client:
        yield Bfl(_settings(service), client)


def _settings(service: BflServer) -> BflSettings:
    return BflSettings.model_validate({"api_key": service.key, "base_url": service.url})


def _poll_until_finished(bfl: Bfl, ticket: Ticket) -> Finished:
    answer = bfl.poll(ticket)
    assert isinstance(answer, Finished)
    return answer


def test_an_order_comes_back_as_the_picture_of_its_seed(bfl: Bfl) -> None:
    finished = _poll_until_finished(bfl, bfl.submit(ORDER))

    assert finished.images == (draw("flux-2-pro", ORDER.prompt, 7, (512, 320), "png"),)
    assert finished.facts["seed"] == 7


@pytest.mark.parametrize("name", MODELS)
def test_every_model_of_the_catalogue_brings_a_picture_of_nearly_the_ordered_ratio(bfl: Bfl, name: str) -> None:
    order = _order(MODELS[name])
    finished = _poll_until_finished(bfl, bfl.submit(order))

    width, height = Image.open(io.BytesIO(finished.images[0])).size
    assert width / height == pytest.approx(order.width / order.height, rel=0.03)


@pytest.mark.parametrize("name", MODELS)
def test_the_body_has_exactly_the_fields_of_its_endpoint(bfl: Bfl, service: BflServer, name: str) -> None:
    ticket = bfl.submit(_order(MODELS[name]))

    sent = service.tasks[ticket.remote_id].body.model_fields_set
    assert sent == FIELDS[MODELS[name].name]


@pytest.mark.parametrize("name", MODELS)
def test_every_model_costs_what_the_catalogue_says(bfl: Bfl, name: str) -> None:
    order = _order(MODELS[name])
    ticket = bfl.submit(order)

    assert ticket.cost == pytest.approx(float(MODELS[name].price(order.width, order.height)))
    assert _poll_until_finished(bfl, ticket).cost == ticket.cost


@pytest.mark.parametrize("name", [name for name in MODELS if "width" in FIELDS[MODELS[name].name]])
def test_a_model_that_is_told_a_size_makes_that_size(bfl: Bfl, service: BflServer, name: str) -> None:
    order = _order(MODELS[name])
    ticket = bfl.submit(order)
    assert service.tasks[ticket.remote_id].body.size() == (order.width, order.height)


@pytest.mark.parametrize("edge", ["min", "max", "choices"])
@pytest.mark.parametrize("name", MODELS)
def test_bfl_takes_each_option_at_the_edge_of_its_range(bfl: Bfl, service: BflServer, name: str, edge: str) -> None:
    edges = {option: getattr(rule, edge) for option, rule in MODELS[name].options.items()}
    for option, value in [(option, value) for option, given in edges.items() for value in _each(given)]:
        typed = type(MODELS[name].options[option].default)(value)
        bfl.submit(_order(MODELS[name], **{option: typed}))
    assert service.submits == sum(len(_each(given)) for given in edges.values())


@pytest.mark.parametrize("name", MODELS)
def test_an_option_out_of_its_range_is_refused_before_anything_is_sent(bfl: Bfl, service: BflServer, name: str) -> None:
    for option, rule in MODELS[name].options.items():
        for value in _beyond(rule):
            with pytest.raises(ConfigProblem, match=f"option {option} of .* is {value!r}, expected"):
                bfl.submit(_order(MODELS[name], **{option: value}))
    assert service.submits == 0


@pytest.mark.parametrize(
    ("size", "ratio"),
    [
        ((1600, 900), "16:9"),
        ((1200, 630), "2:1"),  # 1.905
        ((1000, 1000), "1:1"),
        ((1080, 1350), "4:5"),
        ((900, 1600), "9:16"),
        ((1000, 700), "7:5"),
        ((9000, 90), "21:9"),
        ((90, 9000), "9:21"),
    ],
)
@pytest.mark.parametrize("model", ["flux-pro-1.1-ultra", "flux-kontext-pro", "flux-kontext-max", "flux-3-image"])
def test_a_model_that_knows_ratios_is_told_the_nearest(
    bfl: Bfl, service: BflServer, model: str, size: tuple[int, int], ratio: str
) -> None:
    ticket = bfl.submit(Order(model, "A red door.", *size, seed=1))

    body = service.tasks[ticket.remote_id].body.model_dump()
    assert body["aspect_ratio"] == ratio


@pytest.mark.parametrize("name", [name for name in MODELS if "seed" in FIELDS[MODELS[name].name]])
def test_the_seed_of_the_order_is_the_seed_that_is_sent(bfl: Bfl, service: BflServer, name: str) -> None:
    ticket = bfl.submit(dataclasses.replace(_order(MODELS[name]), seed=77))
    assert service.tasks[ticket.remote_id].seed == 77


def test_flux_3_tells_no_seed_because_it_takes_none(bfl: Bfl) -> None:
    finished = _poll_until_finished(bfl, bfl.submit(_order(MODELS["flux-3-image"])))
    assert "seed" not in finished.facts


def test_a_seventh_kontext_max_at_once_is_busy(bfl: Bfl, service: BflServer) -> None:
    service.seconds = 1000.0
    for _ in range(6):
        bfl.submit(_order(MODELS["flux-kontext-max"]))
    with pytest.raises(Busy):
        bfl.submit(_order(MODELS["flux-kontext-max"]))


def test_the_credits_are_told_in_dollars(bfl: Bfl, service: BflServer) -> None:
    service.deposit = 1234.0
    bfl.submit(ORDER)
    assert bfl.credits() == pytest.approx(12.31)


def test_the_doctor_tells_the_credit_that_is_left(bfl: Bfl, service: BflServer) -> None:
    service.deposit = 1231.5
    assert bfl.doctor(["flux-2-pro"]) == ["BFL: the account has 12.31 US dollars of credit left"]


def test_the_doctor_names_a_model_that_would_be_refused(bfl: Bfl) -> None:
    told = "BFL: no model 'flux-pro' is known here; orders for it are refused"
    assert bfl.doctor(["flux-dev", "flux-pro"])[1:] == [told]


def test_credits_that_cannot_be_asked_for_are_an_outage(bfl: Bfl, service: BflServer) -> None:
    service.__exit__()
    with pytest.raises(Outage, match="cannot be asked for the credits"):
        bfl.credits()


def test_credits_that_cannot_be_read_are_an_outage(service: BflServer) -> None:
    garbage = httpx.MockTransport(lambda _: httpx.Response(200, text="one moment please"))
    with httpx.Client(transport=garbage) as client, pytest.raises(Outage, match="cannot be read: one moment please"):
        Bfl(_settings(service), client).credits()


def test_credits_asked_for_with_a_wrong_key_name_the_setting(service: BflServer) -> None:
    settings = BflSettings.model_validate({"api_key": "wrong-key", "base_url": service.url})
    with net.client([service.url]) as client, pytest.raises(GeneratorProblem, match=r"see generators\.bfl\.api_key"):
        Bfl(settings, client).credits()


def test_an_option_reaches_the_service(bfl: Bfl, service: BflServer) -> None:
    options = {"prompt_upsampling": True, "safety_tolerance": 6}
    ticket = bfl.submit(Order("flux-pro-1.1", "A red door.", 512, 320, seed=1, options=options))

    body = service.tasks[ticket.remote_id].body.model_dump(include=set(options))
    assert body == options


def test_an_option_that_the_endpoint_lacks_is_refused_before_anything_is_sent(bfl: Bfl, service: BflServer) -> None:
    with pytest.raises(GeneratorProblem, match=r"flux-2-pro has no option prompt_upsampling; it has: output_format"):
        bfl.submit(dataclasses.replace(ORDER, options={"prompt_upsampling": True}))
    assert service.submits == 0


def test_a_model_that_bfl_lacks_is_refused_before_anything_is_sent(bfl: Bfl, service: BflServer) -> None:
    with pytest.raises(GeneratorProblem, match=r"no BFL model '\.\./v1/credits' is known"):
        bfl.submit(dataclasses.replace(ORDER, model="../v1/credits"))
    assert service.submits == 0


def test_a_task_is_waited_for_through_all_its_stages(bfl: Bfl, service: BflServer) -> None:
    service.seconds = 1000.0
    ticket = bfl.submit(ORDER)
    seen = []
    for _ in range(4):
        seen.append(type(bfl.poll(ticket)))
        service.advance(250)

    assert seen == [Waiting] * 4  # Pending, Reasoning, Generating, Generating
    assert isinstance(bfl.poll(ticket), Finished)


def test_a_status_word_not_known_is_waited_for(bfl: Bfl, service: BflServer) -> None:
    service.misbehave("unknown-word")
    assert bfl.poll(bfl.submit(ORDER)) == Waiting()


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        ("forbidden", GeneratorProblem, "does not accept the key .* see generators.bfl.api_key"),
        ("no-credit", OutOfCredit, "no credit left: Insufficient credits"),
        ("invalid", GeneratorProblem, "422: prompt: Value error, prompt is not for us"),
        ("busy", Busy, "too many active tasks"),
        ("down", Outage, "503: Service temporarily unavailable"),
    ],
)
def test_a_refused_submit_is_told_in_bfls_words(
    bfl: Bfl, service: BflServer, fault: str, kind: type[GeneratorProblem], words: str
) -> None:
    service.misbehave(fault)
    with pytest.raises(GeneratorProblem, match=words) as told:
        bfl.submit(ORDER)
    assert (told.type, service.charged) == (kind, 0)


@pytest.mark.parametrize("fault", ["lost", "garbage", "gateway-timeout", "foreign-polling-url"])
def test_a_submit_whose_outcome_is_not_known_is_never_called_failed(bfl: Bfl, service: BflServer, fault: str) -> None:
    service.misbehave(fault)
    with pytest.raises(Unknown, match="may have accepted") as told:
        bfl.submit(ORDER)
    assert (told.value.retry, service.submits) == (False, 1)


def test_a_submit_that_is_accepted_but_not_answered_in_time_is_unknown(service: BflServer) -> None:
    service.misbehave("silent")
    with net.client([service.url], seconds=0.3) as client, pytest.raises(Unknown, match="timed out"):
        Bfl(_settings(service), client).submit(ORDER)
    assert service.charged == 3


def test_a_service_that_is_not_there_has_accepted_nothing(bfl: Bfl, service: BflServer) -> None:
    service.__exit__()
    with pytest.raises(Outage, match="cannot be reached") as told:
        bfl.submit(ORDER)
    assert told.value.retry


def test_the_wait_that_bfl_asks_for_is_kept(bfl: Bfl, service: BflServer) -> None:
    service.misbehave("busy-7-seconds")
    with pytest.raises(Busy) as told:
        bfl.submit(ORDER)
    assert told.value.seconds == 7


def test_a_twenty_fifth_task_at_once_is_busy(bfl: Bfl, service: BflServer) -> None:
    service.seconds = 1000.0
    for _ in range(bfl.active):
        bfl.submit(ORDER)
    with pytest.raises(Busy):
        bfl.submit(ORDER)

    assert service.max_active == 24


def test_an_empty_account_is_out_of_credit(bfl: Bfl, service: BflServer) -> None:
    service.deposit = 5.0
    bfl.submit(ORDER)
    with pytest.raises(OutOfCredit):
        bfl.submit(ORDER)


def test_a_body_that_bfl_finds_wrong_is_told_by_field(bfl: Bfl) -> None:
    with pytest.raises(GeneratorProblem, match="422: width: Input should be a multiple of 32"):
        bfl.submit(Order("flux-pro-1.1", "A red door.", 500, 320, seed=1))


def test_a_wrong_key_names_the_setting_and_not_the_key(service: BflServer) -> None:
    settings = BflSettings.model_validate({"api_key": "wrong-key", "base_url": service.url})
    with net.client([service.url]) as client, pytest.raises(GeneratorProblem, match="api_key") as told:
        Bfl(settings, client).submit(ORDER)
    assert "wrong-key" not in str(told.value)


def test_the_key_is_not_sent_to_a_foreign_polling_url(bfl: Bfl, service: BflServer) -> None:
    ticket = bfl.submit(ORDER)
    with pytest.raises(GeneratorProblem, match="not one of its own hosts"):
        bfl.poll(dataclasses.replace(ticket, polling_url=ticket.polling_url.replace("127.0.0.1", "localhost")))
    assert service.polls == 0


def test_a_foreign_polling_url_still_tells_the_ticket(bfl: Bfl, service: BflServer) -> None:
    service.misbehave("foreign-polling-url")
    with pytest.raises(Unknown) as told:
        bfl.submit(ORDER)
    assert next(iter(service.tasks)) in str(told.value)


def test_an_answer_without_a_polling_url_is_polled_at_the_base_url(bfl: Bfl, service: BflServer) -> None:
    service.misbehave("no-polling-url")
    assert isinstance(bfl.poll(bfl.submit(ORDER)), Finished)


def test_an_answer_without_a_cost_leaves_it_open(bfl: Bfl, service: BflServer) -> None:
    service.misbehave("no-cost")
    assert bfl.submit(ORDER).cost is None


@pytest.mark.parametrize("fault", ["request-moderated", "content-moderated"])
def test_a_moderated_task_is_declined_with_its_reasons_and_costs_nothing(
    bfl: Bfl, service: BflServer, fault: str
) -> None:
    service.misbehave(fault)
    ticket = bfl.submit(ORDER)
    with pytest.raises(Declined) as told:
        bfl.poll(ticket)
    assert (told.value.reasons, service.charged) == (("Derivative Works Filter",), 0)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("error", "could not make the picture"),
        ("failed", "could not make the picture"),
        ("failed-with-503", "could not make the picture"),
        ("not-found", "does not know ticket"),
        ("expired", "link to the picture has expired"),
        ("html", "sent text/html instead of a PNG"),
        ("html-called-png", "no PNG, JPEG or WebP"),
        ("huge", "larger than 40,000,000 bytes"),
        ("sample-redirect", "answered 302 instead"),
        ("foreign-sample", "not one of its own hosts"),
    ],
)
def test_a_task_that_brings_no_picture_is_final(bfl: Bfl, service: BflServer, fault: str, words: str) -> None:
    service.misbehave(fault)
    ticket = bfl.submit(ORDER)
    with pytest.raises(GeneratorProblem, match=words) as told:
        bfl.poll(ticket)
    assert (told.type, told.value.retry) == (GeneratorProblem, False)


@pytest.mark.parametrize("fault", ["poll-down", "poll-lost", "poll-garbage"])
def test_a_poll_that_failed_is_repeated_without_a_second_order(bfl: Bfl, service: BflServer, fault: str) -> None:
    service.misbehave(fault)
    ticket = bfl.submit(ORDER)
    with pytest.raises(Outage):
        bfl.poll(ticket)

    assert isinstance(bfl.poll(ticket), Finished)
    assert service.submits == 1


@pytest.mark.parametrize("fault", ["truncated", "sample-down", "ready-without-picture"])
def test_a_picture_that_did_not_arrive_whole_can_be_asked_for_again(bfl: Bfl, service: BflServer, fault: str) -> None:
    service.misbehave(fault)
    ticket = bfl.submit(ORDER)
    with pytest.raises(Outage) as told:
        bfl.poll(ticket)
    assert told.value.retry


def test_a_picture_fetched_after_ten_minutes_has_expired(bfl: Bfl, service: BflServer) -> None:
    ticket = bfl.submit(ORDER)
    service.advance(601)
    with pytest.raises(GeneratorProblem, match="has expired"):
        bfl.poll(ticket)


def test_the_key_is_not_sent_with_the_download(bfl: Bfl, service: BflServer) -> None:
    bfl.poll(bfl.submit(ORDER))
    assert (service.downloads, service.leaks) == (1, 0)


@pytest.mark.parametrize("key", ["", "two words", "ends-in-a-line-break\n", "schlüssel"])
def test_a_key_that_no_header_can_carry_is_refused_as_a_setting(key: str) -> None:
    with pytest.raises(ValidationError, match="must be the key as BFL shows it"):
        BflSettings.model_validate({"api_key": key})


@pytest.mark.parametrize("url", ["api.bfl.ai", "ftp://api.bfl.ai", "https://", "https://x:port"])
def test_a_base_url_that_is_none_is_refused_as_a_setting(url: str) -> None:
    with pytest.raises(ValidationError, match="base_url"):
        BflSettings.model_validate({"api_key": "k", "base_url": url})


@pytest.mark.parametrize(
    ("keys", "host"),
    [
        ({}, "https://api.us1.bfl.ai"),
        ({"base_url": "https://api.eu.bfl.ai"}, "https://api.eu.bfl.ai"),  # nothing leaves the region that was chosen
        ({"base_url": "https://api.eu.bfl.ai", "finetune_url": "https://api.eu1.bfl.ai"}, "https://api.eu1.bfl.ai"),
    ],
)
def test_a_fine_tuned_model_is_asked_for_where_the_settings_say(keys: dict[str, str], host: str) -> None:
    settings = BflSettings.model_validate({"api_key": "k", **keys})
    assert settings.host("flux-pro-1.1-ultra-finetuned") == host


def test_a_model_that_is_not_fine_tuned_is_asked_for_at_the_base_url() -> None:
    settings = BflSettings.model_validate({"api_key": "k", "finetune_url": "https://api.us1.bfl.ai"})
    assert settings.host("flux-pro-1.1-ultra") == "https://api.bfl.ai"


def test_a_fine_tuned_picture_is_ordered_polled_and_fetched_at_the_finetune_url(service: BflServer) -> None:
    with BflServer() as tunes, net.client([service.url, tunes.url]) as client:
        settings = {"api_key": tunes.key, "base_url": service.url, "finetune_url": tunes.url}
        bfl = Bfl(BflSettings.model_validate(settings), client)
        finished = _poll_until_finished(bfl, bfl.submit(_order(MODELS["flux-ultra-finetuned"])))

        assert (len(finished.images), tunes.submits, tunes.polls, tunes.downloads) == (1, 1, 1, 1)
    assert service.submits == service.polls == 0


def test_a_fine_tune_without_a_polling_url_is_polled_where_it_was_ordered(service: BflServer) -> None:
    service.misbehave("no-polling-url")
    with net.client([service.url]) as client:
        settings = {"api_key": service.key, "base_url": "https://api.bfl.ai", "finetune_url": service.url}
        ticket = Bfl(BflSettings.model_validate(settings), client).submit(_order(MODELS["flux-ultra-finetuned"]))
    assert ticket.polling_url == f"{service.url}/v1/get_result?id={ticket.remote_id}"


def test_the_origins_are_those_that_the_operator_has_set() -> None:
    settings = BflSettings.model_validate({"api_key": "k", "finetune_url": "http://127.0.0.1:7000"})
    assert Bfl.origins(settings) == ("https://api.bfl.ai", "http://127.0.0.1:7000")


@pytest.mark.parametrize("name", ["flux-fill-finetuned", "flux-ultra-finetuned"])
def test_a_fine_tuned_model_without_its_id_is_refused_before_anything_is_sent(
    bfl: Bfl, service: BflServer, name: str
) -> None:
    order = _order(MODELS[name], finetune_id="")
    with pytest.raises(GeneratorProblem, match="needs the option finetune_id"):
        bfl.submit(order)
    assert service.submits == 0
