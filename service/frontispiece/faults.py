"""Named places at which a test may kill the process, to show that nothing is lost or done twice there.

`FRONTISPIECE_FAULT=after_claim` ends the process with SIGKILL when it comes to `fault("after_claim")`;
`FRONTISPIECE_FAULT=publish:after_attach` does so only inside that step.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

_WANTED = os.environ.get("FRONTISPIECE_FAULT", "")
_steps: list[str] = [""]


@contextmanager
def inside(step: str) -> Iterator[None]:
    """Names the step that the faults in this block belong to."""
    _steps.append(step)
    try:
        yield
    finally:
        _steps.pop()


def fault(name: str) -> None:
    """Dies here, as by `kill -9`, if that is what the environment asks for."""
    if _WANTED and _WANTED in (name, f"{_steps[-1]}:{name}"):
        os.kill(os.getpid(), signal.SIGKILL)
