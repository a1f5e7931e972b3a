"""A hub's folder with schools enrolled in it, and the keys they talk with."""

import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.processes import commonground
from hub import folder as hub_folder
from hub.paths import Layout
from hub.store import enrolments
from hub.store.schema import MIGRATIONS
from shared.link import invitations, ledger
from shared.link.keys import KeyPair
from shared.storage import Writer


@dataclass(frozen=True, slots=True)
class Hub:
    """A hub to run: where it listens, its public key, the schools' keys in the order of their names."""

    layout: Layout
    port: int
    address: str
    public: str
    keys: Sequence[KeyPair]


def make_hub(root: Path, schools: Sequence[str], port: int, link: int, greeted: int | None = None) -> Hub:
    """`hub init`, then every school invited and joined as the hub itself would enrol it.

    With `greeted` each has spoken before, under this epoch.
    """
    address = f"tcp://127.0.0.1:{link}"
    commonground(
        "hub", "init", str(root), "--district", "Benchmark District", "--link", address, "--port", str(port)
    )
    layout = Layout(root)
    public = hub_folder.link_keys(layout).public
    pairs = [KeyPair.new() for _ in schools]
    writer = Writer(layout.database, MIGRATIONS)
    now = time.time()

    def enrol(connection: sqlite3.Connection) -> None:
        for name, pair in zip(schools, pairs, strict=True):
            token = enrolments.invite(connection, name, True, address, public, now)
            own = enrolments.enrol(connection, pair.public, invitations.decode(token).secret, name, now)
            if greeted is not None:
                ledger.hello(connection, own, "records", greeted)

    writer.run(enrol)
    writer.close()
    return Hub(layout, port, address, public, pairs)


def school_names(count: int) -> list[str]:
    """`count` names."""
    return [f"School {number:04d}" for number in range(1, count + 1)]
