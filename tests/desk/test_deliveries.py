"""The log of deliveries: outcomes in words, filters, what a person may see of one, and having it read again."""

import json
import time
from typing import Any

import pytest
from desk.furnish import SECRET, Browser, Web
from sqlalchemy import select, update
from world import World

from frontispiece import planning, records
from frontispiece.errors import Problem
from frontispiece.models import Delivery, State, Task, TaskState
from frontispiece.web.lead import arrivals

POOR = "$0.030 more would pass the budget of the day: $2.00 of $2.00 are gone"
BODY = {"type": "entry.published", "timestamp": "2026-11-21T10:00:00Z", "data": {"id": "posts/1"}}


def came(web: Web, outcome: str = "queued", words: str = "", number: int = 1, **fields: Any) -> int:
    row = {"site": "gazette", "key": f"msg_{number}", "received": time.time() - number, **fields}
    row = {"headers": json.dumps([["host", "x"]]), "body": json.dumps(BODY).encode(), **row}
    with web.house.database.write() as session:
        made = Delivery(outcome=outcome, words=words, **row)
        session.add(made)
        session.flush()
        return made.id


def listed(page: str) -> list[str]:
    """The keys in a page of the log, from the top."""
    return [part.partition('"')[0] for part in page.split('title="msg_')[1:]]


def after(browser: Browser, number: int) -> str:
    page = browser.get(f"/deliveries/{number}").text
    return page.partition('name="after" value="')[2].partition('"')[0]


def plans(web: Web) -> list[TaskState]:
    with web.house.database.read() as session:
        return list(session.scalars(select(Task.state).where(Task.step == "plan")))


@pytest.mark.parametrize(
    ("outcome", "words", "said"),
    [
        ("received", "", "Waiting to be read"),
        ("queued", "illustration 99 for hero", "Queued"),
        ("coalesced", "illustration 1 is published already", "Coalesced"),
        ("echo", "the image it has is our own", "Echo"),
        ("skipped", "it has an image already", "Has an image"),
        ("skipped", "pictures are switched off for this entry", "Opted out"),
        ("skipped", "it is tagged no-image", "Opted out"),
        ("skipped", "it is no article; it has an image already", "Has an image"),
        ("skipped", "it is no article", "Skipped"),
        ("ignored", "not for us", "Ignored"),
        ("unreadable", "this is no JSON", "Unreadable"),
        ("failed", "the CMS is away", "Failed"),
    ],
)
def test_each_outcome_is_told_in_words(web: Web, outcome: str, words: str, said: str) -> None:
    number = came(web, outcome, words)
    browser = web.browser("lead")
    assert f">{said}</span>" in browser.get("/deliveries").text
    assert f">{said}</span>" in browser.get(f"/deliveries/{number}").text


def test_a_delivery_whose_picture_waits_for_money_is_over_budget(web: Web) -> None:
    one = web.illustration(State.HELD, reason=POOR)
    came(web, "queued", f"illustration {one} for hero")
    assert ">Over budget</span>" in web.browser("lead").get("/deliveries").text


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("over-budget", ["1", "2"]),
        ("opted-out", ["4"]),
        ("has-image", ["5"]),
        ("echo", ["6"]),
        ("queued", ["1", "2", "3"]),
    ],
)
def test_the_log_can_be_limited_to_an_outcome(web: Web, wanted: str, found: list[str]) -> None:
    poor, rich = web.illustration(State.HELD, 0, reason=POOR), web.illustration(State.HELD, 1, reason="a conflict")
    with web.house.database.write() as session:
        twin = records.illustration(session, poor)
        other = type(twin)(entry_id=twin.entry_id, rule=twin.rule, slot="social", state=State.HELD, reason=POOR)
        session.add(other)
        session.flush()
        both = f"illustration {poor} for hero; illustration {other.id} for social"
    came(web, "queued", f"illustration {poor} for hero", 1)
    came(web, "queued", both, 2)
    came(web, "queued", f"illustration {rich} for hero", 3)
    came(web, "skipped", "pictures are switched off for this entry", 4)
    came(web, "skipped", "it has an image already", 5)
    came(web, "echo", "the image it has is our own", 6)
    assert listed(web.browser("lead").get(f"/deliveries?outcome={wanted}").text) == found


def test_the_log_can_be_limited_to_a_site(web: Web) -> None:
    came(web, number=1)
    came(web, number=2, site="shop")
    assert listed(web.browser("lead").get("/deliveries?site=shop").text) == ["2"]


def test_the_log_can_be_limited_to_some_days(web: Web) -> None:
    for number, day in enumerate((1793491200, 1793577600, 1793664000 - 1, 1793664000), 1):  # midnights in Nov 2026
        came(web, number=number, received=float(day))
    page = web.browser("lead").get("/deliveries?since=2026-11-02&until=2026-11-02").text
    assert listed(page) == ["3", "2"]


def test_days_that_are_none_are_told_and_kept_as_typed(web: Web) -> None:
    answer = web.browser("lead").get("/deliveries?since=2026-02-30")
    assert (answer.status_code, 'value="2026-02-30"' in answer.text) == (400, True)


@pytest.mark.parametrize(("sought", "found"), [("msg_2", ["2"]), ("_", ["3", "2", "10"]), ("%", []), ("SG_1", ["10"])])
def test_a_delivery_is_found_by_a_part_of_its_key(web: Web, sought: str, found: list[str]) -> None:
    for number in (10, 2, 3):
        came(web, number=number, received=100.0 + (20 - number if number == 10 else number * 10))
    assert listed(web.browser("lead").get("/deliveries", query_string={"q": sought}).text) == found


def test_an_outcome_or_a_page_that_there_is_not_is_not_found(web: Web) -> None:
    browser = web.browser("lead")
    for query in ("outcome=lost", "after=x", "after=1-2-3", "after=1e9-1"):
        assert browser.get(f"/deliveries?{query}").status_code == 404


def test_all_pages_of_the_log_together_show_each_delivery_once(web: Web) -> None:
    for number in range(103):
        came(web, number=number, received=1000.5 + number // 3)
    browser, found, address = web.browser("lead"), list[str](), "/deliveries?outcome=queued"
    while address:
        page = browser.get(address).text
        found += listed(page)
        address = page.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")
    assert (len(found), len({*found})) == (103, 103)


def test_a_delivery_links_the_illustrations_that_came_of_it(web: Web) -> None:
    one = web.illustration(State.PUBLISHED)
    number = came(web, "queued", f"illustration {one} for hero")
    browser = web.browser("lead")
    for path in ("/deliveries", f"/deliveries/{number}"):
        assert f'href="/desk/{one}">The last keeper of Skerry Light' in browser.get(path).text


def test_a_number_in_somebody_elses_words_is_no_link(web: Web) -> None:
    one = web.illustration()
    came(web, "unreadable", f"this is no JSON: illustration {one} for hero")
    assert f'href="/desk/{one}"' not in web.browser("lead").get("/deliveries").text


def test_the_log_asks_the_database_no_more_for_many_than_for_one(web: Web) -> None:
    def queries() -> int:
        browser, asked = web.browser("lead"), []
        listen = ("before_cursor_execute", lambda *sent: asked.append(sent[2]))
        event.listen(web.house.database.engine, *listen)
        browser.get("/deliveries")
        event.remove(web.house.database.engine, *listen)
        return len([one for one in asked if "SELECT" in one])

    from sqlalchemy import event

    came(web, "queued", f"illustration {web.illustration()} for hero")
    one = queries()
    for number in range(2, 30):
        came(web, "queued", f"illustration {web.illustration(number=number)} for hero", number)
    assert queries() == one


def test_events_are_told_as_the_adapter_reads_them(web: Web) -> None:
    page = web.browser("lead").get(f"/deliveries/{came(web)}").text
    assert "<li>published: <code>posts/1</code></li>" in page


def test_a_delivery_that_nobody_can_read_says_why(web: Web) -> None:
    answer = web.browser("lead").get(f"/deliveries/{came(web, 'unreadable', body=b'{{')}")
    assert (answer.status_code, "JSON" in answer.text) == (200, True)


def test_a_delivery_of_a_site_that_is_gone_is_shown_all_the_same(web: Web) -> None:
    answer = web.browser("lead").get(f"/deliveries/{came(web, site='blog')}")
    assert (answer.status_code, "not in the configuration" in answer.text) == (200, True)


def test_a_delivery_that_there_is_not_is_not_found(web: Web) -> None:
    browser = web.browser("lead")
    assert browser.get("/deliveries/7").status_code == 404
    assert browser.post("/deliveries/7/replay", after="0").status_code == 404


def test_secrets_of_the_site_are_masked_wherever_they_stand(web: Web) -> None:
    body = json.dumps({**BODY, "proof": SECRET}).encode()
    number = came(web, headers=json.dumps([["x-odd", f"<{SECRET}>"]]), body=body)
    page = web.browser("lead").get(f"/deliveries/{number}").text
    assert SECRET not in page
    assert page.count(arrivals.MASK) == 2


def test_markup_in_a_delivery_is_never_run(web: Web) -> None:
    script = "<script>alert(1)</script>"
    number = came(web, "unreadable", script, key=f"msg_{script}", body=script.encode())
    browser = web.browser("lead")
    assert "<script>alert" not in browser.get("/deliveries").text + browser.get(f"/deliveries/{number}").text


def test_a_replay_has_the_delivery_read_once_more(web: Web) -> None:
    number, browser = came(web, "unreadable", "this is no JSON"), web.browser("lead")
    answer = browser.post(f"/deliveries/{number}/replay", after=after(browser, number))
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/deliveries/{number}")
    assert plans(web) == [TaskState.READY]
    assert "Waiting to be read" in browser.get(f"/deliveries/{number}").text


def test_a_double_click_replays_once(web: Web) -> None:
    number, browser = came(web), web.browser("lead")
    seen = after(browser, number)
    for _ in range(2):
        assert browser.post(f"/deliveries/{number}/replay", after=seen).status_code == 303
        with web.house.database.write() as session:  # a worker was quick
            session.execute(update(Task).values(state=TaskState.DONE))
    assert plans(web) == [TaskState.DONE]


def test_a_replay_from_a_page_that_was_loaded_later_is_another_one(web: Web) -> None:
    number, browser = came(web), web.browser("lead")
    for _ in range(2):
        browser.post(f"/deliveries/{number}/replay", after=after(browser, number))
        with web.house.database.write() as session:
            session.execute(update(Task).values(state=TaskState.DONE))
    assert len(plans(web)) == 2


def test_a_replay_without_the_number_of_its_page_is_refused(web: Web) -> None:
    number = came(web)
    for sent in ("", "x", "-1", "9" * 40):
        assert web.browser("lead").post(f"/deliveries/{number}/replay", after=sent).status_code == 400
    assert plans(web) == []


def test_what_was_forgotten_cannot_be_replayed(web: Web) -> None:
    number, browser = came(web, body=b"", headers="[]"), web.browser("lead")
    assert "cannot be replayed" in browser.get(f"/deliveries/{number}").text
    answer = browser.post(f"/deliveries/{number}/replay", after="0")
    assert (answer.status_code, "forgotten" in answer.text, plans(web)) == (409, True, [])


def test_the_command_replays_by_the_same_function(web: Web) -> None:
    number = came(web, "failed", "the CMS is away")
    assert planning.again(web.house, number)
    assert plans(web) == [TaskState.READY]
    with pytest.raises(Problem, match="there is no delivery 99"):
        planning.again(web.house, 99)


def test_a_replayed_delivery_comes_to_what_it_would_now(world: World) -> None:
    delivery = world.deliver(world.publish())
    world.draw()
    planning.again(world.house, delivery)
    world.run()
    assert world.outcome(delivery) == ("coalesced", "illustration 1 is in review already")
