"""A real WordPress of each suite, whose deliveries are recorded."""

from collections.abc import Iterator

import pytest
from servers.recorder import Recorder, recording
from servers.wordpress import SUITES, WordPress, running


@pytest.fixture(scope="module")
def service() -> Iterator[Recorder]:
    """Takes the deliveries in Frontispiece's place."""
    with recording() as recorder:
        yield recorder


@pytest.fixture(scope="module", params=SUITES)
def site(request: pytest.FixtureRequest, service: Recorder) -> Iterator[WordPress]:
    with running(request.param, service.url) as wordpress:
        yield wordpress


@pytest.fixture
def quiet(service: Recorder) -> Iterator[None]:
    """What a failed test left behind is not the next one's."""
    yield
    service.status = 202
    while not service.arrived.empty():
        service.take()
