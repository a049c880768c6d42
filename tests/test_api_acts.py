"""`/api/v1`: the acts of the desk that came after the first five, and what they leave behind."""

import base64
import io
from pathlib import Path
from typing import Any

import pytest
from desk.furnish import DOT, PROMPT, Web, entry, picture
from PIL import Image
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse, encode_multipart

from frontispiece import review
from frontispiece.models import Render, RenderState, State


def send(web: Web, number: int, act: str, body: dict[str, Any] | None = None, name: str = "blog") -> TestResponse:
    """A POST by a token of that name, which is made once."""
    tokens = web.__dict__.setdefault("tokens", {})
    if name not in tokens:
        tokens[name] = web.token(name=name)
    return web.app.test_client().post(f"/api/v1/illustrations/{number}/{act}", headers=tokens[name], json=body or {})


def get(web: Web, path: str) -> Any:
    return web.app.test_client().get(f"/api/v1{path}", headers=web.token(name=path)).get_json()


def png(width: int, height: int, white: tuple[int, int, int, int] | None = None) -> str:
    image = Image.new("L", (width, height))
    if white:
        image.paste(255, white)
    out = io.BytesIO()
    image.save(out, "PNG")
    return base64.b64encode(out.getvalue()).decode()


def test_words_and_focal_point_are_kept_without_a_decision(web: Web) -> None:
    number = web.illustration()
    body = {"alt": "A lamp", "alts": {"de": "Eine Lampe"}, "captions": {"de": "Bild"}, "focal": [0.25, 1]}
    told = send(web, number, "describe", body).get_json()
    assert {name: told[name] for name in body} == body
    assert (told["state"], web.reviews(number)) == ("in_review", [])


def test_an_approval_takes_the_words_of_every_locale_and_the_focal_point(web: Web) -> None:
    number = web.illustration()
    body = {"candidate": web.candidate(number), "alts": {"de": "Eine Lampe"}, "focal": [0.5, 0.2]}
    told = send(web, number, "approve", body).get_json()
    assert (told["state"], told["alts"], told["focal"]) == ("approved", {"de": "Eine Lampe"}, [0.5, 0.2])


@pytest.mark.parametrize(
    ("act", "body", "words"),
    [
        ("describe", {"focal": [0.5]}, "focal: List should have at least 2 items"),
        ("describe", {"focal": [0.5, 1.01]}, "focal.1: Input should be less than or equal to 1"),
        ("describe", {"focal": [float("nan"), 0]}, "focal.0"),
        ("describe", {"alts": {"<b>": "x"}}, "alts.<b>.[key]: String should match pattern"),
        ("describe", {"alts": {"de": "x" * 2000}}, "alts.de: The alt text has 2000 characters; 1000 are the most."),
        ("reject", {"chips": ["nonsense"]}, "chips: There is no reason 'nonsense'; there are: text"),
        ("regenerate", {"seed": 2**32}, "seed: Input should be less than or equal to 4294967295"),
        ("regenerate", {"ratio": "16:0"}, "ratio: String should match pattern"),
        ("regenerate", {"model": "no-such"}, "there is no model 'no-such' in the catalogue (any more)"),
        ("regenerate", {"model": "flux-2-pro"}, "flux-2-pro cannot draw here: [generators.bfl] is not in the"),
        ("regenerate", {"candidate": 99}, "candidate 99 is not one of illustration 1"),
        ("regenerate", {"tool": "words", "prompt": "dusk"}, "No model that is set up here can do that."),
        ("regenerate", {"tool": "paint"}, "tool: Input should be 'words', 'repaint', 'extend' or 'like'"),
        ("regenerate", {"mask": "no base64!"}, "mask: this is no Base64"),
        ("regenerate", {"margins": {"top": -1}}, "margins.top: Input should be greater than or equal to 0"),
        ("give", {}, "picture: Field required"),
        ("give", {"picture": base64.b64encode(b"<svg/>").decode()}, "The picture is an SVG drawing"),
        ("give", {"picture": ""}, "The picture is empty: nothing was received."),
        ("pick", {"candidate": 99}, "There is no picture 99 of this site."),
        ("comments", {"text": " "}, "text: Value should have at least 1 item"),
        ("assign", {"assignee": "Nobody Known"}, "There is nobody named 'Nobody Known' who may decide."),
    ],
)
def test_what_cannot_be_used_is_refused_in_words(web: Web, act: str, body: dict[str, Any], words: str) -> None:
    number = web.illustration()
    answer = send(web, number, act, body)
    assert (answer.status_code, web.one(number).state) == (400, State.IN_REVIEW)
    assert answer.get_json()["error"].startswith(words)


def test_a_body_that_is_nested_too_deeply_is_refused(web: Web) -> None:
    path, deep = f"/api/v1/illustrations/{web.illustration()}/reject", b'{"a":' * 100_000
    answer = web.app.test_client().post(path, headers=web.token(), data=deep, content_type="application/json")
    assert answer.status_code == 400


def test_reasons_are_kept_and_change_the_next_prompt(web: Web) -> None:
    number = web.illustration()
    told = send(web, number, "regenerate", {"chips": ["text", "text"], "reason": "The sign"}).get_json()
    (review_,) = get(web, f"/illustrations/{number}/history")["reviews"]
    assert (review_["chips"], review_["reason"]) == (["text"], "The sign")
    assert told["prompt"] != web.one(number).alt
    assert len(told["prompt"]) > len(review.AS_THEY_ARE.alt or "") + 200


def test_seed_model_and_ratio_are_those_that_were_wished(web: Web) -> None:
    number = web.illustration()
    send(web, number, "regenerate", {"seed": 7, "model": "sketch", "ratio": "1:1"})
    render = web.renders(number)[-1]
    assert (render.seed, render.model, render.width, render.by) == (7, "sketch", render.height, "blog")


WISHES: list[dict[str, Any]] = [
    {"seed": 8},
    {"ratio": "1:1"},
    {"prompt": "A lamp in fog."},
    {"model": "flux-2-pro"},
    {"chips": ["text"]},
]


def regenerated(web: Web, number: int, *bodies: dict[str, Any]) -> tuple[list[int], int]:
    """What each of them was answered, and how many pictures were ordered."""
    there = len(web.renders(number))
    statuses = [send(web, number, "regenerate", body).status_code for body in bodies]
    return statuses, len(web.renders(number)) - there


@pytest.mark.parametrize("other", WISHES, ids=str)
def test_another_wish_while_one_is_drawn_is_a_conflict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, other: dict[str, Any]
) -> None:
    monkeypatch.setenv("FRONTISPIECE_GENERATORS__BFL__API_KEY", "x")
    with Web(tmp_path) as web:
        wish = {"prompt": "A lamp.", "seed": 7, "model": "sketch", "ratio": "16:9"}
        assert regenerated(web, web.illustration(), wish, wish | other) == ([200, 409], 1)


def test_a_wish_without_the_reasons_of_before_is_another(web: Web) -> None:
    assert regenerated(web, web.illustration(), {"chips": ["text"]}, {}) == ([200, 409], 1)


@pytest.mark.parametrize("wish", [{}, {"chips": ["text"]}, {"prompt": "A lamp.", "ratio": "1:1", "seed": 7}], ids=str)
def test_the_same_wish_again_is_drawn_once(web: Web, wish: dict[str, Any]) -> None:
    assert regenerated(web, web.illustration(), wish, wish) == ([200, 200], 1)


def test_the_same_wish_again_is_the_same_though_the_next_model_has_taken_over(web: Web) -> None:
    number = web.illustration()
    send(web, number, "regenerate", {"seed": 7})
    with web.house.database.write() as session:
        failed = session.get_one(Render, web.renders(number)[-1].id)
        failed.state = RenderState.FAILED
        session.add(Render(illustration_id=number, model="next", prompt="x", seed=1, width=640, height=360))
    assert regenerated(web, number, {"seed": 7}) == ([200], 0)


TOOLS: dict[str, tuple[dict[str, Any], str]] = {
    "words": ({"prompt": "Make it evening."}, "edit"),
    "repaint": ({"prompt": "A boat", "mask": png(160, 90, (20, 20, 60, 60))}, "fill"),
    "extend": ({"margins": {"left": 200}}, "expand"),
    "like": ({}, "references"),
}


@pytest.mark.parametrize("tool", TOOLS)
def test_a_tool_of_the_desk_begins_with_the_candidate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tool: str
) -> None:
    monkeypatch.setenv("FRONTISPIECE_GENERATORS__BFL__API_KEY", "x")
    with Web(tmp_path) as web:
        number = web.illustration()
        body, task = TOOLS[tool]
        answer = send(web, number, "regenerate", {"tool": tool, "candidate": web.candidate(number), **body})
        render = web.renders(number)[-1]
        assert (answer.status_code, answer.get_json()["state"], answer.get_json()["prompt"]) == (
            200,
            "rendering",
            PROMPT,
        )
        assert (render.task, render.parent_id, bool(render.mask)) == (task, web.candidate(number), tool == "repaint")


@pytest.mark.parametrize("tool", TOOLS)
def test_the_same_use_of_a_tool_again_is_drawn_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tool: str) -> None:
    monkeypatch.setenv("FRONTISPIECE_GENERATORS__BFL__API_KEY", "x")
    with Web(tmp_path) as web:
        body, other = {"tool": tool, **TOOLS[tool][0]}, {"prompt": "Something else"}
        assert regenerated(web, web.illustration(), body, body, body | other) == ([200, 200, 409], 1)


def test_a_decision_is_taken_back_by_the_one_who_took_it(web: Web) -> None:
    number = web.illustration()
    send(web, number, "reject")
    assert send(web, number, "undo").get_json()["state"] == "in_review"


def two_decisions(web: Web) -> tuple[int, int, int]:
    """An illustration that was rejected and then drawn anew, and the ids of both decisions."""
    number = web.illustration()
    send(web, number, "reject")
    send(web, number, "regenerate")
    first, second = get(web, f"/illustrations/{number}/history")["reviews"]
    return number, first["id"], second["id"]


def test_a_decision_that_is_named_is_taken_back_once(web: Web) -> None:
    number, _, last = two_decisions(web)
    answers = [send(web, number, "undo", {"review": last}) for _ in range(2)]
    assert [(answer.status_code, answer.get_json()["state"]) for answer in answers] == [(200, "rejected")] * 2


def test_a_decision_that_is_named_is_not_taken_back_once_another_followed(web: Web) -> None:
    number, first, _ = two_decisions(web)
    assert send(web, number, "undo", {"review": first}).status_code == 409
    assert web.one(number).state == State.RENDERING


def test_a_decision_about_another_illustration_is_not_the_one_to_take_back(web: Web) -> None:
    _, _, last = two_decisions(web)
    number = web.illustration(number=1)
    send(web, number, "reject")
    answer = send(web, number, "undo", {"review": last})
    assert answer.get_json() == {"error": f"decision {last} is not one of illustration {number}"}
    assert (answer.status_code, web.one(number).state) == (400, State.REJECTED)


@pytest.mark.parametrize(("state", "by"), [(State.IN_REVIEW, "blog"), (State.REJECTED, "other")])
def test_what_is_not_ones_own_decision_cannot_be_taken_back(web: Web, state: State, by: str) -> None:
    number = web.illustration()
    if state == State.REJECTED:
        send(web, number, "reject")
    assert send(web, number, "undo", name=by).status_code == 409
    assert web.one(number).state == state


def test_a_picture_of_one_s_own_becomes_a_candidate_once(web: Web) -> None:
    number = web.illustration()
    body = {"picture": base64.b64encode(picture(4, 640, 360)).decode(), "by": "Jane"}
    first, again = send(web, number, "give", body), send(web, number, "give", body)
    told = first.get_json()
    assert (first.status_code, told["by"], told["model"], told["seed"]) == (201, "Jane via blog", "", None)
    assert (again.get_json()["id"], len(get(web, f"/illustrations/{number}")["candidates"])) == (told["id"], 2)


def upload(web: Web, number: int, data: bytes) -> TestResponse:
    boundary, form = encode_multipart({"picture": FileStorage(io.BytesIO(data), "own.png"), "by": "Jane"})
    kind = f"multipart/form-data; boundary={boundary}"
    path = f"/api/v1/illustrations/{number}/give"
    return web.app.test_client().post(path, headers=web.token(), data=form, content_type=kind)


def test_a_picture_of_one_s_own_may_come_as_a_file_larger_than_a_delivery(web: Web) -> None:
    noise = Image.effect_noise((3000, 2000), 90)
    out = io.BytesIO()
    noise.save(out, "PNG", compress_level=0)
    answer = upload(web, web.illustration(), out.getvalue())
    assert (answer.status_code, answer.get_json()["width"]) == (201, 3000)


def test_a_picture_that_is_too_large_is_413_in_json(web: Web) -> None:
    answer = upload(web, web.illustration(), b"x" * 30_100_000)
    assert (answer.status_code, "error" in answer.get_json()) == (413, True)


def test_a_picture_of_another_entry_of_the_site_can_be_picked(web: Web) -> None:
    number, other = web.illustration(number=1), web.illustration(number=2)
    told = send(web, number, "pick", {"candidate": web.candidate(other)})
    assert (told.status_code, told.get_json()["model"]) == (201, "sketch")


def test_a_picture_of_another_site_cannot_be_picked(web: Web) -> None:
    number, other = web.illustration(number=1), web.illustration(number=2, site="shop")
    assert send(web, number, "pick", {"candidate": web.candidate(other)}).status_code == 400


def test_comments_are_said_once_and_listed_with_who_said_them(web: Web) -> None:
    number = web.illustration()
    for _ in range(2):
        assert send(web, number, "comments", {"text": "Too dark?", "by": "Jane"}).status_code == 201
    (comment,) = get(web, f"/illustrations/{number}/comments")["comments"]
    assert (comment["by"], comment["text"]) == ("Jane via blog", "Too dark?")


def test_an_illustration_is_given_to_an_editor_and_to_nobody(web: Web) -> None:
    number = web.illustration()
    web.browser("editor", "Kim")
    assert send(web, number, "assign", {"assignee": "Kim"}).get_json()["assignee"] == "Kim"
    assert send(web, number, "assign", {"assignee": ""}).get_json()["assignee"] == ""


def test_the_history_tells_renders_decisions_and_write_backs(web: Web) -> None:
    number = web.illustration(State.PUBLISHED)
    told = get(web, f"/illustrations/{number}/history")
    assert [one["model"] for one in told["renders"]] == ["sketch"]
    assert [(one["decision"], one["by"], one["undone"]) for one in told["reviews"]] == [("approve", "Jo", None)]
    assert [(one["media_id"], one["reverted"]) for one in told["publications"]] == [("m1", None)]


def test_a_long_name_is_cut_to_what_every_database_takes(web: Web) -> None:
    number = web.illustration()
    send(web, number, "comments", {"text": "x", "by": "J" * 120})
    (comment,) = get(web, f"/illustrations/{number}/comments")["comments"]
    assert comment["by"] == "J" * 80


FOUND = {
    "section=Food": [3],
    "rule=shop-hero": [4],
    "kind=product": [],
    "kind=article&site=shop": [4],
    "assignee=Kim": [2],
    "search=BEES": [2],
    "search=100%25": [],
    "search=_": [],
    "state=failed": [3],
    "before=2": [1],
}


@pytest.mark.parametrize("query", FOUND)
def test_illustrations_are_found_as_in_the_queue(web: Web, query: str) -> None:
    web.illustration(number=0)
    web.illustration(number=5, assignee="Kim")
    web.illustration(State.FAILED, number=2)
    web.illustration(number=7, site="shop", told=entry(7))
    assert [one["id"] for one in get(web, f"/illustrations?{query}")["illustrations"]] == FOUND[query]


ACTS = ("approve", "describe", "reject", "regenerate", "retry", "revert", "undo", "give", "pick", "comments", "assign")


@pytest.mark.parametrize("act", ACTS)
def test_a_token_of_another_site_is_told_that_there_is_nothing(web: Web, act: str) -> None:
    number = web.illustration()
    bodies = {
        "approve": {"candidate": web.candidate(number)},
        "give": {"picture": base64.b64encode(DOT).decode()},
        "pick": {"candidate": 1},
        "comments": {"text": "x"},
        "assign": {"assignee": ""},
    }
    path = f"/api/v1/illustrations/{number}/{act}"
    answer = web.app.test_client().post(path, headers=web.token("manage", "shop"), json=bodies.get(act, {}))
    assert (answer.status_code, answer.get_json()) == (404, {"error": f"There is no illustration {number}."})
    assert web.reviews(number) == []
