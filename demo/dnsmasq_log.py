"""A resolver's log, line for line as dnsmasq 2.90 writes it: queries, answers, leases, a little damage."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from zlib import crc32
from zoneinfo import ZoneInfo

import numpy as np

UPSTREAM: Final = "9.9.9.9"
BLOCKED: Final = frozenset({"mask.icloud.com", "mask-h2.icloud.com"})
LEASE_SECONDS: Final = 8 * 3600

_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_NOTHING: Final = {"HTTPS": "NODATA", "AAAA": "NODATA-IPv6"}
_CHANCES: Final = 4096
_ONE_IN_DAMAGED: Final = 9000
_NOISE: Final = (
    "reducing DNS packet size for nameserver 9.9.9.9 to 1232",
    "Maximum number of concurrent DNS queries reached (max: 150)",
    "read /etc/hosts - 9 names",
)
_DAMAGE: Final = (
    b"\x00\x00\x00\x00\x00\x00\x00\x00",
    b"Sep 31 25:61:00 dnsmasq[1]: query[A] x from y",
    b": query[A] ",
    b"Sep 1",
    b"last message repeated 3 times",
    b"\xff\xfe\xfdquery[A]\xc3\x28 from",
    b"query[A] " + b"a." * 300 + b" from 10.20.0.999",
)


@dataclass(frozen=True, slots=True)
class Query:
    """At second `t` (UTC) an address asks for a name."""

    t: int
    address: str
    name: str


@dataclass(frozen=True, slots=True)
class Ack:
    """At second `t` an address is leased; `asked` when the device discovered the network anew."""

    t: int
    address: str
    hardware: str
    host: str
    asked: bool


class LogStamps:
    """Seconds UTC as `Sep 14 08:31:02` in local time; one conversion an hour, the rest is arithmetic."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._hours: dict[int, str] = {}

    def __call__(self, t: int) -> str:
        hour, rest = divmod(t, 3600)
        head = self._hours.get(hour)
        if head is None:
            local = datetime.fromtimestamp(hour * 3600, UTC).astimezone(self._zone)
            head = self._hours[hour] = f"{_MONTHS[local.month - 1]} {local.day:2d} {local.hour:02d}:"
        return f"{head}{rest // 60:02d}:{rest % 60:02d}"


class Resolver:
    """One dnsmasq process for one day: what it logs of queries and leases, in order of time.

    wordy: `log-queries=extra` and `log-dhcp`, which put a serial number and the asker's port, or a
    transaction id, before the words.
    """

    def __init__(self, zone: ZoneInfo, rng: np.random.Generator, *, pid: int, wordy: bool) -> None:
        self._stamp = LogStamps(zone)
        self._pid = pid
        self._wordy = wordy
        self._serial = 0
        self._fresh_until: dict[str, int] = {}
        self._dice = rng.integers(0, 256, size=_CHANCES).tolist()
        self._throw = 0
        self._rng = rng

    def blocks(self, events: Iterable[Query | Ack]) -> list[bytes]:
        """For each event its lines as bytes with newlines; events must come in order of time."""
        blocks = [
            (self._query(event) if isinstance(event, Query) else self._ack(event)).encode()
            for event in events
        ]
        self._damage(blocks)
        return blocks

    def _chance(self) -> int:
        self._throw = (self._throw + 1) % _CHANCES
        value: int = self._dice[self._throw]
        return value

    def _query(self, event: Query) -> str:
        chance = self._chance()
        lines = self._answered(event, "A", chance)
        # An iPad asks for HTTPS records beside most addresses, and for AAAA where the network has IPv6.
        if chance % 8 < 2:
            lines += self._answered(event, "HTTPS", chance)
        elif chance % 8 == 2:
            lines += self._answered(event, "AAAA", chance)
        return lines

    def _answered(self, event: Query, kind: str, chance: int) -> str:
        head = f"{self._stamp(event.t)} dnsmasq[{self._pid}]: "
        if self._wordy:
            self._serial += 1
            port = 49152 + (self._serial * 7919 + chance) % 16384
            head += f"{self._serial} {event.address}/{port} "
        name = event.name
        asked = f"{head}query[{kind}] {name} from {event.address}\n"
        if name in BLOCKED:
            return f"{asked}{head}config {name} is NXDOMAIN\n"
        answer = _NOTHING.get(kind) or _address(name)
        if event.t < self._fresh_until.get(kind + name, 0):
            return f"{asked}{head}cached {name} is {answer}\n"
        self._fresh_until[kind + name] = event.t + 120 + chance
        asked += f"{head}forwarded {name} to {UPSTREAM}\n"
        if chance < 2:
            return f"{asked}{head}reply error is REFUSED\n"
        if chance % 5 == 0 and kind == "A":
            edge = f"{crc32(name.encode()):08x}.edge-cdn.example"
            return f"{asked}{head}reply {name} is <CNAME>\n{head}reply {edge} is {answer}\n"
        return f"{asked}{head}reply {name} is {answer}\n"

    def _ack(self, event: Ack) -> str:
        head = f"{self._stamp(event.t)} dnsmasq-dhcp[{self._pid}]: "
        if self._wordy:
            head += f"{crc32(event.hardware.encode()) ^ event.t & 0xFFFF} "
        where = f"{event.address} {event.hardware}"
        lines = ""
        if event.asked:
            lines = f"{head}DHCPDISCOVER(eth0) {event.hardware}\n{head}DHCPOFFER(eth0) {where}\n"
        elif self._wordy:
            lines = f"{head}client provides name: {event.host}\n"
        return f"{lines}{head}DHCPREQUEST(eth0) {where}\n{head}DHCPACK(eth0) {where} {event.host}\n"

    def _damage(self, blocks: list[bytes]) -> None:
        if not blocks:
            return
        for i in self._rng.integers(0, len(blocks), size=-(-len(blocks) // _ONE_IN_DAMAGED)):
            stamp = blocks[i][:15]
            noise = _NOISE[int(self._rng.integers(len(_NOISE)))].encode()
            blocks[i] += stamp + b" dnsmasq[%d]: " % self._pid + noise + b"\n"
            blocks[i] += _DAMAGE[int(self._rng.integers(len(_DAMAGE)))] + b"\n"


def render_leases(acks: Iterable[Ack]) -> str:
    """dnsmasq's lease file (`expiry hardware address name id`); the last lease of a device counts."""
    latest = {ack.hardware: ack for ack in acks}
    return "".join(
        f"{ack.t + LEASE_SECONDS} {ack.hardware} {ack.address} {ack.host} 01:{ack.hardware}\n"
        for ack in latest.values()
    )


def _address(name: str) -> str:
    number = crc32(name.encode())
    first = 17 if name.endswith(("apple.com", "icloud.com")) else (151, 104, 146, 13)[number % 4]
    return f"{first}.{number >> 8 & 255}.{number >> 16 & 255}.{number >> 24 & 255}"
