"""Who had which address when: DHCP leases with their history, in memory only."""

import threading
from bisect import bisect_right
from collections.abc import Iterable


class Leases:
    """Address to hardware address over time; later knowledge never changes earlier answers."""

    def __init__(self) -> None:
        self._times: dict[str, list[int]] = {}
        self._hardware: dict[str, list[str]] = {}
        self._lock = threading.Lock()  # each source reads in a thread of its own

    def __len__(self) -> int:
        return len(self._times)

    def add(self, moment: int, address: str, hardware: str) -> None:
        """From `moment` on `address` belongs to `hardware`; kept in order of time whatever the order told."""
        with self._lock:
            times = self._times.setdefault(address, [])
            owners = self._hardware.setdefault(address, [])
            at = bisect_right(times, moment)
            # Renewals are kept too: without them the answer would depend on the order of telling.
            times.insert(at, moment)
            owners.insert(at, hardware)

    def at(self, address: str, moment: int) -> str | None:
        """The hardware address that held `address` at `moment`, or None if no lease was seen."""
        with self._lock:
            times = self._times.get(address)
            at = bisect_right(times, moment) if times else 0
            return self._hardware[address][at - 1] if at else None

    def forget_before(self, moment: int) -> None:
        """Drop history that no signal can ask for any more; the owner at `moment` stays known."""
        with self._lock:
            for address, times in self._times.items():
                keep = max(bisect_right(times, moment) - 1, 0)
                del times[:keep]
                del self._hardware[address][:keep]


def read_lease_file(lines: Iterable[str], leases: Leases) -> int:
    """Take a dnsmasq lease file (`expiry hardware address name id`) as known from the start; how many."""
    taken = 0
    for line in lines:
        parts = line.split()
        if len(parts) >= 4 and parts[0].isdigit():
            leases.add(0, parts[2], parts[1].replace(":", "").lower())
            taken += 1
    return taken
