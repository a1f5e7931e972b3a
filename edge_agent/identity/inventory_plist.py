"""What an MDM server wrote down of its devices' answers: Apple property lists, binary or XML, one a file.

Of apps that are installed or managed only numbers remain: having an app is not using it.
"""

import plistlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from edge_agent.identity.hardware import hardware_address
from edge_agent.identity.inventory_csv import NO_IPAD
from edge_agent.identity.inventory_entry import Entry
from edge_agent.identity.tables import Refused

MAX_BYTES: Final = 16 * 1024 * 1024
MAX_APPS: Final = 5000  # of one device
_STARTS: Final = (b"bplist", b"<?xml", b"<plist", b"<!DOCTYPE")


@dataclass(slots=True)
class Installed:
    """Which devices (UDIDs, in memory only) have an app of that bundle id."""

    devices: dict[str, set[str]] = field(default_factory=dict)

    def add(self, bundle_id: str, device: str) -> None:
        """One more."""
        self.devices.setdefault(bundle_id, set()).add(device)

    def lists(self) -> int:
        """How many devices told what they have."""
        return len(set().union(*self.devices.values()))

    def counts(self) -> dict[str, int]:
        """How many devices have each."""
        return {name: len(devices) for name, devices in sorted(self.devices.items())}


def is_plist(data: bytes) -> bool:
    """Whether a file begins like a property list."""
    return data.lstrip(b"\xef\xbb\xbf \t\r\n")[:9].startswith(_STARTS)


def read_plist(path: Path, data: bytes, refused: Refused, installed: Installed) -> Iterator[Entry]:
    """The device that an answer describes; apps are counted into `installed`; other answers say nothing."""
    path = path.with_name(f"*{path.suffix}")  # there are as many files as devices: they are counted as one
    if len(data) > MAX_BYTES:
        refused.add(path, 0, f"larger than {MAX_BYTES // 1024 // 1024} MiB", "")
        return
    try:
        # Entities are refused by it, references back to itself in a binary one are followed once.
        answer = plistlib.loads(data)
    except Exception:  # noqa: BLE001 - it raises whatever its parsers and the calendar raise
        refused.add(path, 0, "no property list", "")
        return
    if not isinstance(answer, dict):
        refused.add(path, 0, "no answer of a device", "")
        return
    _count_apps(answer, installed)
    said = answer.get("QueryResponses")
    if isinstance(said, dict):
        yield from _device(path, said, refused)


def _device(path: Path, said: Mapping[str, object], refused: Refused) -> Iterator[Entry]:
    serial, product = _text(said, "SerialNumber"), _text(said, "ProductName")
    if product and not product.startswith("iPad"):
        refused.add(path, 0, NO_IPAD, product)
        return
    yield Entry(
        path,
        0,
        serial,
        hardware_address(_text(said, "WiFiMAC")),
        shared=said.get("IsMultiUser") is True,
        shown=serial,
    )


def _count_apps(answer: Mapping[str, object], installed: Installed) -> None:
    device = _text(answer, "UDID")
    there = answer.get("InstalledApplicationList")
    if isinstance(there, list):
        for app in there[:MAX_APPS]:
            if isinstance(app, dict) and (name := _text(app, "Identifier")):
                installed.add(name, device)
    managed = answer.get("ManagedApplicationList")
    if isinstance(managed, dict):
        for name, app in list(managed.items())[:MAX_APPS]:
            if isinstance(name, str) and isinstance(app, dict) and app.get("Status") == "Managed":
                installed.add(name[:255], device)


def _text(table: Mapping[str, object], name: str) -> str:
    value = table.get(name)
    return value.strip()[:255] if isinstance(value, str) else ""
