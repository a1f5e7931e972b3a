"""The agent's file is brought to the newest schema from every earlier one, and nothing in it changes meaning.

`recorded/store_1.sql` is a file as the first version wrote it. From now on a new schema adds a step and
changes none.
"""

import sqlite3
from collections.abc import Sequence
from pathlib import Path

import pytest

from edge_agent.store import disclosures
from edge_agent.store.schema import MIGRATIONS
from shared.errors import SettingsError
from shared.link import aside, ledger, outbox, outbox_epochs
from shared.storage import Migration, connect, migrate, transaction

RECORDED = Path(__file__).parent / "recorded" / "store_1.sql"
VERSIONS = range(1, len(MIGRATIONS) + 1)


def recorded(path: Path, steps: Sequence[Migration]) -> sqlite3.Connection:
    """The recorded file after some of the steps, each tried by a program of its own."""
    connection = connect(path)
    connection.executescript(
        "PRAGMA foreign_keys = OFF;" + RECORDED.read_text() + "PRAGMA foreign_keys = ON;"
    )
    for version in range(1, len(steps) + 1):
        migrate(connection, steps[:version])
    return connection


def shape(connection: sqlite3.Connection) -> dict[str, set[object]]:
    """Tables with their columns' names, types and constraints; indexes and triggers by name."""
    names = connection.execute("SELECT type, name FROM sqlite_master ORDER BY 1, 2").fetchall()
    return {
        f"{kind} {name}": {row[1:4] + row[5:6] for row in connection.execute(f"PRAGMA table_info('{name}')")}
        for kind, name in names
    }


@pytest.mark.parametrize("version", VERSIONS)
def test_a_file_of_any_version_becomes_what_a_new_one_is(tmp_path: Path, version: int) -> None:
    old, new = recorded(tmp_path / "old.db", MIGRATIONS[:version]), connect(tmp_path / "new.db")
    migrate(old, MIGRATIONS)
    migrate(new, MIGRATIONS)
    assert shape(old) == shape(new)
    assert old.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
    assert old.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert old.execute("PRAGMA foreign_key_check").fetchall() == []


@pytest.mark.parametrize("version", VERSIONS)
def test_what_waits_was_sent_and_was_refused_is_what_it_was(tmp_path: Path, version: int) -> None:
    old = recorded(tmp_path / "old.db", MIGRATIONS[:version])
    migrate(old, MIGRATIONS)
    counts = outbox.counts(old)
    assert (counts.sent, counts.aside, counts.pending, counts.withdrawn) == (2, 1, 1, 1)
    assert [(item.number, item.reason) for item in aside.listed(old)] == [(2, "sums")]
    assert [item.position for item in outbox.read(old, 1, 5)] == [None] * 5
    assert outbox_epochs.resume(old, 3, now=60.0, now_ms=60_000) == 1_789_300_000_000, "the same epoch"
    standing = ledger.hello(old, "collectors", "resolver", 5)
    assert (standing.last_seq, standing.position) == (2, b'{"offset": 120}')
    assert disclosures.verify(old) == (6, None), "the chain is unbroken"


@pytest.mark.parametrize("version", VERSIONS)
def test_budgets_hold_in_a_file_that_had_none(tmp_path: Path, version: int) -> None:
    old = recorded(tmp_path / "old.db", MIGRATIONS[:version])
    migrate(old, MIGRATIONS)
    assert old.execute("SELECT budget FROM outbox_state").fetchone() == (outbox.BUDGET,)
    assert old.execute("SELECT bytes FROM stored").fetchone() == (40 + 25,)
    with transaction(old):
        old.execute("DELETE FROM batches WHERE day = '2026-09-14'")
        old.execute(
            "INSERT INTO batches (day, kind, source, t_min, t_max, signals, payload)"
            " VALUES ('2026-09-15', 'dnsmasq', 'resolver', 0, 0, 1, zeroblob(1000))"
        )
    assert old.execute("SELECT bytes FROM stored").fetchone() == (1025,)


def test_a_file_of_a_newer_program_is_refused(tmp_path: Path) -> None:
    newer = connect(tmp_path / "new.db")
    newer.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1:d}")
    with pytest.raises(SettingsError, match="upgrade the program"):
        migrate(newer, MIGRATIONS)
