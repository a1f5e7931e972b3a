"""Device exports as CSV: each MDM names its columns in its own way."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edge_agent.identity import tables
from edge_agent.identity.hardware import hardware_address
from edge_agent.identity.inventory_entry import Entry
from edge_agent.identity.table_text import text_of
from edge_agent.identity.tables import Refused
from shared.errors import SettingsError

YES: Final = frozenset({"yes", "true", "1", "y", "x", "ja", "oui", "sí", "si"})
NO_IPAD: Final = "no iPad"
_OTHERS: Final = ("iphone", "ipod", "mac", "apple tv", "appletv", "watch", "windows", "android", "chrome")


@dataclass(frozen=True, slots=True)
class Shape:
    """Where an MDM's export says what: names of columns, of several the first that is filled."""

    serial: tuple[str, ...]
    hardware: tuple[str, ...]
    users: tuple[str, ...]
    rooms: tuple[str, ...]
    opt_out: tuple[str, ...] = ("opt_out",)
    shared: tuple[str, ...] = ()
    models: tuple[str, ...] = ("Model", "Platform", "OS")

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that is looked at."""
        return (
            *self.serial,
            *self.hardware,
            *self.users,
            *self.rooms,
            *self.opt_out,
            *self.shared,
            *self.models,
        )


# Case, blanks, dashes and underscores do not matter: `Wi-Fi MAC` is `wifi_mac`.
SHAPES: Final = {
    "own": Shape(("serial_number",), ("wifi_mac",), ("user",), ("room",), shared=("shared",)),
    "jamf": Shape(
        ("Serial Number",),
        ("Wi-Fi MAC Address", "MAC Address"),
        ("Username", "Email Address", "Email"),
        ("Room", "Department", "Building", "Asset Tag"),
        shared=("Shared iPad", "Shared"),
        models=("Model", "Device Type", "Model Identifier"),
    ),
    "mosyle": Shape(
        ("Serial Number", "Serial"),
        ("WiFi MAC Address", "WiFi MAC", "MAC Address", "Wi-Fi"),
        ("User ID", "Username", "User Email", "Email", "Student ID"),
        ("Shared Group", "Cart Name", "Shared Cart Name", "Location", "Asset Tag"),
        shared=("Is Shared", "Shared Device", "Is Shared Device"),
        models=("Device Model", "Device Model Name", "Model", "OS"),
    ),
    "intune": Shape(
        ("Serial number",),
        ("Wi-Fi MAC", "WiFi Mac Address", "Wi-Fi MAC address"),
        ("Primary user UPN", "User Principal Name", "UPN", "Primary user email address", "Email Address"),
        ("Device category", "Category", "Department", "Location"),
        shared=("Shared iPad", "Is Shared Device"),
        models=("OS", "Operating System", "Model"),
    ),
}


def read_csv(path: Path, data: bytes, refused: Refused) -> Iterator[Entry]:
    """What each row says; rows that cannot be read are refused one by one.

    Raises SettingsError if it is no text, or its header is of no known shape.
    """
    text = text_of(path, data)
    names = tables.column_names(text)
    shape = recognised(path, names)
    known = {tables.folded(name) for name in names}
    needed = [next(name for name in columns if tables.folded(name) in known) for columns in _must(shape)]
    optional = [name for name in dict.fromkeys(shape.columns) if name not in needed]
    for line, row in tables.parse(path, text, needed, refused, optional):
        shown = ",".join(row.values())
        model = " ".join(row[name] for name in shape.models).lower()
        if any(other in model for other in _OTHERS) and "ipad" not in model:
            refused.add(path, line, NO_IPAD, shown)
            continue
        users = tuple(dict.fromkeys(row[name] for name in shape.users if row[name]))
        yield Entry(
            path,
            line,
            _first(row, shape.serial),
            hardware_address(_first(row, shape.hardware)),
            users,
            _first(row, shape.rooms),
            _first(row, shape.opt_out).lower() in YES,
            _first(row, shape.shared).lower() in YES,
            shown,
        )


def recognised(path: Path, names: list[str]) -> Shape:
    """The shape that has most of these columns, the first of several; raises SettingsError for none."""
    known = {tables.folded(name) for name in names}

    def fits(shape: Shape) -> bool:
        return all(any(tables.folded(name) in known for name in columns) for columns in _must(shape))

    def share(shape: Shape) -> int:
        return sum(tables.folded(name) in known for name in set(shape.columns))

    fitting = [shape for shape in SHAPES.values() if fits(shape)]
    if fitting:
        return max(fitting, key=share)
    missing = next(name for (name, *_) in _must(SHAPES["own"]) if tables.folded(name) not in known)
    raise SettingsError(
        f"{path} has no column `{missing}`: export it with serial_number, wifi_mac, user and room, or with"
        " the English names that Jamf, Mosyle or Intune give them"
    )


def _must(shape: Shape) -> tuple[tuple[str, ...], ...]:
    own = (shape.users, shape.rooms) if shape is SHAPES["own"] else ()
    return (shape.serial, shape.hardware, *own)


def _first(row: dict[str, str], names: tuple[str, ...]) -> str:
    return next((row[name] for name in names if row.get(name)), "")
