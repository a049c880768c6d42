"""What the board tells a lead: which decisions, pictures and costs count, for which days; and its files."""

import re
import time
from datetime import UTC, datetime

import pytest
from desk.furnish import Web
from desk.leading import TEMPLATE, add, drawn, rows, say
from sqlalchemy import update

from frontispiece import figures
from frontispiece.figures import EVER, Cost, Period, Rate, Reason, Verdict
from frontispiece.models import Publication, Render, State
from frontispiece.tables import Budget
from frontispiece.web.lead.period import lasted

DAY = 86_400.0


def verdicts(web: Web, period: Period = EVER) -> list[Verdict]:
    with web.house.database.read() as session:
        return figures.verdicts(session, period)


def number(page: str, what: str) -> str:
    found = re.search(rf"<dt>{what}</dt><dd>(?:<a[^>]*>)?([^<]*)", page)
    assert found, page
    return found[1]


def test_a_picture_counts_as_approved_for_its_model_and_template_version(web: Web) -> None:
    one = drawn(web, model="flux-2-pro")
    say(web, one, "approve", web.candidate(one))
    assert verdicts(web) == [Verdict(TEMPLATE, "flux-2-pro", 1, 1)]


def test_of_several_pictures_the_chosen_one_alone_is_approved(web: Web) -> None:
    one = drawn(web, candidates=3)
    say(web, one, "approve", web.candidate(one))
    assert verdicts(web) == [Verdict(TEMPLATE, "sketch", 3, 1)]


def test_an_order_for_another_picture_judges_the_one_that_was_there(web: Web) -> None:
    one = drawn(web)
    say(web, one, "regenerate")
    assert verdicts(web) == [Verdict(TEMPLATE, "sketch", 1, 0)]


def test_a_picture_that_came_after_the_decision_is_not_judged(web: Web) -> None:
    say(web, drawn(web), "regenerate", at=time.time() - 60)
    assert verdicts(web) == []


def test_a_picture_counts_once_however_often_it_was_judged(web: Web) -> None:
    one = drawn(web)
    say(web, one, "reject")
    say(web, one, "approve", web.candidate(one))
    assert verdicts(web) == [Verdict(TEMPLATE, "sketch", 1, 1)]


def test_a_decision_that_was_taken_back_does_not_count(web: Web) -> None:
    one = drawn(web)
    say(web, one, "approve", web.candidate(one), undone=time.time())
    assert verdicts(web) == []


def test_what_a_rule_approves_by_itself_says_nothing(web: Web) -> None:
    one = drawn(web)
    say(web, one, "approve", web.candidate(one), by="rule gazette-hero")
    assert verdicts(web) == []


def test_the_approval_of_a_draft_counts_for_the_model_that_drew_the_draft(web: Web) -> None:
    one = drawn(web, model="flux-2-klein-4b")
    draft = web.candidate(one)
    final = Render(illustration_id=one, model="flux-2-max", prompt="", seed=1, width=1, height=1, state="done")
    final.final, final.created = True, time.time() - 5
    add(web, final)
    say(web, one, "approve", draft)
    assert verdicts(web) == [Verdict(TEMPLATE, "flux-2-klein-4b", 1, 1)]


def test_a_render_that_failed_is_not_judged(web: Web) -> None:
    one = drawn(web, state="failed")
    say(web, one, "reject")
    assert verdicts(web) == []


def test_what_was_decided_in_another_period_does_not_count_in_this_one(web: Web) -> None:
    one = drawn(web, created=100.0)
    say(web, one, "reject", at=1000.0)
    assert (verdicts(web, Period(0, 1000)), len(verdicts(web, Period(1000, 1001)))) == ([], 1)


def test_verdicts_add_up_by_whatever_is_asked_for() -> None:
    found = [Verdict("a", "x", 2, 1), Verdict("a", "y", 6, 1), Verdict("b", "x", 1, 0)]
    assert figures.rates(found, lambda one: one.template) == {"a": Rate(8, 2), "b": Rate(1, 0)}


def test_a_rate_of_nothing_is_no_rate() -> None:
    assert (Rate(0, 0).share, Rate(4, 1).share) == (None, 0.25)


def test_a_reason_counts_each_time_it_was_picked_and_whether_a_picture_was_approved_after_it(web: Web) -> None:
    one, other = drawn(web), drawn(web, 1)
    say(web, one, "regenerate", chips=["crop", "brand"])
    say(web, one, "approve", web.candidate(one))
    say(web, other, "reject", chips=["crop"])
    with web.house.database.read() as session:
        assert figures.reasons(session, EVER) == [Reason("crop", 2, 1), Reason("brand", 1, 1)]


def test_costs_are_told_by_site_rule_and_model_with_what_is_only_reserved(web: Web) -> None:
    drawn(web, cost=None, reserved=0.5)
    drawn(web, 1, candidates=2, cost=0.25)
    with web.house.database.read() as session:
        found = figures.costs(session, EVER)
    assert found == [Cost("gazette", "gazette-hero", "sketch", 3, 1.0)]


def test_the_wait_is_measured_to_the_first_publication(web: Web) -> None:
    one = web.illustration(State.PUBLISHED, created=1000.0)
    with web.house.database.write() as session:
        session.execute(update(Publication).values(finished=1060.0))
        session.add(Publication(illustration_id=one, candidate_id=1, site="gazette", name="x", finished=9000.0))
    with web.house.database.read() as session:
        assert figures.waits(session, EVER, 0.9) == [60.0]


def test_half_of_the_waits_lie_within_the_median(web: Web) -> None:
    for at, seconds in enumerate((10.0, 20.0, 30.0, 40.0)):
        one = web.illustration(State.PUBLISHED, at, created=1000.0)
        with web.house.database.write() as session:
            mine = Publication.illustration_id == one
            session.execute(update(Publication).where(mine).values(finished=1000.0 + seconds))
    with web.house.database.read() as session:
        assert figures.waits(session, EVER, 0.5, 0.9) == [20.0, 40.0]


def test_the_board_says_what_waits_and_what_was_decided_today(web: Web) -> None:
    web.illustration(number=0)
    web.illustration(State.PUBLISHED, 1)
    say(web, web.illustration(State.REJECTED, 2), "reject")
    say(web, web.illustration(State.REJECTED, 3), "reject", at=time.time() - DAY)
    page = web.browser("lead").get("/board").text
    assert (number(page, "Waiting now"), number(page, "Decided today")) == ("1", "2")


def test_the_board_holds_the_money_of_the_day_against_its_cap(web: Web) -> None:
    caps = web.house.settings.model_copy(update={"budget": Budget(day=2.0)})
    web.house.settings = caps
    drawn(web, cost=0.5)
    page = web.browser("lead").get("/board").text
    assert number(page, "Spent: Today") == "$0.50"
    assert 'class="part" width="25.0"' in page
    assert "of $2.00" in page
    assert "no cap is set" in page  # for the month


def test_a_board_without_anything_is_a_page_as_well(web: Web) -> None:
    answer = web.browser("lead").get("/board")
    assert answer.status_code == 200
    assert "Nothing was judged in this time." in answer.text


def test_a_rate_of_few_pictures_is_marked_as_such(web: Web) -> None:
    one = drawn(web)
    say(web, one, "approve", web.candidate(one))
    assert 'class="few"' in web.browser("lead").get("/board").text


def test_a_reason_is_told_in_its_own_words(web: Web) -> None:
    say(web, drawn(web), "reject", chips=["subject", "gone-by-now"])
    page = web.browser("lead").get("/board").text
    assert ">Wrong subject<" in page
    assert ">gone-by-now<" in page


@pytest.mark.parametrize(
    ("since", "until"),
    [("2026-13-01", "2026-11-01"), ("", "2026-11-01"), ("2026-11-02", "2026-11-01"), ("0001-01-01", "9999-12-31")],
)
def test_days_that_are_none_are_told_and_kept_as_typed(web: Web, since: str, until: str) -> None:
    answer = web.browser("lead").get(f"/board?period=dates&since={since}&until={until}")
    assert answer.status_code == 400
    assert "year-month-day" in answer.text
    assert f'name="until" type="date" value="{until}"' in answer.text


def test_the_last_day_of_a_period_counts_to_its_end(web: Web) -> None:
    last = datetime(2026, 11, 2, 23, 59, 59, tzinfo=UTC).timestamp()
    say(web, drawn(web, created=1.0), "reject", at=last)
    text = web.browser("lead").get("/board/models.csv?period=dates&since=2026-11-01&until=2026-11-02").text
    assert rows(text)[1:] == [["sketch", "1", "0", "0.0"]]


def test_a_file_for_days_that_are_none_is_refused(web: Web) -> None:
    assert web.browser("lead").get("/board/models.csv?period=dates&since=x&until=y").status_code == 400


def test_there_is_no_file_of_a_table_that_does_not_exist(web: Web) -> None:
    assert web.browser("lead").get("/board/passwords.csv").status_code == 404


def test_the_board_asks_the_database_no_more_for_many_than_for_one(web: Web) -> None:
    drawn(web)
    one = queries(web)
    for at in range(1, 8):
        say(web, drawn(web, at, model=f"m{at}"), "reject", chips=["crop"])
    assert queries(web) == one


def queries(web: Web) -> int:
    from sqlalchemy import event

    browser, asked = web.browser("lead"), []
    listen = ("before_cursor_execute", lambda *sent: asked.append(sent[2]))
    event.listen(web.house.database.engine, *listen)
    browser.get("/board")
    event.remove(web.house.database.engine, *listen)
    return len([one for one in asked if "SELECT" in one])


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (59.4, "59 s"), (61, "1 min 1 s"), (3600, "1 h"), (90_000, "1 d 1 h"), (86_460, "1 d")],
)
def test_a_length_of_time_is_told_in_its_two_largest_units(seconds: float, words: str) -> None:
    assert lasted(seconds) == words
