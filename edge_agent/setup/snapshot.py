"""A copy of the agent's store as of one moment, in which nothing tells one device from another.

A backup outlives the keys of its days: so pseudonyms and signals stay behind, and the lessons that they were
to become are given up. What is closed stands as it is; a lesson that begins later is read whole.
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from edge_agent.store.schema import MIGRATIONS
from shared.errors import SettingsError
from shared.storage import reader

# Besides every table with a column of the name below. What apps few devices met is for a fortnight alone.
_LINKABLE: Final = ("batches", "statements", "app_days", "app_lists")
_DEVICE: Final = "device"
_NO_BATCH: Final = 2**62  # newer than any batch: a window with it is never opened again


def take(database: Path, copy: Path) -> int:
    """Write `copy`, whether or not the agent runs; how many lessons under way it gives up.

    Raises SettingsError for a file that is none of ours, or spoilt.
    """
    try:
        with closing(reader(database)) as source, closing(sqlite3.connect(copy)) as target:
            target.execute("PRAGMA secure_delete = ON").close()
            source.backup(target)
            given_up = _without_devices(target)
            check(target, database)
    except sqlite3.DatabaseError as error:
        raise SettingsError(
            f"{database} cannot be copied ({error}): restore the backup before this one"
        ) from None
    return given_up


def check(connection: sqlite3.Connection, name: Path) -> None:
    """Raises SettingsError for a store that is spoilt, or newer than this program."""
    (found,) = connection.execute("PRAGMA quick_check").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if found != "ok":
        raise SettingsError(f"{name} is spoilt ({found}): restore an earlier backup")
    if version > len(MIGRATIONS):
        raise SettingsError(
            f"{name} was written by a newer program: install that version of commonground first"
        )


def _without_devices(copy: sqlite3.Connection) -> int:
    copy.execute("PRAGMA journal_mode = DELETE").close()
    for table in _linkable(copy):
        copy.execute(f'DELETE FROM "{table}"')  # noqa: S608 - a name that the file itself gave
    living = "SELECT day FROM day_keys WHERE state = 'made'"
    # Its day's key stays behind as well: what comes later has other pseudonyms, and is not put beside these.
    copy.execute(f"UPDATE windows SET upto_batch = {_NO_BATCH:d} WHERE day IN ({living})")  # noqa: S608
    copy.execute("DELETE FROM day_keys WHERE state = 'made'")
    given_up = 0
    if "closed" in {row[1] for row in copy.execute("PRAGMA table_info(schedule)")}:
        given_up = copy.execute("UPDATE schedule SET closed = 1 WHERE closed = 0").rowcount
    copy.commit()
    copy.execute("VACUUM").close()
    return given_up


def _linkable(copy: sqlite3.Connection) -> list[str]:
    tables = [name for (name,) in copy.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    return [
        name
        for name in tables
        if name in _LINKABLE or _DEVICE in {row[1] for row in copy.execute(f'PRAGMA table_info("{name}")')}
    ]
