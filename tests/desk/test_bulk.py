"""One decision about many illustrations: done to each once, and said of those that it was not done to."""

import re
from typing import Any

import pytest
from desk.furnish import Browser, Web, entry
from sqlalchemy import func, select, update

from frontispiece import review
from frontispiece.cms import Current
from frontispiece.models import Illustration, Review, State
from frontispiece.web.desk import bulk as deciding


def picks(browser: Browser, path: str = "/desk") -> list[str]:
    """What the boxes of a page send, in its order."""
    return re.findall(r'name="pick" value="([^"]+)" form="bulk"', browser.get(path).text)


def bulk(browser: Browser, act: str, pick: list[str], **fields: Any) -> str:
    """What the page says after a decision about many."""
    answer = browser.post("/desk/bulk", act=act, pick=pick, **fields)
    assert answer.status_code == 200
    return answer.text


def test_many_are_approved_with_their_last_pictures_and_their_words(web: Web) -> None:
    numbers = [web.illustration(number=number, candidates=2, alt=f"Alt {number}") for number in range(3)]
    browser = web.browser()
    text = bulk(browser, "approve", picks(browser)[:2])
    assert "2 pictures are approved." in text
    assert [web.one(number).state for number in numbers] == [State.IN_REVIEW, State.APPROVED, State.APPROVED]
    assert (web.one(numbers[2]).chosen_id, web.one(numbers[2]).alt) == (web.candidate(numbers[2]), "Alt 2")


def test_many_are_rejected_with_the_same_reason(web: Web) -> None:
    numbers = [web.illustration(number=number) for number in range(2)]
    browser = web.browser()
    bulk(browser, "reject", picks(browser), reason="ghosts", chip=["brand", "nonsense"])
    assert [web.one(number).reason for number in numbers] == ["ghosts", "ghosts"]
    with web.house.database.read() as session:
        assert session.scalars(select(Review.chips)).all() == [["brand"]] * 2


def test_many_are_drawn_again_each_once(web: Web) -> None:
    numbers = [web.illustration(number=number) for number in range(2)]
    browser = web.browser()
    sent = picks(browser)
    for _ in range(2):
        assert "2 other pictures are being drawn." in bulk(browser, "regenerate", sent)
    assert [len(web.renders(number)) for number in numbers] == [2, 2]


def test_what_came_back_meanwhile_is_not_drawn_again_by_the_form_of_before(web: Web) -> None:
    number, browser = web.illustration(), web.browser()
    sent = picks(browser)
    bulk(browser, "regenerate", sent)
    with web.house.database.write() as session:
        session.execute(update(Illustration).values(state=State.IN_REVIEW))
    bulk(browser, "regenerate", sent)
    assert len(web.renders(number)) == 2


@pytest.mark.parametrize("act", ["approve", "reject", "regenerate"])
def test_the_same_form_twice_is_one_decision_about_each(web: Web, act: str) -> None:
    numbers = [web.illustration(number=number) for number in range(2)]
    browser = web.browser()
    sent = picks(browser)
    pages = [bulk(browser, act, sent) for _ in range(2)]
    assert "left as" not in pages[1]
    assert [len(web.reviews(number)) for number in numbers] == [1, 1]


def test_what_somebody_else_decided_first_is_named_and_left_alone(web: Web) -> None:
    numbers = [web.illustration(number=number, told=entry(number, title=f"Title {number}")) for number in range(2)]
    browser = web.browser()
    sent = picks(browser)
    review.reject(web.house, numbers[0], "Kim")
    text = bulk(browser, "approve", sent)
    assert "Approved: “Title 1”." in text
    assert re.search(r'<a href="/desk/1">Title 0</a>: Somebody was quicker, or it has changed since: Rejected\.', text)
    assert web.one(numbers[0]).state == State.REJECTED


def test_what_has_no_picture_cannot_be_approved_with_the_others(web: Web) -> None:
    web.illustration(State.HELD, candidates=0)
    browser = web.browser()
    assert "There is no picture yet." in bulk(browser, "approve", picks(browser, "/desk?tab=attention"))


def test_an_image_that_nobody_was_shown_is_not_replaced_by_a_decision_about_many(web: Web) -> None:
    theirs = Current("m7", "http://127.0.0.1:9/own.png")
    number = web.illustration(State.HELD, told=entry(1, image=theirs))
    browser = web.browser()
    text = bulk(browser, "approve", picks(browser, "/desk?tab=attention"))
    assert "The entry has another image now. Open it to see what yours would replace." in text
    assert web.one(number).state == State.HELD


def test_where_two_have_to_approve_the_first_is_told_so(web: Web) -> None:
    rules = [rule.model_copy(update={"approvals": 2}) for rule in web.house.settings.rules]
    web.house.settings = web.house.settings.model_copy(update={"rules": rules})
    number, browser, other = web.illustration(), web.browser(), web.browser("lead")
    assert "1 needs a second person as well." in bulk(browser, "approve", picks(browser))
    assert "second person" not in bulk(other, "approve", picks(other))
    assert web.one(number).state == State.APPROVED


def test_many_are_given_to_somebody_and_to_nobody(web: Web) -> None:
    web.browser("editor", "Kim")
    numbers = [web.illustration(number=number) for number in range(2)]
    browser = web.browser()
    for name in ("Kim", ""):
        bulk(browser, "assign", picks(browser), assignee=name)
        assert [web.one(number).assignee for number in numbers] == [name, name]


def test_what_was_done_to_many_is_taken_back_once(web: Web) -> None:
    numbers = [web.illustration(number=number) for number in range(2)]
    browser = web.browser()
    text = bulk(browser, "reject", picks(browser))
    back = re.findall(r'type="hidden" name="pick" value="([^"]+)"', text)
    for _ in range(2):
        assert "2 decisions are taken back." in bulk(browser, "undo", back)
    assert [web.one(number).state for number in numbers] == [State.IN_REVIEW] * 2
    with web.house.database.read() as session:
        assert session.scalar(select(func.count()).where(Review.undone.is_not(None))) == 2


def test_a_decision_that_another_followed_is_not_taken_back(web: Web) -> None:
    number, browser = web.illustration(), web.browser()
    back = re.findall(r'type="hidden" name="pick" value="([^"]+)"', bulk(browser, "reject", picks(browser)))
    review.regenerate(web.house, number, "Jo Editor")
    assert "Something else was decided about it since." in bulk(browser, "undo", back)
    assert web.one(number).state == State.RENDERING


def test_the_same_form_twice_at_once_takes_one_decision_back(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    number, browser = web.illustration(), web.browser()
    review.reject(web.house, number, "Jo Editor")
    sent = picks(browser, "/desk?tab=closed")
    back = re.findall(r'type="hidden" name="pick" value="([^"]+)"', bulk(browser, "regenerate", sent))
    look = deciding._now

    def look_before_the_other(*asked: Any) -> Any:
        found = look(*asked)
        review.undo(web.house, number, "Jo Editor")
        return found

    monkeypatch.setattr(deciding, "_now", look_before_the_other)
    assert "taken back" in bulk(browser, "undo", back).lower()
    assert web.one(number).state == State.REJECTED


@pytest.mark.parametrize("name", ["a\0b", "a\nb", "x" * 81])
def test_many_are_not_given_to_a_name_that_is_no_name(web: Web, name: str) -> None:
    number, browser = web.illustration(), web.browser()
    assert "The name has" in bulk(browser, "assign", picks(browser), assignee=name)
    assert web.one(number).assignee == ""


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"act": "approve"}, "Choose at least one picture first."),
        ({"act": "", "pick": ["1-1-1.0"]}, "Choose what is to be done."),
        ({"act": "delete", "pick": ["1-1-1.0"]}, "Choose what is to be done."),
        ({"act": "approve", "pick": ["1"]}, "The form names something that is no illustration."),
        ({"act": "approve", "pick": [f"{number}-1-1.0" for number in range(1, 502)]}, "500 are the most."),
        ({"act": "reject", "pick": ["1-1-1.0"], "reason": "x" * 1001}, "1000 are the most."),
    ],
)
def test_a_form_about_many_that_makes_no_sense_is_refused_in_words(
    web: Web, fields: dict[str, Any], words: str
) -> None:
    web.illustration()
    answer = web.browser().post("/desk/bulk", **fields)
    assert answer.status_code == 400
    assert words in answer.text
    assert web.reviews(1) == []


def test_what_is_not_there_is_named_by_its_number(web: Web) -> None:
    assert "It is not there any more." in bulk(web.browser(), "approve", ["99-1-1.0"])
