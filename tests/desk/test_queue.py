"""The queue without JavaScript: what is found, in which order, how many; and saved views."""

import re
from urllib.parse import urlencode

import pytest
from desk.furnish import Web, entry
from sqlalchemy import event, select, update

from frontispiece import pauses, review
from frontispiece.models import Candidate, Illustration, SavedView, State

DAY = 86_400.0


def ids(text: str) -> list[int]:
    return [int(found) for found in re.findall(r'id="i(\d+)"', text)]


def asked(web: Web, **query: str) -> list[int]:
    """Which illustrations the queue shows, to an editor."""
    answer = web.browser().get(f"/desk?{urlencode(query)}")
    assert answer.status_code == 200
    return ids(answer.text)


def counts(text: str) -> list[int]:
    return [int(found) for found in re.findall(r'class="count[^"]*">(\d+)<', text)]


def test_the_tabs_say_how_many_there_are_in_each(web: Web) -> None:
    for state in State:
        web.illustration(state, list(State).index(state))
    assert counts(web.browser().get("/desk").text) == [1, 3, 2, 3, 3]


@pytest.mark.parametrize("tab", ["waiting", "drawing", "attention", "published", "closed"])
def test_an_empty_tab_is_a_page_as_well(web: Web, tab: str) -> None:
    answer = web.browser().get(f"/desk?tab={tab}")
    assert answer.status_code == 200
    assert 'class="empty"' in answer.text


def test_the_queue_shows_the_last_moved_first(web: Web) -> None:
    for number in range(3):
        web.illustration(number=number, updated=1000.0 + number)
    assert asked(web) == [3, 2, 1]


def test_the_queue_can_be_turned_round(web: Web) -> None:
    for number in range(3):
        web.illustration(number=number, updated=1000.0 + number)
    assert asked(web, sort="oldest") == [1, 2, 3]


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ({"site": "shop"}, [2]),
        ({"section": "Far away"}, [4]),
        ({"kind": "product"}, [3]),
        ({"rule": "shop-hero"}, [2]),
        ({"age": "older:3d"}, [1]),
        ({"age": "newer:3d"}, [4, 3, 2]),
        ({"assignee": "me"}, [2]),
        ({"assignee": "nobody"}, [4, 1]),
        ({"assignee": "somebody"}, [3, 2]),
        ({"assignee": "Kim"}, [3]),
        ({"assignee": "somebody", "site": "gazette"}, [3]),
        ({"reason": "NO CREDIT"}, [4]),
        ({"q": "ROTKAPPCHEN"}, [1]),
        ({"q": "wolf und rotkäppchen"}, [1]),
        ({"q": "wolf lamp"}, []),
        ({"q": "posts/3"}, [3]),
        ({"q": "100%"}, [3]),
        ({"q": "_"}, []),
    ],
)
def test_a_filter_shows_those_that_it_fits(web: Web, query: dict[str, str], shown: list[int]) -> None:
    now = web.one(web.illustration(number=1, told=entry(1, title="Rotkäppchen und der Wolf"))).updated
    web.illustration(number=2, site="shop", assignee="Jo Editor")
    web.illustration(number=3, told=entry(3, kind="product", title="A lamp, 100% wool"), assignee="Kim")
    web.illustration(number=4, told=entry(4, section="Far away"), reason="there is no credit left")
    with web.house.database.write() as session:
        for number in range(1, 5):
            moved = update(Illustration).where(Illustration.id == number)
            session.execute(moved.values(updated=now + number - (7 * DAY if number == 1 else 0)))
            session.execute(update(Illustration).where(Illustration.id == number).values(updated=Illustration.updated))
    assert asked(web, **query) == shown


def test_a_rejection_is_found_by_the_reason_that_was_picked(web: Web) -> None:
    numbers = [web.illustration(number=number) for number in range(3)]
    review.reject(web.house, numbers[0], "Jo Editor", chips=["brand"])
    review.reject(web.house, numbers[1], "Jo Editor", chips=["crop"])
    assert asked(web, tab="closed", chip="brand") == [numbers[0]]


def test_the_counts_on_the_tabs_are_those_of_what_is_filtered(web: Web) -> None:
    web.illustration(number=1)
    web.illustration(number=2, site="shop")
    web.illustration(State.FAILED, 3, site="shop")
    assert counts(web.browser().get("/desk?site=shop").text) == [1, 0, 1, 0, 0]


def test_a_link_to_an_illustration_keeps_the_filters(web: Web) -> None:
    number = web.illustration()
    text = web.browser().get("/desk?section=City&sort=oldest&site=gazette&q=keeper").text
    assert f'href="/desk/{number}?site=gazette&amp;section=City&amp;q=keeper&amp;sort=oldest"' in text


@pytest.mark.parametrize("query", ["tab=nonsense", "sort=up", "age=yesterday", "age=older:9d%0A"])
def test_a_filter_that_is_none_is_refused_in_words(web: Web, query: str) -> None:
    answer = web.browser().get(f"/desk?{query}")
    assert answer.status_code == (200 if "%0A" in query else 400)
    assert "Traceback" not in answer.text


@pytest.mark.parametrize("after", ["1e9-x", "nan-1", "-", "1-99999999999", "1" * 400])
def test_a_page_of_the_queue_that_is_none_is_404(web: Web, after: str) -> None:
    assert web.browser().get(f"/desk?after={after}").status_code == 404


@pytest.mark.parametrize("value", ["%00", "%ff", "%ed%a0%80", "x" * 5000, "'", "%25", "\\", "{{7*7}}"])
@pytest.mark.parametrize("name", ["site", "section", "kind", "rule", "assignee", "chip", "reason", "q", "rows", "part"])
def test_whatever_is_looked_for_is_no_mistake_of_ours(web: Web, name: str, value: str) -> None:
    assert web.browser().get(f"/desk?{name}={value}").status_code == 200


@pytest.mark.parametrize(("sort", "order"), [("newest", -1), ("oldest", 1)])
def test_pages_of_the_queue_leave_nothing_out_and_show_nothing_twice(web: Web, sort: str, order: int) -> None:
    for number in range(60):
        web.illustration(number=number, candidates=0, updated=1_700_000_000.1234567 + number // 5)
    browser, seen, path = web.browser(), [], f"/desk?sort={sort}"
    while path:
        text = browser.get(path).text
        seen += ids(text)
        more = re.search(r'rel="next" href="([^"]+)"', text)
        path = more[1].replace("&amp;", "&") if more else ""
    assert seen == list(range(1, 61))[::order]


def test_one_more_page_brings_tiles_and_nothing_else(web: Web) -> None:
    for number in range(30):
        web.illustration(number=number, candidates=0, updated=1000.0 + number)
    text = web.browser().get("/desk?part=tiles&after=1006.0-7").text
    assert text.lstrip().startswith("<li")
    assert ids(text) == [6, 5, 4, 3, 2, 1]


def test_a_refresh_brings_as_many_tiles_as_the_page_has(web: Web) -> None:
    for number in range(60):
        web.illustration(number=number, candidates=0)
    browser = web.browser()
    for rows, brought in (("", 24), ("24", 24), ("25", 48), ("60", 60), ("99999", 60), ("-1", 24)):
        assert len(ids(browser.get(f"/desk?part=live&rows={rows}").text)) == brought


def test_sixty_rows_cost_no_more_queries_than_three(web: Web) -> None:
    statements: list[str] = []
    event.listen(web.house.database.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    browser, costs = web.browser(), []
    for rows in (range(3), range(3, 63)):
        for number in rows:
            web.illustration(number=number, candidates=2)
        statements.clear()
        browser.get("/desk?part=live&rows=60")
        costs.append(len(statements))
    assert costs[0] == costs[1] < 12


def test_ten_saved_views_cost_no_more_queries_than_one(web: Web) -> None:
    statements: list[str] = []
    event.listen(web.house.database.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    browser, costs = web.browser(), []
    for views in (range(1), range(1, 10)):
        for number in views:
            browser.post(f"/desk/views?q=word{number}", name=f"View {number}")
        statements.clear()
        browser.get("/desk")
        costs.append(len(statements))
    assert costs[0] == costs[1]


def test_a_tile_has_the_size_and_the_colour_of_its_picture(web: Web) -> None:
    number = web.illustration()
    with web.house.database.write() as session:
        session.execute(update(Candidate).values(width=1200, height=1500, colour="#20517a"))
    text = web.browser().get("/desk").text
    assert f'src="/media/{web.candidate(number)}?width=480"' in text
    assert 'width="1200" height="1500" alt=""' in text
    assert 'viewBox="0 0 1200 1500"><rect width="100%" height="100%" fill="#20517a"/>' in text


def test_a_tile_shows_the_chosen_picture_and_how_many_there_are(web: Web) -> None:
    number = web.illustration(candidates=3)
    first = web.candidate(number) - 2
    with web.house.database.write() as session:
        session.execute(update(Illustration).values(chosen_id=first))
    text = web.browser().get("/desk").text
    assert f'src="/media/{first}?width=480"' in text
    assert "3 pictures" in text


def test_a_paused_service_is_told_above_the_queue(web: Web) -> None:
    with web.house.database.write() as session:
        pauses.begin(session, "bfl", "the account has no credit left")
    assert "bfl is paused" in web.browser().get("/desk").text


def test_a_viewer_can_choose_nothing(web: Web) -> None:
    web.illustration()
    text = web.browser("viewer").get("/desk").text
    assert 'name="pick"' not in text
    assert 'id="bulk"' not in text


def test_a_saved_view_is_its_filters_under_a_name_with_their_count(web: Web) -> None:
    web.illustration(number=1)
    web.illustration(number=2, site="shop")
    browser = web.browser()
    answer = browser.post("/desk/views?site=shop&sort=oldest", name="The shop <b>")
    assert answer.headers["Location"] == "/desk?site=shop&sort=oldest"
    text = browser.get("/desk").text
    assert re.search(
        r'<a href="/desk\?site=shop&amp;sort=oldest">The shop &lt;b&gt; <span class="count">1</span>', text
    )


def test_what_is_decided_is_not_counted_for_a_saved_view(web: Web) -> None:
    browser = web.browser()
    browser.post("/desk/views?tab=published", name="Out")
    assert '<a href="/desk?tab=published">Out</a>' in browser.get("/desk").text


def test_the_same_name_again_is_the_same_view(web: Web) -> None:
    browser = web.browser()
    for site in ("shop", "gazette"):
        browser.post(f"/desk/views?site={site}", name="Mine")
    with web.house.database.read() as session:
        assert session.scalars(select(SavedView.query)).all() == ["site=gazette"]


def test_a_saved_view_is_its_owners_alone(web: Web) -> None:
    web.browser().post("/desk/views?site=shop", name="Mine")
    other = web.browser("lead")
    assert "Mine" not in other.get("/desk").text
    other.post("/desk/views/1/delete")
    assert "Mine" in web.browser().get("/desk").text


def test_a_saved_view_can_be_deleted_twice(web: Web) -> None:
    browser = web.browser()
    browser.post("/desk/views?site=shop", name="Mine")
    answers = [browser.post("/desk/views/1/delete?site=shop") for _ in range(2)]
    assert [answer.headers["Location"] for answer in answers] == ["/desk?site=shop"] * 2
    assert "Mine" not in browser.get("/desk").text


@pytest.mark.parametrize(
    ("name", "words"), [("", "Give the view a name."), ("x" * 81, "80 are the most"), ("\x00", "")]
)
def test_a_view_without_a_proper_name_is_refused_in_words(web: Web, name: str, words: str) -> None:
    answer = web.browser().post("/desk/views", name=name)
    assert answer.status_code == 400
    assert words in answer.text


def test_nobody_has_more_views_than_a_page_can_show(web: Web) -> None:
    browser = web.browser()
    answers = [browser.post("/desk/views?q=x", name=f"View {number}").status_code for number in range(31)]
    assert answers == [303] * 30 + [400]


def test_a_box_that_a_link_asks_for_is_ticked(web: Web) -> None:
    web.illustration()
    assert web.browser().get("/desk?all=1").text.count('form="bulk" checked>') == 1
