"""The database comes to the newest schema from every earlier one, and a newer one is refused."""

import sqlite3
from pathlib import Path

import pytest

from hub import folder
from hub.paths import Layout
from hub.store.schema import MIGRATIONS
from shared import storage
from shared.errors import SettingsError


def shape_of(connection: sqlite3.Connection) -> list[tuple[str, str]]:
    """Every table and index by name, as it was made."""
    return connection.execute("SELECT name, coalesce(sql, '') FROM sqlite_master ORDER BY name").fetchall()


@pytest.mark.parametrize("version", range(len(MIGRATIONS)))
def test_every_earlier_version_migrates_to_the_newest(tmp_path: Path, layout: Layout, version: int) -> None:
    older = storage.connect(tmp_path / "older.db")
    storage.migrate(older, MIGRATIONS[:version])
    storage.migrate(older, MIGRATIONS)
    newest = folder.connect(layout)
    assert shape_of(older) == shape_of(newest)
    older.close()
    newest.close()


def test_a_database_of_a_newer_program_is_refused_with_one_line(layout: Layout) -> None:
    connection = storage.connect(layout.database)
    connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    connection.close()
    with pytest.raises(SettingsError, match="upgrade"):
        folder.connect(layout)
