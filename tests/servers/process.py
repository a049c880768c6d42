"""A server in a process group of its own, ready when its health address answers."""

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import httpx

__all__ = ["Process"]


class Process:
    """Can be started, stopped and started again; what it says is added to `log`."""

    def __init__(self, command: Sequence[str | Path], health: str, folder: Path, env: Mapping[str, str] = {}) -> None:
        self.command, self.health, self.folder = list(map(str, command)), health, folder
        self.log = folder / "server.log"
        self.env = {**os.environ, **env}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, seconds: float = 120) -> None:
        """Returns when the health address answers with a 2xx."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.command,
                cwd=self.folder,
                env=self.env,
                process_group=0,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        give_up = time.monotonic() + seconds
        with httpx.Client(verify=False, timeout=10) as client:  # loading certificates takes 80 ms
            while not self._answers(client):
                over = self._process.poll() is not None or time.monotonic() > give_up
                assert not over, f"{self.health} does not answer:\n{self.log.read_text(errors='replace')[-4000:]}"
                time.sleep(0.1)

    def stop(self, how: signal.Signals = signal.SIGKILL) -> None:
        """Ends the whole group; by default as abruptly as a power cut."""
        if self._process is not None:
            os.killpg(self._process.pid, how)
            self._process.wait(60)
            self._process = None

    def _answers(self, client: httpx.Client) -> bool:
        try:
            return client.get(self.health).is_success
        except httpx.TransportError:
            return False
