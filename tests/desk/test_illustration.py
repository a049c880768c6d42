"""One illustration's page without JavaScript: words by locale, focal point, reasons, undo, four eyes, going back."""

import re
from typing import Any

import pytest
from desk.furnish import DOT, Browser, Web, entry
from sqlalchemy import event, select, update
from werkzeug.test import TestResponse

from frontispiece import review
from frontispiece.models import Render, Review, State

LANGUAGES = {"en": "Bread", "de": "Brot <b>{{7*7}}</b>", "fr": "Pain"}


@pytest.fixture(name="two")
def _two(web: Web) -> Web:
    """The newspaper wants two people to approve."""
    rules = [rule.model_copy(update={"approvals": 2}) for rule in web.house.settings.rules]
    web.house.settings = web.house.settings.model_copy(update={"rules": rules})
    return web


def act(browser: Browser, number: int, what: str, **fields: Any) -> TestResponse:
    return browser.post(f"/desk/{number}/{what}", **fields)


def approve(web: Web, browser: Browser, number: int) -> TestResponse:
    return act(browser, number, "approve", candidate=web.candidate(number))


def last(web: Web, number: int) -> Review:
    with web.house.database.read() as session:
        return session.scalars(select(Review).where(Review.illustration_id == number)).all()[-1]


@pytest.mark.parametrize(("locale", "tag"), [("de_AT", "de-AT"), ("", "en"), ("my locale", "")])
def test_an_entrys_words_say_which_language_they_speak(web: Web, locale: str, tag: str) -> None:
    number = web.illustration(told=entry(1, title="Bread", locale=locale))
    desk = web.browser()
    assert f'<h1 lang="{tag}">Bread' in desk.get(f"/desk/{number}").text
    assert f'<span class="name" lang="{tag}">Bread' in desk.get("/desk").text


def test_words_are_saved_in_each_locale_without_a_decision(web: Web) -> None:
    number = web.illustration(told=entry(1, titles=LANGUAGES, locale="en"))
    answer = act(web.browser(), number, "describe", **{"alt": "Bread", "alt:de": "Ein Brot", "caption:fr": "Du pain"})
    assert answer.headers["Location"] == f"/desk/{number}?did=describe&of={number}"
    one = web.one(number)
    assert (one.alt, one.alts, one.captions) == ("Bread", {"de": "Ein Brot"}, {"fr": "Du pain"})
    assert (one.state, web.reviews(number)) == (State.IN_REVIEW, [])


def test_a_locale_shows_the_words_that_would_be_sent(web: Web) -> None:
    number = web.illustration(told=entry(1, titles=LANGUAGES, locale="en"), alts={"fr": "Une miche"})
    text = web.browser().get(f"/desk/{number}").text
    assert re.search(r'name="alt:fr"[^>]*>Une miche</textarea>', text)
    assert re.search(r'name="alt:de"[^>]*placeholder="[^"]*Brot', text)
    assert 'name="alt:en"' not in text


def test_the_title_of_a_locale_is_shown_as_text(web: Web) -> None:
    text = web.browser().get(f"/desk/{web.illustration(told=entry(1, titles=LANGUAGES, locale='en'))}").text
    assert "<b>" not in text
    assert "Brot &lt;b&gt;{{7*7}}&lt;/b&gt;" in text


def test_words_of_a_locale_that_are_too_long_are_refused_and_kept(web: Web) -> None:
    number = web.illustration(told=entry(1, titles=LANGUAGES, locale="en"))
    answer = act(web.browser(), number, "describe", **{"alt:de": "x" * 1001})
    assert answer.status_code == 422
    assert "x" * 1001 in answer.text
    assert web.one(number).alts == {}


@pytest.mark.parametrize(("left", "top"), [("101", "5"), ("-1", "5"), ("nan", "5"), ("x", "5"), ("", "5")])
def test_a_focal_point_outside_of_the_picture_is_refused_and_kept(web: Web, left: str, top: str) -> None:
    number = web.illustration()
    answer = act(web.browser(), number, "describe", left=left, top=top)
    assert answer.status_code == 422
    assert (
        f'name="left" type="number" min="0" max="100" step="0.1" inputmode="decimal" placeholder="50" value="{left}"'
        in answer.text
    )
    assert web.one(number).focal is None


def test_an_approval_carries_the_focal_point(web: Web) -> None:
    number = web.illustration()
    act(web.browser(), number, "approve", candidate=web.candidate(number), left="33,3", top="66.7")
    assert (web.one(number).state, web.one(number).focal) == (State.APPROVED, [0.333, 0.667])


def test_an_empty_focal_point_leaves_the_one_there_is(web: Web) -> None:
    number = web.illustration(focal=[0.1, 0.9])
    act(web.browser(), number, "approve", candidate=web.candidate(number), left="", top="")
    assert web.one(number).focal == [0.1, 0.9]


def test_the_reasons_that_were_picked_are_noted_and_shown(web: Web) -> None:
    number, browser = web.illustration(), web.browser()
    act(browser, number, "reject", chip=["brand", "crop", "nonsense", "brand"])
    assert last(web, number).chips == ["brand", "crop"]
    assert '<span class="chip">Off brand</span>' in browser.get(f"/desk/{number}").text


def test_an_approval_can_be_undone_before_it_is_written(web: Web) -> None:
    number, browser = web.illustration(), web.browser()
    approve(web, browser, number)
    answer = act(browser, number, "undo", review=last(web, number).id)
    assert answer.headers["Location"] == f"/desk/{number}?did=undo&of={number}"
    assert web.one(number).state == State.IN_REVIEW
    assert "taken back" in browser.get(f"/desk/{number}").text


def test_a_second_click_on_undo_takes_nothing_else_back(two: Web) -> None:
    number, jo = two.illustration(), two.browser()
    approve(two, jo, number)
    act(jo, number, "reject", chip="crop")
    rejection = last(two, number).id
    answers = [act(jo, number, "undo", review=rejection).status_code for _ in range(2)]
    assert answers == [303, 303]
    with two.house.database.read() as session:
        assert review.endorsed(session, number, two.candidate(number)) == ["Jo Editor"]


def test_the_page_after_a_decision_offers_to_undo_it(web: Web) -> None:
    _, number = web.illustration(number=1), web.illustration(number=2)
    browser = web.browser()
    text = browser.get(approve(web, browser, number).headers["Location"]).text
    assert f'action="/desk/{number}/undo"' in text


def test_somebody_elses_decision_is_not_offered_to_be_undone(web: Web) -> None:
    number = web.illustration()
    approve(web, web.browser(), number)
    kim = web.browser("editor", "Kim")
    assert f'action="/desk/{number}/undo"' not in kim.get(f"/desk/{number}").text
    answer = act(kim, number, "undo")
    assert (answer.status_code, web.one(number).state) == (422, State.APPROVED)


def test_the_first_of_two_approvals_is_told_and_publishes_nothing(two: Web) -> None:
    number, jo = two.illustration(), two.browser()
    assert "Two people have to approve this one." in jo.get(f"/desk/{number}").text
    text = jo.get(approve(two, jo, number).headers["Location"]).text
    assert "A second person has to as well." in text
    assert two.one(number).state == State.IN_REVIEW
    assert "it cannot be you" in jo.get(f"/desk/{number}").text


def test_the_second_person_sees_who_was_first_and_publishes(two: Web) -> None:
    number, kim = two.illustration(), two.browser("editor", "Kim")
    approve(two, two.browser(), number)
    text = kim.get(f"/desk/{number}").text
    assert f"Jo Editor has approved picture {two.candidate(number)}." in text
    assert "You would be the second" in text
    approve(two, kim, number)
    assert two.one(number).state == State.APPROVED


def test_nobody_is_their_own_second(two: Web) -> None:
    number, jo = two.illustration(), two.browser()
    approve(two, jo, number)
    answer = approve(two, jo, number)
    assert (answer.status_code, two.one(number).state) == (422, State.IN_REVIEW)
    assert "a second person has to" in answer.text


def test_another_picture_of_a_published_one_can_be_taken(web: Web) -> None:
    number, browser = web.illustration(State.PUBLISHED, candidates=2), web.browser()
    assert "Publish the chosen one instead" in browser.get(f"/desk/{number}").text
    act(browser, number, "approve", candidate=web.candidate(number) - 1)
    assert (web.one(number).state, web.one(number).chosen_id) == (State.APPROVED, web.candidate(number) - 1)


def test_a_published_one_with_one_picture_offers_no_other(web: Web) -> None:
    number = web.illustration(State.PUBLISHED)
    assert f'action="/desk/{number}/approve"' not in web.browser().get(f"/desk/{number}").text


def test_a_picture_that_a_person_gave_says_so(web: Web) -> None:
    number = web.illustration()
    review.give(web.house, number, "Kim", DOT)
    text = web.browser().get(f"/desk/{number}").text
    assert text.count("given by Kim") == 2  # below the picture, and in the history


def test_an_older_picture_is_shown_and_chosen_where_it_is_asked_for(web: Web) -> None:
    number, browser = web.illustration(candidates=14), web.browser()
    oldest = web.candidate(number) - 13
    assert f'value="{oldest}"' not in browser.get(f"/desk/{number}").text
    text = browser.get(f"/desk/{number}?candidate={oldest}").text
    assert f'value="{oldest}" form="approve" checked' in text
    assert text.count('form="approve" checked') == 1


def test_the_prompt_of_an_earlier_picture_can_be_used_again(web: Web) -> None:
    number, browser = web.illustration(candidates=2), web.browser()
    with web.house.database.write() as session:
        session.execute(update(Render).where(Render.id == 1).values(prompt="Fog, and nothing else."))
    assert f'href="/desk/{number}?prompt=1#prompt-box"' in browser.get(f"/desk/{number}").text
    text = browser.get(f"/desk/{number}?prompt=1").text
    assert re.search(r'<textarea id="prompt"[^>]*>\s*Fog, and nothing else.</textarea>', text)


def test_the_history_tells_how_each_picture_was_made(web: Web) -> None:
    number = web.illustration()
    fields = {"template": "article/hero@3f2a", "by": "Kim", "options": {"steps": 4}, "error": "too <b>busy</b>"}
    with web.house.database.write() as session:
        session.execute(update(Render).values(**fields))
    text = web.browser().get(f"/desk/{number}").text
    for words in ("prompt by article/hero@3f2a", "asked for by Kim", "steps 4", "Too &lt;b&gt;busy&lt;/b&gt;", "$0.03"):
        assert words in text


def test_twelve_pictures_cost_no_more_queries_than_one(web: Web) -> None:
    asked: list[str] = []
    event.listen(web.house.database.engine, "before_cursor_execute", lambda *args: asked.append(args[2]))
    browser, costs = web.browser(), []
    _, one, twelve = (web.illustration(number=at, candidates=most) for at, most in ((0, 1), (1, 1), (2, 12)))
    for number in (one, one, twelve):  # the first time, files are read that are kept from then on
        asked.clear()
        browser.get(f"/desk/{number}")
        costs.append(len(asked))
    assert costs[1] == costs[2]


def test_an_unknown_tab_in_the_address_is_refused_in_words(web: Web) -> None:
    answer = web.browser().get(f"/desk/{web.illustration()}?tab=nonsense")
    assert answer.status_code == 400
    assert "There is no tab" in answer.text
