"""A local server that speaks Replicate's contract and can be told to misbehave: `with ReplicateServer() as server`.

Sources: https://replicate.com/docs/reference/http, the input schema on each model's page
(https://replicate.com/black-forest-labs/<model>/api/schema) and https://github.com/replicate/cog-flux. What is stricter
than Replicate: an unknown field is a 422, and so is a picture of more than 256 kB that was not uploaded.
"""

import base64
import io
import json
import math
import re
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, Self
from urllib.parse import urlsplit

from PIL import Image
from servers.bfl import draw

# What the server can do wrong, by the moment at which it does it
REFUSALS: Mapping[str, tuple[int, object, dict[str, str]]] = {  # nothing accepted
    "unauthorised": (401, {"title": "Unauthenticated", "detail": "You did not pass a valid authentication token"}, {}),
    "no-credit": (402, {"title": "Insufficient credit", "detail": "You have insufficient credit to run this"}, {}),
    "busy": (429, {"detail": "Request was throttled. Expected available in 7 seconds."}, {"Retry-After": "7"}),
    "down": (503, {"detail": "Service unavailable"}, {}),
    "gateway": (502, "bad gateway", {}),
}
SUBMIT = (*REFUSALS, "lost", "silent", "garbage", "foreign-get", "no-model", "upload-down")
TASK = (
    *("nsfw", "sensitive", "failed", "canceled", "aborted", "unknown-word", "not-found"),
    *("poll-down", "poll-lost", "poll-garbage", "no-output", "one-of-two", "foreign-cancel"),
)
PICTURE = ("expired", "html", "html-called-png", "truncated", "foreign-picture", "picture-down")
FAULTS = (*SUBMIT, *TASK, *PICTURE)
_FAILURES = {
    "nsfw": "All generated images contained NSFW content. Try running it again with a different prompt.",
    "sensitive": "The input or output was flagged as sensitive. Please try again with different inputs. (E005)",
    "failed": "CUDA out of memory",
}

Check = Callable[[Any], str]  # "" where the value is right, else what is wrong


def text(value: Any) -> str:
    return "" if isinstance(value, str) else "must be text"


def flag(value: Any) -> str:
    return "" if isinstance(value, bool) else "must be true or false"


def whole(low: float = -math.inf, high: float = math.inf, multiple: int = 1) -> Check:
    def check(value: Any) -> str:
        right = type(value) is int and low <= value <= high and value % multiple == 0
        return "" if right else f"must be a whole number from {low} to {high}, a multiple of {multiple}"

    return check


def number(low: float, high: float) -> Check:
    def check(value: Any) -> str:
        right = type(value) in (int, float) and low <= value <= high
        return "" if right else f"must be a number from {low} to {high}"

    return check


def one_of(*choices: str) -> Check:
    return lambda value: "" if value in choices else f"must be one of {', '.join(choices)}"


def picture(value: Any) -> str:
    if not isinstance(value, str) or not value.startswith(("data:image/", "http")):
        return "must be a URL"
    return "a data URL of more than 256 kB" if len(value) > 350_000 else ""


def pictures(most: int) -> Check:
    def check(value: Any) -> str:
        right = isinstance(value, list) and len(value) <= most and not any(map(picture, value))
        return "" if right else f"must be {most} URLs at most"

    return check


RATIOS = ("1:1", "16:9", "21:9", "3:2", "2:3", "4:5", "5:4", "3:4", "4:3", "9:16", "9:21")
_OPEN: dict[str, Check] = {
    "prompt!": text,
    "seed": whole(),
    "num_outputs": whole(1, 4),
    "output_format": one_of("webp", "jpg", "png"),
    "output_quality": whole(0, 100),
    "disable_safety_checker": flag,
    "num_inference_steps": whole(1, 50),
    "megapixels": one_of("1", "0.25", "match_input"),
}
_SCHNELL = _OPEN | {"aspect_ratio": one_of(*RATIOS), "num_inference_steps": whole(1, 4), "go_fast": flag}
_DEV = _SCHNELL | {"num_inference_steps": whole(1, 50), "guidance": number(0, 10), "prompt_strength": number(0, 1)}
_LORA: dict[str, Check] = {"lora_weights": text, "lora_scale": number(-1, 3)}
_CONTROL = _OPEN | {"control_image!": picture, "guidance": number(0, 100)}
_REDUX = {name: check for name, check in _SCHNELL.items() if name not in ("prompt!", "go_fast")}
_REDUX |= {"redux_image!": picture}
_PRO: dict[str, Check] = {
    "prompt!": text,
    "seed": whole(),
    "safety_tolerance": whole(1, 6),
    "output_format": one_of("jpg", "png"),
    "prompt_upsampling": flag,
}
_TOOL = _PRO | {"steps": whole(15, 50), "guidance": number(1, 100)}
_SIZED: dict[str, Check] = {
    "aspect_ratio": one_of("custom", "1:1", "16:9", "3:2", "2:3", "4:5", "5:4", "9:16", "3:4", "4:3"),
    "output_quality": whole(0, 100),
    "output_format": one_of("webp", "jpg", "png"),
    "width": whole(256, 2048, 32),
    "height": whole(256, 2048, 32),
}
_SMALL: dict[str, Check] = {"width": whole(256, 1440, 32), "height": whole(256, 1440, 32)}
_FLUX_2 = _SIZED | {
    "prompt!": text,
    "seed": whole(),
    "safety_tolerance": whole(1, 5),
    "input_images": pictures(8),
    "resolution": one_of("match_input_image", "0.5 MP", "1 MP", "2 MP", "4 MP"),
}
_DEV_2 = {"prompt!": text, "seed": whole(), "input_images": pictures(4), "go_fast": flag}
_KONTEXT = _PRO | {
    "safety_tolerance": whole(0, 6),
    "input_image": picture,
    "aspect_ratio": one_of("match_input_image", *RATIOS, "2:1", "1:2"),
}
_KONTEXT_DEV: dict[str, Check] = {
    "prompt!": text,
    "seed": whole(),
    "input_image!": picture,
    "aspect_ratio": one_of("match_input_image", *RATIOS),
    "num_inference_steps": whole(4, 50),
    "guidance": number(0, 10),
    "go_fast": flag,
    "output_format": one_of("webp", "jpg", "png"),
}
_FILL_DEV = _OPEN | _LORA | {"image!": picture, "mask": picture, "guidance": number(0, 100)}
_KLEIN: dict[str, Check] = {
    "prompt!": text,
    "seed": whole(),
    "images": pictures(4),
    "aspect_ratio": one_of("match_input_image", *RATIOS),
    "output_megapixels": one_of("0.25", "0.5", "1", "2", "4"),
    "output_format": one_of("webp", "jpg", "png"),
    "output_quality": whole(0, 100),
}
_ULTRA = _PRO | {"raw": flag, "image_prompt": picture, "aspect_ratio": one_of(*RATIOS)}
SCHEMAS: Mapping[str, Mapping[str, Check]] = {  # "!" marks what must be there
    "flux-schnell": _SCHNELL,
    "flux-dev": _DEV | {"image": picture},
    "flux-dev-lora": _DEV | _LORA | {"image": picture, "extra_lora": text},
    "flux-1.1-pro": _PRO | _SIZED | _SMALL | {"image_prompt": picture},
    "flux-1.1-pro-ultra": {name: check for name, check in _ULTRA.items() if name != "prompt_upsampling"},
    "flux-2-pro": _FLUX_2,
    "flux-2-max": _FLUX_2,
    "flux-2-flex": _FLUX_2
    | {"steps": whole(1, 50), "guidance": number(1.5, 10), "prompt_upsampling": flag, "input_images": pictures(10)},
    "flux-2-dev": _SIZED | _SMALL | _DEV_2,
    "flux-2-klein-4b": _KLEIN,
    "flux-kontext-pro": _KONTEXT,
    "flux-kontext-max": _KONTEXT,
    "flux-kontext-dev": _KONTEXT_DEV,
    "flux-fill-pro": _TOOL | {"image!": picture, "mask": picture, "outpaint": text},
    "flux-fill-dev": _FILL_DEV,
    "flux-canny-pro": _TOOL | {"control_image!": picture},
    "flux-canny-dev": _CONTROL,
    "flux-depth-pro": _TOOL | {"control_image!": picture},
    "flux-depth-dev": _CONTROL,
    "flux-redux-dev": _REDUX | {"num_inference_steps": whole(1, 50), "guidance": number(0, 10)},
    "flux-redux-schnell": _REDUX,
}
_TRAINED = _SCHNELL | _LORA | {"guidance_scale": number(0, 10), "num_inference_steps": whole(1, 50), "image": picture}
_TRAINED |= {"width": whole(256, 1440), "height": whole(256, 1440), "aspect_ratio": one_of(*RATIOS, "custom")}


def wrong(schema: Mapping[str, Check], given: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The fields of an input that its schema does not take, each with what is wrong."""
    known = {name.rstrip("!"): check for name, check in schema.items()}
    found = [(name, known[name](value) if name in known else "unknown field") for name, value in given.items()]
    missing = [(name[:-1], "is required") for name in schema if name.endswith("!") and name[:-1] not in given]
    return [(name, words) for name, words in [*found, *missing] if words]


def opened(address: str) -> bytes:
    """The bytes of a `data:` URL."""
    return base64.b64decode(address.partition(",")[2])


@dataclass
class Task:
    """One accepted order."""

    model: str
    input: dict[str, Any]
    fault: str = ""
    id: str = field(default_factory=lambda: secrets.token_hex(13))
    polls: int = 0
    canceled: bool = False


class Server:
    """A hosted service on 127.0.0.1; a context manager. A task is ready after `waits` polls.

    To look at: `tasks` (accepted orders, oldest first), `submits` (orders that came), `downloads`, `leaks` (downloads
    that came with the key).
    """

    faults: ClassVar[tuple[str, ...]]

    def __init__(self, key: str, handler: type["Handler"]) -> None:
        self.key = key
        self.waits = self.submits = self.downloads = self.leaks = 0
        self.tasks: dict[str, Task] = {}
        self.fault = ""
        self.closing = threading.Event()
        self._http = _Http(("127.0.0.1", 0), handler)
        self._http.service = self
        self.url = f"http://127.0.0.1:{self._http.server_port}"

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    def misbehave(self, fault: str) -> None:
        """The next order meets this fault; then all is well again."""
        assert fault in self.faults
        self.fault = fault

    @property
    def last(self) -> dict[str, Any]:
        """The input of the latest order that was accepted."""
        return list(self.tasks.values())[-1].input

    def picture(self, task: Task) -> bytes:
        """The finished picture; the same model and input give the same bytes."""
        kind = {"jpg": "jpeg"}.get(task.input["output_format"], task.input["output_format"])
        return draw(task.model, task.input.get("prompt", ""), task.input["seed"], self.size(task), kind)

    def size(self, task: Task) -> tuple[int, int]:
        """Width and height in pixels of the finished picture."""
        raise NotImplementedError


def of_ratio(ratio: float, side: int = 1024) -> tuple[int, int]:
    """Width and height in pixels, of about as many pixels as a square of that side has."""
    return int(side * math.sqrt(ratio)), int(side / math.sqrt(ratio))


class ReplicateServer(Server):
    """Replicate. `models` are those it has, `files` the pictures that were uploaded."""

    faults = FAULTS

    def __init__(self, key: str = "r8_test") -> None:
        super().__init__(key, ReplicateHandler)
        self.models = {f"black-forest-labs/{name}" for name in SCHEMAS}
        self.files: dict[str, bytes] = {}

    def opened(self, address: str) -> bytes:
        """The picture at an address that an order names."""
        return opened(address) if address.startswith("data:") else self.files[address.rpartition("/")[2]]

    def size(self, task: Task) -> tuple[int, int]:
        given = task.input
        if given.get("aspect_ratio") == "custom":
            return given["width"], given["height"]
        if ratio := given.get("aspect_ratio"):
            width, height = map(int, ratio.split(":"))
            return of_ratio(width / height, 2048 if "ultra" in task.model else 1024)
        start = Image.open(io.BytesIO(self.opened(given.get("image") or given["control_image"])))
        return start.size if "image" in given else of_ratio(start.width / start.height)

    def prediction(self, task: Task, status: str) -> dict[str, Any]:
        mine = f"{self.url}/v1/predictions/{task.id}"
        foreign = mine.replace("127.0.0.1", "localhost")
        links = [f"{self.url}/delivery/{task.id}/out-0.png"]
        links += [f"{self.url}/delivery/{task.id}/out-1.png"] if task.fault == "one-of-two" else []
        links = [link.replace("127.0.0.1", "localhost") for link in links] if task.fault == "foreign-picture" else links
        listed = "guidance_scale" in task.input or "num_inference_steps" in task.input
        output = None if task.fault == "no-output" else links if listed or len(links) > 1 else links[0]
        return {
            "id": task.id,
            "model": task.model,
            "version": "hidden",
            "input": task.input,
            "status": status,
            "error": _FAILURES.get(task.fault) if status == "failed" else None,
            "output": output if status == "succeeded" else None,
            "metrics": {"predict_time": 1.25} if status == "succeeded" else {},
            "urls": {
                "get": foreign if task.fault == "foreign-get" else mine,
                "cancel": f"{foreign if task.fault == 'foreign-cancel' else mine}/cancel",
            },
        }

    def status(self, task: Task) -> str:
        if task.canceled:
            return "canceled"
        if task.polls <= self.waits:
            return "starting" if task.polls == 1 else "processing"
        if task.fault in ("canceled", "aborted"):
            return task.fault
        if task.fault == "unknown-word" and task.polls == self.waits + 1:
            return "warming-up"
        return "failed" if task.fault in _FAILURES else "succeeded"


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    service: Server


class Handler(BaseHTTPRequestHandler):
    """What both stand-ins need to answer."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body are two writes, which would wait 40 ms for each other
    server: _Http

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def hold_or_cut(self, fault: str) -> None:
        """Leaves a request without an answer."""
        if fault == "silent":
            self.server.service.closing.wait()
        self.close_connection = True

    def sample(self, task: Task | None) -> None:
        service = self.server.service
        service.downloads += 1
        service.leaks += "Authorization" in self.headers
        fault = task.fault if task else "expired"
        if task is None or fault in ("expired", "picture-down"):
            self.send(404 if fault == "expired" else 503, b"gone", "text/plain")
        elif fault in ("html", "html-called-png"):
            self.send(200, b"<html>sorry</html>", "text/html" if fault == "html" else "image/png")
        else:
            self.send(200, service.picture(task), "image/png", half=fault == "truncated")

    def json(self, status: int, body: object, headers: Mapping[str, str] | None = None) -> None:
        self.send(status, json.dumps(body).encode(), "application/json", headers)

    def send(
        self, status: int, data: bytes, kind: str, headers: Mapping[str, str] | None = None, *, half: bool = False
    ) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(data)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.close_connection = self.close_connection or half
        self.wfile.write(data[: len(data) // 2] if half else data)

    def log_message(self, *_: object) -> None:
        """Keeps quiet: a test reads the counters."""


class ReplicateHandler(Handler):
    @property
    def replicate(self) -> ReplicateServer:
        assert isinstance(self.server.service, ReplicateServer)
        return self.server.service

    def do_POST(self) -> None:
        raw, path = self.body(), urlsplit(self.path).path
        if not self._authentic():
            return
        if path == "/v1/files":
            self._keep(raw)
        elif cancel := re.fullmatch(r"/v1/predictions/(\w+)/cancel", path):
            task = self.replicate.tasks[cancel[1]]
            task.canceled = True
            self.json(200, self.replicate.prediction(task, "canceled"))
        else:
            self._predict(path, json.loads(raw))

    def _keep(self, raw: bytes) -> None:
        if self.replicate.fault == "upload-down":
            self.replicate.fault = ""
            self.json(500, {"detail": "Internal server error"})
            return
        start = raw.index(b"\r\n\r\n") + 4
        name = secrets.token_hex(8)
        self.replicate.files[name] = raw[start : raw.rindex(b"\r\n--")]
        self.json(201, {"id": name, "urls": {"get": f"{self.replicate.url}/v1/files/{name}"}})

    def _predict(self, path: str, body: dict[str, Any]) -> None:
        service = self.replicate
        fault, service.fault = service.fault, ""
        service.submits += 1
        named = re.fullmatch(r"/v1/models/([\w.-]+/[\w.-]+)/predictions", path)
        model = named[1] if named else "trained" if path == "/v1/predictions" and body.get("version") else ""
        schema = _TRAINED if model == "trained" else SCHEMAS.get(model.rpartition("/")[2])
        if schema is None or fault == "no-model":
            self.json(404, {"detail": "The requested resource could not be found.", "status": 404})
        elif fault in REFUSALS:
            status, told, headers = REFUSALS[fault]
            self.json(status, told, headers)
        elif found := wrong(schema, body["input"]):
            detail = "".join(f"- input.{name}: {words}\n" for name, words in found)
            self.json(422, {"title": "Input validation failed", "detail": detail, "status": 422})
        else:
            self._accept(Task(model, body["input"], fault))

    def _accept(self, task: Task) -> None:
        self.replicate.tasks[task.id] = task
        if task.fault in ("lost", "silent"):
            self.hold_or_cut(task.fault)
            return
        if task.fault == "garbage":
            self.send(200, b"<html>one moment please</html>", "text/html")
        else:
            self.json(201, self.replicate.prediction(task, "starting"))

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if path.startswith("/delivery/"):
            self.sample(self.replicate.tasks.get(path.split("/")[2]))
        elif self._authentic():
            self._answer(path)

    def _answer(self, path: str) -> None:
        name = path.removeprefix("/v1/models/").split("/versions/")[0]
        if path == "/v1/account":
            self.json(200, {"type": "user", "username": "gazette", "name": "The Gazette"})
        elif path.startswith("/v1/predictions/"):
            self._poll(self.replicate.tasks[path.rpartition("/")[2]])
        elif name in self.replicate.models:
            self.json(200, {"owner": name.split("/")[0], "name": name.split("/")[1]})
        else:
            self.json(404, {"detail": "The requested resource could not be found.", "status": 404})

    def _poll(self, task: Task) -> None:
        task.polls += 1
        fault = task.fault if task.polls == 1 or not task.fault.startswith("poll-") else ""
        if fault == "not-found":
            self.json(404, {"detail": "Prediction not found"})
        elif fault == "poll-down":
            self.json(500, {"detail": "Internal server error"})
        elif fault == "poll-garbage":
            self.send(200, b"<html>one moment please</html>", "text/html")
        elif fault == "poll-lost":
            self.hold_or_cut(fault)
        else:
            self.json(200, self.replicate.prediction(task, self.replicate.status(task)))

    def _authentic(self) -> bool:
        if self.headers.get("Authorization") == f"Bearer {self.replicate.key}":
            return True
        self.json(*REFUSALS["unauthorised"])
        return False
