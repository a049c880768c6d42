"""The pages about sites: how each stands, what the doctor found, and the end of a pause."""

import re
import time
from typing import Any

from desk.furnish import Web, app
from sqlalchemy import select, update
from world import World

from frontispiece import jobs, pauses, sites, standing, tasks
from frontispiece.house import House
from frontispiece.models import Delivery, Pause, Site, State, Task, TaskState
from frontispiece.standing import Standing

REFUSED = "GET http://127.0.0.1:9/x answered 401"


class Over(Web):
    """The desk over a house that is there already."""

    def __init__(self, house: House) -> None:
        self.house, self.app = house, app(house)


def stands(web: Web, name: str = "gazette") -> Standing:
    with web.house.database.read() as session:
        return standing.every(session, [name])[0]


def came(web: Web, received: float = 1000.0, **fields: Any) -> int:
    row = {"site": "gazette", "key": f"m{received}", "headers": "[]", "body": b"", "outcome": "queued", **fields}
    with web.house.database.write() as session:
        made = Delivery(received=received, **row)
        session.add(made)
        session.flush()
        return made.id


def pause(web: Web, name: str = "gazette", *, over: bool = False) -> None:
    with web.house.database.write() as session:
        pauses.begin(session, pauses.of_site(name), REFUSED)
        if over:
            session.execute(update(Pause).values(until=time.time() - 1))


def doctors(web: Web) -> list[Task]:
    with web.house.database.read() as session:
        return list(session.scalars(select(Task).where(Task.step == "doctor").order_by(Task.id)))


def work(web: Web) -> None:
    """What a worker does."""
    while claim := tasks.take(web.house.database):
        jobs.perform(web.house, claim)


def text(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def row(web: Web, name: str) -> str:
    page = web.browser("lead").get("/sites").text
    return text(page[page.index(f'href="/sites/{name}">') :].partition("</tr>")[0])


def test_a_site_of_which_nothing_came_was_never_heard(web: Web) -> None:
    assert "Never heard none yet none yet" in row(web, "gazette")


def test_a_site_that_sent_a_delivery_is_connected(web: Web) -> None:
    came(web, time.time() - 120)
    assert "Connected 2 min ago" in row(web, "gazette")
    assert "Never heard" in row(web, "shop")


def test_a_site_that_answered_a_look_is_connected(web: Web) -> None:
    sites.look_soon(web.house)
    with web.house.database.write() as session:
        session.execute(update(Site).where(Site.name == "gazette").values(looked=time.time() - 60))
    assert "Connected none yet 1 min ago" in row(web, "gazette")


def test_a_site_that_refuses_our_credentials_is_paused_and_says_why(web: Web) -> None:
    pause(web)
    assert "Paused" in row(web, "gazette")
    page = text(web.browser("lead").get("/sites/gazette").text)
    assert f"UTC: {REFUSED}" in page
    assert "It is tried again in 14 min." in page


def test_a_pause_that_is_over_is_to_be_tried_again(web: Web) -> None:
    pause(web, over=True)
    assert "To be tried again" in row(web, "gazette")


def test_illustrations_are_counted_by_site_and_tab(web: Web) -> None:
    web.illustration(number=0)
    web.illustration(number=1)
    web.illustration(State.FAILED, 2)
    web.illustration(number=3, site="shop")
    assert "none yet 2 0 1 0 0" in row(web, "gazette")


def test_the_last_error_is_the_newest_of_a_delivery_and_an_illustration(web: Web) -> None:
    came(web, 2000.0, outcome="failed", words="the CMS is away")
    web.illustration(State.FAILED, 0, updated=1000.0, reason="older")
    assert (stands(web).trouble or (0, ""))[1] == "the CMS is away"
    web.illustration(State.FAILED, 1, updated=3000.0, reason="newer")
    assert (stands(web).trouble or (0, ""))[1] == "newer"


def test_an_illustration_that_waits_for_money_is_no_error_of_its_site(web: Web) -> None:
    web.illustration(State.HELD, reason="$0.030 more would pass the budget of the day: $2.00 of $2.00 are gone")
    assert stands(web).trouble is None


def test_a_look_that_failed_is_an_error(web: Web) -> None:
    sites.look_soon(web.house)
    with web.house.database.write() as session:
        session.execute(update(Task).values(error="the CMS is away", hinted=5.0))
    assert stands(web).trouble == standing.Trouble(5.0, "the CMS is away")


def test_the_next_look_is_told(web: Web) -> None:
    sites.look_soon(web.house)
    with web.house.database.write() as session:
        session.execute(update(Task).values(due=time.time() + 605))
    assert "next: in 10 min" in text(web.browser("lead").get("/sites/gazette").text)


def test_a_site_lists_its_rules_and_where_its_deliveries_go(web: Web) -> None:
    page = text(web.browser("lead").get("/sites/gazette").text)
    assert "http://127.0.0.1:8460/hooks/gazette" in page
    assert "gazette-hero article: published all hero article/hero sketch an editor" in page
    assert "shop-hero" not in page


def test_a_site_that_is_not_configured_is_not_found(web: Web) -> None:
    browser = web.browser("lead")
    for answer in (browser.get("/sites/blog"), browser.post("/sites/blog/doctor"), browser.post("/sites/blog/try")):
        assert (answer.status_code, "blog" in answer.text) == (404, True)


def test_the_doctor_is_asked_by_a_worker(web: Web) -> None:
    answer = web.browser("lead").post("/sites/gazette/doctor")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/sites/gazette#doctor")
    assert [task.state for task in doctors(web)] == [TaskState.READY]
    assert "a worker is at it" in web.browser("lead").get("/sites/gazette").text


def test_a_second_press_while_one_is_asking_is_refused(web: Web) -> None:
    browser = web.browser("lead")
    browser.post("/sites/gazette/doctor")
    answer = browser.post("/sites/gazette/doctor")
    assert (answer.status_code, "The doctor is asking already" in answer.text) == (409, True)
    assert len(doctors(web)) == 1


def test_another_site_may_be_asked_at_the_same_time(web: Web) -> None:
    browser = web.browser("lead")
    assert [browser.post(f"/sites/{name}/doctor").status_code for name in ("gazette", "shop")] == [303, 303]


def test_what_is_wrong_is_told_and_not_tried_again_by_itself(web: Web) -> None:
    web.browser("lead").post("/sites/gazette/doctor")
    work(web)
    page = text(web.browser("lead").get("/sites/gazette").text)
    assert "Something is wrong." in page
    assert "127.0.0.1:9" in page.partition("Something is wrong.")[2].partition("Ask the doctor")[0]
    assert [task.state for task in doctors(web)] == [TaskState.DEAD]


def test_all_that_the_doctor_finds_is_told(world: World) -> None:
    web = Over(world.house)
    web.browser("lead").post("/sites/gazette/doctor")
    work(web)
    page = text(web.browser("lead").get("/sites/gazette").text)
    assert "All is well." in page
    assert "lists its entries to us" in page
    assert "No delivery has come from it yet" in page


def test_the_doctor_ends_a_pause_when_all_is_well(world: World) -> None:
    web = Over(world.house)
    pause(web)
    web.browser("lead").post("/sites/gazette/doctor")
    work(web)
    assert stands(web).pause is None


def test_the_doctor_leaves_a_pause_while_something_is_wrong(world: World) -> None:
    web = Over(world.house)
    world.paper.locked = True
    pause(web)
    web.browser("lead").post("/sites/gazette/try")
    work(web)
    assert stands(web).pause is not None
    assert "Something is wrong." in web.browser("lead").get("/sites/gazette").text


def test_trying_now_takes_up_what_met_the_pause(world: World) -> None:
    web = Over(world.house)
    world.paper.locked = True
    delivery = world.deliver(world.publish())
    work(web)
    assert stands(web).pause
    world.paper.locked = False
    web.browser("lead").post("/sites/gazette/try")
    work(web)
    assert (stands(web).pause, world.outcome(delivery)[0]) == (None, "queued")


def test_trying_now_leaves_alone_what_waits_for_another_reason(web: Web) -> None:
    pause(web)
    later, one = time.time() + 600, web.illustration(State.APPROVED)
    with web.house.database.write() as session:
        tasks.add(session, "publish", one, due=later)
    web.browser("lead").post("/sites/gazette/try")
    with web.house.database.read() as session:
        assert session.scalar(select(Task.due).where(Task.step == "publish")) == later


def test_a_mistake_of_ours_in_the_doctor_harms_no_illustration(web: Web) -> None:
    one = web.illustration(State.COMPOSING)
    sites.ask_doctor(web.house, "gazette")
    (task,) = doctors(web)
    assert task.subject == one == 1
    with web.house.database.write() as session:
        session.execute(update(Task).values(attempts=99))
    work(web)
    assert (web.one(one).state, doctors(web)[0].state) == (State.COMPOSING, TaskState.DEAD)


def test_what_a_cms_says_is_never_run_as_html(web: Web) -> None:
    sites.ask_doctor(web.house, "gazette")
    with web.house.database.write() as session:
        session.execute(update(Task).values(state=TaskState.DEAD, error="one\n<script>alert(1)</script>"))
    page = web.browser("lead").get("/sites/gazette").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_while_the_doctor_asks_the_page_looks_again_by_itself(web: Web) -> None:
    sites.ask_doctor(web.house, "gazette")
    part = web.browser("lead").get("/sites/gazette", headers={"HX-Request": "true"}).text
    assert 'hx-trigger="every 2s"' in part
    assert "<html" not in part
