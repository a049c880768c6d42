"""A local server that speaks ComfyUI's contract and can be told to misbehave.

`PYTHONPATH=tests python -m servers.comfyui` starts it. Sources: server.py, execution.py and main.py of
https://github.com/Comfy-Org/ComfyUI (0.3.64). It checks a workflow as ComfyUI does and then walks it
(`comfyui_nodes.py`); only what the model draws is made up.
"""

import argparse
import contextlib
import email
import io
import json
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

from servers.comfyui_nodes import FILES, NODES, Checking, Class, Spec, Walk, loaders

FAULTS = (
    *("down", "busy-7-seconds", "forbidden", "not-found"),  # at the submit, nothing accepted
    *("lost", "garbage", "no-id"),  # accepted
    *("fails", "stopped", "silent-failure", "only-a-preview", "vanishes", "ends-between", "no-status"),
    *("poll-down", "poll-lost", "poll-garbage", "gone-picture", "html", "truncated"),
)


@dataclass
class Job:
    """One accepted workflow. `began` is when the drawing began by the server's clock, in seconds; None: it waits."""

    workflow: dict[str, Any]
    number: int
    fault: str = ""
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    began: float | None = None
    asked: int = 0

    def item(self) -> list[Any]:
        return [self.number, self.id, self.workflow, {"client_id": "frontispiece"}, []]


class ComfyuiServer:
    """ComfyUI on 127.0.0.1; a context manager. A picture takes `seconds`, which `advance` makes pass at once.

    To look at: `jobs` (accepted, oldest first), `uploads` (the input folder), `posts` (POSTs to /prompt), `pending`,
    `running`, `history`, `interrupts`. `modern` is False for a server before September 2025.
    """

    def __init__(self, *, port: int = 0, seconds: float = 0.0) -> None:
        self.seconds, self.modern = seconds, True
        self.files = {kind: list(names) for kind, names in FILES.items()}
        self.lacks: set[str] = set()  # classes of nodes that are not installed
        self.uploads: dict[str, bytes] = {}
        self.jobs: list[Job] = []
        self.pending: list[Job] = []
        self.running: Job | None = None
        self.history: dict[str, dict[str, Any]] = {}
        self.output: dict[str, bytes] = {}
        self.posts = self.interrupts = 0
        self.upload_limit = 100_000_000  # bytes
        self._faults: list[str] = []
        self._skipped = 0.0  # seconds
        self.lock = threading.RLock()
        self._http = _Http(("127.0.0.1", port), Handler)
        self._http.comfyui = self
        self.url = f"http://127.0.0.1:{self._http.server_port}"

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    def serve(self) -> None:
        """Serves in this thread until it is interrupted."""
        self._http.serve_forever()

    def misbehave(self, *faults: str) -> None:
        """Each of the next submits takes one of these faults (names in `FAULTS`); afterwards all is well again."""
        assert set(faults) <= set(FAULTS), f"there are: {', '.join(FAULTS)}"
        self._faults += faults

    def advance(self, seconds: float) -> None:
        """Lets the server's clock jump."""
        self._skipped += seconds

    def next_fault(self) -> str:
        return self._faults.pop(0) if self._faults else ""

    def known(self) -> dict[str, Class]:
        here = loaders(self.files, sorted(self.uploads)) | NODES
        return {name: kind for name, kind in here.items() if name not in self.lacks}

    def accept(self, workflow: dict[str, Any], fault: str) -> Job:
        job = Job(workflow, len(self.jobs), fault)
        self.jobs.append(job)
        self.pending.append(job)
        self.tick()
        return job

    def tick(self) -> None:
        """What the time that has passed has brought."""
        now = time.monotonic() + self._skipped
        while self.running or self.pending:
            if not self.running:
                self.running = self.pending.pop(0)
                self.running.began = now
            if self.running.began is None or now < self.running.began + self.seconds:
                return
            job, self.running = self.running, None
            if job.fault != "vanishes":
                self.history[job.id] = self._ended(job)

    def stop(self, job: Job) -> None:
        """Ends what is being drawn, as /interrupt does."""
        self.interrupts += 1
        job.fault, self.running = "stopped", None
        self.history[job.id] = self._ended(job)
        self.tick()

    def _ended(self, job: Job) -> dict[str, Any]:
        """What the history tells of a job."""
        last = list(job.workflow)[-1]
        where = {"prompt_id": job.id, "node_id": last, "node_type": job.workflow[last]["class_type"], "executed": []}
        trouble = {"exception_type": "torch.OutOfMemoryError", "exception_message": "Allocation on device\n"}
        messages: list[list[Any]] = [["execution_start", {"prompt_id": job.id}]]
        messages += [["execution_interrupted", where]] * (job.fault == "stopped")
        messages += [["execution_error", where | trouble]] * (job.fault == "fails")
        bad = job.fault in ("stopped", "fails", "silent-failure")
        outputs = {} if bad else self._outputs(job)
        status = {"status_str": "error" if bad else "success", "completed": not bad, "messages": messages}
        ended = {"prompt": job.item(), "outputs": outputs, "status": None if job.fault == "no-status" else status}
        return ended | {"meta": {}}

    def _outputs(self, job: Job) -> dict[str, Any]:
        outputs: dict[str, Any] = {}
        for number, (kind, picture) in Walk(job.workflow, self.uploads).saved().items():
            prefix = job.workflow[number]["inputs"].get("filename_prefix", "ComfyUI_temp")
            name, file = f"{prefix}_{len(self.output) + 1:05}_.png", io.BytesIO()
            picture.save(file, "PNG")
            self.output[name] = file.getvalue()
            folder = "temp" if job.fault == "only-a-preview" else kind
            outputs[number] = {"images": [{"filename": name, "subfolder": "", "type": folder}]}
        return outputs

    def look(self, job_id: str) -> dict[str, Any]:
        """The answer to a look into the history."""
        for job in self.jobs:
            if job.id == job_id and job.fault == "ends-between" and job.asked == 1:
                return {}
        return {job_id: self.history[job_id]} if job_id in self.history else {}

    def info(self, name: str) -> dict[str, Any]:
        """The answer to a question about a class of nodes."""
        kind = self.known().get(name)
        if kind is None:
            return {}
        told = {"required": self._inputs(kind.required), "optional": self._inputs(kind.optional)}
        return {name: {"input": told, "output": list(kind.outputs), "name": name, "output_node": kind.ends}}

    def _inputs(self, specs: Mapping[str, Spec]) -> dict[str, Any]:
        """V3 nodes, of which there are more every month, tell their choices in another form."""
        old = {name: [*spec] for name, spec in specs.items()}
        new = {name: ["COMBO", {"options": spec[0]}] for name, spec in specs.items() if isinstance(spec[0], list)}
        return old | (new if self.modern else {})


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    comfyui: ComfyuiServer


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body are two writes, which would wait 40 ms for each other
    server: _Http

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        with self.server.comfyui.lock:
            self.server.comfyui.tick()
            routes = {"/prompt": self._prompt, "/upload/image": self._upload}
            routes |= {"/queue": self._delete, "/interrupt": self._interrupt}
            routes.get(urlsplit(self.path).path, lambda _: self._send(404, b"404: Not Found"))(raw)

    def _upload(self, raw: bytes) -> None:
        comfyui = self.server.comfyui
        if len(raw) > comfyui.upload_limit:
            self._send(413, f"Maximum request body size {comfyui.upload_limit} exceeded".encode())
            return
        form = email.message_from_bytes(f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode() + raw)
        parts = {str(part.get_param("name", header="content-disposition")): part for part in form.walk()}
        name, data = str(parts["image"].get_filename()), parts["image"].get_payload(decode=True)
        assert isinstance(data, bytes)
        overwrite = parts["overwrite"].get_payload() in ("true", "1") if "overwrite" in parts else False
        number = 1
        while name in comfyui.uploads and comfyui.uploads[name] != data and not overwrite:
            name, number = f"{name.rpartition('.')[0]} ({number}).png", number + 1
        comfyui.uploads[name] = data
        self._json({"name": name, "subfolder": "", "type": "input"})

    def _prompt(self, raw: bytes) -> None:
        comfyui, body = self.server.comfyui, json.loads(raw)
        comfyui.posts += 1
        fault = comfyui.next_fault()
        refusals = {"down": 503, "busy-7-seconds": 429, "forbidden": 403, "not-found": 404}
        if fault in refusals:
            self._send(refusals[fault], b"<html>one moment</html>", headers={"Retry-After": "7"})
            return
        checked = Checking(body["prompt"], comfyui.known())
        if checked.error:
            self._json({"error": checked.error, "node_errors": checked.node_errors}, 400)
            return
        job = comfyui.accept(body["prompt"], fault)
        if fault == "lost":
            self.close_connection = True
        elif fault == "garbage":
            self._send(200, b"<html>one moment</html>")
        else:
            told = {"prompt_id": "" if fault == "no-id" else job.id, "number": job.number}
            self._json(told | {"node_errors": checked.node_errors})

    def _delete(self, raw: bytes) -> None:
        comfyui, ids = self.server.comfyui, json.loads(raw).get("delete", [])
        comfyui.pending = [job for job in comfyui.pending if job.id not in ids]
        self._send(200, b"")

    def _interrupt(self, raw: bytes) -> None:
        comfyui, wanted = self.server.comfyui, json.loads(raw or b"{}").get("prompt_id")
        if comfyui.running and (not comfyui.modern or wanted in (None, comfyui.running.id)):
            comfyui.stop(comfyui.running)
        self._send(200, b"")

    def do_GET(self) -> None:
        comfyui, url = self.server.comfyui, urlsplit(self.path)
        with comfyui.lock:
            comfyui.tick()
            room, _, name = url.path.removeprefix("/").partition("/")
            if room == "history":
                self._history(unquote(name))
            elif room == "queue":
                running = [comfyui.running.item()] if comfyui.running else []
                self._json({"queue_running": running, "queue_pending": [job.item() for job in comfyui.pending]})
            elif room == "view":
                self._view(parse_qs(url.query))
            elif room == "object_info":
                self._json(comfyui.info(unquote(name)))
            elif room == "system_stats":
                card = {"name": "cuda:0 NVIDIA Test Card", "type": "cuda", "vram_total": 24 * 2**30, "vram_free": 2**34}
                self._json({"system": {"comfyui_version": "0.3.64", "os": "posix"}, "devices": [card]})
            else:
                self._send(404, b"404: Not Found")

    def _history(self, job_id: str) -> None:
        comfyui = self.server.comfyui
        job = next((job for job in comfyui.jobs if job.id == job_id), Job({}, 0))
        job.asked += 1
        if job.fault == "poll-down" and job.asked == 1:
            self._send(500, b"500 Internal Server Error")
        elif job.fault == "poll-lost" and job.asked == 1:
            self.close_connection = True
        elif job.fault == "poll-garbage" and job.asked == 1:
            self._send(200, b"<html>one moment</html>")
        else:
            self._json(comfyui.look(job_id))

    def _view(self, query: Mapping[str, list[str]]) -> None:
        comfyui = self.server.comfyui
        fault, name = comfyui.jobs[-1].fault, query["filename"][0]
        if fault == "gone-picture" or name not in comfyui.output or query.get("type") != ["output"]:
            self._send(404, b"")
        elif fault == "html":
            self._send(200, b"<html>sorry</html>", "text/html")
        else:
            self._send(200, comfyui.output[name], "image/png", half=fault == "truncated")

    def _json(self, body: object, status: int = 200) -> None:
        self._send(status, json.dumps(body).encode(), "application/json; charset=utf-8")

    def _send(
        self,
        status: int,
        data: bytes,
        kind: str = "text/plain",
        headers: Mapping[str, str] | None = None,
        *,
        half: bool = False,
    ) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(data)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data[: len(data) // 2] if half else data)
        self.close_connection = self.close_connection or half

    def log_message(self, *_: object) -> None:
        """Keeps quiet: a test reads the counters."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8188)
    parser.add_argument("--seconds", type=float, default=2.0, help="how long a picture takes")
    chosen = parser.parse_args()
    comfyui = ComfyuiServer(port=chosen.port, seconds=chosen.seconds)
    print(f"ComfyUI stand-in at {comfyui.url}; Ctrl-C ends it", flush=True)  # noqa: T201 - a command's words
    with contextlib.suppress(KeyboardInterrupt):
        comfyui.serve()


if __name__ == "__main__":
    main()
