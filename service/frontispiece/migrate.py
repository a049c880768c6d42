"""Brings the database to this version's tables with Alembic; two processes may try at once."""

import fcntl

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

from frontispiece.config import Settings
from frontispiece.database import Database


def config(connection: Connection) -> Config:
    """Alembic's configuration; there is no alembic.ini."""
    made = Config()
    made.set_main_option("script_location", "frontispiece:migrations")
    made.attributes["connection"] = connection
    return made


def upgrade(settings: Settings) -> None:
    """Runs what migrations are missing, in one transaction."""
    settings.data.mkdir(parents=True, exist_ok=True)
    database = Database(settings.database)
    with (settings.data / "migrate.lock").open("a") as lock, database.engine.begin() as connection:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not database.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('frontispiece migrations'))"))
        command.upgrade(config(connection), "head")
    database.engine.dispose()
