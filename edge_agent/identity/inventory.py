"""The device inventory: an MDM export that names each iPad once."""

import re
from dataclasses import dataclass, replace
from pathlib import Path

from edge_agent.identity.tables import Refused, rows

COLUMNS = ("serial_number", "wifi_mac", "user", "room")
_HARDWARE = re.compile(r"^[0-9a-f]{12}$")


@dataclass(frozen=True, slots=True)
class Device:
    """One iPad: `user` is a OneRoster username, or `room` the cart's room.

    `id` is its serial number, but a learner's second iPad (the one that replaces a broken one) has the id
    of the first: a learner counts as one device.
    """

    id: str
    hardware: str
    user: str
    room: str
    opted_out: bool


@dataclass(frozen=True, slots=True)
class Inventory:
    """Devices by hardware address and by user."""

    by_hardware: dict[str, Device]
    by_user: dict[str, Device]

    @property
    def devices(self) -> tuple[Device, ...]:
        """Every device once, by its hardware address."""
        return tuple(self.by_hardware.values())


def hardware_address(text: str) -> str | None:
    """Twelve lower-case hex digits, or None if `text` is no hardware address."""
    digits = text.replace(":", "").replace("-", "").replace(".", "").lower()
    return digits if _HARDWARE.match(digits) else None


def is_private(hardware: str) -> bool:
    """Whether the address is one that the device made up (locally administered bit)."""
    return hardware[1] in "26ae"


def load_inventory(path: Path, refused: Refused) -> Inventory:
    """Read the export; rows without a serial number or a usable address are refused and counted."""
    by_hardware: dict[str, Device] = {}
    by_user: dict[str, Device] = {}
    serials: set[str] = set()
    for line, row in rows(path, COLUMNS, refused):
        hardware = hardware_address(row["wifi_mac"])
        reason = _fault(row["serial_number"], hardware, serials, by_hardware)
        if reason or hardware is None:
            refused.add(path, line, reason or "no hardware address", ",".join(row.values()))
            continue
        opted_out = row.get("opt_out", "").lower() in {"yes", "true", "1"}
        serials.add(row["serial_number"])
        first = by_user.get(row["user"]) if row["user"] else None
        id_ = first.id if first else row["serial_number"]
        device = Device(id_, hardware, row["user"], row["room"], opted_out)
        by_hardware[hardware] = device
        if first is None and device.user:
            by_user[device.user] = device
        elif first is not None and opted_out:
            by_user[device.user] = device  # a family that opted out did so for every iPad of the child
    return Inventory({key: _as_one(device, by_user) for key, device in by_hardware.items()}, by_user)


def _as_one(device: Device, by_user: dict[str, Device]) -> Device:
    owner = by_user.get(device.user)
    return replace(device, opted_out=owner.opted_out) if owner else device


def _fault(serial: str, hardware: str | None, serials: set[str], known: dict[str, Device]) -> str | None:
    if not serial:
        return "no serial number"
    if hardware is None:
        return "no hardware address"
    if serial in serials:
        return "serial number twice"
    return "hardware address twice" if hardware in known else None
