"""What make and CI promise: words where Python is missing, the same zip twice, and no silent skip."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).resolve().parent.parent


def run(*command: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], **variables}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture(name="tools")
def _tools(tmp_path: Path) -> Path:
    """A PATH with a shell's bare tools and no Python."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "cat").symlink_to(shutil.which("cat") or "/bin/cat")
    return folder


def python(tools: Path, name: str, script: str) -> None:
    (tools / name).write_text(f"#!/bin/sh\n{script}\n")
    (tools / name).chmod(0o755)


def environment(tools: Path, *wanted: str) -> subprocess.CompletedProcess[str]:
    return run("/bin/sh", ROOT / "scripts/environment.sh", tools.parent / "venv", *wanted, PATH=str(tools))


def test_without_python_it_says_which_one_is_needed(tools: Path) -> None:
    answer = environment(tools)

    assert (1, True) == (answer.returncode, "needs Python 3.11 or newer" in answer.stderr)


def test_an_older_python_is_not_taken(tools: Path) -> None:
    python(tools, "python3", "exit 1")

    answer = environment(tools)

    assert (1, True) == (answer.returncode, "there is none on the PATH" in answer.stderr)


def test_without_ensurepip_it_names_the_debian_package(tools: Path) -> None:
    python(tools, "python3", f'case "$2" in *ensurepip*) exit 1;; esac; exec "{sys.executable}" "$@"')

    answer = environment(tools)

    assert (1, True) == (answer.returncode, "apt install python3-venv" in answer.stderr)


def test_the_newest_python_makes_the_environment(tools: Path) -> None:
    python(tools, "python3", "echo older; exit 0")
    python(tools, "python3.13", f'case "$2" in venv) echo "made $4"; exit;; esac; exec "{sys.executable}" "$@"')

    answer = environment(tools)

    assert (0, f"made {tools.parent / 'venv'}") == (answer.returncode, answer.stdout.splitlines()[-1])


def test_a_python_that_was_named_and_does_not_run_is_refused(tools: Path) -> None:
    python(tools, "python3", f'exec "{sys.executable}" "$@"')

    answer = environment(tools, "/nowhere/python")

    words = "PYTHON=/nowhere/python is not a Python 3.11 or newer that runs.\n"
    assert (1, words) == (answer.returncode, answer.stderr)


def test_make_alone_names_every_target() -> None:
    listed = run("make", "--no-print-directory", "-C", ROOT).stdout
    phony = next(line for line in (ROOT / "Makefile").read_text().splitlines() if line.startswith(".PHONY:"))

    named = {line.split()[1] for line in listed.splitlines() if line.startswith("make ")}

    assert set(phony.split()[1:]) - {"help", "test-real"} == named


def zip_folder(folder: Path, archive: Path) -> bytes:
    run(sys.executable, ROOT / "scripts/zip_folder.py", folder, archive).check_returncode()
    return archive.read_bytes()


@pytest.fixture(name="plugin")
def _plugin(tmp_path: Path) -> Path:
    folder = tmp_path / "frontispiece"
    (folder / "tests").mkdir(parents=True)
    for name in ("readme.txt", "frontispiece.php", ".phpcs.xml", "tests/test-hook.php"):
        (folder / name).write_text(name)
    return folder


def test_zipping_the_same_files_later_gives_the_same_bytes(plugin: Path, tmp_path: Path) -> None:
    first = zip_folder(plugin, tmp_path / "a.zip")
    for path in plugin.iterdir():
        os.utime(path, (2_000_000_000, 2_000_000_000))

    assert first == zip_folder(plugin, tmp_path / "b.zip")


def test_the_zip_holds_the_plugin_under_its_own_name_and_nothing_of_ours(plugin: Path, tmp_path: Path) -> None:
    zip_folder(plugin, tmp_path / "a.zip")

    assert ["frontispiece/frontispiece.php", "frontispiece/readme.txt"] == ZipFile(tmp_path / "a.zip").namelist()


def pytest_here(folder: Path, test: str, **variables: str) -> subprocess.CompletedProcess[str]:
    (folder / "pytest.ini").write_text("[pytest]\nmarkers = real\n")
    (folder / "test_it.py").write_text(f"import pytest\n{test}\ndef test_one(): pass\ndef test_two(): pass\n")
    options = ["-m", "not real", "-p", "reporting"]
    return run(sys.executable, "-m", "pytest", *options, folder, PYTHONPATH=str(ROOT / "tests"), **variables)


def test_a_skip_fails_the_run_in_ci(tmp_path: Path) -> None:
    assert 1 == pytest_here(tmp_path, "@pytest.mark.skip", CI="true").returncode


def test_a_skip_is_allowed_elsewhere(tmp_path: Path) -> None:
    assert 0 == pytest_here(tmp_path, "@pytest.mark.skip").returncode


def test_a_run_without_skips_passes_in_ci(tmp_path: Path) -> None:
    assert 0 == pytest_here(tmp_path, "", CI="true").returncode


def test_what_was_left_out_is_said_in_one_line(tmp_path: Path) -> None:
    answer = pytest_here(tmp_path, "@pytest.mark.real")

    assert "Left out: 1 that need PHP, PostgreSQL, Redis, Chromium or Node.js installed by root" in answer.stdout
