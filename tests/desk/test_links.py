"""Links from chat and mail: they show one picture, ask once more, decide once, and open nothing else."""

import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from desk.furnish import Web, entry
from sqlalchemy import select
from werkzeug.test import TestResponse

from frontispiece import notices, review, states
from frontispiece.models import Link, State
from frontispiece.tables import Rule

KEY = "k" * 43


def link(web: Web, number: int, notice: str = "chat/0", key: str = KEY, **fields: Any) -> str:
    """A link that was sent; its path."""
    with web.house.database.write() as session:
        row = Link(key=notices.digest(key), notice=notice, illustration_id=number, candidate_id=web.candidate(number))
        row.created, row.expires = time.time() - 60, time.time() + 3600
        for name, value in fields.items():
            setattr(row, name, value)
        session.add(row)
    return f"/l/{key}"


def form(web: Web, path: str) -> str:
    """The token of the form on the page of a link, "" where there is no form."""
    found = re.search(r'name="token" value="(\w+)"', web.nobody().get(path).text)
    return found[1] if found else ""


def decide(web: Web, path: str, act: str = "approve", **fields: str) -> TestResponse:
    """What somebody does who opens a link and presses a button; nobody is logged in."""
    return web.app.test_client().post(path, data={"token": form(web, path), "act": act, **fields})


def row(web: Web) -> Link:
    with web.house.database.read() as session:
        return session.scalars(select(Link)).one()


def test_a_link_shows_the_picture_and_asks(web: Web) -> None:
    number = web.illustration(caption="At dawn")
    page = web.nobody().get(link(web, number))
    assert page.status_code == 200
    for words in ("The last keeper of Skerry Light", "At dawn", f"/l/{KEY}/picture", "Approve and publish", "Reject"):
        assert words in page.text


def test_to_look_decides_nothing_however_often(web: Web) -> None:
    number = web.illustration()
    path = link(web, number)
    for ask in (web.nobody().get(path), web.nobody().get(f"{path}?act=approve"), web.app.test_client().head(path)):
        assert ask.status_code == 200
    assert (web.one(number).state, row(web).used) == (State.IN_REVIEW, None)


def test_an_approval_by_link_is_recorded_under_the_name_of_the_notice(web: Web) -> None:
    number = web.illustration()
    answer = decide(web, link(web, number, "editors/3"))
    assert (answer.status_code, "Approved: the picture goes to the site now." in answer.text) == (200, True)
    assert web.one(number).state == State.APPROVED
    assert web.reviews(number) == [("approve", "editors by link", "")]


def test_a_rejection_by_link_keeps_its_reason(web: Web) -> None:
    number = web.illustration()
    decide(web, link(web, number), "reject", reason="A ghost in it")
    assert web.reviews(number) == [("reject", "chat by link", "A ghost in it")]


def test_a_link_approves_its_own_picture_and_not_the_newest(web: Web) -> None:
    number = web.illustration(candidates=2)
    first = web.candidate(number) - 1
    decide(web, link(web, number, candidate_id=first))
    assert web.one(number).chosen_id == first


def test_a_link_is_used_once(web: Web) -> None:
    number = web.illustration()
    path = link(web, number)
    decide(web, path)
    assert row(web).used is not None
    again = web.nobody().get(path)
    assert (again.status_code, "chat by link approved a picture" in again.text) == (410, True)


@pytest.mark.parametrize("again", range(3))
def test_of_two_who_decide_at_once_one_decides_and_the_other_is_told(web: Web, again: int) -> None:
    number, start = web.illustration(number=again), threading.Barrier(2)
    paths = [link(web, number, f"chat/{at}", str(at) * 43) for at in range(2)]

    tokens = [form(web, path) for path in paths]

    def one(path: str, token: str, act: str) -> TestResponse:
        start.wait()
        return web.app.test_client().post(path, data={"token": token, "act": act})

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(one, paths, tokens, ("approve", "reject")))
    assert sorted(answer.status_code for answer in answers) == [200, 410]
    assert len(web.reviews(number)) == 1


def test_a_form_that_was_left_open_decides_nothing_any_more(web: Web) -> None:
    number = web.illustration()
    path = link(web, number)
    token = form(web, path)
    review.reject(web.house, number, "Jo")
    answer = web.app.test_client().post(path, data={"token": token, "act": "approve"})
    assert (answer.status_code, "Jo rejected this picture." in answer.text) == (410, True)
    assert web.one(number).state == State.REJECTED


@pytest.mark.parametrize("token", ["", "0" * 64, "é"])
def test_without_the_token_of_the_page_nothing_is_decided(web: Web, token: str) -> None:
    number = web.illustration()
    answer = web.app.test_client().post(link(web, number), data={"token": token, "act": "approve"})
    assert (answer.status_code, web.one(number).state) == (400, State.IN_REVIEW)


def test_a_picture_that_was_decided_otherwise_says_who_did(web: Web) -> None:
    number = web.illustration()
    path = link(web, number)
    review.regenerate(web.house, number, "Jo")
    page = web.nobody().get(path)
    assert (page.status_code, "Jo asked for another picture." in page.text) == (410, True)


def test_a_decision_that_was_taken_back_opens_the_link_again(web: Web) -> None:
    number = web.illustration()
    path = link(web, number)
    review.reject(web.house, number, "Jo")
    review.undo(web.house, number, "Jo")
    assert web.nobody().get(path).status_code == 200


def test_a_link_to_a_picture_before_the_last_one_is_void(web: Web) -> None:
    number = web.illustration(candidates=2)
    path = link(web, number)
    review.regenerate(web.house, number, "Jo")
    with web.house.database.write() as session:
        states.move(session, number, State.RENDERING, State.IN_REVIEW)
    assert web.nobody().get(path).status_code == 410


def test_an_expired_link_decides_nothing(web: Web) -> None:
    number = web.illustration()
    path = link(web, number, expires=time.time() - 1)
    assert "This link has expired" in web.nobody().get(path).text
    decide(web, path)
    assert web.one(number).state == State.IN_REVIEW


@pytest.mark.parametrize("path", ["", "/picture"])
def test_a_key_that_is_none_of_ours_opens_nothing(web: Web, path: str) -> None:
    link(web, web.illustration())
    for key in ("x", "k" * 42, "K" * 43, notices.digest(KEY), "%00", "🔑"):
        assert web.nobody().get(f"/l/{key}{path}").status_code == 404


def test_a_row_that_only_remembers_a_message_opens_nothing(web: Web) -> None:
    path = link(web, web.illustration(), expires=1.0)
    assert web.nobody().get(path).status_code == 404


def test_the_picture_comes_under_the_key_while_it_is_open(web: Web) -> None:
    number = web.illustration()
    path = link(web, number)
    answer = web.nobody().get(f"{path}/picture?width=240")
    assert (answer.status_code, answer.mimetype, answer.headers["Cache-Control"]) == (200, "image/webp", "no-store")
    decide(web, path)
    assert web.nobody().get(f"{path}/picture").status_code == 410


def test_a_link_opens_nothing_of_the_desk(web: Web) -> None:
    number = web.illustration()
    client = web.app.test_client()
    client.get(link(web, number))
    assert client.get(f"/desk/{number}").status_code == 303
    assert client.get(f"/media/{web.candidate(number)}").status_code == 303


@pytest.mark.parametrize("end", ["", "/picture"])
def test_the_address_of_a_link_is_passed_on_to_nobody(web: Web, end: str) -> None:
    path = link(web, web.illustration())
    assert web.nobody().get(path + end).headers["Referrer-Policy"] == "no-referrer"


def test_no_search_engine_keeps_the_page(web: Web) -> None:
    answer = web.nobody().get(link(web, web.illustration()))
    assert (answer.headers["X-Robots-Tag"], answer.headers["Cache-Control"]) == ("noindex, nofollow", "no-store")


def test_under_four_eyes_one_notice_is_one_person(web: Web) -> None:
    rule = Rule(name="gazette-hero", site="gazette", models=["sketch"], approvals=2)
    object.__setattr__(web.house.settings, "rules", [rule])
    number = web.illustration()
    first, second = (link(web, number, f"chat/{at}", str(at) * 43) for at in range(2))
    assert "A second person has to approve it" in decide(web, first).text
    answer = decide(web, second)
    assert (answer.status_code, "You have approved this picture already" in answer.text) == (400, True)
    assert web.one(number).state == State.IN_REVIEW


def test_what_comes_from_a_cms_is_shown_as_text(web: Web) -> None:
    number = web.illustration(told=entry(0, title="<script>alert(1)</script>"), caption="<b>x</b>")
    page = web.nobody().get(link(web, number)).text
    assert "<script>alert" not in page
    assert "<b>x</b>" not in page


def test_a_reason_that_is_no_text_is_refused_and_kept(web: Web) -> None:
    number = web.illustration()
    path = link(web, number)
    answer = decide(web, path, "reject", reason="x" * 2000)
    assert (answer.status_code, "x" * 2000 in answer.text) == (400, True)
    assert row(web).used is None
