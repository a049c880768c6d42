"""Comments, assignment, and who is looking at it now."""

import pytest
from desk.furnish import Web
from sqlalchemy import select, update

from frontispiece.models import Comment, Presence
from frontispiece.web.desk.together import COMMENT

HX = {"HX-Request": "true"}


def comments(web: Web) -> list[tuple[str, str]]:
    with web.house.database.read() as session:
        return [(row.by, row.text) for row in session.scalars(select(Comment).order_by(Comment.id))]


def test_a_comment_is_kept_with_who_said_it(web: Web) -> None:
    number, browser = web.illustration(), web.browser()
    assert browser.post(f"/desk/{number}/comment", comment=" too <b>dark</b> {{ 7 }}\r\n").status_code == 303
    assert comments(web) == [("Jo Editor", "too <b>dark</b> {{ 7 }}")]


def test_a_comment_is_shown_as_text(web: Web) -> None:
    number, browser = web.illustration(), web.browser()
    browser.post(f"/desk/{number}/comment", comment="<b>dark</b>")
    assert "&lt;b&gt;dark&lt;/b&gt;" in browser.get(f"/desk/{number}/together", headers=HX).text


def test_a_comment_that_is_sent_twice_is_one(web: Web) -> None:
    number, browser = web.illustration(), web.browser()
    for _ in range(2):
        browser.post(f"/desk/{number}/comment", comment="too dark")
    assert len(comments(web)) == 1


@pytest.mark.parametrize("text", ["", "  \n", "x" * (COMMENT + 1), "a\0b"])
def test_what_is_no_comment_is_refused_and_kept_in_its_field(web: Web, text: str) -> None:
    number, browser = web.illustration(), web.browser()
    answer = browser.post(f"/desk/{number}/comment", comment=text)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert comments(web) == []


def test_a_viewer_may_comment(web: Web) -> None:
    number = web.illustration()
    web.browser("viewer").post(f"/desk/{number}/comment", comment="nice")
    assert comments(web) == [("Jo Viewer", "nice")]


def test_an_illustration_is_given_to_somebody_who_may_decide(web: Web) -> None:
    number, browser = web.illustration(), web.browser()
    web.login("editor", "Kim")
    browser.post(f"/desk/{number}/assign", assignee="Kim")
    assert web.one(number).assignee == "Kim"


@pytest.mark.parametrize("name", ["Nobody Here", "Jo Viewer"])
def test_it_is_not_given_to_anybody_else(web: Web, name: str) -> None:
    number, browser = web.illustration(), web.browser()
    web.login("viewer")
    assert browser.post(f"/desk/{number}/assign", assignee=name).status_code == 422
    assert web.one(number).assignee == ""


@pytest.mark.parametrize("name", ["a\0b", "a\nb", "x" * 81])
def test_a_name_that_is_no_name_is_refused_in_words(web: Web, name: str) -> None:
    number, browser = web.illustration(), web.browser()
    answer = browser.post(f"/desk/{number}/assign", assignee=name)
    assert (answer.status_code, "The name has" in answer.text) == (422, True)


def test_an_assignment_leaves_the_place_in_the_queue_as_it_is(web: Web) -> None:
    number, browser = web.illustration(updated=1000.0), web.browser()
    browser.post(f"/desk/{number}/assign", assignee="Jo Editor")
    assert web.one(number).updated == 1000.0


def test_each_sees_who_else_is_looking(web: Web) -> None:
    number = web.illustration()
    web.browser("editor", "Kim").get(f"/desk/{number}/together", headers=HX)
    text = web.browser("editor", "Sam").get(f"/desk/{number}/together", headers=HX).text
    assert "Kim is looking at this now." in text


def test_nobody_is_told_of_themselves(web: Web) -> None:
    number, browser = web.illustration(), web.browser("editor", "Kim")
    browser.get(f"/desk/{number}/together", headers=HX)
    assert "looking" not in browser.get(f"/desk/{number}/together", headers=HX).text


def test_whoever_leaves_is_gone(web: Web) -> None:
    number, kim = web.illustration(), web.browser("editor", "Kim")
    kim.get(f"/desk/{number}/together", headers=HX)
    kim.post(f"/desk/{number}/gone")
    assert "Kim" not in web.browser("viewer").get(f"/desk/{number}/together", headers=HX).text


def test_whoever_was_not_seen_for_a_while_is_gone(web: Web) -> None:
    number, kim = web.illustration(), web.browser("editor", "Kim")
    kim.get(f"/desk/{number}/together", headers=HX)
    with web.house.database.write() as session:
        session.execute(update(Presence).values(seen=1.0))
    assert "Kim" not in web.browser("viewer").get(f"/desk/{number}/together", headers=HX).text


def test_an_illustration_that_is_not_there_has_no_company(web: Web) -> None:
    browser = web.browser()
    assert browser.get("/desk/77/together").status_code == 404
    assert browser.post("/desk/77/comment", comment="hello").status_code == 404
