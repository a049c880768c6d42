"""The desk without JavaScript: what one sees, what one can decide, and what happens when somebody was quicker."""

import re
from typing import Any

import pytest
from desk.furnish import PROMPT, Browser, Web, entry

from frontispiece.cms import Current
from frontispiece.models import State


def approve(web: Web, browser: Browser, number: int, **fields: Any) -> Any:
    fields = {"candidate": web.candidate(number), "alt": "A lamp", "caption": "", **fields}
    return browser.post(f"/desk/{number}/approve", **fields)


def test_a_title_of_html_and_template_syntax_is_shown_as_text(web: Web) -> None:
    number = web.illustration(told=entry(1, title="<script>alert(1)</script> {{7*7}}"), prompt="{{7*7}}</textarea><b>")
    for path in ("/desk", f"/desk/{number}"):
        text = web.browser().get(path).text
        assert "&lt;script&gt;alert(1)&lt;/script&gt; {{7*7}}" in text
        assert "<script>alert" not in text
    assert "{{7*7}}&lt;/textarea&gt;&lt;b&gt;" in text


@pytest.mark.parametrize("address", ["javascript:alert(1)", "data:text/html,hi", "//evil.example", "http://[", "/x"])
def test_only_a_web_address_of_an_entry_becomes_a_link(web: Web, address: str) -> None:
    number = web.illustration(told=entry(1, url=address, edit_url=address))
    assert 'class="links"' not in web.browser().get(f"/desk/{number}").text


def test_the_entry_can_be_opened_in_the_cms(web: Web) -> None:
    number = web.illustration(told=entry(1, edit_url="https://blog.example/edit?a=1&b=2"))
    assert 'href="https://blog.example/edit?a=1&amp;b=2"' in web.browser().get(f"/desk/{number}").text


def test_approving_keeps_the_words_and_says_who(web: Web) -> None:
    number = web.illustration()
    approve(web, web.browser(), number, alt="A lamp at dawn", caption="Skerry Light")
    one = web.one(number)
    assert (one.state, one.chosen_id, one.alt, one.caption) == (
        State.APPROVED, web.candidate(number), "A lamp at dawn", "Skerry Light",
    )  # fmt: skip
    assert web.reviews(number) == [("approve", "Jo Editor", "")]


def test_after_a_decision_the_next_waiting_picture_opens_with_a_way_back(web: Web) -> None:
    other, number = web.illustration(number=1, updated=1000.0), web.illustration(number=2)
    browser = web.browser()
    answer = approve(web, browser, number)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/desk/{other}?did=approve&of={number}")
    text = browser.get(answer.headers["Location"]).text
    assert "Approved: “Bread that takes three days, and is worth four” goes to the site now." in text
    assert f'<a href="/desk/{number}">Go back to it</a>' in text


def test_a_page_says_how_many_wait_at_the_site_one_looks_at(web: Web) -> None:
    number, _ = web.illustration(number=1), web.illustration(number=2)
    web.illustration(number=3, site="shop")
    web.illustration(State.FAILED, number=4)
    assert "2 waiting" in web.browser().get(f"/desk/{number}?site=gazette").text


def test_after_the_last_decision_the_queue_opens(web: Web) -> None:
    number = web.illustration()
    assert approve(web, web.browser(), number).headers["Location"] == f"/desk?did=approve&of={number}"


def test_the_site_filter_stays_on_from_decision_to_decision(web: Web) -> None:
    number, other = web.illustration(number=1), web.illustration(number=2, updated=1.0)
    web.illustration(number=3, site="shop", updated=2.0)
    answer = web.browser().post(f"/desk/{number}/approve?site=gazette", candidate=web.candidate(number))
    assert answer.headers["Location"].startswith(f"/desk/{other}?site=gazette")


def test_a_rejection_keeps_its_reason(web: Web) -> None:
    number = web.illustration()
    web.browser().post(f"/desk/{number}/reject", reason="Not this lighthouse")
    assert (web.one(number).state, web.one(number).reason) == (State.REJECTED, "Not this lighthouse")


def test_an_edited_prompt_is_what_is_drawn_next(web: Web) -> None:
    number = web.illustration()
    web.browser().post(f"/desk/{number}/regenerate", prompt="A lamp in fog.\r\nNo people.")
    assert web.one(number).state == State.RENDERING
    assert web.renders(number)[-1].prompt == "A lamp in fog.\nNo people."


def test_drawing_another_keeps_the_prompt_and_takes_a_new_seed(web: Web) -> None:
    number = web.illustration()
    web.browser().post(f"/desk/{number}/regenerate", prompt=PROMPT)
    first, second = web.renders(number)
    assert first.prompt == second.prompt
    assert first.seed != second.seed


@pytest.mark.parametrize(
    ("state", "act", "then"),
    [
        (State.FAILED, "retry", State.RENDERING),
        (State.HELD, "approve", State.APPROVED),
        (State.REJECTED, "regenerate", State.RENDERING),
        (State.PUBLISHED, "revert", State.PUBLISHED),
    ],
)
def test_what_is_no_longer_in_review_can_be_taken_up(web: Web, state: State, act: str, then: State) -> None:
    number = web.illustration(state)
    browser = web.browser()
    assert f'action="/desk/{number}/{act}"' in browser.get(f"/desk/{number}").text
    answer = browser.post(f"/desk/{number}/{act}", candidate=web.candidate(number))
    assert (answer.status_code, web.one(number).state) == (303, then)


def test_an_editor_who_chooses_to_replaces_what_somebody_else_had_set(web: Web) -> None:
    theirs = Current("media/7", "http://127.0.0.1:9/own.png", "A photo")
    number = web.illustration(State.HELD, told=entry(1, image=theirs), reason="somebody has set another image")
    browser = web.browser()
    assert "Replace anyway" in browser.get(f"/desk/{number}").text
    approve(web, browser, number)
    assert (web.one(number).known_image or {})["id"] == "media/7"


def test_the_second_of_two_editors_hears_that_somebody_was_quicker(web: Web) -> None:
    number = web.illustration(candidates=2)
    web.browser("lead").post(f"/desk/{number}/reject", reason="no")
    answer = approve(web, web.browser(), number, alt="words that took a while")
    assert answer.status_code == 409
    assert "Somebody decided first. Rejected." in answer.text
    assert "words that took a while" in answer.text
    assert web.one(number).state == State.REJECTED


def test_the_second_of_two_who_chose_different_pictures_is_not_told_yes(web: Web) -> None:
    number = web.illustration(candidates=2)
    browser = web.browser()
    approve(web, browser, number)
    assert approve(web, browser, number, candidate=web.candidate(number) - 1).status_code == 409


@pytest.mark.parametrize("act", ["approve", "reject", "regenerate"])
def test_a_double_click_is_one_decision(web: Web, act: str) -> None:
    number = web.illustration()
    browser, fields = web.browser(), {"reason": "no", "prompt": "A lamp in fog.", "alt": "A lamp"}
    answers = [browser.post(f"/desk/{number}/{act}", candidate=web.candidate(number), **fields) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [303, 303]
    assert len(web.reviews(number)) == 1


@pytest.mark.parametrize(
    ("act", "field", "text", "words"),
    [
        ("regenerate", "prompt", "lamp " * 20_000, "The prompt has 99999 characters; 4000 are the most."),
        ("regenerate", "prompt", "a lamp\x07", "a character that is no text (U+0007)"),
        ("reject", "reason", "no\x00", "a character that is no text (U+0000)"),
        ("approve", "alt", "x" * 1001, "The alt text has 1001 characters; 1000 are the most."),
    ],
)
def test_words_that_cannot_be_used_are_refused_and_kept(web: Web, act: str, field: str, text: str, words: str) -> None:
    number = web.illustration()
    answer = web.browser().post(f"/desk/{number}/{act}", candidate=web.candidate(number), **{field: text})
    assert answer.status_code == 422
    assert words in answer.text
    assert text in answer.text
    assert web.one(number).state == State.IN_REVIEW


def test_approving_without_choosing_is_refused_in_words(web: Web) -> None:
    answer = approve(web, web.browser(), web.illustration(), candidate="")
    assert answer.status_code == 422
    assert "Choose one of the pictures first." in answer.text


def test_a_picture_of_another_illustration_cannot_be_approved(web: Web) -> None:
    number, other = web.illustration(number=1), web.illustration(number=2)
    assert approve(web, web.browser(), number, candidate=web.candidate(other)).status_code == 422


def test_a_page_refreshes_itself_only_while_something_moves(web: Web) -> None:
    still, moving = web.illustration(number=1), web.illustration(State.RENDERING, 2)
    browser = web.browser()
    assert 'hx-trigger="every 2s"' not in browser.get(f"/desk/{still}").text
    assert 'hx-trigger="every 2s"' in browser.get(f"/desk/{moving}").text


def test_a_page_that_shows_a_refusal_does_not_refresh_it_away(web: Web) -> None:
    number = web.illustration(candidates=2)
    approve(web, web.browser(), number)
    answer = approve(web, web.browser(), number, candidate=web.candidate(number) - 1)
    assert answer.status_code == 409
    assert 'hx-trigger="every 2s"' not in answer.text


def test_a_live_refresh_brings_the_changing_part_only(web: Web) -> None:
    number = web.illustration(State.RENDERING)
    text = web.browser().get(f"/desk/{number}", headers={"HX-Request": "true"}).text
    assert text.lstrip().startswith('<div id="live"')


def test_the_history_tells_who_drew_decided_and_published(web: Web) -> None:
    text = web.browser().get(f"/desk/{web.illustration(State.PUBLISHED)}").text
    rows = re.findall(r"<tr><td>.*?</td><td>(.*?)</td><td>(.*?)</td>", text)
    assert sorted(rows) == [
        ("Approved", "Jo"), ("Asked for", "rule gazette-hero"), ("On the entry", "gazette"), ("Render", "sketch"),
    ]  # fmt: skip


def test_a_viewer_is_offered_no_decision(web: Web) -> None:
    number = web.illustration()
    text = web.browser("viewer").get(f"/desk/{number}").text
    assert re.findall(rf'action="/desk/{number}/(\w+)', text) == ["comment"]
    assert "deciding needs the role editor" in text


def test_an_act_after_the_login_is_over_leads_back_to_its_picture(web: Web) -> None:
    number, browser = web.illustration(), web.nobody()
    answer = browser.post(f"/desk/{number}/reject", reason="no")
    assert answer.headers["Location"] == f"/login?next=/desk/{number}"


def test_a_refused_approval_shows_no_other_prompt(web: Web) -> None:
    number = web.illustration()
    text = web.browser().post(f"/desk/{number}/approve", candidate=web.candidate(number), alt="x" * 1001).text
    assert "The prompt stays as it is." not in text


@pytest.mark.parametrize("path", ["/desk/999", "/desk/99999999999999999999"])
def test_what_is_not_there_is_404(web: Web, path: str) -> None:
    assert web.browser().get(path).status_code == 404


@pytest.fixture(name="drafts")
def _drafts(web: Web) -> Web:
    """The newspaper's rule makes drafts with `sketch` and has FLUX.2 draw what is approved."""
    rules = [rule.model_copy(update={"final": "flux-2-pro"}) for rule in web.house.settings.rules]
    web.house.settings = web.house.settings.model_copy(update={"rules": rules})
    return web


def test_a_draft_says_who_draws_it_once_more_and_for_how_much(drafts: Web) -> None:
    text = drafts.browser().get(f"/desk/{drafts.illustration()}").text

    assert "drawn once more by FLUX.2 [pro], for about $0.0" in text


def test_approving_a_draft_orders_its_final(drafts: Web) -> None:
    number = drafts.illustration()
    approve(drafts, drafts.browser(), number)

    assert (State.RENDERING, "flux-2-pro") == (drafts.one(number).state, drafts.renders(number)[-1].model)


def test_a_draft_can_be_published_as_it_is(drafts: Web) -> None:
    number = drafts.illustration()
    approve(drafts, drafts.browser(), number, as_it_is="1")

    assert (State.APPROVED, 1) == (drafts.one(number).state, len(drafts.renders(number)))
