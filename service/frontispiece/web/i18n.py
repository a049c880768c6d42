"""The desk in the reader's language, with the catalogues of `languages.py` and Jinja's own extension."""

from collections.abc import Callable
from dataclasses import dataclass
from gettext import NullTranslations
from typing import Any, cast

from flask import Flask, Response, current_app, g, has_request_context, request

from frontispiece import languages
from frontispiece.languages import Speaker
from frontispiece.models import User

LANGUAGES = languages.LANGUAGES


def language() -> str:
    """The code of the language that this request is answered in: the person's own, the browser's, else English."""
    if not has_request_context():
        return "en"
    if "language" not in g:
        g.language = "en"  # for words that are said while the person is being looked up
        g.language = _asked_for()
    return cast("str", g.language)


def _asked_for() -> str:
    user = current_app.extensions["reader"]()
    if user is not None and user.language in LANGUAGES:
        return cast("str", user.language)
    return request.accept_languages.best_match(LANGUAGES, "en")


def gettext(words: str, /, **facts: object) -> str:
    """The words in the reader's language, with `%(name)s` filled in; a literal percent sign is written `%%`."""
    return _speaker().gettext(words, **facts)


def ngettext(one: str, many: str, n: int, /, **facts: object) -> str:
    """The words for that number of things, which may be named `%(num)s` (and is filled in)."""
    return _speaker().ngettext(one, many, n, **facts)


def pgettext(context: str, words: str, /, **facts: object) -> str:
    """Like `gettext`, where one English word is two in another language: `context` says which is meant."""
    return _speaker().pgettext(context, words, **facts)


def figures(written: str) -> str:
    """Figures as English writes them, with the marks that the reader is used to."""
    return _speaker().figures(written)


def known(words: str, /) -> str:
    """Words of ours that come from a file (templates/reasons.toml); those that a house wrote itself as they are."""
    return _words().gettext(words) if words else ""


@dataclass(frozen=True)
class Lazy:
    """Words that are looked up when they are shown: those of a module's tables. `% {...}` fills in their facts."""

    words: str
    many: str = ""

    def __str__(self) -> str:
        return gettext(self.words)

    def __mod__(self, facts: dict[str, Any]) -> str:
        if self.many:
            return ngettext(self.words, self.many, facts["num"], **facts)
        return gettext(self.words, **facts)


def lazy(words: str, /) -> Lazy:
    """What `gettext` gives, but later, for each reader anew."""
    return Lazy(words)


def nlazy(one: str, many: str, /) -> Lazy:
    """What `ngettext` gives, but later; `% {"num": 3, ...}` says it."""
    return Lazy(one, many)


def init(app: Flask, person: Callable[[], User | None]) -> None:
    """Gives the templates `_`, `gettext`, `ngettext`, `pgettext`, `{% trans %}`, `language` and `LANGUAGES`.

    Facts are escaped, the translated sentence around them is not: templates translate constant words only.
    """
    app.extensions["reader"] = person
    jinja = app.jinja_env
    jinja.add_extension("jinja2.ext.i18n")
    jinja.policies["ext.i18n.trimmed"] = True
    jinja.install_gettext_callables(  # type: ignore[attr-defined] # a method that the extension adds
        lambda words: _words().gettext(words),
        lambda one, many, n: _words().ngettext(one, many, n),
        newstyle=True,
        pgettext=lambda context, words: _words().pgettext(context, words),
    )
    jinja.globals |= {"language": language, "LANGUAGES": LANGUAGES}
    app.after_request(_label)


def _speaker() -> Speaker:
    return languages.SPEAKERS[language()]


def _words() -> NullTranslations:
    return languages.CATALOGUES[language()]


def _label(answer: Response) -> Response:
    """Says in which language the answer is, where words were asked for, and that another reader gets another."""
    if "language" in g:
        answer.headers["Content-Language"] = language()
        answer.vary.update(["Accept-Language", "Cookie"])
    return answer
