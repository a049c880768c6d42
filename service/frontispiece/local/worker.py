"""A thread for each device: takes an order, checks it, has the child draw it, and again if the child died of it."""

import threading
from collections.abc import Mapping
from pathlib import Path

from frontispiece.errors import GeneratorProblem
from frontispiece.generators import Order
from frontispiece.generators.diffusers import DiffusersSettings
from frontispiece.local import checks
from frontispiece.local.board import Board
from frontispiece.local.child import Cancelled, Child, Died

TRIES = 3  # an order that ended the child so often is not tried again


class Worker(threading.Thread):
    """Draws what the board gives, on one device, until the board is closed."""

    def __init__(self, board: Board, settings: DiffusersSettings, device: str) -> None:
        super().__init__(name=f"draws on {device}", daemon=True)
        self.board, self.settings = board, settings
        self.child = Child(settings, device)

    def run(self) -> None:
        while name := self.board.take():
            try:
                self._draw(name)
            except GeneratorProblem as problem:
                self.board.fail(name, problem.words)
            except (Cancelled, FileNotFoundError):  # dropped meanwhile
                pass
            finally:
                self.board.done(name)
        self.child.close()

    def _draw(self, name: str) -> None:
        order = self.board.spool.order(name)
        folders = check(order, self.settings)
        ends: list[str] = []
        while self.board.spool.tried(name) <= TRIES:
            try:
                return self.board.finish(name, *self._drawn(name, order, folders))
            except Died as died:
                ends.append(str(died))
            if self.board.closed:  # the order is drawn when the server is back
                self.board.spool.forgive(name)
                raise Cancelled
        why = f": it {ends[-1]}" if ends else ""
        raise GeneratorProblem(f"drawing {order.model} ended its process {TRIES} times{why}; is there enough memory?")

    def _drawn(self, name: str, order: Order, folders: Mapping[str, Path]) -> tuple[bytes, dict[str, object]]:
        drawing = self.board.drawing[name]
        return self.child.draw(
            order,
            folders,
            lambda state, progress: self.board.note(drawing, state, progress),
            drawing.cancelled.is_set,
        )

    def stop(self) -> None:
        """After the board is closed: ends the child in the middle of its order, and waits for the thread."""
        if self.board.drawing and (process := self.child.process):
            process.kill()
        self.join()


def check(order: Order, settings: DiffusersSettings) -> dict[str, Path]:
    """The folders of the models that an order needs, the main one as "". Raises `GeneratorProblem`."""
    folder = checks.find(order.model, settings.models)
    pipeline = checks.complete(folder)
    folders = {need: checks.find(str(order.options.get(need, "")), settings.models) for need in _needs(order)}
    if "base" in folders and checks.complete(folders["base"]) != "FluxPipeline":
        raise GeneratorProblem(f"base is {order.options['base']}, which is no FLUX.1 for text to image")
    checks.order(order, folders.get("base", folder), pipeline)
    return {"": folder, **folders} | checks.lora(order, settings.models)


def _needs(order: Order) -> list[str]:
    """The options that name a second model. Raises `GeneratorProblem` where one is missing."""
    depth = order.task == "depth" and not order.options.get("prepared")
    needs = {"variation": ["base"]}.get(order.task, ["depth_model"] if depth else [])
    for need in needs:
        if not order.options.get(need):
            raise GeneratorProblem(f"{order.task} needs a second model: the option {need} names it")
    return needs
