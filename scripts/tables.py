"""Writes the tables of README.md and docs/models.md anew, from the facts that the adapters and the catalogue state."""

from pathlib import Path

from frontispiece import advice, drawing
from frontispiece.generators import catalogue

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    """Replaces what stands between two comments on each page."""
    models = [drawing.row(name, model) for name, model in catalogue.load().items()]
    _replace(ROOT / "docs/models.md", "the catalogue", drawing.as_markdown(drawing.HEAD, models))
    _replace(ROOT / "README.md", "the plugins", drawing.as_markdown(advice.FACTS, advice.plugins()))


def _replace(page: Path, what: str, table: str) -> None:
    begin, end = f"<!-- {what} -->\n", f"\n<!-- the end of {what} -->"
    before, _, rest = page.read_text("utf8").partition(begin)
    page.write_text(f"{before}{begin}{table}{end}{rest.partition(end)[2]}", "utf8")


if __name__ == "__main__":
    main()
