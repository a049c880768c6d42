"""Signs the newsroom's messages and delivers them, again and again while the other side is away, under the same id.

The scheme is Standard Webhooks (github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md).
"""

import threading
import time
from datetime import UTC, datetime

import httpx
from standardwebhooks import Webhook

from frontispiece.demo.archive import Archive, Message

LONGEST = 30.0  # seconds between two tries, at most


class Wire(threading.Thread):
    """A thread that sends what the archive holds; `wake` it after a message was posted."""

    def __init__(self, archive: Archive, hook: str, secret: str) -> None:
        super().__init__(name="wire", daemon=True)
        self.archive, self.hook, self.signer = archive, hook, Webhook(secret)
        self._news = threading.Event()
        self._stopped = False

    def wake(self) -> None:
        self._news.set()

    def stop(self) -> None:
        """Ends the thread after the try under way."""
        self._stopped = True
        self._news.set()
        self.join()

    def run(self) -> None:
        with httpx.Client(timeout=10, follow_redirects=False, trust_env=False) as client:
            while True:
                self._news.clear()
                if self._stopped:
                    return
                message = self.archive.next_message()
                wait = None if message is None else message.due - time.time()
                if message is None or (wait is not None and wait > 0):
                    self._news.wait(wait)
                else:
                    self._send(client, message)

    def _send(self, client: httpx.Client, message: Message) -> None:
        later = time.time() + min(LONGEST, 0.5 * 2**message.tries)
        try:
            answer = client.post(self.hook, content=message.body.encode(), headers=self.headers(message))
        except httpx.HTTPError as problem:
            self.archive.answered(message.id, "waiting", str(problem) or type(problem).__name__, later)
            return
        words = f"{answer.status_code} {' '.join(answer.text.split())[:200]}".strip()
        if answer.is_success:
            self.archive.answered(message.id, "accepted", words)
        elif answer.status_code in (408, 429) or answer.is_server_error:
            self.archive.answered(message.id, "waiting", words, later)
        else:
            self.archive.answered(message.id, "refused", words)

    def headers(self, message: Message) -> dict[str, str]:
        """The id stays the same on every try; the time, and with it the signature, is that of the try."""
        now = datetime.now(UTC)
        return {
            "Content-Type": "application/json",
            "User-Agent": "The Gazette",
            "webhook-id": message.id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": self.signer.sign(message.id, now, message.body),
        }
