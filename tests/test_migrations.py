"""The database's history against the tables in the code."""

from pathlib import Path

from alembic import command
from sqlalchemy import inspect

from frontispiece import migrate
from frontispiece.config import Settings
from frontispiece.database import Database


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
