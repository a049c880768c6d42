"""`/api/v1`: sites, deliveries and the board for programs whose tokens have the scope manage."""

import json
from typing import Any

import pytest
from desk.furnish import SECRET, Web
from sqlalchemy import select

from frontispiece import pauses
from frontispiece.models import Delivery, State, Task


def get(web: Web, path: str, site: str = "", status: int = 200) -> Any:
    answer = web.app.test_client().get(f"/api/v1{path}", headers=web.token("manage", site, name=f"{path} {site}"))
    assert answer.status_code == status
    return answer.get_json()


def delivery(web: Web, site: str = "gazette", key: str = "1", **fields: Any) -> int:
    headers = [["Webhook-Id", key], ["Webhook-Signature", "v1,abc"]]
    with web.house.database.write() as session:
        row = Delivery(site=site, key=key, received=1_000_000_000.0, headers=json.dumps(headers), body=b'{"a": 1}')
        row.outcome, row.words = "ignored", "no rule listens to deleted at gazette"
        for name, value in fields.items():
            setattr(row, name, value)
        session.add(row)
        session.flush()
        return row.id


def test_sites_tell_how_they_stand(web: Web) -> None:
    web.illustration(State.FAILED, reason="the paint ran out")
    delivery(web)
    with web.house.database.write() as session:
        pauses.begin(session, pauses.of_site("gazette"), "the password is not accepted")
    gazette, shop = get(web, "/sites")["sites"]
    assert (gazette["paused"]["words"], gazette["trouble"]) == ("the password is not accepted", "the paint ran out")
    assert (gazette["delivery"], gazette["illustrations"]) == ("2001-09-09T01:46:40Z", {"failed": 1})
    assert (shop["name"], shop["paused"], shop["delivery"], shop["plugin"]) == ("shop", None, None, "generic")


def test_deliveries_are_listed_by_site_and_outcome_in_pages(web: Web) -> None:
    first, second = delivery(web, key="1"), delivery(web, key="2")
    other = delivery(web, "shop", key="3", outcome="failed", words="")
    listed = {
        query: [one["id"] for one in get(web, f"/deliveries?{query}")["deliveries"]]
        for query in ("", "site=shop", "outcome=failed", "outcome=ignored&limit=1", f"before={second}", "outcome=echo")
    }
    assert list(listed.values()) == [[other, second, first], [other], [other], [second], [first], []]


def test_a_delivery_is_told_without_its_secrets(web: Web) -> None:
    number = delivery(web, body=json.dumps({"secret": SECRET}).encode())
    told = get(web, f"/deliveries/{number}")
    assert told["headers"][1] == {"name": "Webhook-Signature", "value": "•••••"}
    assert (SECRET in json.dumps(told), "•••••" in told["body"]) == (False, True)


def test_a_replay_has_a_delivery_planned_once_more(web: Web) -> None:
    number = delivery(web)
    answer = web.app.test_client().post(f"/api/v1/deliveries/{number}/replay", headers=web.token("manage"))
    assert (answer.status_code, answer.get_json()["outcome"]) == (200, "received")
    with web.house.database.read() as session:
        assert [(task.step, task.subject) for task in session.scalars(select(Task))] == [("plan", number)]


def test_a_delivery_whose_bytes_are_forgotten_cannot_be_replayed(web: Web) -> None:
    number = delivery(web, headers="[]", body=b"")
    answer = web.app.test_client().post(f"/api/v1/deliveries/{number}/replay", headers=web.token("manage"))
    assert (answer.status_code, "forgotten" in answer.get_json()["error"]) == (400, True)


def test_a_token_of_one_site_sees_that_site_only(web: Web) -> None:
    number, mine = delivery(web), delivery(web, "shop")
    assert [one["name"] for one in get(web, "/sites", "shop")["sites"]] == ["shop"]
    assert [one["id"] for one in get(web, "/deliveries", "shop")["deliveries"]] == [mine]
    get(web, "/deliveries?site=gazette", "shop", 404)
    get(web, f"/deliveries/{number}", "shop", 404)


def test_a_token_of_one_site_cannot_replay_another_s_delivery(web: Web) -> None:
    number = delivery(web)
    answer = web.app.test_client().post(f"/api/v1/deliveries/{number}/replay", headers=web.token("manage", "shop"))
    assert answer.status_code == 404
    with web.house.database.read() as session:
        assert session.scalars(select(Task)).all() == []


def test_the_board_is_told_in_figures(web: Web) -> None:
    web.illustration(State.PUBLISHED, number=1)
    web.illustration(number=2)
    told = get(web, "/board")
    assert (told["states"], told["decisions"], told["by_rules"]) == (
        {"published": 1, "in_review": 1},
        {"approve": 1},
        0,
    )
    assert told["models"] == {"sketch": {"judged": 1, "approved": 1}}
    assert [(one["site"], one["renders"]) for one in told["costs"]] == [("gazette", 2)]
    assert told["budget"]["day"] == {"spent": pytest.approx(0.06), "cap": None}


def test_the_board_of_other_days_is_empty(web: Web) -> None:
    web.illustration(State.PUBLISHED)
    told = get(web, "/board?since=2001-09-09&until=2001-09-10")
    assert (told["since"], told["until"]) == ("2001-09-09T00:00:00Z", "2001-09-11T00:00:00Z")
    assert (told["decisions"], told["costs"], told["median_seconds"]) == ({}, [], None)


@pytest.mark.parametrize("query", ["since=2001-09-09", "since=x&until=y", "since=2001-09-10&until=2001-09-09"])
def test_days_that_are_none_are_refused_in_words(web: Web, query: str) -> None:
    assert "year-month-day" in get(web, f"/board?{query}", status=400)["error"]


def test_the_board_is_not_for_a_token_of_one_site(web: Web) -> None:
    assert "over all sites" in get(web, "/board", "shop", 403)["error"]


@pytest.mark.parametrize("scope", ["read", "review"])
@pytest.mark.parametrize("path", ["/sites", "/deliveries", "/deliveries/1", "/board"])
def test_what_leads_see_needs_the_scope_manage(web: Web, scope: str, path: str) -> None:
    delivery(web)
    answer = web.app.test_client().get(f"/api/v1{path}", headers=web.token(scope))
    assert answer.get_json() == {"error": f"This token has the scope {scope}; this needs manage."}
