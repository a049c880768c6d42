"""A local server that speaks the contract of fal's queue and can be told to misbehave: `with FalServer() as server`.

Sources: https://fal.ai/docs/api-reference/inference-api and the types of the npm package @fal-ai/client 1.10.1, which
are made from the apps' OpenAPI files. What is stricter than fal: the input is looked at when it is submitted, and an
unknown field is a 422. What is simpler: `waits` polls are all that a request takes.
"""

import base64
import io
import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from PIL import Image
from servers.replicate import (
    Check,
    Handler,
    Server,
    Task,
    flag,
    number,
    of_ratio,
    one_of,
    opened,
    pictures,
    text,
    whole,
    wrong,
)

# What the server can do wrong, by the moment at which it does it
_POLICY = "The content could not be processed because it contained material flagged by a content checker."
_FLAGGED = {"detail": [{"loc": ["body", "prompt"], "msg": _POLICY, "type": "content_policy_violation"}]}
REFUSALS: Mapping[str, tuple[int, object, dict[str, str]]] = {  # nothing accepted
    "unauthorised": (401, {"detail": "Cannot access application. Authentication is required"}, {}),
    "no-credit": (403, {"detail": "User is locked. Reason: Exhausted balance. Top up your balance."}, {}),
    "locked": (403, {"detail": "User is locked. Reason: Admin lock. Please contact support."}, {}),
    "busy": (429, {"detail": "Too many requests"}, {"Retry-After": "7"}),
    "down": (503, {"detail": "Service unavailable"}, {}),
    "gateway": (504, "upstream request timeout", {}),
    "policy": (422, _FLAGGED, {}),
}
RESPONSES: Mapping[str, tuple[int, object]] = {  # what the app answered, once it is COMPLETED
    "policy-later": (422, _FLAGGED),
    "invalid-later": (422, {"detail": [{"loc": ["body", "image_url"], "msg": "Could not be read", "type": "file"}]}),
    "app-down": (500, {"detail": "Internal Server Error"}),
    "gone": (404, {"detail": "Request not found"}),
}
SUBMIT = (*REFUSALS, "lost", "silent", "garbage", "foreign-status")
TASK = (
    *(*RESPONSES, "nsfw", "error", "unknown-word", "not-found", "poll-down", "poll-lost", "poll-garbage"),
    *("answer-down", "answer-garbage", "no-images", "data-url", "html-data-url", "broken-data-url", "no-urls"),
    *("foreign-response", "foreign-cancel"),
)
PICTURE = ("expired", "html", "html-called-png", "truncated", "foreign-picture", "picture-down")
FAULTS = (*SUBMIT, *TASK, *PICTURE)


def _data(value: Any) -> str:
    return "" if isinstance(value, str) and value.startswith("data:image/") else "must be a URL"


def _loras(value: Any) -> str:
    right = isinstance(value, list) and all(set(each) <= {"path", "scale", "force"} and each["path"] for each in value)
    return "" if right else "must be a list of paths and scales"


def _sides(low: int, high: int) -> Check:
    def check(value: Any) -> str:
        right = isinstance(value, dict) and set(value) == {"width", "height"}
        right = right and all(type(side) is int and low <= side <= high for side in value.values())
        return "" if right else f"must be a width and a height from {low} to {high}"

    return check


_ANY: dict[str, Check] = {"prompt!": text, "seed": whole(), "sync_mode": flag, "output_format": one_of("jpeg", "png")}
_MANY = _ANY | {"num_images": whole(1, 4)}
_CHECKED: dict[str, Check] = {"enable_safety_checker": flag, "num_inference_steps": whole(1, 50)}
_OPEN = _MANY | _CHECKED | {"image_size": _sides(64, 2048), "guidance_scale": number(0, 40)}
_LORA = _OPEN | {"loras": _loras}
_TOLERANT: dict[str, Check] = {"safety_tolerance": one_of("1", "2", "3", "4", "5", "6"), "enhance_prompt": flag}
_RATIOS = ("21:9", "16:9", "4:3", "3:2", "1:1", "2:3", "3:4", "9:16", "9:21")
_RATIO: dict[str, Check] = {"aspect_ratio": one_of(*_RATIOS)}
_MODE = {"resolution_mode": one_of("auto", "match_input", *_RATIOS), "guidance_scale": number(1, 20)}
_REDUX = {"image_url!": _data, "image_size": _sides(256, 1440), "num_inference_steps": whole(1, 50)}
_REDUX |= {"guidance_scale": number(1, 20)}
_WORDS = _MANY | _TOLERANT | _RATIO | {"guidance_scale": number(1, 20)}
_KONTEXT = _WORDS | {"image_url!": _data}
_FLUX_2 = _ANY | {
    "enable_safety_checker": flag,
    "safety_tolerance": one_of("1", "2", "3", "4", "5"),
    "image_size": _sides(256, 2048),
}
_FLEX = _FLUX_2 | {"num_inference_steps": whole(2, 50), "guidance_scale": number(1.5, 10)}
_DEV = _OPEN | {"enable_prompt_expansion": flag, "image_size": _sides(512, 2048)}
_GIVEN: dict[str, Check] = {"image_urls!": pictures(8)}
_KLEIN = _MANY | {"enable_safety_checker": flag, "num_inference_steps": whole(4, 8), "image_size": _sides(64, 2048)}
SCHEMAS: Mapping[str, Mapping[str, Check]] = {  # by path; "!" marks what must be there
    "fal-ai/flux/schnell": _OPEN | {"num_inference_steps": whole(1, 12)},
    "fal-ai/flux/dev": _OPEN,
    "fal-ai/flux-lora": _LORA,
    "fal-ai/flux-pro/v1.1": _MANY | _TOLERANT | {"image_size": _sides(256, 1440)},
    "fal-ai/flux-pro/v1.1-ultra": _MANY | _TOLERANT | _RATIO | {"raw": flag, "image_url": _data},
    "fal-ai/flux-2": _DEV,
    "fal-ai/flux-2/edit": _DEV | {"image_urls!": pictures(4)},
    "fal-ai/flux-2-pro": _FLUX_2,
    "fal-ai/flux-2-pro/edit": _FLUX_2 | _GIVEN,
    "fal-ai/flux-2-max": _FLUX_2,
    "fal-ai/flux-2-max/edit": _FLUX_2 | _GIVEN,
    "fal-ai/flux-2-flex": _FLEX,
    "fal-ai/flux-2-flex/edit": _FLEX | _GIVEN,
    "fal-ai/flux-2/klein/4b": _KLEIN,
    "fal-ai/flux-2/klein/4b/edit": _KLEIN | {"image_urls!": pictures(4)},
    "fal-ai/flux-2/klein/9b": _KLEIN,
    "fal-ai/flux-pro/kontext": _KONTEXT,
    "fal-ai/flux-pro/kontext/text-to-image": _WORDS,
    "fal-ai/flux-pro/kontext/max": _KONTEXT,
    "fal-ai/flux-pro/kontext/max/text-to-image": _WORDS,
    "fal-ai/flux-kontext/dev": _MANY | _CHECKED | {"image_url!": _data, "enhance_prompt": flag} | _MODE,
    "fal-ai/flux-pro/v1.1/redux": _MANY | _TOLERANT | _REDUX,
    "fal-ai/flux-pro/v1/fill": _MANY | _TOLERANT | {"image_url!": _data, "mask_url!": _data},
    "fal-ai/flux-lora-canny": _LORA | {"image_url!": _data},
    "fal-ai/flux-lora-depth": _LORA | {"image_url!": _data},
}


class FalServer(Server):
    """fal's queue, and at `models_url` its list of models: `models` are their states, by name."""

    faults = FAULTS

    def __init__(self, key: str = "key-id:key-secret") -> None:
        super().__init__(key, FalHandler)
        self.models = dict.fromkeys(SCHEMAS, "active")
        self.models_url = f"{self.url}/v1/models"
        self.timeout = ""  # X-Fal-Request-Timeout of the latest order

    def size(self, task: Task) -> tuple[int, int]:
        given = task.input
        if size := given.get("image_size"):
            return size["width"], size["height"]
        if ratio := given.get("aspect_ratio"):
            width, height = map(int, ratio.split(":"))
            return of_ratio(width / height, 2048 if "ultra" in task.model else 1024)
        return Image.open(io.BytesIO(opened(given["image_url"]))).size

    def request(self, task: Task) -> dict[str, Any]:
        """What both the submit and the status tell; the URLs have the app without its sub-path."""
        mine = f"{self.url}/{'/'.join(task.model.split('/')[:2])}/requests/{task.id}"
        foreign = mine.replace("127.0.0.1", "localhost")
        return {
            "request_id": task.id,
            "response_url": foreign if task.fault == "foreign-response" else mine,
            "status_url": f"{foreign if task.fault == 'foreign-status' else mine}/status",
            "cancel_url": f"{foreign if task.fault == 'foreign-cancel' else mine}/cancel",
        }

    def status(self, task: Task) -> dict[str, Any]:
        told = {} if task.fault == "no-urls" else self.request(task)
        if task.polls <= self.waits:
            queued = {"status": "IN_QUEUE", "queue_position": 0}
            return told | (queued if task.polls == 1 else {"status": "IN_PROGRESS", "logs": None})
        if task.fault == "unknown-word" and task.polls == self.waits + 1:
            return told | {"status": "RETRYING"}
        failed = {"error": "Internal Server Error", "error_type": "internal_error"}
        error = failed if task.fault in ("error", "app-down") else {}
        return told | {"status": "COMPLETED", "metrics": {"inference_time": 0.75}, **error}

    def made(self, task: Task) -> dict[str, Any]:
        host = self.url.replace("127.0.0.1", "localhost") if task.fault == "foreign-picture" else self.url
        data = b"<html>sorry</html>" if task.fault == "html-data-url" else self.picture(task)
        inline = f"data:image/png;base64,{base64.b64encode(data).decode()}"
        inline = inline[:-3] if task.fault == "broken-data-url" else inline
        url = inline if task.fault.endswith("data-url") else f"{host}/files/{task.id}/made.png"
        return {
            "images": [] if task.fault == "no-images" else [{"url": url, "content_type": "image/png"}],
            "seed": task.input["seed"],
            "prompt": task.input.get("prompt", ""),
            "has_nsfw_concepts": [task.fault == "nsfw"],
        }


class FalHandler(Handler):
    @property
    def fal(self) -> FalServer:
        assert isinstance(self.server.service, FalServer)
        return self.server.service

    def do_POST(self) -> None:  # noqa: N802 - http.server calls it so
        body, service = json.loads(self.body()), self.fal
        if not self._authentic():
            return
        fault, service.fault = service.fault, ""
        service.submits += 1
        service.timeout = self.headers.get("X-Fal-Request-Timeout", "")
        path = urlsplit(self.path).path.strip("/")
        if path not in SCHEMAS:
            self.json(404, {"detail": f"Application {path!r} not found"})
        elif fault in REFUSALS:
            status, told, headers = REFUSALS[fault]
            self.json(status, told, headers)
        elif found := wrong(SCHEMAS[path], body):
            self.json(422, {"detail": [{"loc": ["body", name], "msg": words, "type": "x"} for name, words in found]})
        else:
            self._accept(Task(path, body, fault))

    def _accept(self, task: Task) -> None:
        self.fal.tasks[task.id] = task
        if task.fault in ("lost", "silent"):
            self.hold_or_cut(task.fault)
        elif task.fault == "garbage":
            self.send(200, b"<html>one moment please</html>", "text/html")
        else:
            self.json(200, self.fal.request(task) | {"status": "IN_QUEUE", "queue_position": 0})

    def do_GET(self) -> None:  # noqa: N802 - http.server calls it so
        url = urlsplit(self.path)
        if url.path.startswith("/files/"):
            self.sample(self.fal.tasks.get(url.path.split("/")[2]))
        elif not self._authentic():
            return
        elif url.path == "/v1/models":
            self._list(parse_qs(url.query)["endpoint_id"][0])
        else:
            found = re.fullmatch(r"/fal-ai/[\w.-]+/requests/(\w+)(/status)?", url.path)
            task = self.fal.tasks[found[1]] if found else None
            if task is None:
                self.json(404, {"detail": "Not found"})
            elif found and found[2]:
                self._status(task)
            else:
                self._response(task)

    def _list(self, name: str) -> None:
        state = self.fal.models.get(name)
        found = [] if state is None else [{"endpoint_id": name, "metadata": {"status": state}}]
        self.json(200, {"models": found, "has_more": False})

    def _status(self, task: Task) -> None:
        task.polls += 1
        fault = task.fault if task.polls == 1 or not task.fault.startswith("poll-") else ""
        if fault == "not-found":
            self.json(404, {"detail": "Request not found"})
        elif fault == "poll-down":
            self.json(500, {"detail": "Internal Server Error"})
        elif fault == "poll-garbage":
            self.send(200, b"<html>one moment please</html>", "text/html")
        elif fault == "poll-lost":
            self.hold_or_cut(fault)
        else:
            told = self.fal.status(task)
            self.json(200 if told["status"] == "COMPLETED" else 202, told)

    def _response(self, task: Task) -> None:
        first = task.polls == self.fal.waits + 1
        if task.fault in RESPONSES:
            self.json(*RESPONSES[task.fault])
        elif task.fault == "answer-down" and first:
            self.json(502, {"detail": "Bad gateway"})
        elif task.fault == "answer-garbage" and first:
            self.send(200, b"<html>one moment please</html>", "text/html")
        else:
            self.json(200, self.fal.made(task))

    def do_PUT(self) -> None:  # noqa: N802 - http.server calls it so
        if not self._authentic():
            return
        found = re.fullmatch(r"/fal-ai/[\w.-]+/requests/(\w+)/cancel", urlsplit(self.path).path)
        task = self.fal.tasks[found[1]] if found else None
        if task is None:
            self.json(404, {"detail": "Not found"})
        elif task.polls > self.fal.waits:
            self.json(400, {"status": "ALREADY_COMPLETED"})
        else:
            task.canceled = True
            self.json(202, {"status": "CANCELLATION_REQUESTED"})

    def _authentic(self) -> bool:
        if self.headers.get("Authorization") == f"Key {self.fal.key}":
            return True
        self.json(*REFUSALS["unauthorised"])
        return False
