"""One side of a link whose disk is recorded: `... -m tests.shared.link.power_process ROLE ARGUMENT...`.

`receive FOLDER KEYS SENDER_PUBLIC` prints its endpoint. `send FOLDER KEYS ENDPOINT RECEIVER_PUBLIC TOTAL`
accepts TOTAL items, notes in the file `notes` which were accepted and acknowledged, and prints `done`. Both
end with standard input.
"""

import os
import random
import sqlite3
import sys
import threading
from pathlib import Path

from shared.link import outbox
from shared.link.client import LinkClient
from shared.link.keys import load_or_create
from shared.link.outbox_feed import OutboxFeed
from shared.link.sender import Pace
from shared.link.server import LinkServer
from shared.storage import Writer
from tests.shared.link.site import Site

GROUP = 5
EMPTIED_EVERY = 40  # commits after which the write-ahead log is emptied, so that cuts fall into that as well


class Notes:
    """A file whose growth puts other events into the order of the recorded ones."""

    def __init__(self, folder: Path) -> None:
        self._file = os.open(folder / "notes", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def write(self, what: str, number: int) -> None:
        """It is true now."""
        os.write(self._file, f"{what} {number}\n".encode())


class NotingFeed(OutboxFeed):
    """The outbox, noting what the receiver acknowledged before anything is made of it."""

    def __init__(self, writer: Writer, notes: Notes, total: int) -> None:
        super().__init__(writer)
        self.done = threading.Event()
        self._notes, self._total, self._settled = notes, total, 0

    def settle(self, seq: int) -> None:
        self._notes.write("acknowledged", seq)
        super().settle(seq)
        self._settled = seq
        if seq == self._total:
            self.done.set()


class EmptyingSite(Site):
    """A receiver that empties its log now and then."""

    def deliver(self, deliveries):  # type: ignore[no-untyped-def] # as its parent has it
        outcomes = super().deliver(deliveries)
        if len(self.groups) % EMPTIED_EVERY == 0:
            self.writer.empty_log()
        return outcomes


def item(number: int) -> bytes:
    """What the batch of this number carries: from a few bytes to several pages."""
    return b"item %d " % number + b"." * (number * 37 % 5000)


def _accept(connection: sqlite3.Connection, first: int) -> None:
    for number in range(first, first + GROUP):
        outbox.append(connection, "test", item(number))


def receive(folder: Path, keys: Path, sender_public: str) -> None:
    """Run until told to end."""
    site = EmptyingSite(folder / "receiver.db", {sender_public: "school"})
    server = LinkServer("tcp://127.0.0.1:*", load_or_create(keys, "receiver"), site)
    server.start()
    _say(server.endpoint)
    sys.stdin.read()
    server.stop()
    site.close()


def send(folder: Path, keys: Path, endpoint: str, receiver_public: str, total: str) -> None:
    """Accept everything, and run until told to end."""
    writer = Writer(folder / "sender.db", [outbox.create_tables])
    notes = Notes(folder)
    feed = NotingFeed(writer, notes, int(total))
    pair = load_or_create(keys, "sender")
    client = LinkClient(
        endpoint, receiver_public, pair, "records", feed, random.Random(1), pace=Pace(first=0.2, longest=1.0)
    )
    client.start()
    for first in range(1, int(total) + 1, GROUP):
        writer.run(lambda connection, first=first: _accept(connection, first))  # type: ignore[misc] # bound now
        notes.write("accepted", first + GROUP - 1)
        feed.wake()
        if first // GROUP % EMPTIED_EVERY == 0:
            writer.empty_log()
    feed.done.wait(60)
    _say("done")
    sys.stdin.read()
    client.stop()
    writer.close()


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    role, place, secrets, *rest = sys.argv[1:]
    {"receive": receive, "send": send}[role](Path(place), Path(secrets), *rest)  # type: ignore[operator] # as told
