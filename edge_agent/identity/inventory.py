"""The device inventory: exports of an MDM, one or several, put together so that each iPad is there once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Final

from edge_agent.identity.inventory_csv import read_csv
from edge_agent.identity.inventory_entry import Entry
from edge_agent.identity.inventory_plist import Installed, is_plist, read_plist
from edge_agent.identity.opt_outs import OptOuts, load_opt_outs
from edge_agent.identity.table_text import read_bytes
from edge_agent.identity.tables import Refused
from models.catalogue.load import Catalogue
from shared.errors import SettingsError

SUFFIXES: Final = frozenset({".csv", ".txt", ".tsv", ".plist", ".xml"})
MAX_FILES: Final = 20_000  # answers of devices are one a file


@dataclass(frozen=True, slots=True)
class Device:
    """One iPad: `user` is a OneRoster username, or `room` the cart's room.

    `id` is its serial number, but a learner's second iPad (the one that replaces a broken one) has the id
    of the first: a learner counts as one device. An iPad that is shared has no user, whoever is named.
    """

    id: str
    hardware: str
    user: str
    room: str
    opted_out: bool


@dataclass(frozen=True, slots=True)
class Inventory:
    """Devices by hardware address and by user.

    installed: how many devices have an app, by bundle id; `lists`: how many devices told what they have.
    """

    by_hardware: dict[str, Device]
    by_user: dict[str, Device]
    installed: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    lists: int = 0

    @property
    def devices(self) -> tuple[Device, ...]:
        """Every device once, by its hardware address."""
        return tuple(self.by_hardware.values())


def listed_apps(inventory: Inventory, catalogue: Catalogue) -> dict[str, int]:
    """On how many devices each app of the catalogue is installed, by its id: what could be used."""
    found: dict[str, int] = {}
    for bundle_id, number in inventory.installed.items():
        index = catalogue.by_bundle_id.get(bundle_id)
        if index is not None:
            app = catalogue.apps[index - 1].id
            found[app] = max(number, found.get(app, 0))
    return found


def inventory_files(path: Path) -> list[Path]:
    """The export, or every export in the folder."""
    if not path.is_dir():
        return [path]
    found = (item for item in path.rglob("*") if item.suffix.lower() in SUFFIXES and item.is_file())
    return sorted(item for item in found if not item.name.startswith("."))


def load_inventory(path: Path, refused: Refused, opt_outs: Path | None = None) -> Inventory:
    """Read the export, or a folder of exports; what is of no use in them is refused and counted.

    Several exports say more of a device than one: they are put together by serial number. `opt_outs` is a
    file of devices and learners that are never collected. Raises SettingsError for a file that is no export.
    """
    files = inventory_files(path)
    if not files:
        raise SettingsError(f"{path} holds no export: put CSV files or property lists of the MDM into it")
    if len(files) > MAX_FILES:
        raise SettingsError(f"{path} holds more than {MAX_FILES} files: put only this school's into it")
    installed = Installed()
    entries: dict[str, Entry] = {}
    for file in files:
        _merge(entries, file, refused, installed)
    said_no = None if opt_outs is None else load_opt_outs(opt_outs, refused)
    if said_no is not None:
        users = [user for entry in entries.values() for user in entry.users]
        said_no.unknown(entries, users, refused)
    return _put_together(entries.values(), said_no, installed, refused)


def _merge(entries: dict[str, Entry], file: Path, refused: Refused, installed: Installed) -> None:
    data = read_bytes(file)
    found = read_plist(file, data, refused, installed) if is_plist(data) else read_csv(file, data, refused)
    here: set[str] = set()
    for entry in found:
        if not entry.serial or entry.serial in here:
            reason = "serial number twice" if entry.serial else "no serial number"
            refused.add(file, entry.line, reason, entry.shown)
            continue
        here.add(entry.serial)
        before = entries.get(entry.serial)
        entries[entry.serial] = entry if before is None else before.with_more(entry)


def _put_together(
    entries: Iterable[Entry], said_no: OptOuts | None, installed: Installed, refused: Refused
) -> Inventory:
    by_hardware: dict[str, Device] = {}
    owners: dict[str, Device] = {}  # the first device of each learner, by the best name
    others: dict[str, set[str]] = {}  # other names, and the ids of the devices that have them
    said: set[str] = set()  # ids that are opted out
    for entry in entries:
        hardware = entry.hardware
        if hardware is None or hardware in by_hardware:
            reason = "no hardware address" if hardware is None else "hardware address twice"
            refused.add(entry.file, entry.line, reason, entry.shown)
            continue
        user, *more = ("",) if entry.shared or not entry.users else entry.users
        first = owners.get(user)
        device = Device(first.id if first else entry.serial, hardware, user, entry.room, opted_out=False)
        by_hardware[hardware] = device
        if user:
            owners.setdefault(user, device)
        for name in more:
            others.setdefault(name, set()).add(device.id)
        if entry.opted_out or (said_no is not None and said_no.names(entry.serial, entry.users)):
            said.add(device.id)  # a family that opted out did so for every iPad of the child
    decided = {key: replace(device, opted_out=device.id in said) for key, device in by_hardware.items()}
    by_user = {user: decided[device.hardware] for user, device in owners.items()}
    by_id = {device.id: device for device in reversed(decided.values())}
    for name, ids in others.items():
        if len(ids) == 1 and name not in by_user:  # a name that several have is nobody's
            by_user[name] = by_id[next(iter(ids))]
    return Inventory(decided, by_user, MappingProxyType(installed.counts()), installed.lists())
