"""Deliveries that are not authentic: a lead is told of them, and nothing of them is stored."""

import asyncio
import time

from desk.furnish import Web
from sqlalchemy import select

from frontispiece.cms import Delivery as Sent
from frontispiece.cms import Headers
from frontispiece.house import REFUSALS
from frontispiece.models import Delivery
from frontispiece.web import hooks
from frontispiece.web.intake import Intake


def test_a_delivery_that_is_not_authentic_is_told_of_and_not_stored(web: Web) -> None:
    refused(web, 1)
    browser = web.browser("lead")
    assert "1 delivery was refused because it was not authentic" in browser.get("/deliveries").text
    page = browser.get("/deliveries?outcome=refused").text
    assert "<td>gazette</td>" in page
    assert "replay" not in page.replace("cannot be replayed", "")
    with web.house.database.read() as session:
        assert session.scalars(select(Delivery)).all() == []


def test_strangers_fill_neither_disk_nor_memory(web: Web) -> None:
    refused(web, 2 * REFUSALS)
    assert [len(kept) for kept in web.house.refused.values()] == [REFUSALS]


def refused(web: Web, times: int) -> None:
    """Deliveries with a wrong signature, as the hooks get them."""

    async def send() -> list[int]:
        intake = Intake(web.house.database, lambda: None)
        delivery = Sent(Headers([("webhook-signature", "v1,wrong")]), b"{}", "/hooks/gazette", time.time())
        answers = [(await hooks._receive(web.house, intake, "gazette", delivery)).status for _ in range(times)]
        await intake.close()
        return answers

    assert asyncio.run(send()) == [401] * times


def test_the_refused_ones_of_another_site_are_left_out(web: Web) -> None:
    refused(web, 1)
    assert "None was refused." in web.browser("lead").get("/deliveries?outcome=refused&site=shop").text
