"""The plain way, for `watcher.py` to compare with: an RQ job that submits, and polls until it has the picture.

`python plain.py UNIX_SOCKET` is a worker for such jobs.
"""

import sys
import time
from pathlib import Path

from redis import Redis
from rq import Queue, Worker

from frontispiece import net
from frontispiece.errors import Busy
from frontispiece.generators import Finished, Order, Ticket
from frontispiece.generators.bfl import Bfl, BflSettings

QUEUE = "plain"
LOOK = 0.5  # seconds between two looks at a ticket, as many as the watcher takes


def draw(key: str, url: str, folder: str, number: int) -> None:
    """One picture, from the order to the file; the worker does nothing else meanwhile."""
    settings = BflSettings.model_validate({"api_key": key, "base_url": url})
    with net.client([url]) as client:
        bfl = Bfl(settings, client)
        ticket = _submitted(bfl, Order("flux-2-pro", f"A lighthouse in a storm, number {number}.", 256, 256, number))
        while not isinstance(answer := bfl.poll(ticket), Finished):
            time.sleep(LOOK)
        half = Path(folder) / f"{number}.half"
        half.write_bytes(answer.images[0])
        half.rename(half.with_suffix(".png"))  # so that whoever counts finds whole ones


def _submitted(bfl: Bfl, order: Order) -> Ticket:
    while True:
        try:
            return bfl.submit(order)
        except Busy:
            time.sleep(LOOK)


if __name__ == "__main__":
    redis = Redis(unix_socket_path=sys.argv[1])
    Worker([Queue(QUEUE, connection=redis)], connection=redis).work(logging_level="WARNING")
