"""The end of a run: one line says which tests were left out and why, and in CI nothing may be skipped."""

import os
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from frontispiece import cms

WHY = {
    "real": "need PHP, PostgreSQL, Redis, Chromium or Node.js installed by root: make test-all",
    "local": "need PyTorch and diffusers: make test-local",
    "live": "need somebody's key at a hosted service: pytest -m live",
}
LEFT_OUT = pytest.StashKey[Counter[str]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[LEFT_OUT] = Counter()


def pytest_deselected(items: list[pytest.Item]) -> None:
    for item in items:
        item.config.stash[LEFT_OUT].update(mark for mark in WHY if item.get_closest_marker(mark))


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """With pytest-xdist each worker leaves out the same tests; the last one to end has the say."""
    left_out: Counter[str] = Counter(getattr(node, "workeroutput", {}).get("left_out", {}))
    node.config.stash[LEFT_OUT] = left_out


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    if hasattr(session.config, "workeroutput"):
        left_out = session.config.stash[LEFT_OUT]
        session.config.workeroutput["left_out"] = dict(left_out)
    if _skipped_in_ci(session.config) and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if _skipped_in_ci(config):
        terminalreporter.write_line("CI: a skipped test is a failure; install what it needs.", red=True)
    passed = [report.nodeid for report in terminalreporter.stats.get("passed", [])]
    for line in _proofs([node for node in passed if re.search(r"test_every_|tests/real", node)]):
        terminalreporter.write_line(line)
    left_out = config.stash[LEFT_OUT]
    if left_out:
        words = "; ".join(f"{left_out[mark]} that {WHY[mark]}" for mark in WHY if left_out[mark])
        terminalreporter.write_line(f"Left out: {words}")


def _proofs(passed: list[str]) -> Iterator[str]:
    """A line for each plugin that was held against a server: which one, and by how many tests."""
    for name in cms.names():
        number = sum(bool(re.search(rf"(?<![a-z]){name}(?![a-z])", node)) for node in passed)
        if number:
            yield f"Plugin {name}: {number} tests passed against {cms.load(name).proved}"


def _skipped_in_ci(config: pytest.Config) -> bool:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    return os.environ.get("CI") == "true" and reporter is not None and bool(reporter.stats.get("skipped"))
