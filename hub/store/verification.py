"""Is what this hub holds what the schools disclosed? Every lesson and week is written again and compared."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import msgspec

from hub.store import rebuilt
from hub.store.receipts import LESSON, WEEK
from shared.disclosure import digest

if TYPE_CHECKING:
    from sqlite_utils import Database

DIFFERS: Final = "differs"
MISSING: Final = "missing"
UNDISCLOSED: Final = "undisclosed"
NAMED: Final = 100  # findings that a result names; all are counted

_RECEIPTS: Final = """
SELECT seq, sha256, about FROM receipts WHERE school_id = ? AND kind = ? AND accepted ORDER BY seq
"""
_SKIPPED: Final = "SELECT skipped FROM receipt_lines WHERE school_id = ?"


class Finding(msgspec.Struct, frozen=True):
    """A record that is not as disclosed: `seq` of the school's log; `what` is `differs`, `missing`, or
    `undisclosed`, which came later than others that have an entry and has none itself (`seq` is 0).
    """

    seq: int
    kind: str
    about: str
    what: str


@dataclass(slots=True)
class Result:
    """One school: how many records agree with what was disclosed, and what does not.

    `replaced` were disclosed and a later revision took their place; `without` have no receipt, because their
    agent told none yet; those that have none later on `differ`. `skipped` entries came with no record.
    """

    agree: int = 0
    differ: int = 0
    missing: int = 0
    replaced: int = 0
    without: int = 0
    skipped: int = 0
    findings: list[Finding] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        """Whether nothing disagrees."""
        return not self.differ and not self.missing


def create_table(db: "Database") -> None:
    """A migration step: the last result of each school."""
    db.execute(
        """CREATE TABLE verifications (
            school_id INTEGER PRIMARY KEY REFERENCES schools(id), at REAL NOT NULL, agree INTEGER NOT NULL,
            differ INTEGER NOT NULL, missing INTEGER NOT NULL, replaced INTEGER NOT NULL,
            without INTEGER NOT NULL, findings TEXT NOT NULL)"""
    )


def compare(connection: sqlite3.Connection, school_id: int, school: str) -> Result:
    """Compare what the store holds of one school with its receipts; rows by column name, only reads."""
    result = Result()
    line = connection.execute(_SKIPPED, (school_id,)).fetchone()
    result.skipped = line[0] if line else 0
    for kind, records in ((LESSON, rebuilt.lessons), (WEEK, rebuilt.weeks)):
        told: dict[str, list[tuple[int, str]]] = {}
        for seq, sha256, about in connection.execute(_RECEIPTS, (school_id, kind)):
            told.setdefault(about, []).append((seq, sha256))
        newest: dict[str, int] = {}
        tells = False  # records come in the order in which they were received
        for about, data in records(connection, school_id, school):
            newest[_lesson(about)] = _revision(about)
            entries = told.pop(about, [])
            tells = tells or bool(entries)
            if entries or not tells:
                _compare(result, entries, kind, about, digest(data))
            else:
                result.differ += 1
                _name(result, Finding(0, kind, about, UNDISCLOSED))
        for about, entries in told.items():
            if kind == LESSON and newest.get(_lesson(about), 0) > _revision(about):
                result.replaced += 1
            else:
                result.missing += 1
                _name(result, Finding(entries[-1][0], kind, about, MISSING))
    return result


def keep(connection: sqlite3.Connection, school_id: int, result: Result, at: float) -> None:
    """Remember the result, in the caller's transaction, at hub time `at`."""
    findings = msgspec.json.encode(result.findings).decode()
    connection.execute(
        "INSERT INTO verifications VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (school_id) DO UPDATE SET"
        " at = excluded.at, agree = excluded.agree, differ = excluded.differ, missing = excluded.missing,"
        " replaced = excluded.replaced, without = excluded.without, findings = excluded.findings",
        (
            *(school_id, at, result.agree, result.differ, result.missing),
            *(result.replaced, result.without, findings),
        ),
    ).close()


def findings(text: str) -> list[Finding]:
    """The findings as `keep` wrote them."""
    return msgspec.json.decode(text, type=list[Finding])


def schools(connection: sqlite3.Connection) -> Iterator[tuple[int, str, str]]:
    """Number, name and slug of every school, by name."""
    yield from connection.execute("SELECT id, name, slug FROM schools ORDER BY name").fetchall()


def _compare(result: Result, entries: list[tuple[int, str]], kind: str, about: str, sha256: str) -> None:
    if not entries:
        result.without += 1
    elif any(told == sha256 for _, told in entries):
        result.agree += 1
    else:
        result.differ += 1
        _name(result, Finding(entries[-1][0], kind, about, DIFFERS))


def _name(result: Result, finding: Finding) -> None:
    if len(result.findings) < NAMED:
        result.findings.append(finding)


def _lesson(about: str) -> str:
    return about.rpartition(" ")[0]


def _revision(about: str) -> int:
    last = about.rpartition(" ")[2]
    return int(last) if last.isdigit() else 0
