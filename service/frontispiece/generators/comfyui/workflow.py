"""Workflows: files in ComfyUI's API form whose placeholders an order fills."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from frontispiece import inputs
from frontispiece.errors import GeneratorProblem
from frontispiece.generators import Order

SHIPPED = Path(__file__).parent / "workflows"
_NAME = re.compile(r"[\w][\w.-]*")
_PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]*)\}")


class _Node(BaseModel, extra="ignore"):
    class_type: str
    inputs: dict[str, Any]


def find(name: str, folders: Sequence[Path]) -> Path:
    """The file of a workflow, from the first folder that has it. Raises `GeneratorProblem`."""
    for folder in folders:
        if _NAME.fullmatch(name) and (folder / f"{name}.json").is_file():
            return folder / f"{name}.json"
    there = sorted({path.stem for folder in folders for path in folder.glob("*.json")})
    raise GeneratorProblem(f"there is no workflow {name!r}; there are: {', '.join(there)}")


def nodes(file: Path) -> dict[str, dict[str, Any]]:
    """The nodes of a workflow. Raises `GeneratorProblem`."""
    try:
        nodes = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise GeneratorProblem(f"{file}: the workflow cannot be read: {problem}") from problem
    if isinstance(nodes, dict) and isinstance(nodes.get("nodes"), list):
        raise GeneratorProblem(f"{file} is a workflow as ComfyUI saves it; use its menu File, Export (API)")
    try:
        TypeAdapter(dict[str, _Node]).validate_python(nodes)
    except ValidationError as problem:
        place = ".".join(map(str, problem.errors()[0]["loc"]))
        raise GeneratorProblem(f"{file} is no workflow in API form: {place}: {problem.errors()[0]['msg']}") from problem
    checked: dict[str, dict[str, Any]] = nodes
    return checked


def pictures(order: Order) -> dict[str, bytes]:
    """The pictures of an order by the name of their placeholder."""
    images, mask = order.images, order.mask
    if order.task == "expand":
        if not images:
            raise GeneratorProblem("there is no picture to expand")
        whole, mask = inputs.expanded(images[0], order.margins)
        images = (whole, *images[1:])
    named = {"image" if number == 1 else f"image_{number}": image for number, image in enumerate(images, 1)}
    return named | ({"mask": mask} if mask else {})


def agree(file: Path, workflow: Mapping[str, Any], order: Order, given: set[str]) -> None:
    """Raises `GeneratorProblem` where the order lacks what a workflow asks for, or has what it would ignore."""
    wanted = set(_placeholders([node["inputs"] for node in workflow.values()]))
    if strange := sorted(wanted - given):
        words = ", ".join(f"{{{name}}}" for name in strange)
        raise GeneratorProblem(f"{file} asks for {words}, which the order lacks; it has: {', '.join(sorted(given))}")
    free = {"width", "height"} | (set() if order.prompt else {"prompt"})
    if ignored := sorted(given - wanted - free):
        words = ", ".join(f"{{{name}}}" for name in ignored)
        raise GeneratorProblem(f"{file} lacks the placeholder {words}, so it would ignore a part of the order")


def _placeholders(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield from _PLACEHOLDER.findall(value)
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _placeholders(inner)


def filled(value: Any, values: Mapping[str, Any]) -> Any:
    """The inputs of a node with their placeholders replaced; one that is the whole of a string keeps its type.

    What is put in is not looked at again, so a prompt may contain braces.
    """
    if isinstance(value, dict):
        return {name: filled(inner, values) for name, inner in value.items()}
    if isinstance(value, list):
        return [filled(inner, values) for inner in value]
    if not isinstance(value, str):
        return value
    if whole := _PLACEHOLDER.fullmatch(value):
        return values[whole[1]]
    return _PLACEHOLDER.sub(lambda found: str(values[found[1]]), value)


def missing_choices(node: Mapping[str, Any], told: Mapping[str, Any]) -> str:
    """The files and words of a node that the server does not offer, in words; "" where it has them all."""
    offered = {**told.get("input", {}).get("required", {}), **told.get("input", {}).get("optional", {})}
    lacks = []
    for name, value in node["inputs"].items():
        choices = _choices(offered.get(name))
        if isinstance(value, str) and not _PLACEHOLDER.search(value) and choices is not None and value not in choices:
            lacks.append(f"has no {name} {value!r} for {node['class_type']}")
    return ", ".join(lacks)


def _choices(told: Any) -> list[Any] | None:
    """What an input may be, where it is a choice: the list itself, or since 2025 `["COMBO", {"options": […]}]`."""
    match told:
        case [list(choices), *_]:
            return choices
        case ["COMBO", {"options": list(choices)}]:
            return choices
    return None
