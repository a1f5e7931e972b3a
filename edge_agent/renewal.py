"""Newer roster, inventory, bell and lease files are taken while the agent runs; unusable ones are not."""

import sqlite3
import time
from typing import Final

from edge_agent.identity.directory import Directory
from edge_agent.identity.load import load_directory, stamp
from edge_agent.identity.tables import Refused
from edge_agent.identity.whereabouts import watch
from edge_agent.parts import Parts
from edge_agent.paths import AgentFolder
from edge_agent.store.classes import ensure_codes
from edge_agent.store.counts import add_counts, quarantine
from shared.errors import SettingsError
from shared.storage import Writer

LOOK_SECONDS: Final = 5.0
ROWS_KEPT: Final = 100
LEAST_SHARE: Final = 0.7
IDENTITY: Final = "identity"


class Renewal:
    """Watches the identity files; called from the agent's main loop only."""

    def __init__(self, folder: AgentFolder, parts: Parts, writer: Writer, codes: dict[str, str]) -> None:
        self._folder = folder
        self._parts = parts
        self._writer = writer
        self._codes = codes
        self._stamp = self._seen = stamp(folder, parts.settings)
        directory = parts.directory
        directory.watch = watch(folder, parts.settings, directory.leases, directory.learn)
        self._next_look = time.monotonic()
        self._files_trouble = ""

    @property
    def trouble(self) -> str:
        """What somebody should do about the files, or nothing."""
        return self._files_trouble or self._parts.directory.watch.trouble

    def look(self, now: float) -> bool:
        """Take changed files, at most every few seconds; whether anything was taken."""
        if time.monotonic() < self._next_look:
            return False
        self._next_look = time.monotonic() + LOOK_SECONDS
        self._parts.directory.look(now)
        found = stamp(self._folder, self._parts.settings)
        steady, self._seen = found == self._seen, found
        # A file that still grows is looked at again: half an export is a valid file, too.
        if found == self._stamp or not steady:
            return False
        self._stamp = found
        try:
            fresh, refused = load_directory(self._folder, self._parts.settings)
        except SettingsError as error:
            self._files_trouble = f"The new file is not used, the old one still is: {error}"
            return False
        except Exception as error:  # noqa: BLE001 - a hostile file must not stop a running agent
            self._files_trouble = f"The new file is not used, the old one still is: {type(error).__name__}"
            return False
        self._files_trouble = self._shrinks(fresh)
        if self._files_trouble:
            return False
        # Codes first: a collector may ask for a new class the moment the directory knows it.
        roster = fresh.roster
        self._codes.update(self._writer.run(lambda connection: ensure_codes(connection, roster)))
        self._parts.directory.replace(fresh.inventory, fresh.roster, fresh.timetable)
        count_refused(self._writer, refused, now)
        return True

    def _shrinks(self, fresh: Directory) -> str:
        old = self._parts.directory
        for name, before, after in (
            ("devices", len(old.inventory.devices), len(fresh.inventory.devices)),
            ("classes", len(old.roster.classes), len(fresh.roster.classes)),
        ):
            if after < before * LEAST_SHARE:
                return (
                    f"The new file is not used: it has {after} {name} where there were {before}."
                    " If that is right, restart the agent"
                )
        return ""


def count_refused(writer: Writer, refused: Refused, now: float) -> None:
    """Show the rows that could not be used: counted anew each time the files are read."""
    excerpts = [(f"{name} line {line}: {reason}", text) for name, line, reason, text in refused.rows]

    def write(connection: sqlite3.Connection) -> None:
        connection.execute("DELETE FROM counts WHERE source = ?", (IDENTITY,))
        add_counts(connection, IDENTITY, {"refused": refused.counts()})
        quarantine(connection, now, IDENTITY, excerpts[:ROWS_KEPT])

    writer.run(write)
