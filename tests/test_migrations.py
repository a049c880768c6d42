"""The database's history against the tables in the code."""

from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import inspect, text

from frontispiece import migrate, records
from frontispiece.cms import Entry
from frontispiece.config import Settings
from frontispiece.database import Database

OLD_ENTRY = """INSERT INTO entries (site, ref, locale, kind, title, section, search, snapshot, fetched)
VALUES ('blog', 'posts/1', '', 'article', :title, 'City', :search, '{}', 1)"""
OLD_ILLUSTRATION = """INSERT INTO illustrations (entry_id, rule, slot, state, reason, prompt, template, alt,
caption, photos, created, updated) VALUES (1, 'blog', 'hero', 'in_review', '', '', '', '', '', '[]', 1, 1)"""


def test_the_migrations_make_exactly_the_tables_of_the_code(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path)
    migrate.upgrade(settings)
    database = Database(settings.database)
    with database.engine.begin() as connection:
        command.check(migrate.config(connection))
    database.engine.dispose()


def test_an_upgrade_that_was_made_is_not_made_again(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path)
    migrate.upgrade(settings)
    migrate.upgrade(settings)

    database = Database(settings.database)
    assert "illustrations" in inspect(database.engine).get_table_names()
    database.engine.dispose()


@pytest.mark.parametrize("times", [1, 2])
def test_what_is_there_can_be_looked_for_after_an_upgrade(tmp_path: Path, times: int) -> None:
    settings = Settings(data=tmp_path)
    told = Entry("posts/1", "article", "Ein Straßenfest", section="City")
    database = Database(settings.database)
    with database.engine.begin() as connection:
        command.upgrade(migrate.config(connection), "0006")
        connection.execute(text(OLD_ENTRY), {"title": told.title, "search": records.searchable(told.title)})
        connection.execute(text(OLD_ILLUSTRATION))
    for _ in range(times - 1):
        migrate.upgrade(settings)
        with database.engine.begin() as connection:
            command.downgrade(migrate.config(connection), "0006")
    migrate.upgrade(settings)
    with database.engine.connect() as connection:
        found = connection.execute(text("SELECT site, kind, section, sought FROM illustrations")).mappings().one()
    assert dict(found) == records.sought("blog", told)
    database.engine.dispose()
