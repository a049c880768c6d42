"""The catalogues: nothing the desk and messages say is missing in one, and what is translated can be shown."""

import ast
import io
import re
from functools import cache
from gettext import GNUTranslations
from pathlib import Path

import messages
import pytest
from babel.messages.catalog import Message
from jinja2 import Environment, nodes

from frontispiece.models import State
from frontispiece.web import said

CATALOGUES = sorted(messages.LOCALE.glob("*/LC_MESSAGES/*.po"))
each = pytest.mark.parametrize("po", CATALOGUES, ids=lambda po: po.parts[-3])


def ids(message: Message) -> list[str]:
    return [message.id] if isinstance(message.id, str) else list(message.id)


def facts(words: str) -> set[str]:
    """The names in a sentence; whatever else would be taken for one cannot be shown."""
    names = re.findall(r"%\((\w+)\)s", words)
    words % dict.fromkeys(names, "")
    return set(names)


def shown(mo: bytes) -> dict[object, object]:
    """What gettext reads, without the head, in which Babel names its own version."""
    found: dict[object, object] = vars(GNUTranslations(io.BytesIO(mo)))["_catalog"]
    return {words: translated for words, translated in found.items() if words}


def test_german_is_there() -> None:
    assert "de" in {po.parts[-3] for po in CATALOGUES}


@each
def test_the_catalogue_holds_what_the_desk_says_and_nothing_else(po: Path) -> None:
    wanted = {(one.context, one.id) for one in messages.wanted() if one.id}
    assert {(one.context, one.id) for one in messages.read(po) if one.id} == wanted, "run `make messages`"


@each
def test_everything_is_translated(po: Path) -> None:
    assert [one.id for one in messages.open_(messages.read(po))] == []


@each
def test_a_translation_has_the_facts_of_its_sentence(po: Path) -> None:
    for one in messages.read(po):
        if one.id and all(messages.strings(one)):
            assert set().union(*map(facts, ids(one))) == set().union(*map(facts, messages.strings(one)))


@each
def test_a_translation_has_the_markup_of_its_sentence(po: Path) -> None:
    for one in messages.read(po):
        tags = sorted(re.findall(r"<[^>]*>", ids(one)[0]))
        assert all(sorted(re.findall(r"<[^>]*>", words)) == tags for words in messages.strings(one))


@each
def test_what_is_shipped_is_what_the_translators_wrote(po: Path) -> None:
    shipped, made = (shown(mo) for mo in (po.with_suffix(".mo").read_bytes(), messages.compiled(messages.read(po))))
    assert shipped == made, "run `make messages`"


@each
def test_there_are_twelve_months(po: Path) -> None:
    (months,) = [one.string for one in messages.read(po) if one.context == "months, parted by spaces"]
    assert len(str(months).split()) == 12


def test_every_sentence_of_the_desk_can_be_shown() -> None:
    for one in messages.wanted():
        assert all(isinstance(facts(words), set) for words in ids(one))


def test_messages_in_chat_and_mail_are_in_the_catalogues() -> None:
    found = {Path(place).as_posix() for one in messages.wanted() for place, _ in one.locations}
    assert {"notices.py", "alarms.py", "languages.py", "web/plain.py", "web/pages/board.html"} <= found


def test_a_new_language_begins_with_every_sentence(tmp_path: Path) -> None:
    messages.begin(po := tmp_path / "fr" / "LC_MESSAGES" / "frontispiece.po")
    assert len(messages.open_(messages.updated(po))) == len(messages.wanted())


def test_every_state_has_its_words() -> None:
    assert {state.words for state in State} <= set(said.FACTS)


@cache
def sayings() -> list[re.Pattern[str]]:
    """What recognises each sentence in the code; too short ones would recognise anything."""
    files = [path for path in messages.SERVICE.rglob("*.py") if path.name != "said.py"]
    nodes = [node for path in files for node in ast.walk(ast.parse(path.read_bytes()))]
    parts = [node.values for node in nodes if isinstance(node, ast.JoinedStr)]
    parts += [[node] for node in nodes if isinstance(node, ast.Constant)]
    known = {tuple(part.value if isinstance(part, ast.Constant) else None for part in whole) for whole in parts}
    long = [whole for whole in known if len("".join(str(part) for part in whole if part)) > 6]
    return [re.compile("".join(".+" if part is None else re.escape(str(part)) for part in whole)) for whole in long]


@pytest.mark.parametrize("sentence", [one.words for one in said.SAID])
def test_what_is_known_by_its_wording_is_still_said_so(sentence: str) -> None:
    wholes = (sentence, f"line %(number)s: {sentence}")  # as the findings about a template are said
    assert any(saying.fullmatch(whole) for saying in sayings() for whole in wholes)


PAGES = sorted((messages.WEB / "pages").rglob("*.html"))
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def parsed(page: Path) -> nodes.Template:
    source = re.sub(r"{% block body_class %}.*?{% endblock %}", "", page.read_text("utf8"))
    return Environment(extensions=["jinja2.ext.i18n"]).parse(source)


@each_page
def test_a_page_has_no_words_of_one_language(page: Path) -> None:
    source = "".join(one.data for one in parsed(page).find_all(nodes.TemplateData))
    shown = re.sub(r"<kbd.*?</kbd>|<[^>]*>|&\w+;|Frontispiece", "", source, flags=re.DOTALL)
    told = re.findall(r'\b(?:alt|aria-label|placeholder|title)="([^"]*)"', source)
    assert [word for word in re.findall(r"[^\W\d_]{2,}", " ".join([shown, *told])) if not word.isupper()] == []


@each_page
def test_a_page_translates_constant_words_only(page: Path) -> None:
    """A translated sentence is not escaped; so it must never be one that somebody sent."""
    calls = parsed(page).find_all(nodes.Call)
    marked = [one for one in calls if isinstance(one.node, nodes.Name) and re.search("_$|gettext", one.node.name)]
    assert all(isinstance(one.args[0], nodes.Const) for one in marked)


def test_nobody_is_turned_away_in_one_language() -> None:
    api = {*(messages.WEB / "api").rglob("*.py"), messages.WEB / "media.py"}  # their answers are for programs
    pages = set(messages.WEB.rglob("*.py")) - api
    calls = [node for path in pages for node in ast.walk(ast.parse(path.read_bytes())) if isinstance(node, ast.Call)]
    aborts = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "abort"]
    bare = [ast.unparse(call) for call in aborts if isinstance(call.args[-1], ast.JoinedStr | ast.Constant)]
    assert [call for call in bare if re.search("[a-z] [a-z]", call)] == []
