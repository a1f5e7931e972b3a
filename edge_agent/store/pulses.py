"""How each source was heard, and the notices that wait to be sent; nothing of what the source said."""

from typing import TYPE_CHECKING

from shared import waiting

if TYPE_CHECKING:
    from sqlite_utils import Database


def add_tables(db: "Database") -> None:
    """One row a source; and notices on their way."""
    db.execute("CREATE TABLE pulses (source TEXT PRIMARY KEY, pulse TEXT NOT NULL)")
    waiting.add_table(db)
