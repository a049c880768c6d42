"""`/api/v1`: what programs see, what they may do, and how they hear that something cannot be."""

from pathlib import Path
from typing import Any

import pytest
from desk.furnish import PROMPT, Web, entry
from openapi_schema_validator import OAS31Validator
from PIL import Image
from sqlalchemy import update
from werkzeug.test import TestResponse

from frontispiece import pictures
from frontispiece.models import State, Task, TaskState


def call(web: Web, path: str, headers: dict[str, str], body: Any = None, **request: Any) -> TestResponse:
    client = web.app.test_client()
    if body is None:
        return client.get(f"/api/v1{path}", headers=headers, **request)
    return client.post(f"/api/v1{path}", headers=headers, json=body, **request)


def errors(web: Web, schema: str, told: Any) -> list[str]:
    described = call(web, "/openapi.json", {}).get_json()
    validator = OAS31Validator({"$ref": f"#/components/schemas/{schema}", "components": described["components"]})
    return [error.message for error in validator.iter_errors(told)]


def test_an_illustration_is_told_as_the_contract_says(web: Web) -> None:
    number = web.illustration(told=entry(0, url="https://blog.example/1"), created=0.0, updated=1_000_000_000.0)
    told = call(web, f"/illustrations/{number}", web.token()).get_json()
    candidate = told["candidates"][0]
    assert told == {
        "id": number, "site": "gazette", "ref": "posts/0", "slot": "hero", "state": "in_review", "reason": "",
        "prompt": PROMPT, "alt": told["alt"], "caption": "", "model": "sketch", "rule": "gazette-hero",
        "alts": {}, "captions": {}, "focal": None, "assignee": "",
        "entry": {
            "title": "The last keeper of Skerry Light hands in his keys", "kind": "article",
            "section": "City", "url": "https://blog.example/1", "edit_url": "http://127.0.0.1:9/articles/0/edit",
        },
        "candidates": [
            {
                "id": web.candidate(number), "width": 1600, "height": 900, "model": "sketch", "seed": 12,
                "prompt": PROMPT, "by": "", "parent": None, "created": candidate["created"],
                "image": f"/api/v1/candidates/{candidate['id']}/image",
            }
        ],
        "chosen": None, "desk": f"http://127.0.0.1:8460/desk/{number}",
        "created": "1970-01-01T00:00:00Z", "updated": "2001-09-09T01:46:40Z",
    }  # fmt: skip


def test_an_entry_is_found_by_site_and_ref(web: Web) -> None:
    web.illustration(number=1)
    number = web.illustration(number=2)
    web.illustration(site="shop", told=entry(2))
    told = call(web, "/illustrations?site=gazette&ref=posts/2", web.token()).get_json()
    assert [one["id"] for one in told["illustrations"]] == [number]


def test_a_list_can_be_limited_by_state_and_read_in_pages(web: Web) -> None:
    numbers = [web.illustration(number=number, candidates=0) for number in range(5)]
    web.illustration(State.FAILED, 9)
    token, path = web.token(), "/illustrations?state=in_review&limit=2"
    first = [one["id"] for one in call(web, path, token).get_json()["illustrations"]]
    second = [one["id"] for one in call(web, f"{path}&before={first[-1]}", token).get_json()["illustrations"]]
    assert first + second == numbers[:0:-1]


def test_an_approval_is_recorded_with_the_person_and_the_token(web: Web) -> None:
    number = web.illustration()
    body = {"candidate": web.candidate(number), "alt": "A lamp", "by": "Jane (WordPress)"}
    told = call(web, f"/illustrations/{number}/approve", web.token(name="blog"), body).get_json()
    assert (told["state"], told["chosen"], told["alt"]) == ("approved", body["candidate"], "A lamp")
    assert web.reviews(number) == [("approve", "Jane (WordPress) via blog", "")]


@pytest.mark.parametrize("state", [State.APPROVED, State.PUBLISHING, State.PUBLISHED])
def test_approving_the_same_again_changes_nothing(web: Web, state: State) -> None:
    number = web.illustration(state)
    body = {"candidate": web.candidate(number)}
    answer = call(web, f"/illustrations/{number}/approve", web.token(), body)
    assert (answer.status_code, answer.get_json()["state"]) == (200, state.value)
    assert len(web.reviews(number)) == 1


def test_approving_the_same_with_other_words_is_a_conflict(web: Web) -> None:
    number = web.illustration(State.PUBLISHED)
    body = {"candidate": web.candidate(number), "alt": "Something else"}
    assert call(web, f"/illustrations/{number}/approve", web.token(), body).status_code == 409


def test_a_regeneration_takes_the_prompt_that_was_sent(web: Web) -> None:
    number = web.illustration()
    told = call(web, f"/illustrations/{number}/regenerate", web.token(), {"prompt": "A lamp in fog."}).get_json()
    assert (told["state"], told["prompt"]) == ("rendering", "A lamp in fog.")


def test_a_rejection_keeps_its_reason(web: Web) -> None:
    number = web.illustration()
    told = call(web, f"/illustrations/{number}/reject", web.token(), {"reason": "Not this one"}).get_json()
    assert (told["state"], told["reason"]) == ("rejected", "Not this one")


@pytest.mark.parametrize(("state", "act"), [(State.FAILED, "retry"), (State.PUBLISHED, "revert")])
def test_a_retry_and_a_revert_need_no_body(web: Web, state: State, act: str) -> None:
    number = web.illustration(state)
    answer = web.app.test_client().post(f"/api/v1/illustrations/{number}/{act}", headers=web.token(name="blog"))
    assert answer.status_code == 200
    assert web.reviews(number)[-1] == (act, "blog", "")


def test_a_revert_that_is_sent_twice_before_it_is_done_is_one_decision(web: Web) -> None:
    number, token = web.illustration(State.PUBLISHED), web.token()
    for _ in range(2):
        assert call(web, f"/illustrations/{number}/revert", token, {}).status_code == 200
    assert [decision for decision, *_ in web.reviews(number)] == ["approve", "revert"]


def test_a_revert_that_failed_may_be_asked_for_again(web: Web) -> None:
    number, token = web.illustration(State.PUBLISHED), web.token()
    for _ in range(2):
        call(web, f"/illustrations/{number}/revert", token, {})
        with web.house.database.write() as session:
            session.execute(update(Task).values(state=TaskState.DEAD))
    assert [decision for decision, *_ in web.reviews(number)] == ["approve", "revert", "revert"]


@pytest.fixture
def four_eyes(web: Web) -> Web:
    """Where two have to approve."""
    rules = [rule.model_copy(update={"approvals": 2}) for rule in web.house.settings.rules]
    web.house.settings = web.house.settings.model_copy(update={"rules": rules})
    return web


def test_the_first_of_two_approvals_may_be_sent_twice(four_eyes: Web) -> None:
    number, token = four_eyes.illustration(), four_eyes.token(name="blog")
    body = {"candidate": four_eyes.candidate(number), "alt": "A lamp", "by": "Jane"}
    answers = [call(four_eyes, f"/illustrations/{number}/approve", token, body) for _ in range(2)]
    assert [(answer.status_code, answer.get_json()["state"]) for answer in answers] == [(200, "in_review")] * 2
    assert four_eyes.reviews(number) == [("endorse", "Jane via blog", "")]


def test_the_first_of_two_approvals_is_refused_again_with_other_words(four_eyes: Web) -> None:
    number, token = four_eyes.illustration(), four_eyes.token(name="blog")
    for alt, status in (("A lamp", 200), ("Another lamp", 400)):
        body = {"candidate": four_eyes.candidate(number), "alt": alt}
        assert call(four_eyes, f"/illustrations/{number}/approve", token, body).status_code == status
    assert four_eyes.one(number).alt == "A lamp"


def test_the_first_of_two_approvals_is_refused_again_after_another_decision(four_eyes: Web) -> None:
    number, token = four_eyes.illustration(candidates=2), four_eyes.token(name="blog")
    last = four_eyes.candidate(number)
    answers = [
        call(four_eyes, f"/illustrations/{number}/approve", token, {"candidate": candidate})
        for candidate in (last, last - 1, last)
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 400]
    assert "You have approved this picture already" in answers[2].get_json()["error"]


def test_the_first_of_two_approvals_stands_again_where_what_followed_was_taken_back(four_eyes: Web) -> None:
    number, token = four_eyes.illustration(), four_eyes.token(name="blog")
    body = {"candidate": four_eyes.candidate(number)}
    sent: list[tuple[str, dict[str, int]]] = [("approve", body), ("reject", {}), ("undo", {}), ("approve", body)]
    answers = [call(four_eyes, f"/illustrations/{number}/{act}", token, with_) for act, with_ in sent]
    assert [answer.status_code for answer in answers] == [200] * 4
    assert [decision for decision, *_ in four_eyes.reviews(number)] == ["endorse", "reject"]


def test_an_act_that_comes_too_late_is_409_in_words(web: Web) -> None:
    number = web.illustration(State.REJECTED)
    answer = call(web, f"/illustrations/{number}/approve", web.token(), {"candidate": web.candidate(number)})
    assert answer.status_code == 409
    assert "somebody decided first" in answer.get_json()["error"]


@pytest.mark.parametrize(
    ("act", "body", "words"),
    [
        ("approve", {}, "candidate: Field required"),
        ("approve", {"candidate": "3"}, "candidate: Input should be a valid integer"),
        ("approve", {"candidate": 10**20}, "candidate: Input should be less than or equal to 2147483647"),
        ("approve", {"candidate": 77}, "candidate 77 is not one of illustration 1"),
        ("reject", {"why": "no"}, "why: Extra inputs are not permitted"),
        ("reject", {"by": "Jo\nEvil"}, "by: The name has a character that is no text (U+000A)."),
        ("regenerate", {"prompt": "x" * 100_000}, "prompt: The prompt has 100000 characters; 4000 are the most."),
        ("regenerate", {"prompt": "a\x00b"}, "prompt: The prompt has a character that is no text (U+0000)."),
        ("regenerate", {"prompt": "a\ud800b"}, "prompt: The prompt has a character that is no text (U+D800)."),
        ("regenerate", [], "The body is not a JSON object (and Content-Type has to be application/json)."),
    ],
)
def test_a_body_that_cannot_be_used_is_refused_in_words(web: Web, act: str, body: Any, words: str) -> None:
    number = web.illustration()
    answer = call(web, f"/illustrations/{number}/{act}", web.token(), body)
    assert (answer.status_code, answer.get_json()) == (400, {"error": words})
    assert web.one(number).state == State.IN_REVIEW


def test_a_body_that_is_no_json_is_refused_in_words(web: Web) -> None:
    number = web.illustration()
    answer = web.app.test_client().post(
        f"/api/v1/illustrations/{number}/reject",
        headers=web.token(),
        data=b'{"reason": ',
        content_type="application/json",
    )
    assert answer.status_code == 400
    assert "not a JSON object" in answer.get_json()["error"]


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "before=x", "state=lost", "colour=red"])
def test_a_query_that_cannot_be_answered_is_refused_in_words(web: Web, query: str) -> None:
    answer = call(web, f"/illustrations?{query}", web.token())
    assert answer.status_code == 400
    assert answer.get_json()["error"].startswith(query.split("=", maxsplit=1)[0])


def test_an_unknown_state_is_answered_with_those_there_are(web: Web) -> None:
    assert "'in_review'" in call(web, "/illustrations?state=lost", web.token()).get_json()["error"]


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer fp_guessed"}, {"Authorization": "Basic eDp5"}])
def test_without_a_good_token_nothing_is_told(web: Web, headers: dict[str, str]) -> None:
    answer = call(web, "/illustrations", headers)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_token_of_one_site_lists_that_site_only(web: Web) -> None:
    web.illustration(number=1)
    number = web.illustration(number=2, site="shop")
    told = call(web, "/illustrations", web.token(site="shop")).get_json()
    assert [one["id"] for one in told["illustrations"]] == [number]


def test_asking_for_another_site_than_the_token_is_for_is_404(web: Web) -> None:
    assert call(web, "/illustrations?site=gazette", web.token(site="shop")).status_code == 404


def test_a_refused_act_of_a_wrong_token_changes_nothing(web: Web) -> None:
    number = web.illustration()
    body = {"candidate": web.candidate(number)}
    assert call(web, f"/illustrations/{number}/approve", web.token(site="shop"), body).status_code == 404
    assert web.one(number).state == State.IN_REVIEW


def test_a_logged_in_browser_may_act_only_with_the_form_token(web: Web) -> None:
    number = web.illustration()
    browser, path = web.browser(), f"/api/v1/illustrations/{number}/reject"
    assert browser.client.post(path, json={}).status_code == 403
    answer = browser.client.post(path, json={}, headers={"X-CSRF-Token": browser.form_token()})
    assert answer.status_code == 200
    assert web.reviews(number) == [("reject", "Jo Editor", "")]


def test_another_site_cannot_use_a_logged_in_browser(web: Web) -> None:
    browser = web.browser()
    headers = {"X-CSRF-Token": browser.form_token(), "Sec-Fetch-Site": "cross-site"}
    answer = browser.client.post(f"/api/v1/illustrations/{web.illustration()}/reject", json={}, headers=headers)
    assert answer.status_code == 403


def test_an_image_comes_at_the_width_asked_for(web: Web, tmp_path: Path) -> None:
    number = web.candidate(web.illustration())
    answer = call(web, f"/candidates/{number}/image?width=240", web.token())
    (tmp_path / "image").write_bytes(answer.data)
    with Image.open(tmp_path / "image") as image:
        assert (answer.mimetype, image.format, image.size) == ("image/webp", "WEBP", (240, 135))


def test_an_image_without_width_is_the_original(web: Web) -> None:
    data = web.house.storage.get("renders/1-0") if web.illustration() else b""
    answer = call(web, f"/candidates/{web.candidate(1)}/image", web.token())
    assert (answer.data, answer.mimetype) == (data, "image/png")


def test_a_width_that_is_not_offered_is_refused(web: Web) -> None:
    number = web.candidate(web.illustration())
    answer = call(web, f"/candidates/{number}/image?width=9999", web.token())
    assert answer.get_json() == {"error": "width is one of 240, 480, 960, 1600 pixels, or left out for the original"}


def test_an_image_is_sent_once_and_then_known(web: Web) -> None:
    path, token = f"/candidates/{web.candidate(web.illustration())}/image?width=240", web.token()
    first = call(web, path, token)
    again = call(web, path, token | {"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert first.headers["Cache-Control"] == "private, immutable, max-age=31536000"


def test_a_thumbnail_is_made_once(web: Web) -> None:
    number = web.candidate(web.illustration())
    path, token = f"/candidates/{number}/image?width=240", web.token()
    kept = pictures.thumbnail_key(f"renders/{number}-0", 240)
    assert call(web, path, token).data == web.house.storage.get(kept)
    web.house.storage.put(kept, b"the one that was kept", "image/webp")
    assert call(web, path, token).data == b"the one that was kept"


def test_a_candidate_whose_bytes_are_gone_is_404_in_words(web: Web) -> None:
    number = web.candidate(web.illustration())
    web.house.storage.delete(f"renders/{number}-0")
    answer = call(web, f"/candidates/{number}/image", web.token())
    assert (answer.status_code, "error" in answer.get_json()) == (404, True)


def test_a_candidate_that_is_no_picture_is_said_to_be_none(web: Web) -> None:
    number = web.candidate(web.illustration(data=b"no picture at all"))
    answer = call(web, f"/candidates/{number}/image?width=240", web.token())
    assert (answer.status_code, "not a picture" in answer.get_json()["error"]) == (404, True)


def test_a_verb_that_a_path_does_not_take_is_answered_with_those_it_takes(web: Web) -> None:
    answer = call(web, "/openapi.json", {}, {})
    assert (answer.status_code, "GET" in answer.headers["Allow"], "error" in answer.get_json()) == (405, True, True)


def test_an_error_is_as_the_document_says(web: Web) -> None:
    assert errors(web, "Error", call(web, "/illustrations/77", web.token()).get_json()) == []


@pytest.mark.parametrize("name", ["generic-delivery", "generic-picture"])
def test_the_schemas_of_the_generic_plugin_are_public(web: Web, name: str) -> None:
    OAS31Validator.check_schema(call(web, f"/schemas/{name}.json", {}).get_json())


def test_an_unknown_schema_is_answered_with_those_there_are(web: Web) -> None:
    assert "generic-delivery" in call(web, "/schemas/nonsense.json", {}).get_json()["error"]


def test_what_is_not_there_is_404_in_json(web: Web) -> None:
    answers = [
        call(web, path, web.token(name=path)) for path in ("/nowhere", "/illustrations/0", "/candidates/5/image")
    ]
    assert [(answer.status_code, list(answer.get_json())) for answer in answers] == [(404, ["error"])] * 3


@pytest.mark.parametrize("digits", [10, 320, 5000])
def test_a_number_of_any_length_is_404_in_words(web: Web, digits: int) -> None:
    answer = call(web, f"/illustrations/{'9' * digits}", web.token())
    assert (answer.status_code, list(answer.get_json())) == (404, ["error"])
