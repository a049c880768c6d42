"""The command line, run as one would."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from frontispiece import advice, drawing

CONFIG = """
data = "{data}"
[server]
port = {port}
[sites.shop]
plugin = "generic"
url = "https://shop.example"
webhook_secret = "whsec_c2VjcmV0"
[[rules]]
name = "products"
site = "shop"
kind = "product"
slot = "listing"
template = "product/listing"
models = ["sketch"]
[budget]
day = 5.0
"""


class Terminal:
    """Runs `frontispiece` in a folder with a configuration."""

    def __init__(self, folder: Path, *, tables: bool = True, port: int = 8460) -> None:
        self.folder = folder
        (folder / "frontispiece.toml").write_text(CONFIG.format(data=folder / "data", port=port))
        if tables:
            self("db", "upgrade")

    def __call__(self, *words: str, given: str = "", **variables: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "frontispiece", *words]
        environment = {**os.environ, "FRONTISPIECE_CONFIG": str(self.folder / "frontispiece.toml"), **variables}
        return subprocess.run(
            command,
            env=environment,
            cwd=self.folder,
            input=given,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )


@pytest.fixture(name="terminal", scope="module")
def _terminal(tmp_path_factory: pytest.TempPathFactory) -> Terminal:
    return Terminal(tmp_path_factory.mktemp("terminal"))


def test_check_says_what_would_happen(terminal: Terminal) -> None:
    said = terminal("check").stdout

    assert "when a product of shop is published, Sketch draws its listing picture, 1200 × 1200 pixels" in said
    assert "at most $5.00 a day" in said


def test_connect_names_the_hook_and_the_token(terminal: Terminal) -> None:
    said = terminal("connect", "shop").stdout

    assert "/hooks/shop" in said
    assert "frontispiece token add shop --site shop" in said


def test_generate_writes_a_picture(terminal: Terminal) -> None:
    done = terminal("generate", "A quiet day", "--size", "640x360", "--out", "day.png")

    assert (done.returncode, (terminal.folder / "day.png").read_bytes()[:4]) == (0, b"\x89PNG")


def test_generate_writes_the_kind_of_file_that_its_name_says(terminal: Terminal) -> None:
    terminal("generate", "A quiet day", "--size", "640x360", "--out", "day.webp")

    assert (terminal.folder / "day.webp").read_bytes()[8:12] == b"WEBP"


def test_generate_says_what_a_model_cannot_do(terminal: Terminal) -> None:
    done = terminal("generate", "Evening", "--task", "edit", "--out", "day.png")

    assert (1, True) == (done.returncode, "sketch cannot do edit; it can do: text-to-image" in done.stderr)


def test_models_lists_what_can_do_a_task(terminal: Terminal) -> None:
    said = terminal("models", "--task", "fill").stdout

    assert (True, False) == ("flux-fill" in said, "sketch" in said)


def test_the_documentation_has_the_catalogue_as_it_is(terminal: Terminal) -> None:
    page = (Path(__file__).parent.parent / "docs/models.md").read_text("utf8")  # made by scripts/tables.py

    assert terminal("models", "--markdown").stdout in page


def test_the_readme_has_the_plugins_as_they_are() -> None:
    page = (Path(__file__).parent.parent / "README.md").read_text("utf8")  # made by scripts/tables.py

    assert drawing.as_markdown(advice.FACTS, advice.plugins()) in page


def test_check_and_doctor_tell_of_the_identity_provider(tmp_path: Path) -> None:
    here = Terminal(tmp_path, tables=False)
    file = tmp_path / "frontispiece.toml"
    oidc = 'issuer = "https://127.0.0.1:9"\nclient_id = "us"\ntitle = "Newsroom ID"\nrole = "editor"\n'
    file.write_text(f"{file.read_text()}[oidc]\n{oidc}")
    assert "People log in with Newsroom ID (https://127.0.0.1:9), or with a name" in here("check").stdout
    asked = here("doctor")
    assert asked.returncode == 1
    assert "Newsroom ID:\n  127.0.0.1: 127.0.0.1 leads to a private address" in asked.stdout


def test_doctor_asks_sites_and_generators_and_fails_where_one_is_away(terminal: Terminal) -> None:
    done = terminal("doctor")

    assert (1, True, True) == (done.returncode, "Site shop:" in done.stdout, "Generator sketch:" in done.stdout)


def test_preview_shows_the_prompt_of_an_entry(terminal: Terminal) -> None:
    (terminal.folder / "stool.json").write_text('{"title": "Milking stool", "excerpt": "Three legs."}')

    assert "Milking stool" in terminal("preview", "products", "--entry", "stool.json").stdout


def test_a_user_is_added_with_a_password_from_standard_input(terminal: Terminal) -> None:
    assert "ada may log in as lead" in terminal("user", "add", "ada", "--role", "lead", given="correct horse\n").stdout


def test_people_are_listed_with_the_role_they_were_given(terminal: Terminal) -> None:
    terminal("user", "add", "kim", given="correct horse\n")
    assert terminal("user", "role", "kim", "viewer").stdout == "kim has the role viewer now\n"
    assert "kim\tviewer\twith a password\tnot logged in\n" in terminal("user", "list").stdout


def test_tokens_are_listed_without_their_keys(terminal: Terminal) -> None:
    key = terminal("token", "add", "export", "--scope", "manage").stdout.strip()
    said = terminal("token", "list").stdout
    assert "export\tmanage\tall sites\t" in said
    assert key not in said


def test_a_token_is_printed_once(terminal: Terminal) -> None:
    assert terminal("token", "add", "panel", "--site", "shop").stdout.startswith("fp_")


@pytest.mark.parametrize(
    ("text", "words"),
    [('["a"]', "is not a JSON object"), ('{"titel": "Stool"}', "title: "), ("{", "is not a JSON object")],
)
def test_an_entry_that_cannot_be_previewed_is_told_in_words(terminal: Terminal, text: str, words: str) -> None:
    (terminal.folder / "odd.json").write_text(text)
    done = terminal("preview", "products", "--entry", "odd.json")

    assert (done.returncode, words in done.stderr, "Traceback" in done.stderr) == (1, True, False)


def test_a_database_without_tables_is_told_in_words(terminal: Terminal) -> None:
    done = terminal("revert", "1", FRONTISPIECE_DATABASE_URL=f"sqlite:///{terminal.folder / 'empty.db'}")

    assert (done.returncode, "frontispiece db upgrade" in done.stderr, "SELECT" in done.stderr) == (1, True, False)


def test_check_never_prints_what_opens_the_storage(terminal: Terminal) -> None:
    done = terminal("check", FRONTISPIECE_STORAGE_URL="s3://key:hunter2@bucket")

    assert (done.returncode, "hunter2" in done.stdout + done.stderr) == (1, False)


def test_a_user_can_be_added_before_anything_ever_ran(tmp_path: Path) -> None:
    fresh = Terminal(tmp_path, tables=False)

    assert fresh("user", "add", "ada", given="correct horse\n").returncode == 0


def test_up_says_that_its_port_is_taken(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        terminal = Terminal(tmp_path, tables=False, port=taken.getsockname()[1])
        done = terminal("up")

    assert (done.returncode, "cannot be listened on" in done.stderr) == (1, True)


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("token", "add", "x", "--site", "shoop"), "the site 'shoop' is not in the configuration"),
        (("doctor", "shoop"), "the site 'shoop' is not in the configuration"),
        (("revert", "99"), "there is no illustration 99"),
        (("replay", "99"), "there is no delivery 99"),
        (("generate", "x", "--model", "flux-9", "--out", "x.png"), "there is no model 'flux-9'"),
        (("preview", "products"), "give --ref or --entry"),
        (("local", "sketch"), "sketch does not draw on this machine"),
    ],
)
def test_a_problem_is_told_in_words_and_ends_with_1(terminal: Terminal, words: tuple[str, ...], problem: str) -> None:
    done = terminal(*words)

    assert (done.returncode, problem in done.stderr, "Traceback" in done.stderr) == (1, True, False)
