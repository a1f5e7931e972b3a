"""What was refused: counted by school, reason and day, and a scrubbed trace of the newest kept."""

import hashlib
import re
import sqlite3
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from shared.records import LessonRecord, Placement, SourceFreshness, StatusRecord, WeekPlacement, WeekRecord
from shared.words import CHANNELS, SOURCE_KINDS

KEEP: Final = 200
EXCERPT_BYTES: Final = 8 * 1024
NO_SCHOOL: Final = 0

_SHAPES: Final = (LessonRecord, WeekRecord, StatusRecord, Placement, WeekPlacement, SourceFreshness)

# Field names and fixed words of records: everything else that looks like a word or a number is masked.
KNOWN: Final = frozenset(
    field.encode_name for shape in _SHAPES for field in msgspec.structs.fields(shape)
).union(("kind", "lesson", "week", "status", "null"), CHANNELS, SOURCE_KINDS)
_WORD: Final = re.compile(r"[^\W\d]\w*|\d+|[^\x20-\x7e]+", re.ASCII)


def scrub(payload: bytes) -> str:
    """The shape of a payload: known words and punctuation stay; other words become `a`, numbers `0`."""
    return _WORD.sub(_mask, payload[:EXCERPT_BYTES].decode("ascii", "replace"))


def _mask(found: re.Match[str]) -> str:
    word = found[0]
    if word in KNOWN:
        return word
    if word[0].isdigit():
        return "0"
    return "a" if word.isascii() and word[0].isprintable() else "."


def count(connection: sqlite3.Connection, name: str, by: int = 1) -> None:
    """Add to a counter."""
    connection.execute(
        "INSERT INTO counters (name, count) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET count = count + ?",
        (name, by, by),
    ).close()


def tally(connection: sqlite3.Connection, school_id: int, reason: str, at: float, by: int = 1) -> None:
    """Count by school, reason and the hub's day."""
    day = datetime.fromtimestamp(at, UTC).date().isoformat()
    connection.execute(
        "INSERT INTO refused (school_id, reason, day, count) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (school_id, reason, day) DO UPDATE SET count = count + excluded.count",
        (school_id, reason, day, by),
    ).close()


def days(connection: sqlite3.Connection, school_id: int, reason: str, at: float) -> int:
    """On how many of the thirty days up to `at` this was counted of a school."""
    until = datetime.fromtimestamp(at, UTC).date()
    (found,) = connection.execute(
        "SELECT count(*) FROM refused WHERE school_id = ? AND reason = ? AND day BETWEEN ? AND ?",
        (school_id, reason, (until - timedelta(days=30)).isoformat(), until.isoformat()),
    ).fetchone()
    return int(found)


def refuse(
    connection: sqlite3.Connection, school_id: int, reason: str, payload: bytes, kind: str, at: float
) -> None:
    """Count a refusal and keep its trace; only the newest 200 traces stay, each of at most 8 KiB."""
    tally(connection, school_id, reason, at)
    newest = connection.execute(
        "INSERT INTO quarantine (school_id, at, reason, kind, size, hash, excerpt)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (school_id, at, reason, kind, len(payload), hashlib.sha256(payload).hexdigest(), scrub(payload)),
    ).lastrowid
    connection.execute("DELETE FROM quarantine WHERE id <= ?", ((newest or 0) - KEEP,)).close()
