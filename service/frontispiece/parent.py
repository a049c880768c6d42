"""A child process that ends with its parent, also where the parent was killed and could tell nobody."""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # prctl(2)
VARIABLE = "FRONTISPIECE_PARENT"  # the process id of the `up` that started us


def die_with(parent: int, number: signal.Signals) -> None:
    """From here on this process gets that signal when its parent ends. Linux only: elsewhere nothing happens."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, number)
        if os.getppid() != parent:  # it ended before we asked
            os._exit(1)


def die_with_up() -> None:
    """As `die_with`, for a process that `frontispiece up` started; others stay as they are."""
    if parent := os.environ.get(VARIABLE):
        die_with(int(parent), signal.SIGTERM)
