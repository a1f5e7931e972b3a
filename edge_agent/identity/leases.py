"""Who had which address when: DHCP leases with their history, in memory only."""

import re
import threading
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from ipaddress import IPv6Address
from pathlib import Path
from typing import Final

from edge_agent.sources.facts import Lease, Released, Whereabouts

ASSUMED_SECONDS: Final = 12 * 3600  # how long before a lease file was first read its owners are assumed
NOBODY: Final = ""
SAME_CLOCK_SECONDS: Final = 3600
MAX_FILE_BYTES: Final = 16 * 1024 * 1024
OwnersOf = Callable[[Iterable[str]], Iterator[tuple[str, str]]]
_HARDWARE: Final = re.compile(r"(?:[0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}")


class Leases:
    """Address to hardware address over time; later knowledge never changes earlier answers."""

    def __init__(self) -> None:
        self._times: dict[str, list[int]] = {}
        self._hardware: dict[str, list[str]] = {}
        self._assumed: dict[str, tuple[int, str]] = {}
        self._given: dict[str, list[int]] = {}  # hardware address: when it was given any address
        self._lock = threading.Lock()  # each source reads in a thread of its own

    def __len__(self) -> int:
        return len(self._times)

    def learn(self, fact: Whereabouts) -> None:
        """Take a lease, or the end of one."""
        if isinstance(fact, Lease):
            self.add(fact.t, fact.address, fact.hardware)
        elif isinstance(fact, Released):
            self.release(fact.t, fact.address, fact.hardware)

    def add(self, moment: int, address: str, hardware: str) -> None:
        """From `moment` on `address` belongs to `hardware`; kept in order of time whatever the order told."""
        address = plain_address(address)
        with self._lock:
            times = self._times.setdefault(address, [])
            owners = self._hardware.setdefault(address, [])
            at = bisect_right(times, moment)
            if at and times[at - 1] == moment and owners[at - 1] == hardware:
                return  # a file that is read again tells it again
            # Renewals are kept too: without them the answer would depend on the order of telling.
            times.insert(at, moment)
            owners.insert(at, hardware)
            if hardware:
                insort(self._given.setdefault(hardware, []), moment)

    def release(self, moment: int, address: str, hardware: str = "") -> None:
        """From `moment` on nobody has `address`, until somebody is given it; `hardware` must have had it."""
        if not hardware or self.at(address, moment) == hardware:
            self.add(moment, address, NOBODY)

    def assume(self, since: int, address: str, hardware: str) -> None:
        """`hardware` is taken to have had `address` since then, as far as nobody is known to have had it."""
        address = plain_address(address)
        with self._lock:
            self._assumed[address] = since, hardware

    def at(self, address: str, moment: int) -> str | None:
        """The hardware address that held `address` at `moment`, or None if no lease was seen."""
        if ":" in address:
            address = plain_address(address)
        with self._lock:
            times = self._times.get(address)
            at = bisect_right(times, moment) if times else 0
            if at:
                return self._hardware[address][at - 1] or None
            since, hardware = self._assumed.get(address, (moment + 1, ""))
            # Whoever is told of first after that must be the same: else it was not theirs all the time.
            return hardware if times and since <= moment and self._hardware[address][0] == hardware else None

    def stay(self, address: str, moment: int, end: int) -> tuple[str | None, int]:
        """What `at` says, and before when (seconds UTC, at most `end`) it says so, unless more is told."""
        if ":" in address:
            address = plain_address(address)
        with self._lock:
            times = self._times.get(address)
            if not times:
                return None, end
            owners = self._hardware[address]
            at = bisect_right(times, moment)
            if at:
                owner = owners[at - 1]
                for following in range(at, bisect_left(times, end, at)):
                    if owners[following] != owner:
                        return owner or None, times[following]
                return owner or None, end
            since, owner = self._assumed.get(address, (end, ""))
            if since <= moment:
                return (owner if owners[0] == owner else None), min(times[0], end)
            return None, min(since, times[0], end)

    def given(self, hardware: str, since: int, until: int) -> bool:
        """Whether `hardware` was given any address, or had one renewed, in `since <= t < until`."""
        with self._lock:
            return _any_within(self._given.get(hardware, ()), since, until)

    def told(self, address: str, since: int, until: int) -> bool:
        """Whether anybody was given `address`, or it was given up, in `since <= t < until`."""
        with self._lock:
            return _any_within(self._times.get(address, ()), since, until)

    def forget_before(self, moment: int) -> None:
        """Drop history that no signal can ask for any more; the owner at `moment` stays known."""
        with self._lock:
            given = ((owner, times[bisect_left(times, moment) :]) for owner, times in self._given.items())
            self._given = {owner: times for owner, times in given if times}
            for address, times in self._times.items():
                keep = max(bisect_right(times, moment) - 1, 0)
                if keep:
                    self._assumed.pop(address, None)
                del times[:keep]
                del self._hardware[address][:keep]


def _any_within(times: Sequence[int], since: int, until: int) -> bool:
    at = bisect_left(times, since)
    return at < len(times) and times[at] < until


def dnsmasq_owners(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Address and hardware address by line of a dnsmasq lease file (`expiry hardware address name id`)."""
    for line in lines:
        parts = line.split()
        if len(parts) >= 4 and parts[0].isdigit() and _HARDWARE.fullmatch(parts[1]):
            yield parts[2], parts[1].replace(":", "").lower()


@lru_cache(maxsize=16_384)
def plain_address(address: str) -> str:
    """One spelling for each address: IPv6 as RFC 5952 has it, an IPv4 address in IPv6 as IPv4."""
    if ":" not in address:
        return address
    try:
        found = IPv6Address(address.partition("%")[0])
    except ValueError:
        return address
    return str(found.ipv4_mapped or found)


class LeaseFile:
    """A file of owners as they are now (dnsmasq's leases, a table of neighbours), read again when it changes.

    The file says who has an address now, not since when. So its owners count from the moment it was
    read; before that, back to the reading before (at most 12 hours, also at the first reading), only
    where nobody else is known to have had the address.
    """

    def __init__(self, path: Path, leases: Leases, owners: OwnersOf = dnsmasq_owners) -> None:
        self.trouble = ""
        self._path = path
        self._leases = leases
        self._owners_of = owners
        self._stamp: tuple[int, int, int] | None = None
        self._owners: dict[str, str] = {}
        self._looked = float("-inf")

    def refresh(self, now: float) -> int:
        """Learn what is new in the file at `now` (seconds UTC); how many. Raises nothing: see `trouble`."""
        since, self._looked = max(self._looked, now - ASSUMED_SECONDS), now
        try:
            found = self._path.stat()
            stamp = found.st_mtime_ns, found.st_size, found.st_ino
            if stamp == self._stamp:
                return 0
            owners = self._read()
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else str(error)
            self.trouble = f"{self._path} cannot be read: {why}; correct its path in agent.toml"
            self._stamp = None
            return 0
        self.trouble, self._stamp = "", stamp
        new = {address: owner for address, owner in owners.items() if self._owners.get(address) != owner}
        self._owners = owners
        # The file's own time is better than that of the look, unless the clock is a simulated one.
        written = found.st_mtime_ns // 10**9
        told = written if 0 <= now - written < SAME_CLOCK_SECONDS else int(now)
        for address, hardware in new.items():
            self._leases.add(told, address, hardware)
            self._leases.assume(int(since), address, hardware)
        return len(new)

    def _read(self) -> dict[str, str]:
        with self._path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
        if len(data) > MAX_FILE_BYTES:
            raise ValueError("it is larger than any lease file")
        return dict(self._owners_of(data.decode("utf-8", "replace").split("\n")))
