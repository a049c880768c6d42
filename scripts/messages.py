"""Makes the catalogues of the desk and of messages: takes the words from code and pages, keeps translations, compiles.

python scripts/messages.py        all languages that there are
python scripts/messages.py fr     begins a new one first
"""

import io
import sys
import tomllib
from pathlib import Path

from babel import Locale
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

SERVICE = Path(__file__).resolve().parent.parent / "service" / "frontispiece"
WEB = SERVICE / "web"
REASONS = SERVICE.parents[1] / "templates" / "reasons.toml"
LOCALE = SERVICE / "locale"
METHODS = [("**.py", "python"), ("web/pages/**.html", "jinja2")]
OPTIONS = {"web/pages/**.html": {"trimmed": "true", "silent": "false"}}
# How the words are marked: argument 1, or 1 and 2 for one and many, or 1 says what argument 2 means.
KEYWORDS = {
    **dict.fromkeys(("_", "gettext", "lazy", "later")),
    **dict.fromkeys(("ngettext", "nlazy"), (1, 2)),
    "pgettext": ((1, "c"), 2),
}


def wanted() -> Catalog:
    """All that the desk and messages in chat and mail say, in English."""
    catalogue = Catalog(project="Frontispiece", charset="utf-8")
    found = extract_from_dir(SERVICE, METHODS, OPTIONS, KEYWORDS, ["Translators:"], strip_comment_tags=True)
    for name, line, words, comments, context in sorted(found, key=lambda one: one[:2]):
        catalogue.add(words, locations=[(name, line)], auto_comments=comments, context=context)
    for reason in tomllib.loads(REASONS.read_text("utf8")).values():
        catalogue.add(reason["title"], locations=[(REASONS.name, 1)])
    return catalogue


def read(po: Path) -> Catalog:
    """What translators wrote."""
    with po.open("rb") as file:
        return read_po(file, locale=po.parts[-3], domain=po.stem)


def updated(po: Path) -> Catalog:
    """The catalogue with the words that there are now; none is guessed, and what nobody says any more is left out."""
    catalogue = read(po)
    now = wanted()
    now.creation_date = catalogue.creation_date
    catalogue.update(now, no_fuzzy_matching=True, update_creation_date=False)
    catalogue.obsolete.clear()
    return catalogue


def compiled(catalogue: Catalog) -> bytes:
    """As gettext reads it: without what is not translated or only guessed."""
    out = io.BytesIO()
    write_mo(out, catalogue)
    return out.getvalue()


def open_(catalogue: Catalog) -> list[Message]:
    """What a translator still has to do."""
    return [one for one in catalogue if one.id and (one.fuzzy or not all(strings(one)))]


def strings(message: Message) -> list[str]:
    """The translation, one for each plural form."""
    return [message.string] if isinstance(message.string, str) else list(message.string or [""])


def begin(po: Path) -> None:
    """An empty catalogue where there is none yet, with its language's rule for plurals. Raises `UnknownLocaleError`."""
    if po.exists():
        return
    locale = Locale.parse(po.parts[-3])
    po.parent.mkdir(parents=True)
    head = "# The desk of Frontispiece. Write here which word stands for which thing."
    _write(po, Catalog(locale, None, head, "Frontispiece", "desk", fuzzy=False))


def _write(po: Path, catalogue: Catalog) -> None:
    out = io.BytesIO()
    write_po(out, catalogue, width=120, include_lineno=False, sort_by_file=True)
    po.write_bytes(out.getvalue())


def main(*new: str) -> None:
    """Brings every catalogue up to date, and says what is left to do."""
    for language in new:
        begin(LOCALE / language / "LC_MESSAGES" / "frontispiece.po")
    for po in sorted(LOCALE.glob("*/LC_MESSAGES/*.po")):
        catalogue = updated(po)
        _write(po, catalogue)
        po.with_suffix(".mo").write_bytes(compiled(catalogue))
        print(f"{po.parts[-3]}: {len(catalogue)} sentences, {len(open_(catalogue))} to be translated")


if __name__ == "__main__":
    main(*sys.argv[1:])
