"""Newer roster, inventory and bell files are taken while the agent runs; unusable ones are not."""

import sqlite3
import time
from typing import Final

from edge_agent.identity.load import load_directory, stamp
from edge_agent.identity.tables import Refused
from edge_agent.parts import Parts
from edge_agent.paths import AgentFolder
from edge_agent.store.classes import ensure_codes
from edge_agent.store.counts import add_counts, quarantine
from shared.errors import SettingsError
from shared.storage import Writer

LOOK_SECONDS: Final = 5.0
ROWS_KEPT: Final = 100
IDENTITY: Final = "identity"


class Renewal:
    """Watches the identity files; called from the agent's main loop only."""

    def __init__(self, folder: AgentFolder, parts: Parts, writer: Writer, codes: dict[str, str]) -> None:
        self._folder = folder
        self._parts = parts
        self._writer = writer
        self._codes = codes
        self._stamp = stamp(folder, parts.settings)
        self._next_look = time.monotonic() + LOOK_SECONDS
        self.trouble = ""

    def look(self, now: float) -> bool:
        """Take changed files, at most every few seconds; whether anything was taken."""
        if time.monotonic() < self._next_look:
            return False
        self._next_look = time.monotonic() + LOOK_SECONDS
        found = stamp(self._folder, self._parts.settings)
        if found == self._stamp:
            return False
        try:
            fresh, refused = load_directory(self._folder, self._parts.settings)
        except SettingsError as error:
            self.trouble = f"The new file is not used, the old one still is: {error}"
            return False
        # Codes first: a collector may ask for a new class the moment the directory knows it.
        roster = fresh.roster
        self._codes.update(self._writer.run(lambda connection: ensure_codes(connection, roster)))
        self._parts.directory.replace(fresh.inventory, fresh.roster, fresh.timetable)
        count_refused(self._writer, refused, now)
        self._stamp = found
        self.trouble = ""
        return True


def count_refused(writer: Writer, refused: Refused, now: float) -> None:
    """Show the rows that could not be used: counted anew each time the files are read."""
    excerpts = [(f"{name} line {line}: {reason}", text) for name, line, reason, text in refused.rows]

    def write(connection: sqlite3.Connection) -> None:
        connection.execute("DELETE FROM counts WHERE source = ?", (IDENTITY,))
        add_counts(connection, IDENTITY, {"refused": refused.counts()})
        quarantine(connection, now, IDENTITY, excerpts[:ROWS_KEPT])

    writer.run(write)
