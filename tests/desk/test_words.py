"""The desk's languages: who gets which, what is said in it, and what is never translated."""

import time
from types import SimpleNamespace
from typing import Any

import pytest
from desk.furnish import Browser, Web, entry
from flask import Flask, render_template_string
from sqlalchemy import update
from werkzeug.test import TestResponse

from frontispiece.models import User
from frontispiece.web import i18n, plain, said

GERMAN = {"Accept-Language": "de-AT,de;q=0.9,en;q=0.5"}
NASTY = "100 % %s %(title)s {{ 7 * 7 }} <b>&"


@pytest.fixture(name="app")
def _app() -> Flask:
    """An application with the desk's languages and nothing else; nobody is logged in."""
    made = Flask("words")
    i18n.init(made, lambda: None)
    return made


def show(app: Flask, template: str, language: str = "de", **facts: Any) -> str:
    with app.test_request_context(headers={"Accept-Language": language}):
        return render_template_string(template, plain=plain, **facts)


def reader(app: Flask, chosen: str) -> None:
    app.extensions["reader"] = lambda: SimpleNamespace(language=chosen)


def choose(web: Web, language: str) -> None:
    with web.house.database.write() as session:
        session.execute(update(User).values(language=language))


def login_page(web: Web, **headers: str) -> TestResponse:
    return web.nobody().get("/login", headers=headers)


def desk(browser: Browser, **headers: str) -> TestResponse:
    return browser.get("/desk", headers=headers)


def test_a_german_browser_gets_german(web: Web) -> None:
    answer = login_page(web, **GERMAN)
    assert '<html lang="de">' in answer.text
    assert "Passwort" in answer.text


def test_an_answer_says_its_language_and_that_others_get_another(web: Web) -> None:
    answer = login_page(web, **GERMAN)
    assert (answer.headers["Content-Language"], list(answer.vary)) == ("de", ["Accept-Language", "Cookie"])


def test_a_picture_has_no_language(web: Web) -> None:
    answer = web.nobody().get("/static/icon.svg", headers=GERMAN)
    assert "Content-Language" not in answer.headers


@pytest.mark.parametrize("asked", ["", "fr", "tlh;q=1", "*", "de;q=0", "x" * 5000, "de\u00e4;q=zwei"])
def test_whoever_asks_for_nothing_we_have_gets_english(app: Flask, asked: str) -> None:
    assert show(app, "{{ language() }}", asked) == "en"


def test_the_language_liked_best_is_taken(app: Flask) -> None:
    assert show(app, "{{ language() }}", "fr,en;q=0.4,de;q=0.6") == "de"


def test_a_persons_own_choice_wins(web: Web) -> None:
    browser = web.browser()
    choose(web, "en")
    assert '<html lang="en">' in desk(browser, **GERMAN).text


def test_a_language_that_has_gone_is_as_if_none_were_chosen(app: Flask) -> None:
    reader(app, "tlh")
    assert show(app, "{{ language() }}") == "de"


def test_two_readers_do_not_share_a_language(app: Flask) -> None:
    assert [show(app, "{{ _('Close') }}", asked) for asked in ("de", "en", "de")] == ["Schließen", "Close", "Schließen"]


def test_outside_of_a_request_words_are_english() -> None:
    assert str(i18n.lazy("Close")) == "Close"


def test_every_language_has_its_own_name() -> None:
    assert i18n.LANGUAGES["de"] == "Deutsch"
    assert len(set(i18n.LANGUAGES.values())) == len(i18n.LANGUAGES)


def test_a_title_is_never_taken_for_a_format_or_for_markup(app: Flask) -> None:
    shown = show(app, "{{ plain.DONE['reject'] % {'title': title} }}", title=NASTY)
    assert shown == "Abgelehnt: „100 % %s %(title)s {{ 7 * 7 }} &lt;b&gt;&amp;“ bleibt, wie es ist."


def test_a_title_in_a_sentence_of_a_page_is_escaped(app: Flask) -> None:
    assert show(app, "{{ _('Trying again: “%(title)s”.', title=t) }}", t=NASTY).count("&lt;b&gt;") == 1


def test_a_title_that_is_one_of_our_words_is_not_translated(web: Web) -> None:
    web.illustration(told=entry(0, title="Published"))
    assert ">Published<" in desk(web.browser(), **GERMAN).text


@pytest.mark.parametrize(("num", "words"), [(1, "vor 1 Tag"), (3, "vor 3 Tagen")])
def test_days_are_counted_in_the_readers_language(app: Flask, num: int, words: str) -> None:
    assert show(app, "{{ plain.ago(then) }}", then=time.time() - num * 86400 - 9) == words


@pytest.mark.parametrize(("asked", "words"), [("en", "4 Nov 2026, 14:03 UTC"), ("de", "4. Nov. 2026, 14:03 UTC")])
def test_a_date_is_written_as_the_reader_does(app: Flask, asked: str, words: str) -> None:
    assert show(app, "{{ plain.on(1793800980) }}", asked) == words


@pytest.mark.parametrize(("asked", "words"), [("en", "$1,234.50"), ("de", "1.234,50 $")])
def test_money_is_written_as_the_reader_does(app: Flask, asked: str, words: str) -> None:
    assert show(app, "{{ plain.dollars(1234.5) }}", asked).replace("\xa0", " ") == words


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        (0, "$0.00"),
        (12345.678, "$12,345.68"),
        (123.4567, "$123.46"),
        (1.005, "$1.00"),
        (0.99999, "$1.00"),
        (0.1 + 0.2, "$0.30"),
        (0.0125, "$0.0125"),
        (0.123456, "$0.1235"),
        (0.00001, "$0.00001"),
    ],
)
def test_money_is_told_to_the_cent_and_below_a_dollar_in_four_figures(app: Flask, amount: float, words: str) -> None:
    assert show(app, "{{ plain.dollars(amount) }}", "en", amount=amount) == words


def test_a_reason_of_ours_is_told_in_the_readers_language(app: Flask) -> None:
    words = "somebody has set another image on “%s %(x)s” meanwhile; it was left alone"
    told = show(app, "{{ plain.sentence(words) }}", words=words)
    assert told == "Jemand hat inzwischen ein anderes Bild an „%s %(x)s“ gesetzt; es wurde nicht angerührt"


def test_a_state_in_a_sentence_is_translated_too(app: Flask) -> None:
    words = "illustration 5 is in review now: somebody decided first, or the page is old"
    assert "zur Freigabe vorgelegt" in show(app, "{{ plain.told(words) }}", words=words)


def test_a_problem_within_a_problem_is_translated_too(app: Flask) -> None:
    words = "the final picture by flux could not be drawn: flux did not finish the picture within 60 seconds"
    head, _, tail = show(app, "{{ plain.told(words) }}", words=words).partition(": ")
    assert head == "die Reinzeichnung durch flux ist nicht gelungen"
    assert tail == "flux wurde in 60 Sekunden nicht mit dem Bild fertig"


def test_several_outcomes_in_a_row_are_translated_one_by_one(app: Flask) -> None:
    told = show(app, "{{ plain.told('illustration 5 for hero; illustration 6 for social') }}")
    assert told == "Bild 5 für hero; Bild 6 für social"


@pytest.mark.parametrize("words", ["", "Image field is locked (E42)", NASTY, "illustration five for hero"])
def test_what_others_said_stays_as_it_is(app: Flask, words: str) -> None:
    with app.test_request_context(headers={"Accept-Language": "de"}):
        assert said.told(words) == words


@pytest.mark.parametrize(("title", "shown"), [("Wrong subject", "Falsches Motiv"), (NASTY, NASTY), ("", "")])
def test_a_reason_from_a_file_is_translated_where_it_is_ours(app: Flask, title: str, shown: str) -> None:
    with app.test_request_context(headers={"Accept-Language": "de"}):
        assert i18n.known(title) == shown


def test_every_known_sentence_is_recognised_as_itself() -> None:
    filled = [(one, one.words % dict.fromkeys(said.pattern(one.words).groupindex, "7")) for one in said.SAID]
    first = [next(one for one in said.SAID if said.pattern(one.words).fullmatch(words)) for _, words in filled]
    assert first == [one for one, _ in filled]
