"""The fal generator over real HTTP, against `servers/fal.py`."""

import dataclasses
import io
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image
from pydantic import ValidationError
from servers.fal import SCHEMAS, FalServer
from servers.replicate import opened

from frontispiece import inputs, net
from frontispiece.errors import Busy, Declined, GeneratorProblem, Outage, OutOfCredit, Unknown
from frontispiece.generators import Finished, Margins, Order, Ticket, Waiting
from frontispiece.generators.catalogue import Model, load
from frontispiece.generators.fal import Fal, FalSettings

ORDER = Order("fal-ai/flux/schnell", "A lighthouse in a storm.", 512, 320, seed=7, options={"output_format": "png"})
MODELS = {name: model for name, model in load().items() if model.generator == "fal"}
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
def _service() -> Iterator[FalServer]:
    with FalServer() as service:
        yield service


@pytest.fixture(name="fal")
def _fal(service: FalServer) -> Iterator[Fal]:
    settings = _settings(service)
    with net.client(Fal.origins(settings), seconds=20) as client:
        yield Fal(settings, client)


def _settings(service: FalServer, **keys: object) -> FalSettings:
    told = {"api_key": service.key, "base_url": service.url, "models_url": service.models_url}
    return FalSettings.model_validate(told | keys)


def _finish(fal: Fal, order: Order) -> Finished:
    answer = fal.poll(fal.submit(order))
    assert isinstance(answer, Finished)
    return answer


def test_an_order_comes_back_as_the_picture_of_its_seed(fal: Fal, service: FalServer) -> None:
    finished = _finish(fal, ORDER)
    task = next(iter(service.tasks.values()))

    assert finished.images == (service.picture(task),)
    assert finished.facts == {"seed": 7, "prompt": "A lighthouse in a storm.", "inference_time": 0.75}


def test_the_body_of_a_plain_order_is_that_of_the_app(fal: Fal, service: FalServer) -> None:
    fal.submit(ORDER)
    assert service.last == {
        "prompt": "A lighthouse in a storm.",
        "seed": 7,
        "image_size": {"width": 512, "height": 320},
        "output_format": "png",
    }


@pytest.mark.parametrize(("name", "task"), JOBS)
def test_every_model_does_each_of_its_tasks(fal: Fal, name: str, task: str) -> None:
    finished = _finish(fal, _order(name, task))
    assert Image.open(io.BytesIO(finished.images[0])).format == "PNG"


def test_every_path_of_the_stand_in_is_asked(fal: Fal, service: FalServer) -> None:
    for name, task in JOBS:
        fal.submit(_order(name, task))
    assert {task.model for task in service.tasks.values()} == set(SCHEMAS)


@pytest.mark.parametrize("name", [name for name, task in JOBS if task == "text-to-image"])
def test_a_picture_of_words_has_nearly_the_ordered_ratio(fal: Fal, name: str) -> None:
    order = _order(name, "text-to-image")
    width, height = Image.open(io.BytesIO(_finish(fal, order).images[0])).size
    assert width / height == pytest.approx(order.width / order.height, rel=0.03)


@pytest.mark.parametrize("edge", ["min", "max"])
@pytest.mark.parametrize("name", MODELS)
def test_fal_takes_each_option_at_the_edge_of_its_range(fal: Fal, service: FalServer, name: str, edge: str) -> None:
    kinds: dict[str, Any] = {option: type(rule.default) for option, rule in MODELS[name].options.items()}
    edges = {option: getattr(rule, edge) for option, rule in MODELS[name].options.items()}
    told = {option: kinds[option](limit) for option, limit in edges.items() if limit is not None}
    fal.submit(_order(name, MODELS[name].tasks[0], **told))
    assert len(service.tasks) == 1


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("fal-flux-dev", {"num_inference_steps": 28, "guidance_scale": 3.5}),
        ("fal-flux-1.1-pro", {"safety_tolerance": "2", "enhance_prompt": False}),
        ("fal-flux-2-dev", {"enable_prompt_expansion": False}),
        ("fal-flux-1.1-pro-ultra", {"raw": False, "aspect_ratio": "16:9"}),
    ],
)
def test_an_option_has_the_name_and_the_form_that_the_app_knows(
    fal: Fal, service: FalServer, name: str, fields: dict[str, object]
) -> None:
    fal.submit(_order(name, "text-to-image"))
    assert {field: service.last[field] for field in fields} == fields


def test_no_app_is_told_both_a_size_and_a_ratio(fal: Fal, service: FalServer) -> None:
    for name, task in JOBS:
        fal.submit(_order(name, task))
        assert not {"image_size", "aspect_ratio"} <= set(service.last)


@pytest.mark.parametrize(
    ("size", "ratio"),
    [((1600, 900), "16:9"), ((1200, 630), "16:9"), ((1000, 1000), "1:1"), ((1080, 1350), "3:4"), ((90, 9000), "9:21")],
)
def test_a_model_that_knows_ratios_is_told_the_nearest(
    fal: Fal, service: FalServer, size: tuple[int, int], ratio: str
) -> None:
    order = _order("fal-flux-kontext-pro", "text-to-image")
    fal.submit(dataclasses.replace(order, width=size[0], height=size[1]))
    assert service.last["aspect_ratio"] == ratio


@pytest.mark.parametrize(
    ("name", "task"),
    [("fal-flux-kontext-max", "edit"), ("fal-flux-canny", "canny"), ("fal-flux-depth", "depth")],
)
def test_a_picture_is_handed_over_in_the_order_itself(fal: Fal, service: FalServer, name: str, task: str) -> None:
    fal.submit(_order(name, task))
    assert opened(service.last["image_url"]) == PHOTO


def test_several_pictures_are_handed_over_in_their_order(fal: Fal, service: FalServer) -> None:
    pictures = (PHOTO, _picture("blue"), _picture("green"))
    fal.submit(dataclasses.replace(_order("fal-flux-2-pro", "references"), images=pictures))
    assert tuple(map(opened, service.last["image_urls"])) == pictures


@pytest.mark.parametrize(
    ("name", "task", "path"),
    [
        ("fal-flux-2-pro", "text-to-image", "fal-ai/flux-2-pro"),
        ("fal-flux-2-pro", "edit", "fal-ai/flux-2-pro/edit"),
        ("fal-flux-2-pro", "references", "fal-ai/flux-2-pro/edit"),
        ("fal-flux-kontext-pro", "edit", "fal-ai/flux-pro/kontext"),
        ("fal-flux-kontext-pro", "text-to-image", "fal-ai/flux-pro/kontext/text-to-image"),
    ],
)
def test_each_task_goes_to_the_app_that_does_it(fal: Fal, service: FalServer, name: str, task: str, path: str) -> None:
    fal.submit(_order(name, task))
    assert next(iter(service.tasks.values())).model == path


def test_the_mask_of_a_fill_is_white_where_it_is_repainted(fal: Fal, service: FalServer) -> None:
    fal.submit(_order("fal-flux-fill-pro", "fill"))
    assert (opened(service.last["image_url"]), opened(service.last["mask_url"])) == (PHOTO, MASK)


def test_a_model_that_fills_expands_by_filling_the_margins(fal: Fal, service: FalServer) -> None:
    order = _order("fal-flux-fill-pro", "expand")
    fal.submit(order)

    given = opened(service.last["image_url"]), opened(service.last["mask_url"])
    assert given == inputs.expanded(PHOTO, order.margins)
    assert inputs.size(given[0]) == (96 + 64, 64 + 64)


def test_a_lora_is_told_with_its_scale(fal: Fal, service: FalServer) -> None:
    fal.submit(_order("fal-flux-dev-lora", "text-to-image", lora="gazette/ink", lora_scale=0.8))
    assert service.last["loras"] == [{"path": "gazette/ink", "scale": 0.8}]


def test_no_lora_is_told_where_none_is_named(fal: Fal, service: FalServer) -> None:
    fal.submit(_order("fal-flux-dev-lora", "text-to-image"))
    assert {"loras", "lora_scale"}.isdisjoint(service.last)


def test_fal_is_told_when_an_order_is_given_up(fal: Fal, service: FalServer) -> None:
    fal.submit(ORDER)
    assert service.timeout == "600"


def test_a_model_that_is_not_known_is_refused_before_anything_is_sent(fal: Fal, service: FalServer) -> None:
    with pytest.raises(GeneratorProblem, match=r"no fal model '\.\./v1' is known here"):
        fal.submit(dataclasses.replace(ORDER, model="../v1"))
    assert service.submits == 0


@pytest.mark.parametrize(
    ("name", "task", "words"),
    [
        ("fal-flux-2-pro", "edit", "edit needs a picture to start from"),
        ("fal-flux-fill-pro", "fill", "fill needs a picture to start from"),
        ("fal-flux-dev", "edit", "takes no pictures, so it cannot do edit"),
    ],
)
def test_an_order_without_its_pictures_is_refused_before_anything_is_sent(
    fal: Fal, service: FalServer, name: str, task: str, words: str
) -> None:
    with pytest.raises(GeneratorProblem, match=words):
        fal.submit(dataclasses.replace(_order(name, task), images=()))
    assert service.submits == 0


def test_a_fill_without_a_mask_is_refused_before_anything_is_sent(fal: Fal, service: FalServer) -> None:
    with pytest.raises(GeneratorProblem, match="needs a mask, white where"):
        fal.submit(dataclasses.replace(_order("fal-flux-fill-pro", "fill"), mask=b""))
    assert service.submits == 0


def test_an_option_that_the_model_lacks_is_refused_before_anything_is_sent(fal: Fal, service: FalServer) -> None:
    with pytest.raises(GeneratorProblem, match="has no option raw; it has: guidance, output_format, steps"):
        fal.submit(dataclasses.replace(ORDER, options={"raw": True}))
    assert service.submits == 0


def test_a_request_is_waited_for_through_its_stages(fal: Fal, service: FalServer) -> None:
    service.waits = 2
    ticket = fal.submit(ORDER)
    assert [type(fal.poll(ticket)) for _ in range(3)] == [Waiting, Waiting, Finished]


def test_a_status_word_not_known_is_waited_for(fal: Fal, service: FalServer) -> None:
    service.misbehave("unknown-word")
    ticket = fal.submit(ORDER)
    assert [type(fal.poll(ticket)) for _ in range(2)] == [Waiting, Finished]


def test_a_status_without_urls_is_answered_beside_itself(fal: Fal, service: FalServer) -> None:
    service.misbehave("no-urls")
    assert len(_finish(fal, ORDER).images) == 1


def test_a_picture_in_the_answer_itself_is_taken(fal: Fal, service: FalServer) -> None:
    service.misbehave("data-url")
    finished = _finish(fal, ORDER)
    assert (finished.images, service.downloads) == ((service.picture(next(iter(service.tasks.values()))),), 0)


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        ("no-credit", OutOfCredit, "no credit left: User is locked. Reason: Exhausted balance"),
        ("locked", GeneratorProblem, "does not accept the key .* see generators.fal.api_key"),
        ("busy", Busy, "Too many requests"),
        ("down", Outage, "503: Service unavailable"),
        ("policy", Declined, "prompt: The content could not be processed"),
    ],
)
def test_a_refused_order_is_told_in_fals_words(
    fal: Fal, service: FalServer, fault: str, kind: type[GeneratorProblem], words: str
) -> None:
    service.misbehave(fault)
    with pytest.raises(GeneratorProblem, match=words) as told:
        fal.submit(ORDER)
    assert (told.type, service.tasks) == (kind, {})


def test_a_body_that_fal_finds_wrong_is_told_by_field(fal: Fal) -> None:
    with pytest.raises(GeneratorProblem, match="422: image_size: must be a width and a height"):
        fal.submit(dataclasses.replace(ORDER, width=9000))


def test_the_wait_that_fal_asks_for_is_kept(fal: Fal, service: FalServer) -> None:
    service.misbehave("busy")
    with pytest.raises(Busy) as told:
        fal.submit(ORDER)
    assert told.value.seconds == 7


def test_a_wrong_key_names_the_setting_and_not_the_key(service: FalServer) -> None:
    settings = _settings(service, api_key="wrong-key")
    with net.client([service.url]) as client, pytest.raises(GeneratorProblem, match=r"fal\.api_key") as told:
        Fal(settings, client).submit(ORDER)
    assert "wrong-key" not in str(told.value)


@pytest.mark.parametrize("fault", ["lost", "garbage", "gateway", "foreign-status"])
def test_an_order_whose_outcome_is_not_known_is_never_called_failed(fal: Fal, service: FalServer, fault: str) -> None:
    service.misbehave(fault)
    with pytest.raises(Unknown, match="may have accepted") as told:
        fal.submit(ORDER)
    assert (told.value.retry, service.submits) == (False, 1)


def test_an_order_that_is_accepted_but_not_answered_in_time_is_unknown(service: FalServer) -> None:
    service.misbehave("silent")
    with net.client([service.url], seconds=0.3) as client, pytest.raises(Unknown, match="timed out"):
        Fal(_settings(service), client).submit(ORDER)
    assert len(service.tasks) == 1


def test_a_service_that_is_not_there_has_accepted_nothing(fal: Fal, service: FalServer) -> None:
    service.__exit__()
    with pytest.raises(Outage, match="cannot be reached") as told:
        fal.submit(ORDER)
    assert told.value.retry


def test_a_foreign_status_url_still_tells_the_request(fal: Fal, service: FalServer) -> None:
    service.misbehave("foreign-status")
    with pytest.raises(Unknown) as told:
        fal.submit(ORDER)
    assert next(iter(service.tasks)) in str(told.value)


def test_the_key_is_not_sent_to_a_foreign_status_url(fal: Fal, service: FalServer) -> None:
    ticket = fal.submit(ORDER)
    foreign = ticket.polling_url.replace("127.0.0.1", "localhost")
    with pytest.raises(GeneratorProblem, match="not one of its own hosts"):
        fal.poll(Ticket(ticket.remote_id, foreign))
    assert next(iter(service.tasks.values())).polls == 0


def test_the_key_is_not_sent_with_a_download(fal: Fal, service: FalServer) -> None:
    _finish(fal, ORDER)
    assert (service.downloads, service.leaks) == (1, 0)


@pytest.mark.parametrize(
    ("fault", "words"), [("nsfw", "flagged the picture"), ("policy-later", "prompt: The content could not be")]
)
def test_a_request_that_safety_refused_is_declined(fal: Fal, service: FalServer, fault: str, words: str) -> None:
    service.misbehave(fault)
    ticket = fal.submit(ORDER)
    with pytest.raises(Declined, match=words) as told:
        fal.poll(ticket)
    assert (len(told.value.reasons), service.downloads) == (1, 0)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("error", "could not make the picture of request .*: Internal Server Error"),
        ("app-down", r"could not make the picture of request .* \(internal_error\): Internal Server Error"),
        ("invalid-later", "could not make the picture of request .*: image_url: Could not be read"),
        ("gone", "keeps the answer to request .* no longer"),
        ("not-found", "does not know request"),
        ("html-data-url", "bytes that are no PNG, JPEG or WebP"),
        ("broken-data-url", "picture is no base64"),
        ("expired", "link to the picture has expired"),
        ("html", "sent text/html instead of a PNG"),
        ("html-called-png", "no PNG, JPEG or WebP"),
        ("foreign-response", "not one of its own hosts"),
        ("foreign-picture", "not one of its own hosts"),
    ],
)
def test_a_request_that_brings_no_picture_is_final(fal: Fal, service: FalServer, fault: str, words: str) -> None:
    service.misbehave(fault)
    ticket = fal.submit(ORDER)
    with pytest.raises(GeneratorProblem, match=words) as told:
        fal.poll(ticket)
    assert (told.type, told.value.retry) == (GeneratorProblem, False)


@pytest.mark.parametrize("fault", ["poll-down", "poll-lost", "poll-garbage", "answer-down", "answer-garbage"])
def test_a_poll_that_failed_is_repeated_without_a_second_order(fal: Fal, service: FalServer, fault: str) -> None:
    service.misbehave(fault)
    ticket = fal.submit(ORDER)
    with pytest.raises(Outage):
        fal.poll(ticket)

    assert isinstance(fal.poll(ticket), Finished)
    assert service.submits == 1


@pytest.mark.parametrize("fault", ["truncated", "picture-down", "no-images"])
def test_a_picture_that_did_not_arrive_whole_can_be_asked_for_again(fal: Fal, service: FalServer, fault: str) -> None:
    service.misbehave(fault)
    ticket = fal.submit(ORDER)
    with pytest.raises(Outage) as told:
        fal.poll(ticket)
    assert told.value.retry


@pytest.mark.parametrize("fault", ["", "no-urls"])
def test_a_request_can_be_cancelled(fal: Fal, service: FalServer, fault: str) -> None:
    service.waits, service.fault = 9, fault
    ticket = fal.submit(ORDER)
    fal.cancel(ticket)
    assert service.tasks[ticket.remote_id].canceled


def test_cancelling_what_is_over_changes_nothing(fal: Fal, service: FalServer) -> None:
    ticket = fal.submit(ORDER)
    fal.cancel(ticket)
    assert not service.tasks[ticket.remote_id].canceled


def test_the_key_is_not_sent_to_a_foreign_cancel_url(fal: Fal, service: FalServer) -> None:
    service.misbehave("foreign-cancel")
    service.waits = 9
    ticket = fal.submit(ORDER)
    with pytest.raises(GeneratorProblem, match="not one of its own hosts"):
        fal.cancel(ticket)
    assert not service.tasks[ticket.remote_id].canceled


def test_the_doctor_names_the_models_that_are_gone(fal: Fal, service: FalServer) -> None:
    service.models["fal-ai/flux/dev"] = "deprecated"
    del service.models["fal-ai/flux/schnell"]
    assert fal.doctor(["fal-ai/flux-2-pro", "fal-ai/flux/dev", "fal-ai/flux/schnell"]) == [
        "fal calls model fal-ai/flux/dev deprecated.",
        "fal has no model fal-ai/flux/schnell (any more).",
    ]


def test_the_doctor_says_that_a_key_is_not_accepted(service: FalServer) -> None:
    settings = _settings(service, api_key="wrong-key")
    with net.client([service.url]) as client, pytest.raises(GeneratorProblem, match="does not accept the key"):
        Fal(settings, client).doctor(["fal-ai/flux/dev"])


def test_a_doctor_that_cannot_ask_is_an_outage(fal: Fal, service: FalServer) -> None:
    service.__exit__()
    with pytest.raises(Outage, match="cannot be asked for model fal-ai/flux/dev"):
        fal.doctor(["fal-ai/flux/dev"])


@pytest.mark.parametrize(
    ("key", "value"),
    [("api_key", ""), ("api_key", "a b"), ("base_url", "queue.fal.run"), ("models_url", "ftp://fal.ai"), ("hook", "x")],
)
def test_a_setting_that_cannot_work_is_refused(key: str, value: object) -> None:
    with pytest.raises(ValidationError) as told:
        FalSettings.model_validate({"api_key": "id:secret", key: value})
    assert told.value.errors()[0]["loc"] == (key,)


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_no_model_of_fals_is_free(model: Model) -> None:
    assert model.dollars.first > 0
