"""The replicate generator over real HTTP, against `servers/replicate.py`."""

import dataclasses
import io
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image
from pydantic import ValidationError
from servers.replicate import SCHEMAS, ReplicateServer, opened

from frontispiece import inputs, net
from frontispiece.errors import Busy, Declined, GeneratorProblem, Outage, OutOfCredit, Unknown
from frontispiece.generators import Finished, Margins, Order, Ticket, Waiting
from frontispiece.generators.catalogue import Model, Option, load
from frontispiece.generators.replicate import Replicate, ReplicateSettings

SCHNELL = "black-forest-labs/flux-schnell"
ORDER = Order(SCHNELL, "A lighthouse in a storm.", 1344, 768, seed=7, options={"output_format": "png"})
MODELS = {name: model for name, model in load().items() if model.generator == "replicate"}
JOBS = [(name, task) for name, model in MODELS.items() for task in model.tasks]


def _picture(colour: str = "red", size: tuple[int, int] = (96, 64), mode: str = "RGB") -> bytes:
    file = io.BytesIO()
    Image.new(mode, size, colour).save(file, "PNG")
    return file.getvalue()


PHOTO, MASK = _picture(), _picture("white", mode="L")


def _order(name: str, task: Any, **options: Any) -> Order:
    model = MODELS[name]
    width, height = model.fit(1415, 796)
    images = () if task == "text-to-image" else (PHOTO,)
    order = Order(model.name, "A red door.", width, height, 1, options=model.settle(options), task=task, images=images)
    return dataclasses.replace(order, mask=MASK if task == "fill" else b"", margins=Margins(32, 0, 32, 64))


@pytest.fixture(name="service")
def _service() -> Iterator[ReplicateServer]:
    with ReplicateServer() as service:
        yield service


@pytest.fixture(name="replicate")
def _replicate(service: ReplicateServer) -> Iterator[Replicate]:
    with net.client([service.url], seconds=20) as client:
        yield Replicate(_settings(service), client)


def _settings(service: ReplicateServer, **keys: object) -> ReplicateSettings:
    return ReplicateSettings.model_validate({"api_key": service.key, "base_url": service.url, **keys})


def _finish(replicate: Replicate, order: Order) -> Finished:
    answer = replicate.poll(replicate.submit(order))
    assert isinstance(answer, Finished)
    return answer


def test_an_order_comes_back_as_the_picture_of_its_seed(replicate: Replicate, service: ReplicateServer) -> None:
    finished = _finish(replicate, ORDER)
    task = next(iter(service.tasks.values()))

    assert finished.images == (service.picture(task),)
    assert finished.facts == {"predict_time": 1.25, "version": "hidden"}


def test_the_input_of_a_plain_order_is_that_of_the_model(replicate: Replicate, service: ReplicateServer) -> None:
    replicate.submit(ORDER)
    assert service.last == {
        "prompt": "A lighthouse in a storm.",
        "seed": 7,
        "aspect_ratio": "16:9",
        "output_format": "png",
    }


@pytest.mark.parametrize(("name", "task"), JOBS)
def test_every_model_does_each_of_its_tasks(replicate: Replicate, name: str, task: str) -> None:
    finished = _finish(replicate, _order(name, task))
    assert Image.open(io.BytesIO(finished.images[0])).format == "PNG"


def test_every_model_of_the_catalogue_has_a_schema_here() -> None:
    assert {model.name for model in MODELS.values()} == {f"black-forest-labs/{name}" for name in SCHEMAS}


@pytest.mark.parametrize("name", [name for name, task in JOBS if task == "text-to-image"])
def test_a_picture_of_words_has_nearly_the_ordered_ratio(replicate: Replicate, name: str) -> None:
    order = _order(name, "text-to-image")
    width, height = Image.open(io.BytesIO(_finish(replicate, order).images[0])).size
    assert width / height == pytest.approx(order.width / order.height, rel=0.03)


@pytest.mark.parametrize("edge", ["min", "max"])
@pytest.mark.parametrize("name", MODELS)
def test_replicate_takes_each_option_at_the_edge_of_its_range(
    replicate: Replicate, service: ReplicateServer, name: str, edge: str
) -> None:
    edges = {option: getattr(rule, edge) for option, rule in MODELS[name].options.items()}
    told = {option: _typed(MODELS[name].options[option], limit) for option, limit in edges.items() if limit is not None}
    replicate.submit(_order(name, MODELS[name].tasks[0], **told))
    assert len(service.tasks) == 1


def _typed(rule: Option, limit: float) -> object:
    kind: Any = type(rule.default)
    return kind(limit)


@pytest.mark.parametrize("name", MODELS)
def test_every_option_of_a_row_is_told_to_replicate(replicate: Replicate, service: ReplicateServer, name: str) -> None:
    order = _order(name, MODELS[name].tasks[0], output_format="jpeg")
    replicate.submit(order)
    assert all(value in service.last.values() for option, value in order.options.items() if option != "output_format")
    assert service.last["output_format"] == "jpg"


def test_a_model_that_knows_sizes_is_told_the_size(replicate: Replicate, service: ReplicateServer) -> None:
    replicate.submit(_order("replicate-flux-2-pro", "text-to-image"))
    told = {name: service.last[name] for name in ("aspect_ratio", "width", "height")}
    assert told == {"aspect_ratio": "custom", "width": 1440, "height": 800}


@pytest.mark.parametrize(
    ("size", "ratio"),
    [((1600, 900), "16:9"), ((1200, 630), "16:9"), ((1000, 1000), "1:1"), ((1080, 1350), "4:5"), ((90, 9000), "9:21")],
)
def test_a_model_that_knows_ratios_is_told_the_nearest(
    replicate: Replicate, service: ReplicateServer, size: tuple[int, int], ratio: str
) -> None:
    replicate.submit(dataclasses.replace(ORDER, width=size[0], height=size[1]))
    assert service.last["aspect_ratio"] == ratio


@pytest.mark.parametrize(
    ("name", "task", "field"),
    [
        ("replicate-flux-kontext-pro", "edit", "input_image"),
        ("replicate-flux-canny-pro", "canny", "control_image"),
        ("replicate-flux-depth-dev", "depth", "control_image"),
        ("replicate-flux-redux-dev", "variation", "redux_image"),
        ("replicate-flux-fill-dev", "fill", "image"),
    ],
)
def test_a_picture_is_handed_over_in_the_field_of_the_model(
    replicate: Replicate, service: ReplicateServer, name: str, task: str, field: str
) -> None:
    replicate.submit(_order(name, task))
    assert opened(service.last[field]) == PHOTO


@pytest.mark.parametrize(
    ("name", "field"), [("replicate-flux-2-flex", "input_images"), ("replicate-flux-2-klein-4b", "images")]
)
def test_several_pictures_are_handed_over_in_their_order(
    replicate: Replicate, service: ReplicateServer, name: str, field: str
) -> None:
    pictures = (PHOTO, _picture("blue"), _picture("green"))
    replicate.submit(dataclasses.replace(_order(name, "references"), images=pictures))
    assert tuple(map(opened, service.last[field])) == pictures


@pytest.mark.parametrize(
    ("name", "task", "field", "value"),
    [
        ("replicate-flux-fill-dev", "fill", "megapixels", "match_input"),
        ("replicate-flux-2-klein-4b", "edit", "output_megapixels", "1"),
    ],
)
def test_what_a_model_must_always_be_told_is_told(
    replicate: Replicate, service: ReplicateServer, name: str, task: str, field: str, value: str
) -> None:
    replicate.submit(_order(name, task))
    assert service.last[field] == value


def test_words_alone_take_no_picture_along(replicate: Replicate, service: ReplicateServer) -> None:
    replicate.submit(_order("replicate-flux-2-pro", "text-to-image"))
    assert "input_images" not in service.last


def test_a_model_without_words_is_told_none(replicate: Replicate, service: ReplicateServer) -> None:
    replicate.submit(_order("replicate-flux-redux-schnell", "variation"))
    assert "prompt" not in service.last


def test_the_mask_of_a_fill_is_white_where_it_is_repainted(replicate: Replicate, service: ReplicateServer) -> None:
    replicate.submit(_order("replicate-flux-fill-pro", "fill"))
    assert opened(service.last["mask"]) == MASK


def test_a_model_that_fills_expands_by_filling_the_margins(replicate: Replicate, service: ReplicateServer) -> None:
    order = _order("replicate-flux-fill-pro", "expand")
    replicate.submit(order)

    given = opened(service.last["image"]), opened(service.last["mask"])
    assert given == inputs.expanded(PHOTO, order.margins)
    assert inputs.size(given[0]) == (96 + 64, 64 + 64)


def test_a_lora_is_told_with_its_scale(replicate: Replicate, service: ReplicateServer) -> None:
    replicate.submit(_order("replicate-flux-dev-lora", "text-to-image", lora="gazette/ink", lora_scale=0.8))
    assert (service.last["lora_weights"], service.last["lora_scale"]) == ("gazette/ink", 0.8)


def test_no_lora_is_told_where_none_is_named(replicate: Replicate, service: ReplicateServer) -> None:
    replicate.submit(_order("replicate-flux-dev-lora", "text-to-image"))
    assert "lora_weights" not in service.last


def test_a_large_picture_is_uploaded_first(replicate: Replicate, service: ReplicateServer) -> None:
    noise = io.BytesIO()
    Image.effect_noise((640, 640), 90).save(noise, "PNG")
    replicate.submit(dataclasses.replace(_order("replicate-flux-kontext-pro", "edit"), images=(noise.getvalue(),)))
    assert service.opened(service.last["input_image"]) == noise.getvalue()


def test_an_upload_that_failed_has_ordered_nothing(replicate: Replicate, service: ReplicateServer) -> None:
    service.misbehave("upload-down")
    noise = io.BytesIO()
    Image.effect_noise((640, 640), 90).save(noise, "PNG")
    order = dataclasses.replace(_order("replicate-flux-kontext-pro", "edit"), images=(noise.getvalue(),))
    with pytest.raises(Outage, match="500: Internal server error"):
        replicate.submit(order)
    assert service.submits == 0


def test_a_version_is_asked_for_as_one(replicate: Replicate, service: ReplicateServer) -> None:
    options = {"output_format": "png", "steps": 20, "guidance": 3.0, "lora_scale": 1.0}
    finished = _finish(replicate, Order("gazette/ink:0123abcd", "An ink door.", 512, 768, 1, options=options))
    assert Image.open(io.BytesIO(finished.images[0])).size == (512, 768)
    assert service.last["guidance_scale"] == 3.0


def test_a_version_of_a_known_model_has_the_fields_of_that_model() -> None:
    order = dataclasses.replace(ORDER, model=f"{SCHNELL}:0123abcd")
    with ReplicateServer() as service, net.client([service.url]) as client:
        Replicate(_settings(service), client).submit(order)
        assert service.last["aspect_ratio"] == "16:9"


@pytest.mark.parametrize("model", ["flux-schnell", "../v1/account", "a/b/c", "gazette/ink:latest", "a/b?c=d"])
def test_a_name_that_is_none_of_replicates_is_refused_before_anything_is_sent(
    replicate: Replicate, service: ReplicateServer, model: str
) -> None:
    with pytest.raises(GeneratorProblem, match="is no model of Replicate's"):
        replicate.submit(dataclasses.replace(ORDER, model=model))
    assert service.submits == 0


def test_a_model_whose_fields_are_not_known_is_refused_before_anything_is_sent(
    replicate: Replicate, service: ReplicateServer
) -> None:
    with pytest.raises(GeneratorProblem, match="no Replicate model 'gazette/ink' is known here"):
        replicate.submit(dataclasses.replace(ORDER, model="gazette/ink"))
    assert service.submits == 0


@pytest.mark.parametrize(
    ("name", "task", "words"),
    [
        ("replicate-flux-kontext-pro", "edit", "edit needs a picture to start from"),
        ("replicate-flux-fill-pro", "fill", "fill needs a picture to start from"),
        ("replicate-flux-dev", "edit", "takes no pictures, so it cannot do edit"),
    ],
)
def test_an_order_without_its_pictures_is_refused_before_anything_is_sent(
    replicate: Replicate, service: ReplicateServer, name: str, task: str, words: str
) -> None:
    with pytest.raises(GeneratorProblem, match=words):
        replicate.submit(dataclasses.replace(_order(name, task), images=()))
    assert service.submits == 0


def test_a_fill_without_a_mask_is_refused_before_anything_is_sent(
    replicate: Replicate, service: ReplicateServer
) -> None:
    with pytest.raises(GeneratorProblem, match="needs a mask, white where"):
        replicate.submit(dataclasses.replace(_order("replicate-flux-fill-pro", "fill"), mask=b""))
    assert service.submits == 0


def test_an_option_that_the_model_lacks_is_refused_before_anything_is_sent(
    replicate: Replicate, service: ReplicateServer
) -> None:
    with pytest.raises(GeneratorProblem, match="has no option raw; it has: go_fast, output_format, steps"):
        replicate.submit(dataclasses.replace(ORDER, options={"raw": True}))
    assert service.submits == 0


def test_a_prediction_is_waited_for_through_its_stages(replicate: Replicate, service: ReplicateServer) -> None:
    service.waits = 2
    ticket = replicate.submit(ORDER)
    seen = [type(replicate.poll(ticket)) for _ in range(3)]
    assert seen == [Waiting, Waiting, Finished]  # starting, processing, succeeded


def test_a_status_word_not_known_is_waited_for(replicate: Replicate, service: ReplicateServer) -> None:
    service.misbehave("unknown-word")
    ticket = replicate.submit(ORDER)
    assert [type(replicate.poll(ticket)) for _ in range(2)] == [Waiting, Finished]


def test_several_outputs_are_all_taken(replicate: Replicate, service: ReplicateServer) -> None:
    service.misbehave("one-of-two")
    assert len(_finish(replicate, ORDER).images) == 2


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        ("no-credit", OutOfCredit, "no credit left: You have insufficient credit"),
        ("busy", Busy, "Request was throttled"),
        ("down", Outage, "503: Service unavailable"),
        ("no-model", GeneratorProblem, "404: The requested resource could not be found"),
    ],
)
def test_a_refused_order_is_told_in_replicates_words(
    replicate: Replicate, service: ReplicateServer, fault: str, kind: type[GeneratorProblem], words: str
) -> None:
    service.misbehave(fault)
    with pytest.raises(GeneratorProblem, match=words) as told:
        replicate.submit(ORDER)
    assert (told.type, service.tasks) == (kind, {})


def test_an_input_that_replicate_finds_wrong_is_told_by_field(replicate: Replicate) -> None:
    with pytest.raises(GeneratorProblem, match=r"422: - input.width: must be a whole number"):
        replicate.submit(dataclasses.replace(ORDER, model="black-forest-labs/flux-2-pro", width=500))


def test_the_wait_that_replicate_asks_for_is_kept(replicate: Replicate, service: ReplicateServer) -> None:
    service.misbehave("busy")
    with pytest.raises(Busy) as told:
        replicate.submit(ORDER)
    assert told.value.seconds == 7


def test_a_wrong_token_names_the_setting_and_not_the_token(service: ReplicateServer) -> None:
    settings = _settings(service, api_key="r8_wrong")
    with net.client([service.url]) as client, pytest.raises(GeneratorProblem, match=r"replicate\.api_key") as told:
        Replicate(settings, client).submit(ORDER)
    assert "r8_wrong" not in str(told.value)


@pytest.mark.parametrize("fault", ["lost", "garbage", "gateway", "foreign-get"])
def test_an_order_whose_outcome_is_not_known_is_never_called_failed(
    replicate: Replicate, service: ReplicateServer, fault: str
) -> None:
    service.misbehave(fault)
    with pytest.raises(Unknown, match="may have accepted") as told:
        replicate.submit(ORDER)
    assert (told.value.retry, service.submits) == (False, 1)


def test_an_order_that_is_accepted_but_not_answered_in_time_is_unknown(service: ReplicateServer) -> None:
    service.misbehave("silent")
    with net.client([service.url], seconds=0.3) as client, pytest.raises(Unknown, match="timed out"):
        Replicate(_settings(service), client).submit(ORDER)
    assert len(service.tasks) == 1


def test_a_service_that_is_not_there_has_accepted_nothing(replicate: Replicate, service: ReplicateServer) -> None:
    service.__exit__()
    with pytest.raises(Outage, match="cannot be reached") as told:
        replicate.submit(ORDER)
    assert told.value.retry


def test_a_foreign_polling_url_still_tells_the_prediction(replicate: Replicate, service: ReplicateServer) -> None:
    service.misbehave("foreign-get")
    with pytest.raises(Unknown) as told:
        replicate.submit(ORDER)
    assert next(iter(service.tasks)) in str(told.value)


def test_the_token_is_not_sent_to_a_foreign_polling_url(replicate: Replicate, service: ReplicateServer) -> None:
    ticket = replicate.submit(ORDER)
    foreign = ticket.polling_url.replace("127.0.0.1", "localhost")
    with pytest.raises(GeneratorProblem, match="not one of its own hosts"):
        replicate.poll(Ticket(ticket.remote_id, foreign))
    assert next(iter(service.tasks.values())).polls == 0


def test_the_token_is_not_sent_with_a_download(replicate: Replicate, service: ReplicateServer) -> None:
    _finish(replicate, ORDER)
    assert (service.downloads, service.leaks) == (1, 0)


@pytest.mark.parametrize("fault", ["nsfw", "sensitive"])
def test_a_prediction_that_failed_for_safety_is_declined_in_replicates_words(
    replicate: Replicate, service: ReplicateServer, fault: str
) -> None:
    service.misbehave(fault)
    ticket = replicate.submit(ORDER)
    with pytest.raises(Declined, match=r"NSFW content|flagged as sensitive") as told:
        replicate.poll(ticket)
    assert len(told.value.reasons) == 1


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("failed", "could not make the picture of prediction .*: CUDA out of memory"),
        ("canceled", "was canceled at Replicate"),
        ("aborted", "was aborted at Replicate"),
        ("not-found", "does not know prediction"),
        ("no-output", "names no picture"),
        ("expired", "link to the picture has expired"),
        ("html", "sent text/html instead of a PNG"),
        ("html-called-png", "no PNG, JPEG or WebP"),
        ("foreign-picture", "not one of its own hosts"),
    ],
)
def test_a_prediction_that_brings_no_picture_is_final(
    replicate: Replicate, service: ReplicateServer, fault: str, words: str
) -> None:
    service.misbehave(fault)
    ticket = replicate.submit(ORDER)
    with pytest.raises(GeneratorProblem, match=words) as told:
        replicate.poll(ticket)
    assert (told.type, told.value.retry) == (GeneratorProblem, False)


@pytest.mark.parametrize("fault", ["poll-down", "poll-lost", "poll-garbage"])
def test_a_poll_that_failed_is_repeated_without_a_second_order(
    replicate: Replicate, service: ReplicateServer, fault: str
) -> None:
    service.misbehave(fault)
    ticket = replicate.submit(ORDER)
    with pytest.raises(Outage):
        replicate.poll(ticket)

    assert isinstance(replicate.poll(ticket), Finished)
    assert service.submits == 1


@pytest.mark.parametrize("fault", ["truncated", "picture-down"])
def test_a_picture_that_did_not_arrive_whole_can_be_asked_for_again(
    replicate: Replicate, service: ReplicateServer, fault: str
) -> None:
    service.misbehave(fault)
    ticket = replicate.submit(ORDER)
    with pytest.raises(Outage) as told:
        replicate.poll(ticket)
    assert told.value.retry


def test_a_prediction_can_be_cancelled(replicate: Replicate, service: ReplicateServer) -> None:
    service.waits = 9
    ticket = replicate.submit(ORDER)
    replicate.cancel(ticket)
    assert service.tasks[ticket.remote_id].canceled


def test_the_token_is_not_sent_to_a_foreign_cancel_url(replicate: Replicate, service: ReplicateServer) -> None:
    service.misbehave("foreign-cancel")
    ticket = replicate.submit(ORDER)
    with pytest.raises(GeneratorProblem, match="not one of its own hosts"):
        replicate.cancel(ticket)
    assert not service.tasks[ticket.remote_id].canceled


def test_the_doctor_names_the_account_and_the_models_that_are_gone(
    replicate: Replicate, service: ReplicateServer
) -> None:
    service.models.remove(SCHNELL)
    assert replicate.doctor([SCHNELL, "black-forest-labs/flux-dev", "gazette/ink:0123abcd"]) == [
        "The token is that of gazette at Replicate.",
        "Replicate has no model black-forest-labs/flux-schnell (any more).",
        "Replicate has no model gazette/ink:0123abcd (any more).",
    ]


def test_the_doctor_says_that_a_token_is_not_accepted(service: ReplicateServer) -> None:
    settings = _settings(service, api_key="r8_wrong")
    with net.client([service.url]) as client, pytest.raises(GeneratorProblem, match="does not accept the token"):
        Replicate(settings, client).doctor([])


def test_a_doctor_that_cannot_ask_is_an_outage(replicate: Replicate, service: ReplicateServer) -> None:
    service.__exit__()
    with pytest.raises(Outage, match="cannot be asked for the account"):
        replicate.doctor([])


@pytest.mark.parametrize(
    ("key", "value"),
    [("api_key", ""), ("api_key", "r8 x"), ("base_url", "replicate.com"), ("download_seconds", 0), ("webhook", "x")],
)
def test_a_setting_that_cannot_work_is_refused(key: str, value: object) -> None:
    with pytest.raises(ValidationError) as told:
        ReplicateSettings.model_validate({"api_key": "r8_test", key: value})
    assert told.value.errors()[0]["loc"] == (key,)


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_no_model_of_replicates_is_free(model: Model) -> None:
    assert model.dollars.first > 0
