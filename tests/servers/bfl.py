"""A local server that speaks BFL's contract and can be told to misbehave.

`PYTHONPATH=tests python -m servers.bfl --port 8901` starts it. Sources: https://docs.bfl.ai and
https://api.bfl.ai/openapi.json; `bfl_bodies.py` has what each endpoint takes.
"""

import argparse
import contextlib
import io
import json
import random
import secrets
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from PIL import Image, ImageColor, ImageDraw
from pydantic import ValidationError
from servers.bfl_bodies import ENDPOINTS, MEGAPIXEL, Body, Flux2

SAMPLE_SECONDS = 600  # the link to a finished picture works for ten minutes

# What the server can do wrong, by the moment at which it does it
SUBMIT = (
    *("forbidden", "no-credit", "invalid", "busy", "busy-7-seconds", "down", "gateway-timeout"),  # nothing accepted
    *("lost", "silent", "garbage", "foreign-polling-url", "no-polling-url", "no-cost"),  # accepted
)
TASK = (
    *("request-moderated", "content-moderated", "error", "failed", "failed-with-503", "not-found"),
    *("unknown-word", "poll-down", "poll-lost", "poll-garbage", "ready-without-picture"),
)
SAMPLE = ("expired", "html", "html-called-png", "truncated", "sample-down", "sample-redirect", "foreign-sample", "huge")
FAULTS = (*SUBMIT, *TASK, *SAMPLE)
FEWER = {"flux-kontext-max": 6}  # tasks at once, where the limit of all does not hold


class Refusal(Exception):  # noqa: N818 - an answer, told by raising
    """An answer other than 200."""

    def __init__(self, status: int, detail: object, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.body, self.headers = status, {"detail": detail}, headers or {}


@dataclass
class Task:
    """One accepted order. `born` is the server's clock at the submit, in seconds."""

    model: str
    body: Body
    cost: float
    born: float
    seed: int
    fault: str = ""
    id: str = field(default_factory=lambda: secrets.token_hex(16))
    asked: int = 0

    @property
    def encoding(self) -> str:
        return getattr(self.body, "output_format", "png")

    @property
    def free(self) -> bool:
        return self.fault in {"request-moderated", "content-moderated", "error", "failed", "failed-with-503"}


class BflServer:
    """BFL on 127.0.0.1; a context manager. A task takes `seconds`, which `advance` makes pass at once.

    To look at: `tasks` (accepted orders, oldest first), `submits` (POSTs that came), `charged` and `credits`
    (1 credit = 1 US cent), `active`, `max_active`, `polls`, `downloads`, `leaks` (downloads that came with the key).
    """

    def __init__(self, *, port: int = 0, seconds: float = 0.0, key: str = "bfl-test-key", limit: int = 24) -> None:
        self.seconds, self.key, self.limit = seconds, key, limit
        self.tasks: dict[str, Task] = {}
        self.submits = self.polls = self.downloads = self.leaks = self.max_active = 0
        self.deposit = 1_000_000.0  # credits
        self._faults: list[str] = []
        self._skipped = 0.0  # seconds
        self._lock = threading.RLock()
        self._closing = threading.Event()
        self._http = _Http(("127.0.0.1", port), Handler)
        self._http.bfl = self
        self.url = f"http://127.0.0.1:{self._http.server_port}"

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    def serve(self) -> None:
        """Serves in this thread until it is interrupted."""
        self._http.serve_forever()

    def misbehave(self, *faults: str) -> None:
        """Each of the next submits takes one of these faults (names in `FAULTS`); afterwards all is well again."""
        if unknown := set(faults) - set(FAULTS):
            raise ValueError(f"no such fault: {', '.join(sorted(unknown))}; there are: {', '.join(FAULTS)}")
        with self._lock:
            self._faults += faults

    def advance(self, seconds: float) -> None:
        """Lets the server's clock jump."""
        self._skipped += seconds

    def now(self) -> float:
        return time.monotonic() + self._skipped

    @property
    def active(self) -> int:
        with self._lock:
            return len(self._running())

    def _running(self, model: str = "") -> list[Task]:
        here = (task for task in self.tasks.values() if self.now() < task.born + self.seconds)
        return [task for task in here if model in ("", task.model)]

    @property
    def charged(self) -> float:
        with self._lock:
            return sum(task.cost for task in self.tasks.values() if not task.free)

    @property
    def credits(self) -> float:
        return self.deposit - self.charged

    def submit(self, model: str, raw: bytes) -> Task:
        with self._lock:
            self.submits += 1
            fault = self._faults.pop(0) if self._faults else ""
            kind, first, further = ENDPOINTS.get(model) or _not_found()
            body = _parsed(kind, raw)
            cost = body.credits(first, further)
            self._refuse(fault, cost, model)
            given = getattr(body, "seed", None)
            seed = secrets.randbelow(2**31) if given is None else given
            task = Task(model, body, cost, self.now(), seed, fault)
            self.tasks[task.id] = task
            self.max_active = max(self.max_active, self.active)
            return task

    def _refuse(self, fault: str, cost: float, model: str) -> None:
        problem = {"type": "value_error", "loc": ["body", "prompt"], "msg": "Value error, prompt is not for us"}
        refusals = {
            "forbidden": Refusal(403, "Not authenticated - this key has no access"),
            "no-credit": Refusal(402, "Insufficient credits. Add credits at https://api.bfl.ai"),
            "invalid": Refusal(422, [problem]),
            "busy": Refusal(429, "Rate limit exceeded: too many active tasks"),
            "busy-7-seconds": Refusal(429, "Rate limit exceeded", {"Retry-After": "7"}),
            "down": Refusal(503, "Service temporarily unavailable"),
            "gateway-timeout": Refusal(504, "upstream request timeout"),
        }
        if fault in refusals:
            raise refusals[fault]
        if cost > self.credits:
            raise refusals["no-credit"]
        if self.active >= self.limit or len(self._running(model)) >= FEWER.get(model, self.limit):
            raise refusals["busy"]

    def accepted(self, task: Task) -> dict[str, Any]:
        """The answer to a submit."""
        width, height = task.body.size()
        answer = {
            "id": task.id,
            "polling_url": f"{self.url}/v1/get_result?id={task.id}",
            "cost": task.cost,
            "input_mp": round(sum(image.width * image.height for image in task.body.given()) / MEGAPIXEL, 2),
            "output_mp": round(width * height / MEGAPIXEL, 2),
        }
        if task.fault == "foreign-polling-url":
            answer["polling_url"] = f"{self.elsewhere}/v1/get_result?id={task.id}"
        left_out = {"no-polling-url": "polling_url", "no-cost": "cost"}.get(task.fault)
        return {name: value for name, value in answer.items() if name != left_out}

    @property
    def elsewhere(self) -> str:
        """The same server by a name that nobody configured."""
        return self.url.replace("127.0.0.1", "localhost")

    def result(self, task: Task) -> dict[str, Any]:
        """The answer to a poll."""
        over = self.now() >= task.born + self.seconds
        answer: dict[str, Any] = {"id": task.id, "status": self._status(task, over=over), "result": None}
        answer |= {"progress": None, "details": None, "preview": None}
        if over and task.fault.endswith("moderated"):
            answer["details"] = {"Moderation Reasons": ["Derivative Works Filter"]}
        if answer["status"] == "Ready":
            answer["result"] = self._ready(task)
        return answer

    def _status(self, task: Task, *, over: bool) -> str:
        if task.fault == "not-found":
            return "Task not found"
        if task.fault == "unknown-word":
            return "Contemplating"
        if over:
            ends = {"request-moderated": "Request Moderated", "content-moderated": "Content Moderated"}
            ends |= {"error": "Error", "failed": "Failed", "failed-with-503": "Failed"}
            return ends.get(task.fault, "Ready")
        share = (self.now() - task.born) / self.seconds
        return "Pending" if share < 0.1 else "Reasoning" if share < 0.3 else "Generating"

    def _ready(self, task: Task) -> dict[str, Any]:
        host = self.elsewhere if task.fault == "foreign-sample" else self.url
        result = {"sample": f"{host}/delivery/{task.id}/sample.{task.encoding}?sig=abc", "seed": task.seed}
        if "seed" not in type(task.body).model_fields:
            del result["seed"]
        if task.fault == "ready-without-picture":
            del result["sample"]
        prompt = getattr(task.body, "prompt", "")
        return result | {"prompt": prompt, "start_time": task.born, "end_time": task.born + self.seconds}

    def picture(self, task: Task) -> bytes:
        """The finished picture; the same order and seed give the same bytes."""
        drawn = _landscape(task.model, getattr(task.body, "prompt", ""), task.seed, task.body.size())
        return _encoded(task.body.show(drawn), task.encoding)

    def expired(self, task: Task) -> bool:
        return task.fault == "expired" or self.now() > task.born + self.seconds + SAMPLE_SECONDS

    def wait_for_closing(self) -> None:
        self._closing.wait()


def draw(model: str, prompt: str, seed: int, size: tuple[int, int], output_format: str) -> bytes:
    """A landscape of hills under a low sun, all of it drawn from the seed and the words."""
    return _encoded(_landscape(model, prompt, seed, size), output_format)


def _landscape(model: str, prompt: str, seed: int, size: tuple[int, int]) -> Image.Image:
    chance = random.Random(f"{model}|{prompt}|{seed}")
    hue = chance.randrange(360)
    width, height = size
    sky = Image.new("RGB", (1, 2))
    sky.putpixel((0, 0), _colour(hue, 45, 40))
    sky.putpixel((0, 1), _colour(hue + 40, 70, 80))
    picture = sky.resize(size, Image.Resampling.BILINEAR)
    pen = ImageDraw.Draw(picture)
    x, y, radius = width * chance.uniform(0.2, 0.8), height * chance.uniform(0.25, 0.5), min(size) * 0.09
    pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=_colour(hue + 60, 90, 88))
    for ridge in range(4):
        pen.polygon(_ridge(chance, size, 0.45 + 0.14 * ridge), fill=_colour(hue + 10 * ridge, 35, 42 - 9 * ridge))
    return picture


def _encoded(picture: Image.Image, output_format: str) -> bytes:
    out = io.BytesIO()
    picture.save(out, output_format)
    return out.getvalue()


def _ridge(chance: random.Random, size: tuple[int, int], level: float) -> list[tuple[float, float]]:
    width, height = size
    steps = 12
    tops = [(width * i / steps, height * (level + chance.uniform(-0.06, 0.06))) for i in range(steps + 1)]
    return [(0, height), *tops, (width, height)]


def _colour(hue: int, saturation: int, light: int) -> tuple[int, int, int]:
    red, green, blue = ImageColor.getrgb(f"hsl({hue % 360}, {saturation}%, {light}%)")[:3]
    return red, green, blue


def _not_found() -> tuple[type[Body], float, float]:
    raise Refusal(404, "Not Found")


def _parsed(kind: type[Body], raw: bytes) -> Body:
    try:
        return kind.model_validate_json(raw)
    except ValidationError as problem:
        told = problem.errors(include_url=False, include_context=False)
        raise Refusal(422, [{**each, "loc": ["body", *each["loc"]]} for each in told]) from problem


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    bfl: BflServer


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body are two writes, which would wait 40 ms for each other
    server: _Http

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            self._authenticate()
            task = self.server.bfl.submit(urlsplit(self.path).path.removeprefix("/v1/"), raw)
        except Refusal as refusal:
            self._json(refusal.status, refusal.body, refusal.headers)
            return
        if task.fault == "silent":
            self.server.bfl.wait_for_closing()
        if task.fault in ("lost", "silent"):
            self.close_connection = True
        elif task.fault == "garbage":
            self._send(200, b"<html>one moment please</html>", "text/html")
        else:
            self._json(200, self.server.bfl.accepted(task))

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        try:
            if url.path.startswith("/delivery/"):
                self._sample(self._task(url.path.split("/")[2]))
            elif url.path == "/v1/get_result":
                self._authenticate()
                self._poll(parse_qs(url.query).get("id", [""])[0])
            elif url.path == "/v1/credits":
                self._authenticate()
                self._json(200, {"credits": self.server.bfl.credits})
            else:
                _not_found()
        except Refusal as refusal:
            self._json(refusal.status, refusal.body, refusal.headers)

    def _authenticate(self) -> None:
        if self.headers.get("x-key") != self.server.bfl.key:
            raise Refusal(403, "Not authenticated - Invalid Authentication")

    def _task(self, task_id: str) -> Task:
        task = self.server.bfl.tasks.get(task_id)
        return task or Task("", Flux2(prompt=""), 0, 0, 0, fault="not-found", id=task_id)

    def _poll(self, task_id: str) -> None:
        bfl, task = self.server.bfl, self._task(task_id)
        bfl.polls += 1
        task.asked += 1
        first = task.asked == 1
        if task.fault == "poll-down" and first:
            raise Refusal(500, "Internal Server Error")
        if task.fault == "poll-lost" and first:
            self.close_connection = True
        elif task.fault == "poll-garbage" and first:
            self._send(200, b"<html>one moment please</html>", "text/html")
        else:
            answer = bfl.result(task)
            status = {"not-found": 404, "failed-with-503": 503}.get(task.fault, 200)
            self._json(status if answer["status"] in ("Failed", "Task not found") else 200, answer)

    def _sample(self, task: Task) -> None:
        bfl = self.server.bfl
        bfl.downloads += 1
        bfl.leaks += "x-key" in self.headers
        if task.fault == "not-found" or bfl.expired(task):
            self._send(403, b"<Error><Code>AccessDenied</Code></Error>", "application/xml")
        elif task.fault == "sample-down":
            self._send(503, b"slow down", "text/plain")
        elif task.fault == "sample-redirect":
            self._send(302, b"", "text/plain", {"Location": "http://127.0.0.1:1/"})
        elif task.fault in ("html", "html-called-png"):
            self._send(200, b"<html>sorry</html>", "text/html" if task.fault == "html" else "image/png")
        else:
            data = bfl.picture(task) + (b"\0" * 41_000_000 if task.fault == "huge" else b"")
            self._send(200, data, f"image/{task.encoding}", half=task.fault == "truncated")

    def _json(self, status: int, body: object, headers: Mapping[str, str] | None = None) -> None:
        self._send(status, json.dumps(body).encode(), "application/json", headers)

    def _send(
        self, status: int, data: bytes, kind: str, headers: Mapping[str, str] | None = None, *, half: bool = False
    ) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(data)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        try:
            self.wfile.write(data[: len(data) // 2] if half else data)
        except OSError:  # the client has had enough
            self.close_connection = True
        if half:
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Keeps quiet: a test reads the counters."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8901)
    parser.add_argument("--seconds", type=float, default=2.0, help="how long a picture takes")
    parser.add_argument("--key", default="bfl-test-key")
    parser.add_argument("--fault", action="append", default=[], choices=FAULTS, help="for the next submit; repeatable")
    chosen = parser.parse_args()
    bfl = BflServer(port=chosen.port, seconds=chosen.seconds, key=chosen.key)
    bfl.misbehave(*chosen.fault)
    print(f"BFL stand-in at {bfl.url}, key {bfl.key}; Ctrl-C ends it", flush=True)  # noqa: T201 - a command's words
    with contextlib.suppress(KeyboardInterrupt):
        bfl.serve()


if __name__ == "__main__":
    main()
