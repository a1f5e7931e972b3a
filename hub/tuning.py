"""What a running hub is set to so that many schools at once cost little: groups, SQLite, the collector."""

import gc
import sqlite3
from dataclasses import replace
from typing import Final

from shared.link.limits import GUARDED, Limits

# When a thousand schools come back together, one commit takes a few records of each: one sync, one
# acknowledgement and one look at its standing then serve several. With little to do groups stay small.
LIMITS: Final[Limits] = replace(
    GUARDED, group_batches=4096, group_bytes=8 * 1024 * 1024, group_frames=8192, strangers=2048
)

_CACHE_KIB: Final = 4 * 1024  # the inner pages of the indices that every group touches; more was no faster
_LOG_PAGES: Final = 4000  # a page that several groups change is copied into the file once


def for_groups(connection: sqlite3.Connection) -> None:
    """Set the writer's connection up for large groups."""
    connection.execute(f"PRAGMA cache_size = {-_CACHE_KIB:d}").close()
    connection.execute(f"PRAGMA wal_autocheckpoint = {_LOG_PAGES:d}").close()


def collect_rarely() -> None:
    """Look for cyclic garbage rarely, and not in what was there at the start.

    A group makes many objects at once, none of which is part of a cycle: looking through them took a fifth
    of its time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
