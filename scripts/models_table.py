"""Writes the table of docs/models.md anew from the catalogue."""

from pathlib import Path

from frontispiece import drawing
from frontispiece.generators import catalogue

PAGE = Path(__file__).resolve().parent.parent / "docs" / "models.md"
BEGIN, END = "<!-- the catalogue -->\n", "\n<!-- the end of the catalogue -->"


def main() -> None:
    """Replaces what stands between the two comments."""
    text = PAGE.read_text("utf8")
    before, _, rest = text.partition(BEGIN)
    table = drawing.as_markdown([drawing.row(name, model) for name, model in catalogue.load().items()])
    PAGE.write_text(f"{before}{BEGIN}{table}{END}{rest.partition(END)[2]}", "utf8")


if __name__ == "__main__":
    main()
