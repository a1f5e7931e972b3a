"""Who had which address when: DHCP leases with their history, in memory only."""

import re
import threading
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from edge_agent.sources.facts import Lease, Released, Whereabouts

ASSUMED_SECONDS: Final = 12 * 3600  # how long before a lease file was first read its owners are assumed
NOBODY: Final = ""
MAX_FILE_BYTES: Final = 16 * 1024 * 1024
_HARDWARE: Final = re.compile(r"(?:[0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}")


class Leases:
    """Address to hardware address over time; later knowledge never changes earlier answers."""

    def __init__(self) -> None:
        self._times: dict[str, list[int]] = {}
        self._hardware: dict[str, list[str]] = {}
        self._assumed: dict[str, tuple[int, str]] = {}
        self._lock = threading.Lock()  # each source reads in a thread of its own

    def __len__(self) -> int:
        return len(self._times)

    def learn(self, fact: Whereabouts) -> None:
        """Take a lease, or the end of one."""
        if isinstance(fact, Lease):
            self.add(fact.t, fact.address, fact.hardware)
        elif isinstance(fact, Released):
            self.release(fact.t, fact.address)

    def add(self, moment: int, address: str, hardware: str) -> None:
        """From `moment` on `address` belongs to `hardware`; kept in order of time whatever the order told."""
        with self._lock:
            times = self._times.setdefault(address, [])
            owners = self._hardware.setdefault(address, [])
            at = bisect_right(times, moment)
            # Renewals are kept too: without them the answer would depend on the order of telling.
            times.insert(at, moment)
            owners.insert(at, hardware)

    def release(self, moment: int, address: str) -> None:
        """From `moment` on nobody has `address`, until somebody is given it."""
        self.add(moment, address, NOBODY)

    def assume(self, since: int, address: str, hardware: str) -> None:
        """`hardware` is taken to have had `address` since then, as far as nobody is known to have had it."""
        with self._lock:
            self._assumed[address] = since, hardware

    def at(self, address: str, moment: int) -> str | None:
        """The hardware address that held `address` at `moment`, or None if no lease was seen."""
        with self._lock:
            times = self._times.get(address)
            at = bisect_right(times, moment) if times else 0
            if at:
                return self._hardware[address][at - 1] or None
            since, hardware = self._assumed.get(address, (moment + 1, ""))
            # Whoever is told of first after that must be the same: else it was not theirs all the time.
            return hardware if times and since <= moment and self._hardware[address][0] == hardware else None

    def forget_before(self, moment: int) -> None:
        """Drop history that no signal can ask for any more; the owner at `moment` stays known."""
        with self._lock:
            for address, times in self._times.items():
                keep = max(bisect_right(times, moment) - 1, 0)
                if keep:
                    self._assumed.pop(address, None)
                del times[:keep]
                del self._hardware[address][:keep]


class LeaseFile:
    """dnsmasq's own file of leases, read again whenever it has changed.

    The file says who has an address now, not since when. So its owners count from the moment it was
    read; before that, back to the reading before (at most 12 hours, also at the first reading), only
    where nobody else is known to have had the address.
    """

    def __init__(self, path: Path) -> None:
        self.trouble = ""
        self._path = path
        self._stamp: tuple[int, int, int] | None = None
        self._owners: dict[str, str] = {}
        self._looked = float("-inf")

    def refresh(self, leases: Leases, now: float) -> int:
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
            self.trouble = f"{self._path} cannot be read: {why}; correct `leases` in agent.toml"
            self._stamp = None
            return 0
        self.trouble, self._stamp = "", stamp
        new = {address: owner for address, owner in owners.items() if self._owners.get(address) != owner}
        self._owners = owners
        for address, hardware in new.items():
            leases.add(int(now), address, hardware)
            leases.assume(int(since), address, hardware)
        return len(new)

    def _read(self) -> dict[str, str]:
        with self._path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
        if len(data) > MAX_FILE_BYTES:
            raise ValueError("it is larger than any lease file")
        return dict(_owners(data.decode("utf-8", "replace").splitlines()))


def read_lease_file(lines: Iterable[str], leases: Leases, known_from: int = 0) -> int:
    """Take a dnsmasq lease file (`expiry hardware address name id`) as known from then on; how many."""
    taken = 0
    for address, hardware in _owners(lines):
        leases.add(known_from, address, hardware)
        taken += 1
    return taken


def _owners(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        parts = line.split()
        if len(parts) >= 4 and parts[0].isdigit() and _HARDWARE.fullmatch(parts[1]):
            yield parts[2], parts[1].replace(":", "").lower()
