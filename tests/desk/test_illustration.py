"""One illustration's page without JavaScript: words by locale, focal point, reasons, undo, four eyes, going back."""

import html
import re
from types import SimpleNamespace
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


def shown(browser: Browser, number: int) -> dict[str, str]:
    """The words and the focal point as the page has them, as a browser sends them back."""
    return fields_of(browser.get(f"/desk/{number}"))


def fields_of(page: TestResponse) -> dict[str, str]:
    form = page.text.partition('<form id="approve"')[2].partition("</form>")[0]
    found = re.findall(r'<textarea [^>]*name="([^"]+)"[^>]*>([^<]*)<', form)
    found += re.findall(r'<input [^>]*name="([^"]+)"[^>]* value="([^"]*)"', form)
    return {name: html.unescape(value).replace("\n", "\r\n") for name, value in found}


def version(browser: Browser, number: int) -> str:
    found = re.search(r'data-version="([^"]+)"', browser.get(f"/desk/{number}").text)
    assert found
    return found[1]


def last(web: Web, number: int) -> Review:
    with web.house.database.read() as session:
        return session.scalars(select(Review).where(Review.illustration_id == number)).all()[-1]


@pytest.mark.parametrize(("locale", "tag"), [("de_AT", "de-AT"), ("", "en"), ("my locale", "")])
def test_an_entrys_words_say_which_language_they_speak(web: Web, locale: str, tag: str) -> None:
    number = web.illustration(told=entry(1, title="Bread", locale=locale))
    desk = web.browser()
    assert f'<h1 lang="{tag}" dir="auto">Bread' in desk.get(f"/desk/{number}").text
    assert f'<span class="name" lang="{tag}" dir="auto">Bread' in desk.get("/desk").text


def test_words_are_saved_in_each_locale_without_a_decision(web: Web) -> None:
    number = web.illustration(told=entry(1, titles=LANGUAGES, locale="en"))
    answer = act(web.browser(), number, "describe", **{"alt": "Bread", "alt:de": "Ein Brot", "caption:fr": "Du pain"})
    assert answer.headers["Location"] == f"/desk/{number}?did=describe&of={number}"
    one = web.one(number)
    assert (one.alt, one.alts, one.captions) == ("Bread", {"de": "Ein Brot"}, {"fr": "Du pain"})
    assert (one.state, web.reviews(number)) == (State.IN_REVIEW, [])


def test_an_approval_from_an_older_page_leaves_what_somebody_saved_meanwhile(web: Web) -> None:
    number = web.illustration(
        told=entry(1, titles=LANGUAGES, locale="en"), alt='A "lamp" &\n<b>keys</b>', focal=[0.1, 0.2]
    )
    ann, ben = web.browser("editor", "Ann"), web.browser("editor", "Ben")
    older = shown(ben, number)
    words = {"alt": "A lamp", "caption": "At dawn", "alt:de": "Eine Lampe", "caption:fr": "À l'aube"}
    act(ann, number, "describe", **words, left="30", top="40")
    act(ben, number, "approve", **older, candidate=web.candidate(number))
    one = web.one(number)
    assert (one.state, one.alt, one.caption) == (State.APPROVED, "A lamp", "At dawn")
    assert (one.alts, one.captions, one.focal) == ({"de": "Eine Lampe"}, {"fr": "À l'aube"}, [0.3, 0.4])


def test_of_two_who_change_different_words_each_keeps_theirs(web: Web) -> None:
    number = web.illustration(told=entry(1, titles=LANGUAGES, locale="en"))
    ann, ben = web.browser("editor", "Ann"), web.browser("editor", "Ben")
    older = shown(ben, number)
    act(ann, number, "describe", **shown(ann, number) | {"caption": "Ann's", "alt:de": "Anns"})
    act(ben, number, "describe", **older | {"alt": "Ben's", "alt:fr": "À Ben"})
    one = web.one(number)
    assert (one.alt, one.caption, one.alts) == ("Ben's", "Ann's", {"de": "Anns", "fr": "À Ben"})


def test_of_two_who_change_the_same_words_the_later_has_them(web: Web) -> None:
    number = web.illustration()
    ann, ben = web.browser("editor", "Ann"), web.browser("editor", "Ben")
    older = shown(ben, number)
    act(ann, number, "describe", **shown(ann, number) | {"alt": "Ann's"})
    act(ben, number, "describe", **older | {"alt": "Ben's"})
    assert web.one(number).alt == "Ben's"


def test_a_refused_page_shows_what_was_typed_and_else_what_is_there_by_now(web: Web) -> None:
    number, browser = web.illustration(caption="First"), web.browser()
    older = shown(browser, number) | {"alt": "Mine", "left": "200", "top": "5"}
    act(web.browser("editor", "Kim"), number, "describe", alt="Kim's", caption="Kim's")
    answer = act(browser, number, "describe", **older)
    assert answer.status_code == 422
    assert re.search(r'name="alt"[^>]*>Mine</textarea>', answer.text)
    assert re.search(r'name="caption"[^>]*>Kim&#39;s</textarea>', answer.text)


def test_what_was_typed_into_a_refused_page_is_saved_when_it_is_sent_again(web: Web) -> None:
    number, browser = web.illustration(), web.browser()
    refused = act(browser, number, "approve", **shown(browser, number) | {"alt": "Mine"})  # no picture is chosen
    act(browser, number, "describe", **fields_of(refused))
    assert (refused.status_code, web.one(number).alt) == (422, "Mine")


def test_words_that_are_emptied_are_gone_and_every_other_locale_stays(web: Web) -> None:
    alts = {f"x{at:02}": f"Brot {at}" for at in range(60)}
    number = web.illustration(told=entry(1, titles=dict.fromkeys(alts, "Brot"), locale="en"), alts=alts)
    browser = web.browser()
    act(browser, number, "describe", **shown(browser, number) | {"alt:x03": "", "alt:x58": "Neu"})
    assert web.one(number).alts == {name: text for name, text in alts.items() if name != "x03"} | {"x58": "Neu"}


def test_a_locale_that_the_page_does_not_have_keeps_its_words(web: Web) -> None:
    number = web.illustration(told=entry(1, titles=LANGUAGES, locale="en"), alts={"pt": "Pão"})
    act(web.browser(), number, "describe", **{"alt:de": "Brot"})
    assert web.one(number).alts == {"pt": "Pão", "de": "Brot"}


def test_a_focal_point_finer_than_its_fields_is_shown_in_tenths_and_stays(web: Web) -> None:
    number, browser = web.illustration(focal=[1 / 3, 2 / 3]), web.browser()
    fields = shown(browser, number)
    assert (fields["left"], fields["top"]) == ("33.3", "66.7")
    act(browser, number, "describe", **fields)
    assert web.one(number).focal == [1 / 3, 2 / 3]


@pytest.mark.parametrize("words", [{"alt": "A"}, {"caption": "C"}, {"alt:de": "D"}, {"left": "1", "top": "2"}])
def test_an_open_page_is_another_one_when_words_are_saved(web: Web, words: dict[str, str]) -> None:
    number, browser = web.illustration(told=entry(1, titles=LANGUAGES, locale="en")), web.browser()
    before = version(browser, number)
    assert version(browser, number) == before
    act(browser, number, "describe", **words)
    assert version(browser, number) != before


def test_open_pages_hear_of_words_that_are_saved(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    number, told = web.illustration(), list[int]()
    monkeypatch.setitem(web.app.extensions, "pulse", SimpleNamespace(poke=told.append))
    act(web.browser(), number, "describe", alt="A lamp")
    assert told == [number]


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
        decisions = session.scalars(select(Review).order_by(Review.id)).all()
        assert [row.by for row in review.endorsements(decisions)] == ["Jo Editor"]


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
    for _ in range(2):
        approve(two, jo, number)
    assert (two.one(number).state, len(two.reviews(number))) == (State.IN_REVIEW, 1)
    assert "A second person has to approve it as well; it cannot be you." in jo.get(f"/desk/{number}").text


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
