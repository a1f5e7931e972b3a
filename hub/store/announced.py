"""Which schools know the key that the hub will have next: those that were welcomed since it was made."""

import sqlite3
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlite_utils import Database


def create_table(db: "Database") -> None:
    """A migration step."""
    db.table("announced").create(
        {"school_id": int, "public_key": str},
        pk="school_id",
        not_null={"public_key"},
        foreign_keys=[("school_id", "schools", "id")],
    )


def tell(connection: sqlite3.Connection, school_id: int, public_key: str) -> None:
    """The school is told of this key."""
    connection.execute(
        "INSERT INTO announced VALUES (?, ?)"
        " ON CONFLICT (school_id) DO UPDATE SET public_key = excluded.public_key",
        (school_id, public_key),
    ).close()


def knows(connection: sqlite3.Connection, school_id: int, public_key: str) -> bool:
    """Whether the school was told of this key."""
    row = connection.execute(
        "SELECT 1 FROM announced WHERE school_id = ? AND public_key = ?", (school_id, public_key)
    ).fetchone()
    return row is not None


def ignorant(connection: sqlite3.Connection, public_key: str) -> list[str]:
    """Names of the schools that may talk and do not know this key yet."""
    rows = connection.execute(
        "SELECT DISTINCT name FROM schools JOIN enrolments ON enrolments.school_id = schools.id"
        " WHERE revoked IS NULL AND schools.id NOT IN (SELECT school_id FROM announced WHERE public_key = ?)"
        " ORDER BY name",
        (public_key,),
    )
    return [name for (name,) in rows]
