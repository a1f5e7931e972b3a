"""What DHCP servers keep of their leases, with its history: ISC dhcpd, Kea, Windows. Pure: text to facts."""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, tzinfo
from typing import Final

from edge_agent.identity.entries import cells, moment_of, plausible
from edge_agent.identity.hardware import hardware_address
from edge_agent.sources.facts import Lease, Released

_WORDS: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[^\s;{}"]+|[;{}]')
_ACTIVE: Final = "active"
_GRANTED: Final = frozenset({10, 11})  # given, renewed
_ENDED: Final = frozenset({12, 16, 17, 18})  # given back, deleted, expired
_DHCPD_FORM: Final = ("%Y/%m/%d %H:%M:%S",)
_WINDOWS_FORMS: Final = ("%m/%d/%y %H:%M:%S", "%m/%d/%Y %H:%M:%S")
_KEA_HELD: Final = "0"  # 1: declined, 2: expired and taken back


def read_dhcpd(lines: Iterable[str], zone: tzinfo) -> Iterator[Lease | Released]:
    """ISC dhcpd's `dhcpd.leases`: a block for each change; times are UTC or `epoch`."""
    address, said = "", dict[str, list[str]]()
    for line in lines:
        if line.startswith("lease ") and line.rstrip().endswith("{"):
            address, said = line.split()[1], {}
        elif address and line.startswith("}"):
            yield from _dhcpd_lease(address, said)
            address = ""
        elif address and len(line) < 1000:
            words = _WORDS.findall(line)
            if ";" in words[1:]:
                said[" ".join(words[:2]) if words[0] in ("binding", "hardware") else words[0]] = words
    del zone


def _dhcpd_lease(address: str, said: dict[str, list[str]]) -> Iterator[Lease | Released]:
    start, end = _dhcpd_time(said.get("starts")), _dhcpd_time(said.get("ends"))
    hardware = hardware_address(said.get("hardware ethernet", [""] * 3)[2])
    state = said.get("binding state", ["", "", _ACTIVE])[2]
    if state == _ACTIVE and hardware and start is not None:
        told = _dhcpd_time(said.get("cltt"))
        yield Lease(start if told is None else min(start, told), address, hardware)
    elif state != _ACTIVE and end is not None:
        yield Released(end, address)


def _dhcpd_time(words: list[str] | None) -> int | None:
    """`starts 4 2026/11/22 08:00:00;` or `starts epoch 1795334400;`; None for `never` and for nonsense."""
    said = words[1:] if words else []
    if said[:1] == ["epoch"]:
        return moment_of(said[1], UTC)
    return moment_of(" ".join(said[1:3]), UTC, _DHCPD_FORM)


def read_kea(lines: Iterable[str], zone: tzinfo) -> Iterator[Lease | Released]:
    """Kea's `kea-leases4.csv` and `kea-leases6.csv`: a row for each change, `expire` in seconds UTC."""
    del zone
    columns: list[str] = []
    for row in map(cells, lines):
        if row and row[0] == "address":
            columns = row
            continue
        said = dict(zip(columns, row, strict=False))
        try:
            expire, valid = int(said["expire"]), int(said["valid_lifetime"])
        except (KeyError, ValueError):
            continue
        start, end = plausible(expire - valid), plausible(expire)
        hardware = hardware_address(said.get("hwaddr", ""))
        if said.get("state") == _KEA_HELD and valid and hardware and start is not None:
            yield Lease(start, said["address"], hardware)
        elif end is not None and (said.get("state") != _KEA_HELD or not valid):
            yield Released(end, said["address"])


def read_windows(lines: Iterable[str], zone: tzinfo) -> Iterator[Lease | Released]:
    """A Windows server's DHCP audit log (`DhcpSrvLog-Mon.log`): ID, date as month/day/year, local time."""
    for row in map(cells, lines):
        if len(row) < 7 or not row[0].strip().isdecimal():
            continue  # what the events mean is explained at the file's head
        event, t = int(row[0]), moment_of(f"{row[1].strip()} {row[2].strip()}", zone, _WINDOWS_FORMS)
        address, hardware = row[4].strip(), hardware_address(row[6].strip())
        if t is None or not address:
            continue
        if event in _GRANTED and hardware:
            yield Lease(t, address, hardware)
        elif event in _ENDED:
            yield Released(t, address, hardware or "")
