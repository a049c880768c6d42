"""What a lead sees, counted by a real PostgreSQL: it comes to the same as in SQLite."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from desk.furnish import Web
from desk.leading import OLD, furnished
from servers.database import postgres

from frontispiece import prompts

pytestmark = pytest.mark.real

PAGES = (
    *("/board?period=30", "/board?period=dates&since=2020-01-01&until=2020-01-02", "/board/reasons.csv"),
    *("/templates", "/templates/article/hero", "/sites", "/sites/gazette", "/sites/shop"),
    f"/templates/article/hero/compare?old={OLD}&new={prompts.load('article/hero').version}",
    *("/deliveries", "/deliveries?outcome=over-budget", "/deliveries?outcome=opted-out", "/deliveries?q=MSG_1"),
    "/deliveries?site=gazette&since=2020-01-01",
)


@pytest.fixture(name="pages", scope="module")
def _pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[list[str]]]:
    """The words of each page, with SQLite and with PostgreSQL."""
    with pytest.MonkeyPatch.context() as environment, postgres() as url:
        told = [shown(tmp_path_factory.mktemp("sqlite"))]
        environment.setenv("FRONTISPIECE_DATABASE_URL", url)
        yield [*told, shown(tmp_path_factory.mktemp("postgresql"))]


def shown(folder: Path) -> list[str]:
    with Web(folder) as web:
        furnished(web)
        browser = web.browser("lead")
        return [words(browser.get(page).text) for page in PAGES]


def words(page: str) -> str:
    """A page without its markup and its times."""
    text = " ".join(re.sub(r"<[^>]+>", " ", page).split())
    return re.sub(r"\b(\d+ (s|min) ago|now|\d+ s|in \d+ min|\d\d:\d\d UTC)\b", "then", text)


@pytest.mark.parametrize("at", range(len(PAGES)), ids=PAGES)
def test_a_page_says_the_same_with_both_databases(pages: list[list[str]], at: int) -> None:
    in_sqlite, in_postgresql = (told[at] for told in pages)
    assert in_postgresql == in_sqlite
