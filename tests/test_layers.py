"""What import-linter cannot see: plugins are loaded by path, and some libraries have one place each."""

import ast
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SERVICE = ROOT / "service" / "frontispiece"
PLUGINS = ROOT / "plugins"

# pydantic for settings and for what comes in
PLUGINS_MAY = {"frontispiece.cms", "frontispiece.signatures", "httpx", "pydantic", "pydantic_core"}


def modules(*folders: Path) -> list[Path]:
    """Our Python files, without what goes into a CMS."""
    found = sorted(path for folder in folders for path in folder.rglob("*.py"))
    return [path for path in found if not {"node_modules", "plugin"} & set(path.relative_to(ROOT).parts)]


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, wherever in the file; `from frontispiece import cms` is frontispiece.cms."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module == "frontispiece":
            yield from (f"frontispiece.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")


def importers(library: str, paths: Iterable[Path]) -> list[str]:
    """Which of the files import a library or a part of it, as paths from the top of the checkout."""
    return [
        path.relative_to(ROOT).as_posix()
        for path in paths
        if any(name == library or name.startswith(f"{library}.") for name in imports(path))
    ]


def outside(folder: Path) -> list[Path]:
    """The service's modules that do not lie in (or are) this one."""
    return [path for path in modules(SERVICE) if path != folder and folder not in path.parents]


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


@pytest.mark.parametrize("path", modules(PLUGINS), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_plugin_imports_the_seam_httpx_and_the_standard_library(path: Path) -> None:
    foreign = {name for name in imports(path) if name not in PLUGINS_MAY and not re.match(r"\.(\w|$)", name)}

    assert set() == {name for name in foreign if name.split(".")[0] not in sys.stdlib_module_names}


def test_flask_stays_in_web() -> None:
    below = [
        path for path in outside(SERVICE / "web") if path.name != "app.py" and SERVICE / "demo" not in path.parents
    ]

    assert [] == importers("flask", below)


def test_rq_stays_in_jobs() -> None:
    assert [] == importers("rq", outside(SERVICE / "jobs.py"))


def test_plugins_and_generators_know_no_database() -> None:
    assert [] == importers("sqlalchemy", modules(PLUGINS, SERVICE / "generators"))


def test_babel_makes_the_catalogues_and_is_not_needed_to_run() -> None:
    assert [] == importers("babel", modules(SERVICE))


@pytest.mark.parametrize("library", ["torch", "diffusers"])
def test_the_local_pipeline_has_one_place(library: str) -> None:
    assert [] == importers(library, outside(SERVICE / "local"))


def test_nobody_imports_a_plugin_by_name() -> None:
    named = [*importers("plugins", modules(SERVICE)), *importers("frontispiece.plugins", modules(SERVICE))]

    assert [] == named


def test_every_module_says_what_it_is_for() -> None:
    ours = modules(SERVICE, PLUGINS, ROOT / "tests", ROOT / "scripts", ROOT / "bench")

    silent = [path for path in ours if path.stat().st_size and not ast.get_docstring(ast.parse(path.read_bytes()))]

    assert [] == [path.relative_to(ROOT).as_posix() for path in silent]


def test_no_function_is_longer_than_fifty_lines() -> None:
    ours = modules(SERVICE, PLUGINS, ROOT / "tests", ROOT / "scripts", ROOT / "bench")

    lengths = {
        f"{path.relative_to(ROOT)}:{function.name}": (function.end_lineno or 0) - function.lineno + 1
        for path in ours
        if path.parent != SERVICE / "migrations" / "versions"  # Alembic wrote those, table by table
        for function in functions(path)
    }

    assert {} == {name: length for name, length in lengths.items() if length > 50}


def test_only_the_workers_outermost_door_catches_everything() -> None:
    broad = {
        path for path in modules(SERVICE, PLUGINS) for node in ast.walk(ast.parse(path.read_bytes())) if _swallows(node)
    }

    assert broad <= {SERVICE / "jobs.py"}


def _swallows(node: ast.AST) -> bool:
    """Whether this catches every exception and does not raise it again."""
    if not isinstance(node, ast.ExceptHandler) or (isinstance(node.body[-1], ast.Raise) and node.body[-1].exc is None):
        return False
    return node.type is None or (isinstance(node.type, ast.Name) and node.type.id in {"Exception", "BaseException"})
