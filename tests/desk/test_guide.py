"""What strangers read, against what it tells of: keys, roles, pictures and links."""

import re
from pathlib import Path

import pytest
from desk.furnish import Web
from desk.test_permissions import MAY

from frontispiece.accounts import ROLES

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs/desk.md").read_text("utf8")
PAGES = ROOT / "service/frontispiece/web/pages"
STATIC = ROOT / "service/frontispiece/web/static"
HEAD = "| | viewer | editor | lead | admin |"
ROWS = {  # what the guide says, and the groups of routes that it means
    "see pictures and their history": ("pages",),
    "comment": ("talking",),
    "keep views, choose a language": ("saved views", "own page"),
    "decide, undo, edit the words, assign": ("acts",),
    "decide about many at once": ("deciding about many",),
    "change a picture": ("changes",),
    "see board, templates, sites, deliveries": ("lead's pages",),
    "read deliveries again, ask the doctor, try a template": ("lead's acts",),
    "people and tokens": ("people", "tokens"),
}


def rows(head: str) -> list[list[str]]:
    """The cells of the table that begins with this line."""
    lines = GUIDE.split(f"{head}\n", 1)[1].split("\n\n", 1)[0].splitlines()[1:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


@pytest.mark.parametrize(("page", "column"), [("illustration.html", 1), ("queue.html", 2)])
def test_the_guide_names_the_keys_that_the_page_lists(page: str, column: int) -> None:
    listed = re.findall(r"<kbd>([^<]+)</kbd>", (PAGES / page).read_text("utf8").split("{% block main %}")[0])
    told = [row for row in rows("| key | on one picture | in the queue |") if row[column]]
    assert {*listed, "?"} == {key for row in told for key in re.findall(r"`([^`]+)`", row[0])}


def test_the_guide_says_who_may_do_what() -> None:
    told = {row[0]: {role for role, cell in zip(ROLES, row[1:], strict=True) if cell} for row in rows(HEAD)}
    assert told.keys() == ROWS.keys()
    for words, groups in ROWS.items():
        assert [MAY[group][1] & {*ROLES} for group in groups] == [told[words]] * len(groups), words


def links(page: Path) -> set[Path]:
    """The files of ours that a page shows or leads to."""
    found = re.findall(r"\]\((?!\w+:)([^)#]+)", page.read_text("utf8"))
    return {(page.parent / one).resolve() for one in found}


def test_what_the_readme_and_the_guide_lead_to_is_there() -> None:
    assert [one for one in links(ROOT / "README.md") | links(ROOT / "docs/desk.md") if not one.exists()] == []


def test_every_picture_is_small_and_shown_somewhere() -> None:
    shown = {one for page in ROOT.glob("**/*.md") if ".venv" not in page.parts for one in links(page)}
    for picture in (ROOT / "docs/pictures").iterdir():
        assert (picture in shown, picture.stat().st_size < 200_000) == (True, True), picture


@pytest.mark.parametrize("page", ["/desk", "/desk/1", "/desk/1/change/repaint", "/board", "/templates"])
def test_a_page_has_less_than_a_hundred_kilobytes_of_our_own_styles_and_scripts(web: Web, page: str) -> None:
    web.illustration()
    answer = web.browser("lead").get(page)
    wanted = set(re.findall(r"/static/(\w+\.(?:css|js))", answer.text))
    assert {"desk.css", "desk.js"} <= wanted  # which the others import
    assert (answer.status_code, sum((STATIC / name).stat().st_size for name in wanted) < 100_000) == (200, True)
