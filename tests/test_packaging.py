"""The wheel: all that the service needs and nothing else, the same from a checkout as from the sdist."""

import os
import subprocess
import sys
import tarfile
from fnmatch import fnmatch
from pathlib import Path
from zipfile import ZipFile

import pytest
from hatchling.builders.sdist import SdistBuilder
from hatchling.builders.wheel import WheelBuilder

ROOT = Path(__file__).resolve().parent.parent
PLACES = {
    "service/frontispiece": "frontispiece",
    "plugins": "frontispiece/plugins",
    "templates": "frontispiece/templates",
}
BUNDLED = ("*.ttf", "*.otf", "*.woff2", "vendor/*.js")


def wheel_of(source: Path, target: Path) -> ZipFile:
    return ZipFile(next(WheelBuilder(str(source)).build(directory=str(target), versions=["standard"])))


@pytest.fixture(scope="session", name="wheel")
def _wheel(tmp_path_factory: pytest.TempPathFactory) -> ZipFile:
    return wheel_of(ROOT, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="session", name="sdist")
def _sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked sdist."""
    folder = tmp_path_factory.mktemp("sdist")
    archive = next(SdistBuilder(str(ROOT)).build(directory=str(folder), versions=["standard"]))
    with tarfile.open(archive) as file:
        file.extractall(folder, filter="data")
    return Path(archive.removesuffix(".tar.gz"))


@pytest.fixture(scope="session", name="installed")
def _installed(wheel: ZipFile, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel's files in a folder of their own, far from the checkout."""
    folder = tmp_path_factory.mktemp("site-packages")
    wheel.extractall(folder)
    return folder


def sources() -> set[str]:
    """Where each of our files belongs in the wheel."""
    found = set()
    for source, place in PLACES.items():
        files = [path.relative_to(ROOT / source) for path in (ROOT / source).rglob("*") if path.is_file()]
        found |= {f"{place}/{path.as_posix()}" for path in files if _is_shipped(source, path)}
    return found


def _is_shipped(source: str, path: Path) -> bool:
    own_tests = source == "plugins" and path.parts[1:2] in (("deliveries",), ("tests",))
    return "__pycache__" not in path.parts and not own_tests


def python(installed: Path, script: str) -> str:
    """What a script prints when only the installed files are at hand, our own package's checkout not."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(installed), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", script]
    answer = subprocess.run(command, cwd="/", env=environment, capture_output=True, text=True, check=True, timeout=60)
    return answer.stdout.strip()


def test_only_frontispiece_is_put_into_site_packages(wheel: ZipFile) -> None:
    tops = {name.split("/")[0] for name in wheel.namelist()}

    assert {"frontispiece"} == {top for top in tops if not top.endswith(".dist-info")}


def test_the_wheel_holds_every_file_of_the_service_the_plugins_and_the_templates(wheel: ZipFile) -> None:
    assert sources() == {name for name in wheel.namelist() if ".dist-info/" not in name}


@pytest.mark.parametrize(
    "pattern",
    [
        "frontispiece/cli.py",
        "frontispiece/generators/bfl.toml",
        "frontispiece/locale/de/LC_MESSAGES/frontispiece.mo",
        "frontispiece/migrations/versions/*.py",
        "frontispiece/plugins/wordpress/adapter.py",
        "frontispiece/plugins/wordpress/plugin/frontispiece/*.php",
        "frontispiece/templates/article/hero.j2",
        "frontispiece/web/pages/*.html",
        "frontispiece/web/static/*",
        "*.ttf",
    ],
)
def test_the_wheel_holds(wheel: ZipFile, pattern: str) -> None:
    assert [name for name in wheel.namelist() if fnmatch(name, pattern)]


def test_captured_deliveries_stay_out_of_the_wheel(wheel: ZipFile) -> None:
    assert [] == [name for name in wheel.namelist() if "/deliveries/" in name or name.endswith(".http")]


def test_the_sdist_gives_the_same_wheel(wheel: ZipFile, sdist: Path, tmp_path: Path) -> None:
    again = wheel_of(sdist, tmp_path)

    assert {info.filename: info.CRC for info in wheel.infolist()} == {
        info.filename: info.CRC for info in again.infolist()
    }


def test_the_sdist_holds_what_is_needed_to_test_it(sdist: Path) -> None:
    wanted = {"Makefile", "pyproject.toml", "scripts", "service", "plugins", "templates", "tests", "docker", "docs"}

    assert set() == wanted - {path.name for path in sdist.iterdir()}


def licences() -> set[str]:
    """The licence texts in the checkout: ours, and those beside other people's files."""
    folders = [path.parent for pattern in BUNDLED for path in (ROOT / "service").rglob(pattern)]
    found = {path for folder in [*folders, *ROOT.glob("plugins/*/plugin/*")] for path in folder.glob("*.txt")}
    texts = {path.relative_to(ROOT).as_posix() for path in found if path.name != "readme.txt"}
    return {"LICENSE", "NOTICE", *texts}


def test_every_licence_is_declared_in_the_wheel(wheel: ZipFile) -> None:
    declared = {name.partition("/licenses/")[2] for name in wheel.namelist() if "/licenses/" in name}

    assert set() == licences() - declared


def test_the_installed_package_finds_its_plugins_without_the_checkout(installed: Path) -> None:
    script = "from frontispiece import cms; cms.load('generic'); print(cms.__file__, *cms.names())"

    file, *names = python(installed, script).split()

    assert (str(installed / "frontispiece/cms/__init__.py"), True) == (file, {"generic", "wordpress"} <= set(names))


def test_the_installed_package_finds_its_templates_without_the_checkout(installed: Path) -> None:
    folder = python(installed, "from frontispiece import shelf; print(*shelf.templates())")

    assert str(installed / "frontispiece/templates") == folder


def test_the_installed_command_starts_without_the_checkout(installed: Path) -> None:
    script = "import sys; sys.argv = ['frontispiece', '--help']; from frontispiece.cli import main; main()"

    assert "demo" in python(installed, script)


def test_every_bundled_file_has_its_licence_beside_it() -> None:
    bundled = [path for pattern in BUNDLED for path in (ROOT / "service").rglob(pattern)]

    bare = [path for path in bundled if not [*path.parent.glob("*LICENSE*"), *path.parent.glob("*OFL*")]]

    assert (True, []) == (bool(bundled), bare)


def test_every_folder_with_bundled_files_is_named_in_the_notice() -> None:
    notice = (ROOT / "NOTICE").read_text("utf8")
    folders = {path.parent for pattern in BUNDLED for path in (ROOT / "service").rglob(pattern)}

    assert [] == [folder for folder in folders if folder.relative_to(ROOT).as_posix() not in notice]
