"""The local generator's HTTP, its start and its end, as far as they need no torch."""

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from pydantic import ValidationError
from servers.local import Local, free_address, order, serving

from frontispiece import net
from frontispiece.errors import ConfigProblem, GeneratorProblem, Outage
from frontispiece.generators import Ticket
from frontispiece.generators.catalogue import load, make
from frontispiece.generators.diffusers import Diffusers, DiffusersSettings
from frontispiece.local.checks import TASKS
from frontispiece.local.server import LocalServer
from frontispiece.local.start import here, running

MODELS = {name: model for name, model in load().items() if model.generator == "diffusers"}


@pytest.fixture(name="idle")
def _idle(tmp_path: Path) -> Iterator[Local]:
    """A server without models."""
    local = Local(tmp_path, tmp_path / "spool")
    with local.server, local.http:
        yield local


def test_nothing_of_the_parents_side_imports_torch() -> None:
    modules = "import frontispiece.local.start, frontispiece.generators.diffusers, sys"
    command = [sys.executable, "-c", f"{modules}; sys.exit('torch' in sys.modules or 'diffusers' in sys.modules)"]
    assert 0 == subprocess.run(command, check=False).returncode


def test_the_generator_is_found_by_its_name() -> None:
    assert make("diffusers") is Diffusers


@pytest.mark.parametrize("name", MODELS)
def test_a_model_of_the_catalogue_has_steps_and_tasks_that_some_pipeline_does(name: str) -> None:
    assert isinstance(MODELS[name].options["steps"].default, int)
    assert any(set(MODELS[name].tasks) <= set(tasks) for tasks in TASKS.values())


@pytest.mark.parametrize("name", MODELS)
def test_only_apache_models_are_for_shops(name: str) -> None:
    assert ("Apache-2.0" == MODELS[name].licence) == MODELS[name].commercial


def test_a_model_that_is_not_there_is_told_at_once(idle: Local) -> None:
    with pytest.raises(GeneratorProblem, match="the model tiny-flux/schnell is not in the folder"):
        idle.client.submit(order("schnell"))


def test_a_ticket_that_is_not_known_is_told(idle: Local) -> None:
    with pytest.raises(GeneratorProblem, match=r"does not know order .* order it again"):
        idle.client.poll(Ticket("0" * 32))


def test_a_server_that_is_away_is_an_outage_that_says_how_to_start_it(tmp_path: Path) -> None:
    settings = DiffusersSettings(base_url=free_address(), models=tmp_path)
    with net.client([settings.base_url]) as client, pytest.raises(Outage, match="`frontispiece local` by itself"):
        Diffusers(settings, client).submit(order("schnell"))


def test_another_server_at_the_address_is_told(idle: Local) -> None:
    strange = httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(200, text="<html>")))
    with strange, pytest.raises(GeneratorProblem, match="is not `frontispiece local`"):
        Diffusers(idle.client.settings, strange).submit(order("schnell"))


@pytest.mark.parametrize("headers", [{"Origin": "https://elsewhere.example"}, {"Host": "rebound.example"}])
def test_a_web_page_is_refused(idle: Local, headers: dict[str, str]) -> None:
    assert 403 == idle.http.get(f"{idle.server.url}/healthz", headers=headers).status_code


@pytest.mark.parametrize(
    ("method", "path", "body", "kind", "status"),
    [
        ("POST", "/orders", b"{", "application/json", 422),
        ("POST", "/orders", b'{"order": {"model": "x"}}', "application/json", 422),
        ("POST", "/orders", b"{}", "text/plain", 415),
        ("POST", "/pictures", b"{}", "application/json", 404),
        ("GET", "/orders/../lock", b"", "", 404),
        ("GET", "/orders/" + "0" * 32, b"", "", 404),
        ("GET", "/orders/" + "0" * 32 + "/picture", b"", "", 404),
        ("DELETE", "/orders/" + "0" * 32, b"", "", 200),
    ],
)
def test_what_cannot_be_answered_is_refused_in_words(
    idle: Local, method: str, path: str, body: bytes, kind: str, status: int
) -> None:
    answer = idle.http.request(method, idle.server.url + path, content=body, headers={"Content-Type": kind})

    assert status == answer.status_code
    assert status == 200 or answer.json()["words"]


def test_a_connection_that_a_refusal_ends_is_said_to_end(idle: Local) -> None:
    answer = idle.http.get(f"{idle.server.url}/orders/{'0' * 32}")

    assert (404, "close") == (answer.status_code, answer.headers["Connection"])


def test_a_body_that_is_too_large_is_not_read(idle: Local) -> None:
    with socket.create_connection(("127.0.0.1", httpx.URL(idle.server.url).port or 0)) as wire:
        wire.sendall(b"POST /orders HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 900000000\r\n\r\n")
        assert wire.recv(100).startswith(b"HTTP/1.1 413 ")


def test_an_idle_server_has_no_child(idle: Local) -> None:
    assert [None] == [child["pid"] for child in idle.http.get(f"{idle.server.url}/healthz").json()["children"]]


@pytest.mark.parametrize(
    ("key", "value"),
    [("base_url", "https://gpu.example"), ("base_url", "http://127.0.0.1:1/v1"), ("devices", []), ("devices", ["gpu"])],
)
def test_a_setting_that_cannot_be_is_refused(key: str, value: object) -> None:
    with pytest.raises(ValidationError, match=key):
        DiffusersSettings.model_validate({key: value})


def test_a_server_elsewhere_is_not_started_here(tmp_path: Path) -> None:
    settings = DiffusersSettings(base_url="http://192.0.2.7:8461")
    assert not here(settings)
    with pytest.raises(ConfigProblem, match="which is not on this machine"):
        LocalServer(settings, tmp_path)


def test_two_servers_never_share_a_folder(idle: Local) -> None:
    folder = idle.board.spool.folder.parent
    with pytest.raises(ConfigProblem, match="another `frontispiece local` uses the folder"):
        LocalServer(DiffusersSettings(base_url=free_address()), folder)


def test_a_port_that_is_taken_is_told(idle: Local, tmp_path: Path) -> None:
    with pytest.raises(ConfigProblem, match=r"127\.0\.0\.1:\d+ is taken"):
        LocalServer(DiffusersSettings(base_url=idle.server.url), tmp_path / "other")


def test_a_server_is_started_for_as_long_as_it_is_needed(tmp_path: Path) -> None:
    settings = DiffusersSettings(base_url=free_address())
    with running(settings, tmp_path):
        assert httpx.get(f"{settings.base_url}/healthz").is_success
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{settings.base_url}/healthz")


def test_a_server_that_runs_already_is_used_and_left_alone(idle: Local, tmp_path: Path) -> None:
    with running(idle.client.settings, tmp_path / "other"):
        pass
    assert idle.http.get(f"{idle.server.url}/healthz").is_success
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_command_ends_cleanly_when_it_is_told_to(tmp_path: Path, number: signal.Signals) -> None:
    process = serving(tmp_path, tmp_path, free_address())
    process.send_signal(number)

    assert 0 == process.wait(30)
