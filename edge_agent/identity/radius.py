"""RADIUS accounting as FreeRADIUS keeps it (`detail` files): who is at which access point, at which address.

User names and host names in it are not read.
"""

from collections.abc import Iterable, Iterator
from datetime import tzinfo
from typing import Final

from edge_agent.identity.entries import moment_of
from edge_agent.identity.hardware import hardware_address
from edge_agent.sources.facts import Lease, Located, Released, Whereabouts

LONGEST_LINE: Final = 1000
_READ: Final = frozenset(
    {
        "Acct-Status-Type",
        "Calling-Station-Id",
        "Called-Station-Id",
        "Framed-IP-Address",
        "Framed-IPv6-Address",
        "Event-Timestamp",
        "Timestamp",
    }
)
_THERE: Final = frozenset({"Start", "Interim-Update", "Alive"})


def read_detail(lines: Iterable[str], zone: tzinfo) -> Iterator[Whereabouts]:
    """Entries of a detail file: a line with the time, attributes set in, an empty line."""
    said: dict[str, str] = {}
    for line in lines:
        if not line.strip():
            yield from _entry(said, zone)
            said = {}
        elif not line[0].isspace():
            said = {"head": line.strip()}
        elif len(line) <= LONGEST_LINE:
            name, _, value = line.strip().partition(" = ")
            if name in _READ:
                said[name] = value.strip('"')
    yield from _entry(said, zone)


def _entry(said: dict[str, str], zone: tzinfo) -> Iterator[Whereabouts]:
    times = (said.get("Timestamp"), said.get("head"), said.get("Event-Timestamp"))
    t = next((found for text in times if text and (found := moment_of(text, zone)) is not None), None)
    hardware = hardware_address(said.get("Calling-Station-Id", ""))
    status = said.get("Acct-Status-Type")
    if t is None or hardware is None:
        return
    addresses = [said[name] for name in ("Framed-IP-Address", "Framed-IPv6-Address") if said.get(name)]
    if status in _THERE:
        yield Located(t, hardware, said.get("Called-Station-Id", ""))
        for address in addresses:
            yield Lease(t, address, hardware)
    elif status == "Stop":
        yield Located(t, hardware, "")
        for address in addresses:
            yield Released(t, address, hardware)
