"""The embedded Valkey: one server a data folder, whose queue outlives it."""

import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from redis.exceptions import RedisError

from frontispiece import jobs, supervisor, valkey
from frontispiece.errors import ConfigProblem

Server = subprocess.Popen[bytes]
Start = Callable[[], Server | None]


@pytest.fixture(name="start")
def _start(tmp_path: Path) -> Iterator[Callable[[], Server | None]]:
    started: list[Server] = []

    def start() -> Server | None:
        server = valkey.start(tmp_path)
        if server:
            started.append(server)
        return server

    yield start
    supervisor.end(started)


def test_it_answers_on_a_socket_that_only_its_owner_may_use(start: Start, tmp_path: Path) -> None:
    start()

    assert valkey.socket(tmp_path).stat().st_mode & 0o777 == 0o700


def test_four_starts_at_once_make_one_server(start: Start) -> None:
    with ThreadPoolExecutor(4) as pool:
        servers = list(pool.map(lambda _: start(), range(4)))

    assert sum(server is not None for server in servers) == 1


def test_what_was_queued_outlives_a_kill(start: Start, tmp_path: Path) -> None:
    server = start()
    assert server
    with jobs.connect(valkey.url(tmp_path)) as client:
        client.rpush("list", "a")
        server.kill()
        server.wait()
        start()

        assert client.lrange("list", 0, -1) == [b"a"]


def test_a_client_says_at_once_that_there_is_no_server(tmp_path: Path) -> None:
    with jobs.connect(valkey.url(tmp_path)) as client, pytest.raises(RedisError):
        client.ping()


def test_a_folder_too_deep_for_a_socket_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(ConfigProblem, match="FRONTISPIECE_REDIS_URL"):
        valkey.socket(tmp_path / ("deep" * 30))
