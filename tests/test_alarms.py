"""Alarms: who hears of money that runs out and of services that pause; and which settings of notices are refused."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from servers.receiving import Chat, chat, notice
from world import Build, Start, World, until, written

from frontispiece import alarms, pauses, valkey
from frontispiece.config import load
from frontispiece.errors import ConfigProblem
from frontispiece.models import Render

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")  # Apprise's, before 3.13


@pytest.fixture(name="room")
def _room() -> Iterator[Chat]:
    with chat() as server:
        yield server


def begun(world: World) -> None:
    world.deliver(world.publish())
    world.run()


def spend(world: World, dollars: float) -> None:
    with world.house.database.write() as session:
        row = Render(illustration_id=1, model="sketch", prompt="", seed=1, width=1, height=1, cost=dollars)
        session.add(row)


def test_a_budget_is_told_when_it_is_nearly_and_when_it_is_used_up_once_each(build: Build, room: Chat) -> None:
    world = build(rest=notice(room.room("a"), on=["budget"]) + "\n[budget]\nday = 10")
    begun(world)
    for dollars in (7.0, 1.0, 0.5, 1.5, 1.0):
        spend(world, dollars)
        alarms.look(world.house)
        alarms.look(world.house)
        world.run()
    titles = [message["title"] for message in room.messages]
    assert titles == ["80% of the budget of the day", "The budget of the day is used up"]


def test_a_picture_that_is_too_dear_for_the_rest_of_the_budget_uses_it_up(build: Build, room: Chat) -> None:
    rest = notice(room.room("a"), on=["budget"]) + "\n[budget]\nday = 0.01\nmonth = 50\n[generators.bfl]\napi_key = 'x'"
    world = build(rule='models = ["flux-2-pro"]', rest=rest)
    begun(world)
    alarms.look(world.house)
    world.run()
    assert room.texts()[0].startswith("$0.00 of $0.01 are gone. Nothing more is drawn")
    assert [message["title"] for message in room.messages] == ["The budget of the day is used up"]


def test_a_budget_is_told_in_the_words_of_the_notice(build: Build, room: Chat) -> None:
    german = notice(room.room("b"), name="verlag", on=["budget"], language="de")
    world = build(rest=notice(room.room("a"), on=["budget"]) + "\n" + german + "\n[budget]\nmonth = 10")
    begun(world)
    spend(world, 8.5)
    alarms.look(world.house)
    world.run()
    told = {message["room"]: [message["title"], message["message"].split("\n")[0]] for message in room.messages}
    assert told == {
        "a": ["85% of the budget of the month", "$8.50 of $10.00 are gone. Drawing goes on until it is used up."],
        "b": [
            "85 % des Monatsbudgets",
            "8,50 von 10,00 $ sind ausgegeben. Gezeichnet wird weiter, bis das Budget aufgebraucht ist.",
        ],
    }


@pytest.mark.parametrize(
    ("language", "name", "title", "text"),
    [
        ("en", pauses.of_site("gazette"), "Paused: the site gazette", "the site gazette takes nothing from us: no\n"),
        ("en", "bfl", "Paused: bfl", "bfl takes nothing from us: no\n\nAt the desk: http://127.0.0.1:8460/desk"),
        ("de", pauses.of_site("gazette"), "Pausiert: die Website gazette", "Die Website gazette nimmt nichts von uns"),
        ("de", "bfl", "Pausiert: bfl", "bfl nimmt nichts von uns an: no\n\nIn der Bildredaktion: http://127.0.0.1"),
    ],
)
def test_a_pause_is_told_in_the_words_of_the_notice(
    build: Build, room: Chat, language: str, name: str, title: str, text: str
) -> None:
    world = build(rest=notice(room.room("a"), on=["paused"], language=language))
    with world.house.database.write() as session:
        pauses.begin(session, name, "no")
    alarms.look(world.house)
    world.run()
    (message,) = room.messages
    assert message["title"] == title
    assert message["message"].startswith(text)


def test_a_site_that_pauses_is_told_once_for_each_pause(build: Build, room: Chat) -> None:
    world = build(rest=notice(room.room("a"), on=["paused"], sites=["gazette"]))
    for _ in range(2):
        with world.house.database.write() as session:
            pauses.begin(session, pauses.of_site("gazette"), "the password is not accepted")
        for _ in range(2):
            alarms.look(world.house)
            world.run()
        with world.house.database.write() as session:
            pauses.end(session, pauses.of_site("gazette"))
    assert [message["title"] for message in room.messages] == ["Paused: the site gazette"] * 2


def test_workers_of_their_own_tell_a_chat_of_pictures_and_alarms(build: Build, room: Chat, start: Start) -> None:
    world = build(rest=notice(room.room("a"), on=["in_review", "budget"]) + "\n[budget]\nday = 0.001")
    world.deliver(world.publish())
    world.run(until="notify")
    spend(world, 0.01)
    server = valkey.start(world.house.settings.data)
    assert server is not None
    try:
        start(world, "worker")
        start(world, "watch")
        until(lambda: len(room.messages) == 2, "a message about the picture, and one about the money")
    finally:
        server.kill()
        server.wait()
    told = {message["title"] for message in room.messages}
    assert told == {"A picture to review: The Lighthouse Is Lit Again", "The budget of the day is used up"}


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (notice("nonsense://hush"), "notices.chat.urls: 0: is no address that Apprise knows"),
        (notice("json://a", sites=["gazete"]), "notices.chat.sites: there is no 'gazete'; there are: gazette"),
        (notice("json://a", rules=["hero"]), "notices.chat.rules: there is no 'hero'; there are: articles"),
        (notice("json://a", on=["approved"]), "notices.chat.on.0"),
        (notice("json://a", language="tlh"), "notices.chat.language: there is no 'tlh'; there are: de, en"),
        ("[notices.chat]\nurls = []", "notices.chat.urls"),
        (notice("json://a", name='"Ä"'), "notices"),
    ],
)
def test_a_notice_that_cannot_work_is_refused_at_start(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, lines: str, words: str
) -> None:
    path = written(tmp_path, "http://127.0.0.1:9", rest=lines)
    with pytest.raises(ConfigProblem) as refused:
        load(path)
    assert words in refused.value.words
    assert "hush" not in refused.value.words + caplog.text


LOADED = "import sys; {before}; from frontispiece.config import load; load(); print('apprise' in sys.modules)"


def loading(path: Path, before: str = "") -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", LOADED.format(before=before or "pass")]
    return subprocess.run(
        command, env={"FRONTISPIECE_CONFIG": str(path)}, capture_output=True, text=True, check=False, timeout=60
    )


def test_without_notices_apprise_is_not_even_loaded(tmp_path: Path) -> None:
    assert loading(written(tmp_path, "http://127.0.0.1:9")).stdout == "False\n"


def test_where_apprise_is_missing_one_is_told_what_to_install(tmp_path: Path) -> None:
    path = written(tmp_path, "http://127.0.0.1:9", rest=notice("json://a"))
    done = loading(path, "sys.modules['apprise'] = None")
    assert "apprise is missing, which notices need: pip install 'frontispiece[notices]'" in done.stderr
