"""A sender to be killed: `... -m tests.shared.link.sender_process FILE ENDPOINT KEYS RECEIVER_PUBLIC TOTAL`.

Reads a source of TOTAL numbered items; how far it read and what it accepted are one transaction. Prints
`ready`, then sends until the end of standard input.
"""

import random
import sqlite3
import sys
from pathlib import Path

import sqlite_utils

from shared.link import outbox
from shared.link.client import LinkClient
from shared.link.keys import load_or_create
from shared.link.outbox_feed import OutboxFeed
from shared.link.sender import Pace
from shared.storage import Writer


def source_table(db: sqlite_utils.Database) -> None:
    """How far the source was read."""
    db.table("source").insert({"read": 0})


def accept(connection: sqlite3.Connection, total: int) -> bool:
    """Accept the next few items; whether there are more."""
    (read,) = connection.execute("SELECT read FROM source").fetchone()
    upto = min(total, read + 10)
    for i in range(read, upto):
        outbox.append(connection, "test", b"item %d" % i)
    connection.execute("UPDATE source SET read = ?", (upto,))
    return bool(upto < total)


def main(file: str, endpoint: str, folder: str, receiver_public: str, total: str) -> None:
    """Run until told to end, or killed."""
    writer = Writer(Path(file), [outbox.create_tables, source_table])
    feed = OutboxFeed(writer)
    keys = load_or_create(Path(folder), "sender")
    pace = Pace(first=0.2, longest=1.0)
    client = LinkClient(endpoint, receiver_public, keys, "records", feed, random.Random(1), pace=pace)
    client.start()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while writer.run(lambda c: accept(c, int(total))):
        feed.wake()
    sys.stdin.read()
    client.stop()
    writer.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
