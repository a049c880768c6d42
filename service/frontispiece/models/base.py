"""What all tables share."""

from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Enum, LargeBinary, MetaData, Text
from sqlalchemy.orm import DeclarativeBase


def words(kind: type[StrEnum]) -> Enum:
    """A column that holds the words of an enumeration."""
    return Enum(kind, native_enum=False, length=16, values_callable=lambda kinds: [one.value for one in kinds])


class Base(DeclarativeBase):
    """Constraint names follow one pattern, so that migrations can find them on every database."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {dict[str, Any]: JSON, list[Any]: JSON, str: Text, bytes: LargeBinary}  # noqa: RUF012
