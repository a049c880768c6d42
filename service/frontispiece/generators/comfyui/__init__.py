"""A ComfyUI server of your own: a workflow in its API form, whose placeholders are filled with the order.

The contract is server.py and execution.py of https://github.com/Comfy-Org/ComfyUI; the workflow says what is drawn.
There is no authentication, so the server belongs on the same machine or in a private network.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, TypeVar
from urllib.parse import quote

import httpx
from pydantic import AfterValidator, BaseModel, DirectoryPath, Field, HttpUrl, TypeAdapter, ValidationError

from frontispiece import inputs, net
from frontispiece.errors import Busy, GeneratorProblem, Outage
from frontispiece.generators import Finished, Generator, GeneratorSettings, Order, Ticket, Waiting
from frontispiece.generators.comfyui import workflow

CLIENT = "frontispiece"  # whose progress it is, for ComfyUI's own pages
GIGABYTE = 1024**3
_ENDINGS = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"}

T = TypeVar("T")


def _nobody(url: HttpUrl) -> HttpUrl:
    if url.username or url.password:
        raise ValueError("must have no user name in it: ComfyUI knows none")
    return url


class ComfyuiSettings(GeneratorSettings):
    """`[generators.comfyui]`, or another name with `generator = "comfyui"` for a second server.

    `base_url`: where ComfyUI listens. `workflows`: a folder with your own `<name>.json`, looked at before the shipped
    ones; a model's `name` in the catalogue is that of its workflow. `download_seconds`: for one picture.
    """

    base_url: Annotated[HttpUrl, AfterValidator(_nobody)] = HttpUrl("http://127.0.0.1:8188")
    workflows: DirectoryPath | None = None
    download_seconds: Annotated[float, Field(gt=0)] = 60.0


class _Uploaded(BaseModel):
    name: Annotated[str, Field(min_length=1)]
    subfolder: str = ""


class _Submitted(BaseModel):
    prompt_id: Annotated[str, Field(min_length=1)]


class _Status(BaseModel):
    status_str: str = ""
    messages: list[tuple[str, dict[str, Any]]] = []


class _File(BaseModel):
    filename: str
    subfolder: str = ""
    type: str = "output"


class _Output(BaseModel):
    images: list[_File] = []


class _Run(BaseModel):
    outputs: dict[str, _Output] = {}
    status: _Status | None = None


class _Queue(BaseModel):
    queue_running: list[list[Any]]  # of each: number, prompt_id, prompt, extra data, outputs
    queue_pending: list[list[Any]]


class _System(BaseModel):
    comfyui_version: str = "of an unknown version"


class _Device(BaseModel):
    name: str
    vram_total: int  # bytes
    vram_free: int


class _Stats(BaseModel):
    system: _System
    devices: list[_Device] = []


class Comfyui(Generator):
    """One server. It keeps a queue and draws one picture at a time; a second one is ready behind it."""

    Settings = ComfyuiSettings
    active: ClassVar[int] = 2  # what waits there for long would pass the deadline
    settings: ComfyuiSettings
    repeatable = True  # a picture drawn twice costs only time

    def __init__(self, settings: ComfyuiSettings, client: httpx.Client) -> None:
        super().__init__(settings, client)
        self.base = str(settings.base_url).rstrip("/")

    @classmethod
    def origins(cls, settings: GeneratorSettings) -> tuple[str, ...]:
        assert isinstance(settings, ComfyuiSettings)
        return (str(settings.base_url),)

    def submit(self, order: Order) -> Ticket:
        file = self._file(order.model)
        nodes, pictures = workflow.nodes(file), workflow.pictures(order)
        # parentheses would weigh words (comfy/sd1_clip.py), and a prompt holds an author's sentences
        prompt = order.prompt.replace("(", r"\(").replace(")", r"\)")
        values = {**order.options, "prompt": prompt, "seed": order.seed}
        values |= {"width": order.width, "height": order.height}
        workflow.agree(file, nodes, order, {*values, *pictures})
        names = {name: self._upload(picture) for name, picture in pictures.items()}
        filled = {
            number: node | {"inputs": workflow.filled(node["inputs"], values | names)} for number, node in nodes.items()
        }
        body = {"prompt": filled, "client_id": CLIENT}
        said = self._read(self._ask("POST", "/prompt", json=body), _Submitted)
        return Ticket(said.prompt_id, f"{self.base}/history/{quote(said.prompt_id, safe='')}")

    def _upload(self, picture: bytes) -> str:
        """The name under which ComfyUI's input folder has the picture; the same picture has the same name."""
        kind = inputs.mime(picture)
        name = f"frontispiece-{hashlib.sha256(picture).hexdigest()[:32]}.{_ENDINGS[kind]}"
        files, fields = {"image": (name, picture, kind)}, {"type": "input", "overwrite": "true"}
        said = self._read(self._ask("POST", "/upload/image", files=files, data=fields), _Uploaded)
        return f"{said.subfolder}/{said.name}" if said.subfolder else said.name

    def poll(self, ticket: Ticket) -> Waiting | Finished:
        run = self._run(ticket)
        if run is None:
            running, pending = self._queue()
            if ticket.remote_id in running | pending:
                return Waiting(0.5 if ticket.remote_id in running else 1.0)
            run = self._run(ticket)  # it may have ended between the two looks
        if run is None:
            raise GeneratorProblem(
                f"ComfyUI does not know ticket {ticket.remote_id} any more: somebody took it out of its queue, "
                "or the server was started anew; order the picture again"
            )
        if run.status and run.status.status_str == "error":
            raise GeneratorProblem(_failure(run.status))
        return self._finished(ticket, run)

    def _run(self, ticket: Ticket) -> _Run | None:
        """What the history tells of a ticket; None while it is not over, or not known at all."""
        where = net.check(ticket.polling_url, (net.origin(self.base),))
        answer = self._ask("GET", where)
        return self._read(answer, dict[str, _Run]).get(ticket.remote_id)

    def _queue(self) -> tuple[set[str], set[str]]:
        """The tickets, of anybody, that are being drawn and those that wait."""
        said = self._read(self._ask("GET", "/queue"), _Queue)
        return _tickets(said.queue_running), _tickets(said.queue_pending)

    def _finished(self, ticket: Ticket, run: _Run) -> Finished:
        files = [file for output in run.outputs.values() for file in output.images if file.type == "output"]
        if not files:
            raise GeneratorProblem(
                f"ComfyUI is done with ticket {ticket.remote_id}, but no picture was saved; "
                "the workflow must end in a SaveImage node"
            )
        address = httpx.URL(f"{self.base}/view", params=files[0].model_dump())
        hosts, seconds = (net.origin(self.base),), self.settings.download_seconds
        picture = net.download(self.client, str(address), hosts, deadline=seconds)
        return Finished((picture,), 0.0, {"file": "/".join(filter(None, (files[0].subfolder, files[0].filename)))})

    def cancel(self, ticket: Ticket) -> None:
        """Takes a ticket out of the queue, or stops the drawing; that of somebody else is left alone."""
        self._ask("POST", "/queue", json={"delete": [ticket.remote_id]})
        running, _ = self._queue()
        if ticket.remote_id in running:  # servers before 2025-09 read no prompt_id and stop whatever runs
            self._ask("POST", "/interrupt", json={"prompt_id": ticket.remote_id})

    def doctor(self, models: Sequence[str]) -> list[str]:
        stats = self._read(self._ask("GET", "/system_stats"), _Stats)
        told = [f"ComfyUI {stats.system.comfyui_version} at {self.base}"]
        for device in stats.devices:
            free, total = device.vram_free / GIGABYTE, device.vram_total / GIGABYTE
            told.append(f"{device.name}: {free:.1f} of {total:.1f} GB are free")
        known: dict[str, Mapping[str, Any]] = {}
        for model in models:
            told += self._examine(model, known)
        return told

    def _examine(self, model: str, known: dict[str, Mapping[str, Any]]) -> Iterator[str]:
        """What the server lacks for a workflow. `known` keeps what it told of each class of nodes."""
        try:
            file = self._file(model)
            nodes = workflow.nodes(file)
        except GeneratorProblem as problem:
            yield problem.words
            return
        for node in nodes.values():
            kind = node["class_type"]
            if kind not in known:
                answer = self._ask("GET", f"/object_info/{quote(kind, safe='')}")
                known[kind] = self._read(answer, dict[str, Any]).get(kind, {})
            lacks = f"has no {kind} node" if not known[kind] else workflow.missing_choices(node, known[kind])
            if lacks:
                yield f"{file.name}: ComfyUI {lacks}"

    def _file(self, model: str) -> Path:
        return workflow.find(model, [folder for folder in (self.settings.workflows, workflow.SHIPPED) if folder])

    def _ask(self, method: str, where: str | httpx.URL, **body: Any) -> httpx.Response:
        """ComfyUI's answer, if it is a yes. Asking twice costs nothing, so whatever breaks off is an `Outage`."""
        address = f"{self.base}{where}" if isinstance(where, str) else where
        try:
            answer = self.client.request(method, address, **body)
        except httpx.HTTPError as problem:
            words = str(problem) or type(problem).__name__
            raise Outage(f"ComfyUI at {self.base} cannot be asked: {words}") from problem
        if not answer.is_success:
            raise self._refusal(answer)
        return answer

    def _read(self, answer: httpx.Response, kind: type[T]) -> T:
        try:
            return TypeAdapter(kind).validate_json(answer.content)
        except ValidationError as problem:
            began = _beginning(answer)
            raise Outage(f"{self.base} does not answer like ComfyUI, see its base_url: {began}") from problem

    def _refusal(self, answer: httpx.Response) -> GeneratorProblem:
        status, seconds = answer.status_code, net.wait(answer)
        told = f"ComfyUI at {self.base} answered {status}: {_words(answer)}"
        if status == 429:
            return Busy(told, seconds=seconds)
        if status >= 500:
            return Outage(told, seconds=seconds)
        return GeneratorProblem(told + ("; see its base_url" if status in (404, 405) else ""))


def _tickets(items: list[list[Any]]) -> set[str]:
    return {str(item[1]) for item in items if len(item) > 1}


def _failure(status: _Status) -> str:
    """Why a workflow ended without a picture: what the node that failed said."""
    for event, facts in reversed(status.messages):
        if event == "execution_error":
            node = f"node {facts.get('node_id')} ({facts.get('node_type')})"
            said = " ".join(str(facts.get("exception_message", "")).split())[:300]
            return f"ComfyUI failed at {node} with {facts.get('exception_type')}: {said}"
        if event == "execution_interrupted":
            return f"the drawing was stopped in ComfyUI, at node {facts.get('node_id')} ({facts.get('node_type')})"
    return "ComfyUI failed to draw the picture and does not say why; its log may"


def _words(answer: httpx.Response) -> str:
    """The words of a no: each node's own complaints if there are any, else the error as a whole."""
    try:
        told = answer.json()
        each = [_complaints(number, node) for number, node in told["node_errors"].items()]
        error = told["error"]
        said = "; ".join(each) or f"{error['message']} ({error['details']})".removesuffix(" ()")
    except (ValueError, KeyError, TypeError, AttributeError):
        return _beginning(answer)
    return said[:1000]  # the choices of a node may be many


def _complaints(number: str, node: Mapping[str, Any]) -> str:
    said = ", ".join(f"{error['message']} ({error['details']})" for error in node["errors"])
    return f"node {number} ({node['class_type']}): {said}"


def _beginning(answer: httpx.Response) -> str:
    return " ".join(answer.text.split())[:300] or "nothing"
