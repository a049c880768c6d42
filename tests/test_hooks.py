"""The address for deliveries: each answer of its contract, and what lies in the database when it is given."""

import asyncio
import base64
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest
from a2wsgi import ASGIMiddleware, WSGIMiddleware
from sqlalchemy import select, text
from werkzeug.test import Client, TestResponse
from werkzeug.wrappers import Response

from frontispiece.config import Settings
from frontispiece.database import Database
from frontispiece.house import House
from frontispiece.models import Base, Delivery, Task
from frontispiece.signatures import sign_standard_webhooks
from frontispiece.web import hooks
from frontispiece.web.intake import Intake

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication
    from a2wsgi.wsgi_typing import WSGIApp


def secret(letter: str) -> str:
    return "whsec_" + base64.b64encode(letter.encode() * 24).decode()


BODY = json.dumps(
    {"type": "entry.published", "timestamp": "2026-11-21T10:00:00Z", "data": {"id": "posts/12", "title": "Ünder"}}
).encode()
SITE = {"plugin": "generic", "url": "http://127.0.0.1:9", "webhook_secret": secret("n")}


@pytest.fixture(name="house")
def _house(tmp_path: Path) -> Iterator[House]:
    site = SITE | {"previous_webhook_secret": secret("p")}
    made = House(Settings.model_validate({"data": tmp_path, "sites": {"blog": site}, "server": {"body_limit": 5000}}))
    Base.metadata.create_all(made.database.engine)
    yield made
    made.database.engine.dispose()


@contextmanager
def door(house: House, seconds: float) -> Iterator[Client]:
    """A client of the hooks; whatever is not for them is answered "behind"."""
    intake = Intake(house.database, lambda: None, seconds=seconds)
    behind = WSGIMiddleware(cast("WSGIApp", Response("behind")))
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    asgi = ASGIMiddleware(hooks.in_front(behind, house, intake), loop=loop)
    yield Client(cast("WSGIApplication", asgi))
    asyncio.run_coroutine_threadsafe(intake.close(), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()
    behind.executor.shutdown()


@pytest.fixture(name="client")
def _client(house: House) -> Iterator[Client]:
    with door(house, seconds=5) as made:
        yield made


def signed(body: bytes = BODY, sent_id: str = "msg_1", letter: str = "n", age: int = 0) -> dict[str, str]:
    return sign_standard_webhooks(secret(letter), sent_id, int(time.time()) - age, body)


def post(client: Client, body: bytes = BODY, **signature: int | str) -> TestResponse:
    headers = signed(body, **signature)  # type: ignore[arg-type]
    return client.post("/hooks/blog", data=body, headers=headers, content_type="application/json")


def kept(database: Database) -> list[Delivery]:
    with database.read() as session:
        return list(session.scalars(select(Delivery).order_by(Delivery.id)))


def count(database: Database, table: type[Base]) -> int:
    with database.read() as session:
        return len(session.scalars(select(table)).all())


def said(answer: TestResponse) -> tuple[int, str]:
    return answer.status_code, answer.get_json()["message"]


def test_a_wanted_delivery_is_answered_202(client: Client) -> None:
    assert (202, "thank you") == said(post(client))


def test_what_is_answered_202_is_in_the_database_byte_for_byte(client: Client, house: House) -> None:
    post(client)

    (row,) = kept(house.database)
    assert ("blog", "msg_1", BODY, "received") == (row.site, row.key, row.body, row.outcome)


def test_a_wanted_delivery_has_its_task(client: Client, house: House) -> None:
    post(client)

    assert 1 == count(house.database, Task)


def test_the_same_delivery_again_is_answered_200(client: Client) -> None:
    post(client)

    assert (200, "seen before") == said(post(client))


def test_sent_twice_at_the_same_moment_there_is_one_row_and_one_task(client: Client, house: House) -> None:
    with ThreadPoolExecutor(2) as pool, house.database.locked():
        answers = [pool.submit(post, client) for _ in range(2)]
    statuses = sorted(answer.result().status_code for answer in answers)

    assert ([200, 202], 1, 1) == (statuses, count(house.database, Delivery), count(house.database, Task))


def test_a_ping_is_answered_200_and_makes_no_task(client: Client, house: House) -> None:
    answer = post(client, b'{"type": "ping", "timestamp": "2026-11-21T10:00:00Z"}')

    assert ((200, "not for us"), 0) == (said(answer), count(house.database, Task))


def test_an_unknown_event_is_answered_200_and_kept(client: Client, house: House) -> None:
    answer = post(client, b'{"type": "comment.created", "timestamp": "2026-11-21T10:00:00Z"}')

    assert (200, ["ignored"]) == (answer.status_code, [row.outcome for row in kept(house.database)])


def test_an_unsigned_delivery_is_answered_401_and_not_kept(client: Client, house: House) -> None:
    answer = client.post("/hooks/blog", data=BODY)

    assert (401, 0) == (answer.status_code, count(house.database, Delivery))


def test_a_flipped_byte_is_answered_401(client: Client, house: House) -> None:
    answer = client.post("/hooks/blog", data=BODY.replace(b"12", b"13"), headers=signed())

    assert (401, 0) == (answer.status_code, count(house.database, Delivery))


def test_an_old_timestamp_is_answered_401(client: Client) -> None:
    status, words = said(post(client, age=400))

    assert (401, True) == (status, "clocks" in words)


def test_the_previous_secret_is_good_during_a_rotation(client: Client) -> None:
    assert 202 == post(client, letter="p").status_code


def test_a_secret_of_nobody_is_answered_401(client: Client) -> None:
    assert 401 == post(client, letter="x").status_code


def test_an_unknown_site_is_answered_404(client: Client) -> None:
    answer = client.post("/hooks/blogs", data=BODY, headers=signed())

    assert (404, "there is no site 'blogs'") == said(answer)


def test_what_is_not_for_the_hooks_goes_to_the_application_behind(client: Client) -> None:
    assert b"behind" == client.get("/desk").data


def test_a_body_over_the_limit_is_answered_413(client: Client, house: House) -> None:
    answer = post(client, b"x" * 5001)

    assert ((413, "a delivery may have 5000 bytes"), 0) == (said(answer), count(house.database, Delivery))


@pytest.mark.parametrize("body", [BODY[:-9], b"", b"[]", b'"\\ud800"', b"\xff\xfe", b'{"type": "entry.published"}'])
def test_an_unreadable_body_is_answered_422_and_kept_for_a_replay(client: Client, house: House, body: bytes) -> None:
    answer = post(client, body)

    assert (422, [("unreadable", body)]) == (
        answer.status_code,
        [(row.outcome, row.body) for row in kept(house.database)],
    )


def test_unreadable_again_is_answered_422_again(client: Client, house: House) -> None:
    answers = [post(client, BODY[:-9]).status_code for _ in range(2)]

    assert ([422, 422], 1) == (answers, count(house.database, Delivery))


def test_secret_headers_are_not_kept(client: Client, house: House) -> None:
    headers = signed() | {"Authorization": "Bearer s3cret", "Cookie": "a=s3cret", "X-Shop": "münchen"}

    client.post("/hooks/blog", data=BODY, headers=headers)

    text_, names = (
        kept(house.database)[0].headers,
        {name.lower() for name, _ in json.loads(kept(house.database)[0].headers)},
    )
    assert (False, True) == ("s3cret" in text_, {"webhook-id", "webhook-signature", "x-shop"} <= names)


def test_two_long_ids_that_begin_alike_are_two_deliveries(client: Client, house: House) -> None:
    for end in "ab":
        post(client, sent_id="m" * 300 + end)

    assert 2 == count(house.database, Delivery)


@pytest.mark.parametrize("key", ["a\0b", "\ud800", "m" * 201])
def test_a_key_that_the_column_cannot_hold_is_hashed(key: str) -> None:
    assert sha256(key.encode(errors="surrogatepass")).hexdigest() == hooks._key(key, b"")


def test_head_finds_the_address_there(client: Client) -> None:
    assert 200 == client.head("/hooks/blog").status_code


def test_a_browser_is_told_what_the_address_is_for(client: Client) -> None:
    answer = client.get("/hooks/blog")

    assert (405, "POST", True) == (answer.status_code, answer.headers["Allow"], "by POST" in said(answer)[1])


def test_without_a_database_the_sender_is_asked_to_come_again(client: Client, house: House) -> None:
    with house.database.write() as connection:
        connection.execute(text("DROP TABLE deliveries"))

    answer = post(client)

    assert (503, "5") == (answer.status_code, answer.headers["Retry-After"])


def test_what_was_answered_503_can_be_sent_again(client: Client, house: House) -> None:
    with house.database.write() as connection:
        connection.execute(text("ALTER TABLE tasks RENAME TO away"))
    first = post(client).status_code
    with house.database.write() as connection:
        connection.execute(text("ALTER TABLE away RENAME TO tasks"))

    assert (503, 202) == (first, post(client).status_code)


def test_a_locked_database_is_answered_503(house: House) -> None:
    with door(house, seconds=0.05) as client, house.database.locked():
        answer = post(client)

    assert 503 == answer.status_code


CONFIG = """\
data = "{data}"
redis_url = "unix://{data}/nobody.sock"
[server]
port = {port}
body_limit = 5000
[sites.blog]
plugin = "generic"
url = "http://127.0.0.1:9"
webhook_secret = "{secret}"
"""


Web = tuple["subprocess.Popen[bytes]", int]


@contextmanager
def serving(folder: Path) -> Iterator[Web]:
    """The real server, without a Redis."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config, log = folder / "frontispiece.toml", folder / "log"
    config.write_text(CONFIG.format(data=folder, port=port, secret=secret("n")), "utf8")
    database = Database(f"sqlite:///{folder / 'frontispiece.db'}")
    Base.metadata.create_all(database.engine)
    database.engine.dispose()
    environment = os.environ | {"FRONTISPIECE_CONFIG": str(config)}
    with log.open("wb") as output:
        command = [sys.executable, "-m", "frontispiece", "web"]
        server = subprocess.Popen(command, env=environment, stdout=output, stderr=output, process_group=0)
    give_up = time.monotonic() + 30
    while not listens(port):
        assert server.poll() is None, log.read_text()
        assert time.monotonic() < give_up
        time.sleep(0.05)
    yield server, port
    server.terminate()
    server.wait(20)


@pytest.fixture(name="web", scope="module")
def _web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with serving(tmp_path_factory.mktemp("web")) as (_, port):
        yield port


def listens(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


def send(port: int, body: Iterator[bytes] | bytes, headers: dict[str, str]) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("POST", "/hooks/blog", body, headers, encode_chunked=not isinstance(body, bytes))
    status = connection.getresponse().status
    connection.close()
    return status


def test_a_body_in_chunks_without_a_length_is_taken(web: int) -> None:
    headers = signed() | {"Transfer-Encoding": "chunked"}

    assert 202 == send(web, iter([BODY[:20], BODY[20:]]), headers)


def test_a_body_in_chunks_over_the_limit_is_answered_413(web: int) -> None:
    body = b"x" * 6000

    assert 413 == send(web, iter([body[:3000], body[3000:]]), signed(body) | {"Transfer-Encoding": "chunked"})


@pytest.mark.parametrize("size", [10, 300_000])
def test_the_application_behind_reads_bodies_too(web: int, size: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", web, timeout=20)
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    connection.request("POST", "/login", b"name=" + b"j" * size, form)
    status = connection.getresponse().status
    connection.close()

    assert status in (400, 403, 413, 422)  # no form token, or far too long; 500 before anything was read


def hammer(server: "subprocess.Popen[bytes]", port: int, client: int) -> list[str]:
    """Sends until nobody answers any more, and has the server stopped on the way; the ids that were answered 202."""
    good = []
    with suppress(OSError, http.client.HTTPException):
        for number in range(10_000):
            sent_id = f"msg_{client}_{number}"
            if send(port, BODY, signed(sent_id=sent_id)) == 202:
                good.append(sent_id)
            if (client, number) == (0, 20):
                server.send_signal(signal.SIGTERM)
    return good


def test_a_server_told_to_stop_has_stored_whatever_it_answered(tmp_path: Path) -> None:
    with serving(tmp_path) as (server, port), ThreadPoolExecutor(4) as pool:
        answered = {key for keys in pool.map(lambda client: hammer(server, port, client), range(4)) for key in keys}
    database = Database(f"sqlite:///{tmp_path / 'frontispiece.db'}")
    stored = {row.key for row in kept(database)}
    database.engine.dispose()

    assert (set(), True) == (answered - stored, len(answered) > 20)
