"""Tiny checkpoints of the real architectures, made once a run, and a local generator that draws with them."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from servers import checkpoints
from servers.local import Local


@pytest.fixture(scope="session", name="models")
def _models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    subprocess.run([sys.executable, checkpoints.__file__, str(folder)], check=True, stderr=subprocess.DEVNULL)
    return folder


@pytest.fixture(scope="session", name="local")
def _local(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Local]:
    """One for all tests that leave its child alive."""
    yield from _running(Local(models, tmp_path_factory.mktemp("local")))


@pytest.fixture(name="own")
def _own(models: Path, tmp_path: Path) -> Iterator[Local]:
    """One for a test that ends its child."""
    yield from _running(Local(models, tmp_path))


def _running(local: Local) -> Iterator[Local]:
    with local.server, local.http:
        yield local
