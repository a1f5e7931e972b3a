"""Records that the district refused: what they are, and sending them again or letting them go."""

import sqlite3
from collections.abc import Sequence
from datetime import date

from edge_agent.store.classes import shared_until
from edge_agent.store.counts import add_counts
from edge_agent.store.disclosures import disclose
from shared.errors import UsageError
from shared.link import aside

RECORDS = "records"  # what the counts call this stream
DROPPED = "dropped"


def retry(connection: sqlite3.Connection, numbers: Sequence[int], *, today: date, at: str) -> list[int]:
    """Hand the same records over anew, each with its own entry in the disclosure log; their new numbers.

    Raises UsageError for a number that is not a refused record's, and for a lesson of a class that is not
    shared any more: all or none are retried.
    """
    shared = shared_until(connection)
    renewed = []
    for number in numbers:
        row = connection.execute(
            "SELECT class_code, start FROM lesson_numbers WHERE number = ?", (number,)
        ).fetchone()
        if row is not None and shared.get(row[0], date.min) < today:
            raise UsageError(
                f"record {number} is a lesson of class {row[0]}, which is not shared any more: drop it"
            )
        new, kind, payload = aside.retry(connection, number)
        disclose(connection, at=at, kind=kind, number=new, payload=payload)
        if row is not None:
            connection.execute("INSERT INTO lesson_numbers VALUES (?, ?, ?)", (new, *row))
        renewed.append(new)
    return renewed


def drop(connection: sqlite3.Connection, numbers: Sequence[int]) -> None:
    """Take their bytes away for good, and count them by kind. Raises UsageError for another number."""
    for number in numbers:
        kind = aside.drop(connection, number)
        add_counts(connection, RECORDS, {DROPPED: {kind: 1}})
