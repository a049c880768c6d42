"""The languages that we speak: gettext with the catalogues of `locale/`; English is the source and needs none.

At run time this is the standard library; Babel only makes the catalogues (`make messages`).
"""

from dataclasses import dataclass
from gettext import GNUTranslations, NullTranslations
from pathlib import Path

DOMAIN = "frontispiece"
FOLDER = Path(__file__).parent / "locale"


def _catalogue(file: Path) -> GNUTranslations:
    with file.open("rb") as opened:
        return GNUTranslations(opened)


CATALOGUES: dict[str, NullTranslations] = {
    "en": NullTranslations(),
    **{file.parts[-3]: _catalogue(file) for file in sorted(FOLDER.glob(f"*/LC_MESSAGES/{DOMAIN}.mo"))},
}
# Every catalogue says its own name, so that a new one is a folder and no line of code.
LANGUAGES = {code: words.pgettext("this language's own name", "English") for code, words in CATALOGUES.items()}


@dataclass(frozen=True, slots=True)
class Speaker:
    """Says our sentences in one language, with `%(name)s` filled in; a literal percent sign is written `%%`."""

    catalogue: NullTranslations

    def gettext(self, words: str, /, **facts: object) -> str:
        """The words in this language."""
        return (self.catalogue.gettext(words) if words else "") % facts

    def ngettext(self, one: str, many: str, n: int, /, **facts: object) -> str:
        """The words for that number of things, which may be named `%(num)s` (and is filled in)."""
        return self.catalogue.ngettext(one, many, n) % {"num": n, **facts}

    def pgettext(self, context: str, words: str, /, **facts: object) -> str:
        """Like `gettext`, where one English word is two in another language: `context` says which is meant."""
        return self.catalogue.pgettext(context, words) % facts

    def figures(self, written: str) -> str:
        """Figures as English writes them, with this language's marks."""
        marks = self.pgettext("the marks in 1,234.5: first thousands, then decimals", ",.")
        return written.translate(str.maketrans(",.", marks))


SPEAKERS = {code: Speaker(catalogue) for code, catalogue in CATALOGUES.items()}


def later(words: str, /) -> str:
    """Marks a sentence of a table for the catalogues; a speaker says it later."""
    return words
