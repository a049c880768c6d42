"""docker/ without a container engine: what can be checked by reading, and by installing what the image copies."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin

import pytest
import yaml
from click import Group
from pydantic import BaseModel

ROOT = Path(__file__).resolve().parent.parent
DOCKER = ROOT / "docker"
FILES = ["Dockerfile", "compose.yml", ".env.example", "README.md"]
VARIABLE = re.compile(r"\b(?:FRONTISPIECE|BFL)_[A-Z0-9_]+[A-Z0-9]\b")


def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((DOCKER / "compose.yml").read_text("utf8"))
    return loaded


def ours() -> dict[str, Any]:
    """The compose file's services that run our image."""
    return {name: service for name, service in compose()["services"].items() if service["image"] == "frontispiece"}


def lines(instruction: str) -> list[str]:
    """The arguments of each use of an instruction in the Dockerfile, continued lines joined."""
    text = (DOCKER / "Dockerfile").read_text("utf8").replace("\\\n", " ")
    return [line.split(maxsplit=1)[1] for line in text.splitlines() if line.startswith(f"{instruction} ")]


def copied() -> list[str]:
    """What the Dockerfile copies out of the checkout."""
    return [name for line in lines("COPY") if not line.startswith("--from") for name in line.split()[:-1]]


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)


def test_hadolint_has_no_complaint() -> None:
    answer = run(Path(sys.executable).with_name("hadolint"), "--no-color", DOCKER / "Dockerfile")

    assert (0, "") == (answer.returncode, answer.stdout)


@pytest.fixture(scope="session", name="context")
def _context(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with exactly what the Dockerfile copies."""
    folder = tmp_path_factory.mktemp("context")
    for name in copied():
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, folder)
    return folder


def test_what_the_image_copies_is_enough_to_install_it(context: Path, tmp_path: Path) -> None:
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check"]
    needed = {"cli.py", "plugins/wordpress/adapter.py", "templates/article/hero.j2", "generators/bfl.toml"}

    answer = run(sys.executable, "-m", "pip", "install", *options, "--target", tmp_path, context)

    missing = {name for name in needed if not (tmp_path / "frontispiece" / name).exists()}
    assert (0, set()) == (answer.returncode, missing), answer.stderr


def test_dockerignore_lets_through_what_the_image_copies_and_nothing_else() -> None:
    rules = (ROOT / ".dockerignore").read_text("utf8").splitlines()

    assert ("*", set(copied())) == (rules[1], {rule[1:] for rule in rules if rule.startswith("!")})


def test_the_image_runs_as_a_numbered_user_who_is_not_root() -> None:
    assert ["10001"] == lines("USER")


def test_every_base_image_is_pinned_by_tag() -> None:
    images = [line.split()[0] for line in lines("FROM")] + [
        s["image"] for s in compose()["services"].values() if s not in ours().values()
    ]

    assert [] == [image for image in images if not re.fullmatch(r"[\w/.-]+:\d[\w.-]*", image)]


def test_the_image_asks_the_running_service_how_it_is() -> None:
    _, command = lines("HEALTHCHECK")[0].split("CMD ")

    assert "http://127.0.0.1:8460/healthz" in json.loads(command)[2]


def commands() -> list[list[str]]:
    return [json.loads(lines("CMD")[0]), *(service["command"] for service in ours().values())]


@pytest.mark.parametrize("command", commands(), ids=" ".join)
def test_every_command_exists(command: list[str]) -> None:
    from frontispiece.cli import main

    found: Any = main
    for word in command:
        assert isinstance(found, Group)
        found = found.commands.get(word)

    assert found is not None


@pytest.mark.parametrize("name", FILES)
def test_every_command_in_the_readme_and_the_files_exists(name: str) -> None:
    from frontispiece.cli import main

    spoken = set(re.findall(r"\bweb frontispiece ([a-z]+)", (DOCKER / name).read_text("utf8")))

    assert set() == spoken - set(main.commands)


def variables() -> list[str]:
    return sorted({found for name in FILES for found in VARIABLE.findall((DOCKER / name).read_text("utf8"))})


def read_directly() -> set[str]:
    """The variables that the service reads by name, besides those that override a setting."""
    code = "\n".join(path.read_text("utf8") for path in (ROOT / "service").rglob("*.py"))
    return set(re.findall(r'"((?:FRONTISPIECE|BFL)_[A-Z_]*[A-Z])"', code))


def tables(annotation: Any) -> list[type[BaseModel]]:
    """The models that a setting's value may be; those of dict[str, Model] too."""
    if get_origin(annotation) in (Union, UnionType, dict, list):
        return [model for part in get_args(annotation) for model in tables(part)]
    return [annotation] if isinstance(annotation, type) and issubclass(annotation, BaseModel) else []


def is_setting(path: list[str], model: type[BaseModel]) -> bool:
    """Whether a path of lower-case keys leads to a field of a table."""
    field = model.model_fields.get(path[0])
    if field is None:
        return False
    rest = path[2:] if get_origin(field.annotation) is dict else path[1:]
    return not rest or any(is_setting(rest, table) for table in tables(field.annotation))


@pytest.mark.parametrize("variable", variables())
def test_every_variable_means_something_to_the_service(variable: str) -> None:
    from frontispiece.config import Settings

    path = variable.removeprefix("FRONTISPIECE_").lower().split("__")

    assert variable in read_directly() or is_setting(path, Settings)


def test_a_misspelt_variable_would_be_noticed() -> None:
    from frontispiece.config import Settings

    assert [True, False, False] == [
        is_setting(path.split("__"), Settings) for path in ("server__url", "server__uri", "redis")
    ]


def test_the_shipped_settings_are_accepted() -> None:
    from frontispiece import config

    assert {} == config.load(DOCKER / "frontispiece.toml").sites


def test_every_service_of_ours_waits_for_the_upgraded_database() -> None:
    waiting = {name: service["depends_on"].get("migrate") for name, service in ours().items() if name != "migrate"}

    assert {"condition": "service_completed_successfully"} == waiting["web"] == waiting["worker"] == waiting["watch"]


def test_redis_keeps_what_it_was_told() -> None:
    command = compose()["services"]["redis"]["command"]

    assert ["--appendonly", "yes", "--maxmemory-policy", "noeviction"] == command[1:]


def test_every_volume_in_use_is_declared() -> None:
    mounts = [mount for service in compose()["services"].values() for mount in service.get("volumes", [])]

    assert set(compose()["volumes"]) == {mount.split(":")[0] for mount in mounts if not mount.startswith(".")}


def test_no_secret_has_a_value_in_the_example() -> None:
    settings = dict(line.split("=", 1) for line in (DOCKER / ".env.example").read_text().splitlines() if "=" in line)

    assert [] == [name for name, value in settings.items() if name.endswith(("PASSWORD", "KEY")) and value]


def test_every_variable_that_compose_asks_for_is_in_the_example() -> None:
    asked = set(re.findall(r"\$\{(\w+):\?", (DOCKER / "compose.yml").read_text("utf8")))
    example = os.linesep.join((DOCKER / ".env.example").read_text("utf8").splitlines())

    assert set() == {name for name in asked if f"{name}=" not in example}
