"""Families that said no: learners and devices that are never collected, from a file of the school's own."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edge_agent.identity import tables
from edge_agent.identity.table_text import read_bytes, text_of
from edge_agent.identity.tables import Refused
from shared.errors import SettingsError

COLUMNS: Final = ("serial_number", "user")
NOBODY: Final = "names no device of the inventory"


@dataclass(frozen=True, slots=True)
class OptOuts:
    """Serial numbers and users as they were written, with file line; compared without regard to case."""

    file: Path
    serials: dict[str, int]
    users: dict[str, int]

    def names(self, serial: str, users: Iterable[str]) -> bool:
        """Whether the device, or its learner by any name, is opted out.

        A name matches the part of a mailbox before the @, too: better one learner too few than one too many.
        """
        if serial.casefold() in self.serials:
            return True
        return any(self._names_user(user.casefold()) for user in users)

    def unknown(self, serials: Iterable[str], users: Iterable[str], refused: Refused) -> None:
        """Count what names nobody: it may be written otherwise in the inventory."""
        own = {serial.casefold() for serial in serials}
        names = {name for user in users for name in (user.casefold(), user.casefold().partition("@")[0])}
        for serial, line in self.serials.items():
            if serial not in own:
                refused.add(self.file, line, NOBODY, serial)
        for user, line in self.users.items():
            if user not in names and user.partition("@")[0] not in names:
                refused.add(self.file, line, NOBODY, user)

    def _names_user(self, user: str) -> bool:
        if user in self.users:
            return True
        name, at, _ = user.partition("@")
        if at:
            return name in self.users
        return any(other.partition("@")[0] == user for other in self.users)


def load_opt_outs(path: Path, refused: Refused) -> OptOuts:
    """Read the file: a column `serial_number`, or `user`, or both. Raises SettingsError if it has neither."""
    text = text_of(path, read_bytes(path))
    there = {tables.folded(name) for name in tables.column_names(text)}
    columns = [name for name in COLUMNS if tables.folded(name) in there]
    if not columns:
        raise SettingsError(f"{path} has neither a column `serial_number` nor `user`: name one of them")
    found = OptOuts(path, {}, {})
    for line, row in tables.parse(path, text, columns, refused, COLUMNS):
        serial, user = (row[name].casefold() for name in COLUMNS)
        if not serial and not user:
            refused.add(path, line, "neither serial_number nor user", "")
        if serial:
            found.serials.setdefault(serial, line)
        if user:
            found.users.setdefault(user, line)
    return found
