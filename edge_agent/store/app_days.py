"""Which listed apps lessons met, by local day: what a check holds beside the app lists of the iPads.

How many devices met an app is kept from ten on; which devices they are is in memory alone, and only then.
"""

import sqlite3
from collections.abc import Mapping
from contextlib import suppress
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

import msgspec

from edge_agent.catalogue.met import LEAST_DEVICES
from models.catalogue.load import Catalogue
from shared.errors import BadInput
from shared.signals import decode

if TYPE_CHECKING:
    from sqlite_utils import Database

DAYS_KEPT: Final = 14

AppDays = Mapping[str, Mapping[str, int]]  # local day: app id: devices, 0 where fewer than ten


def add_tables(db: "Database") -> None:
    """A migration step: days with their apps, and the newest comparison as the page shows it."""
    db.execute("CREATE TABLE app_days (day TEXT PRIMARY KEY, apps TEXT NOT NULL) WITHOUT ROWID")
    db.execute("CREATE TABLE app_lists (id INTEGER PRIMARY KEY CHECK (id = 1), shown TEXT NOT NULL)")


def known(connection: sqlite3.Connection, catalogue: Catalogue, today: date) -> dict[str, dict[str, int]]:
    """The days that were kept, with those whose signals are still there; a fortnight at most.

    Without apps that are off task, whoever once kept them.
    """
    own = {app.id for app in catalogue.apps if not app.off_task}
    days: dict[str, dict[str, int]] = {}
    for day, apps in (*_kept(connection), *_in_signals(connection, catalogue).items()):
        before = days.setdefault(day, {})
        before |= {app: max(n, before.get(app, 0)) for app, n in apps.items() if app in own}
    last = _last_forgotten(today)
    return {day: apps for day, apps in sorted(days.items()) if day > last}


def keep(connection: sqlite3.Connection, days: AppDays, shown: bytes) -> None:
    """Days and the comparison in place of those before."""
    forget(connection)
    connection.executemany(
        "INSERT INTO app_days VALUES (?, ?)",
        [(day, msgspec.json.encode(apps).decode()) for day, apps in days.items()],
    )
    connection.execute("INSERT INTO app_lists VALUES (1, ?)", (shown.decode(),))


def forget_before(connection: sqlite3.Connection, day: str) -> None:
    """Drop what is a fortnight older than this local day, whether or not anybody checks."""
    last = _last_forgotten(date.fromisoformat(day))
    connection.execute("DELETE FROM app_days WHERE day <= ?", (last,))


def forget(connection: sqlite3.Connection) -> None:
    """Keep nothing: the inventory has no app lists any more."""
    connection.execute("DELETE FROM app_days")
    connection.execute("DELETE FROM app_lists")


def shown(connection: sqlite3.Connection) -> str | None:
    """The newest comparison; None where there is none."""
    row = connection.execute("SELECT shown FROM app_lists").fetchone()
    return None if row is None else str(row[0])


def _last_forgotten(today: date) -> str:
    return (today - timedelta(days=DAYS_KEPT)).isoformat()


def _kept(connection: sqlite3.Connection) -> list[tuple[str, dict[str, int]]]:
    found = []
    with suppress(sqlite3.OperationalError):  # written by an older program
        for day, apps in connection.execute("SELECT day, apps FROM app_days"):
            with suppress(msgspec.MsgspecError):  # spoilt: a day less
                found.append((day, msgspec.json.decode(apps, type=dict[str, int])))
    return found


def _in_signals(connection: sqlite3.Connection, catalogue: Catalogue) -> dict[str, dict[str, int]]:
    met: dict[str, set[tuple[int, int]]] = {}
    for day, payload in connection.execute("SELECT day, payload FROM batches"):
        with suppress(BadInput):
            batch = decode(payload, apps=len(catalogue.apps))
            met.setdefault(day, set()).update(zip(batch.app.tolist(), batch.device.tolist(), strict=True))
    return {day: _devices(pairs, catalogue) for day, pairs in met.items()}


def _devices(pairs: set[tuple[int, int]], catalogue: Catalogue) -> dict[str, int]:
    counts: dict[str, int] = {}
    for index, _ in pairs:
        if index:
            app = catalogue.apps[index - 1].id
            counts[app] = counts.get(app, 0) + 1
    return {app: number if number >= LEAST_DEVICES else 0 for app, number in counts.items()}
