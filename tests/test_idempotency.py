"""Idempotency keys: what is sent twice is done once and answered the same, whoever dies or hurries in between."""

import base64
import io
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from desk.furnish import DOT, Web, picture
from sqlalchemy import func, select, update
from werkzeug.test import TestResponse

from frontispiece import accounts, kept
from frontispiece.models import Candidate, KeptAnswer, Render, State

PATH = "/api/v1/illustrations/{}/{}"


def send(web: Web, token: dict[str, str], number: int, act: str, key: str = "k1", **body: Any) -> TestResponse:
    headers = token | {"Idempotency-Key": key}
    return web.app.test_client().post(PATH.format(number, act), headers=headers, json=body)


def row(web: Web) -> KeptAnswer:
    with web.house.database.read() as session:
        return session.scalars(select(KeptAnswer)).one()


def change(web: Web, **values: Any) -> None:
    with web.house.database.write() as session:
        session.execute(update(KeptAnswer).values(**values))


def count(web: Web, table: type) -> int:
    with web.house.database.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_the_same_key_is_answered_the_same_though_things_have_moved_on(web: Web) -> None:
    number, token = web.illustration(), web.token()
    first = send(web, token, number, "regenerate", prompt="A lamp.")
    with web.house.database.write() as session:
        session.execute(update(Render).values(model="another"))
    again = send(web, token, number, "regenerate", prompt="A lamp.")
    assert (again.status_code, again.data, again.mimetype) == (200, first.data, "application/json")
    assert ("Idempotency-Replayed" in first.headers, again.headers["Idempotency-Replayed"]) == (False, "true")
    assert len(web.reviews(number)) == 1


def test_a_refusal_is_answered_the_same_too(web: Web) -> None:
    number, token = web.illustration(State.REJECTED), web.token()
    first = send(web, token, number, "reject", reason="no")
    with web.house.database.write() as session:
        session.execute(update(KeptAnswer).values(body='{"error": "as it was"}'))
    again = send(web, token, number, "reject", reason="no")
    assert (first.status_code, again.status_code, again.get_json()) == (409, 409, {"error": "as it was"})


@pytest.mark.parametrize(("act", "body"), [("reject", {"reason": "other"}), ("regenerate", {"reason": "no"})])
def test_the_same_key_for_another_request_is_422_and_does_nothing(web: Web, act: str, body: dict[str, Any]) -> None:
    number, token = web.illustration(), web.token()
    send(web, token, number, "reject", reason="no")
    answer = send(web, token, number, act, **body)
    assert (answer.status_code, "another request" in answer.get_json()["error"]) == (422, True)
    assert len(web.reviews(number)) == 1


def test_keys_of_two_tokens_are_two(web: Web) -> None:
    first, second = web.illustration(number=1), web.illustration(number=2)
    assert send(web, web.token(name="a"), first, "reject").status_code == 200
    assert send(web, web.token(name="b"), second, "reject").status_code == 200


def test_the_keys_of_a_token_are_gone_with_it(web: Web) -> None:
    number, old = web.illustration(), web.token(name="old")
    send(web, old, number, "reject")
    accounts.remove_token(web.house.database, "old")
    answer = send(web, web.token(site="shop", name="new"), number, "reject")
    assert (answer.status_code, "Idempotency-Replayed" in answer.headers) == (404, False)


def test_the_keys_of_a_person_are_gone_with_them(web: Web) -> None:
    number = web.illustration()
    for name in ("Old", "New"):
        browser = web.browser("editor", name)
        headers = {"X-CSRF-Token": browser.form_token(), "Idempotency-Key": "k1"}
        answer = browser.client.post(PATH.format(number, "reject"), json={}, headers=headers)
        assert "Idempotency-Replayed" not in answer.headers
        accounts.remove_user(web.house.database, name)


def test_a_person_with_a_cookie_has_keys_too(web: Web) -> None:
    number, browser = web.illustration(), web.browser()
    headers = {"X-CSRF-Token": browser.form_token(), "Idempotency-Key": "k1"}
    answers = [browser.client.post(PATH.format(number, "reject"), json={}, headers=headers) for _ in range(2)]
    assert answers[1].headers["Idempotency-Replayed"] == "true"


def test_while_the_first_is_at_work_the_second_is_told_to_wait(web: Web) -> None:
    number, token = web.illustration(), web.token()
    send(web, token, number, "reject")
    change(web, status=0, body="")
    answer = send(web, token, number, "reject")
    assert (answer.status_code, answer.headers["Retry-After"]) == (409, "1")


def test_who_died_in_the_middle_of_an_act_locks_a_key_for_a_minute_only(web: Web) -> None:
    number, token = web.illustration(), web.token()
    send(web, token, number, "reject")
    change(web, status=0, body="", at=time.time() - kept.STUCK - 1)
    answer = send(web, token, number, "reject")
    assert (answer.status_code, "Idempotency-Replayed" in answer.headers) == (200, False)
    assert (row(web).status, len(web.reviews(number))) == (200, 1)


def test_a_key_that_died_is_not_given_to_another_request(web: Web) -> None:
    number, token = web.illustration(), web.token()
    send(web, token, number, "reject")
    change(web, status=0, at=time.time() - kept.STUCK - 1)
    assert send(web, token, number, "regenerate").status_code == 422


def test_who_was_taken_for_dead_cannot_answer_any_more(web: Web) -> None:
    begun = kept.begin(web.house.database, "token 1", "k", "hash")
    assert isinstance(begun, kept.Begun)
    change(web, at=time.time() - kept.STUCK - 1)
    other = kept.begin(web.house.database, "token 1", "k", "hash")
    begun.keep(200, "from the dead")
    begun.release()
    assert isinstance(other, kept.Begun)
    assert row(web).status == 0


def test_after_a_day_a_key_is_new(web: Web) -> None:
    number, token = web.illustration(), web.token()
    send(web, token, number, "reject")
    change(web, at=time.time() - kept.KEPT - 1)
    answer = send(web, token, number, "regenerate")
    assert (answer.status_code, answer.get_json()["state"]) == (200, "rendering")


def test_answers_are_forgotten_after_a_day(web: Web) -> None:
    send(web, web.token(), web.illustration(), "reject")
    change(web, at=time.time() - kept.KEPT - 1)
    with web.house.database.write() as session:
        kept.tidy(session)
    assert count(web, KeptAnswer) == 0


def test_an_answer_that_trying_again_may_better_is_not_kept(web: Web) -> None:
    number, token = web.illustration(), web.token()
    (web.house.settings.data / "images").rename(web.house.settings.data / "away")
    (web.house.settings.data / "images").write_bytes(b"a file where a folder was")
    body = {"picture": base64.b64encode(DOT).decode()}
    assert send(web, token, number, "give", **body).status_code == 503
    (web.house.settings.data / "images").unlink()
    assert send(web, token, number, "give", **body).status_code == 201


@pytest.mark.parametrize("key", ["", " ", "k" * 201, "schlüssel", "a\tb"])
def test_a_key_that_is_no_key_is_refused(web: Web, key: str) -> None:
    number = web.illustration()
    answer = send(web, web.token(), number, "reject", key=key)
    assert (answer.status_code, web.one(number).state) == (400, State.IN_REVIEW)


def test_a_picture_sent_twice_as_a_form_is_the_same_request(web: Web) -> None:
    number, token = web.illustration(), web.token()

    def give(data: bytes) -> TestResponse:
        form = {"picture": (io.BytesIO(data), "own.png"), "by": "Jo"}
        headers = token | {"Idempotency-Key": "k1"}
        return web.app.test_client().post(PATH.format(number, "give"), headers=headers, data=form)

    assert [give(DOT).status_code, give(DOT).headers.get("Idempotency-Replayed")] == [201, "true"]
    assert give(picture(9, 640, 360)).status_code == 422


@pytest.mark.parametrize("again", range(3))
def test_of_many_at_once_one_acts_and_the_others_hear_the_same_or_wait(web: Web, again: int) -> None:
    number, token, start = web.illustration(number=again), web.token(), threading.Barrier(6)

    def one(_: int) -> TestResponse:
        start.wait()
        return send(web, token, number, "regenerate", prompt="A lamp.")

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(one, range(6)))
    done = [answer for answer in answers if answer.status_code == 200]
    assert {answer.status_code for answer in answers} <= {200, 409}
    assert len({answer.data for answer in done}) == 1
    assert len([answer for answer in done if "Idempotency-Replayed" not in answer.headers]) == 1
    assert (len(web.reviews(number)), len(web.renders(number))) == (1, 2)


def test_without_a_key_nothing_is_kept(web: Web) -> None:
    number = web.illustration()
    web.app.test_client().post(PATH.format(number, "reject"), headers=web.token(), json={})
    assert (count(web, KeptAnswer), count(web, Candidate)) == (0, 1)
