"""Class codes: opaque names that leave the school in place of a class, one a class and term."""

import secrets
import sqlite3
from datetime import date

from edge_agent.identity.roster import Roster
from edge_agent.store import disclosures
from shared.errors import UsageError
from shared.link import outbox

ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
CODE_LENGTH = 8


def ensure_codes(connection: sqlite3.Connection, roster: Roster) -> dict[str, str]:
    """Class id to code for every class of the roster, new codes made for new classes and terms."""
    for school_class in roster.classes.values():
        connection.execute(
            "INSERT OR IGNORE INTO classes VALUES (?, ?, ?)", (new_code(), school_class.id, school_class.term)
        )
    known = {
        (class_id, term): code
        for code, class_id, term in connection.execute("SELECT code, class_id, term FROM classes")
    }
    return {item.id: known[item.id, item.term] for item in roster.classes.values()}


def new_code() -> str:
    """Eight letters and digits that cannot be misread; about 40 bits."""
    return "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))


def share(connection: sqlite3.Connection, code: str, until: date, at: str) -> None:
    """Share a class until a day, inclusive; logged. Raises UsageError for an unknown code."""
    _require(connection, code)
    connection.execute("INSERT OR REPLACE INTO sharing VALUES (?, ?)", (code, until.isoformat()))
    _log(connection, at, code, f"shared until {until.isoformat()}")


def unshare(connection: sqlite3.Connection, code: str, at: str) -> int:
    """Stop sharing a class and withdraw its records that were not delivered yet; how many."""
    _require(connection, code)
    connection.execute("DELETE FROM sharing WHERE class_code = ?", (code,))
    _, waiting = _withdraw(connection, code, at)
    _log(connection, at, code, "unshared")
    return waiting


def end_expired(connection: sqlite3.Connection, today: date, at: str) -> list[str]:
    """Withdraw what is left of classes whose last day is over; of which codes there was anything.

    The last day stays what it is: a class is simply not shared after it, so that a clock that was wrong has
    not ended what goes on.
    """
    over = [code for code, until in shared_until(connection).items() if until < today]
    ended = []
    for code in over:
        left, _ = _withdraw(connection, code, at)
        if left:
            _log(connection, at, code, "sharing ended")
            ended.append(code)
    return ended


def _withdraw(connection: sqlite3.Connection, code: str, at: str) -> tuple[int, int]:
    """How many records of the class had bytes here, and how many of them were not delivered."""
    left = connection.execute(
        "SELECT o.number, o.state FROM lesson_numbers l JOIN outbox o ON o.number = l.number"
        " WHERE l.class_code = ? AND o.state IN ('pending', 'sent', 'aside') ORDER BY o.number",
        (code,),
    ).fetchall()
    waiting = [number for number, state in left if state == "pending"]
    # Those delivered go too: a hub restored from a backup must not get them again. The school's own
    # copies stay in the disclosure log.
    if left:
        outbox.withdraw(connection, [number for number, _ in left])
    disclosures.withdraw(connection, at=at, numbers=waiting)
    return len(left), len(waiting)


def shared_until(connection: sqlite3.Connection) -> dict[str, date]:
    """Class code to the last day it is shared."""
    found = connection.execute("SELECT class_code, until FROM sharing")
    return {code: date.fromisoformat(until) for code, until in found}


def _require(connection: sqlite3.Connection, code: str) -> None:
    if connection.execute("SELECT 1 FROM classes WHERE code = ?", (code,)).fetchone() is None:
        raise UsageError(f"no class has the code `{code}`: `commonground agent classes DIR` lists them")


def _log(connection: sqlite3.Connection, at: str, code: str, change: str) -> None:
    connection.execute(
        "INSERT INTO sharing_log (at, class_code, change) VALUES (?, ?, ?)", (at, code, change)
    )
