"""axe-core, which looks for what keeps people with disabilities out of a page (https://github.com/dequelabs/axe-core)."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

from playwright.sync_api import Page
from servers.installed import installed

HERE = Path(__file__)
FILES = HERE.with_name("axe-files")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
ASK = """(rules) => axe.run(document, {runOnly: {type: "tag", values: rules}}).then((told) =>
    told.violations.map((one) => [one.id, one.help, ...one.nodes.map((node) => node.html.slice(0, 99))].join(" | ")))"""


def script() -> str:
    """The source of axe-core, installed once."""
    return (installed("axe", [FILES, HERE], _build) / "node_modules/axe-core/axe.min.js").read_text("utf8")


def violations(page: Page) -> list[str]:
    """What axe finds wrong with the page as it is now, in words."""
    page.evaluate(f"() => {{ {script()} }}")  # not as a script tag, which the page's own policy would refuse
    found: list[Any] = page.evaluate(ASK, RULES)
    return [str(one) for one in found]


def _build(folder: Path) -> None:
    for name in ("package.json", "package-lock.json"):
        shutil.copy(FILES / name, folder)
    subprocess.run(["npm", "ci", "--silent", "--no-audit", "--no-fund"], cwd=folder, check=True)
