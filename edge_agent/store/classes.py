"""Class codes: opaque names that leave the school in place of a class, one a class and term."""

import secrets
import sqlite3
from datetime import date

from edge_agent.identity.roster import Roster
from edge_agent.store import disclosures
from edge_agent.store.windows import numbers_of
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
    return _end(connection, code, at, "unshared")


def end_expired(connection: sqlite3.Connection, today: date, at: str) -> list[str]:
    """Stop sharing every class whose last day is over; which codes."""
    over = [code for code, until in shared_until(connection).items() if until < today]
    for code in over:
        _end(connection, code, at, "sharing ended")
    return over


def _end(connection: sqlite3.Connection, code: str, at: str, change: str) -> int:
    connection.execute("DELETE FROM sharing WHERE class_code = ?", (code,))
    numbers = numbers_of(connection, (code,))
    waiting = [number for number in numbers if outbox_state(connection, number) == "pending"]
    # Those delivered go too: a hub restored from a backup must not get them again. The school's own
    # copies stay in the disclosure log.
    outbox.withdraw(connection, numbers)
    disclosures.withdraw(connection, at=at, numbers=waiting)
    _log(connection, at, code, change)
    return len(waiting)


def outbox_state(connection: sqlite3.Connection, number: int) -> str | None:
    """What became of a batch of the outbox; None once it is forgotten, long after it was delivered."""
    row = connection.execute("SELECT state FROM outbox WHERE number = ?", (number,)).fetchone()
    return None if row is None else str(row[0])


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
