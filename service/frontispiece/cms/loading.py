"""Finds plugins: every folder with an `adapter.py`, ours and the operator's own."""

import importlib.util
import sys
from functools import cache
from pathlib import Path
from types import ModuleType

from frontispiece import shelf
from frontispiece.cms.adapter import Adapter
from frontispiece.errors import ConfigProblem


def names() -> list[str]:
    """The plugins at hand: every folder with an `adapter.py`, ours and the operator's own."""
    return sorted({path.parent.name for root in shelf.plugins() for path in root.glob("*/adapter.py")})


@cache
def load(name: str) -> type[Adapter]:
    """The adapter class of a plugin, by the name of its folder. Raises `ConfigProblem`."""
    path = next((root / name / "adapter.py" for root in shelf.plugins() if (root / name / "adapter.py").exists()), None)
    if path is None:
        raise ConfigProblem(f"there is no plugin {name!r}; there are: {', '.join(names())}")
    module = _load(f"frontispiece_plugin_{name}", path)
    found = [kind for kind in vars(module).values() if _is_adapter(kind, module.__name__)]
    if len(found) != 1:
        raise ConfigProblem(f"{path} must define exactly one subclass of Adapter, it defines {len(found)}")
    adapter: type[Adapter] = found[0]
    return adapter


def _is_adapter(kind: object, module: str) -> bool:
    return isinstance(kind, type) and issubclass(kind, Adapter) and kind.__module__ == module


def _load(package: str, path: Path) -> ModuleType:
    """The adapter, in a package that is its folder, so that it may import what lies beside it (`from .x`)."""
    folder = ModuleType(package)
    folder.__path__ = [str(path.parent)]
    sys.modules[package] = folder
    name = f"{package}.adapter"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ConfigProblem(f"{path} cannot be loaded as Python")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
