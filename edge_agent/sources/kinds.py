"""The kinds of log that can be followed, replayed or listened for: one row each.

What a kind can see is in `shared/words.py`, as the hub needs it too.
"""

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Protocol

from edge_agent.sources.dnsmasq import read_dnsmasq
from edge_agent.sources.facts import Reading
from edge_agent.sources.logtime import LogTime


class Read(Protocol):
    """From whole lines of one file to facts; what is no fact is counted. Never raises for what is read."""

    def __call__(self, chunk: bytes, times: LogTime, /) -> Reading: ...


@dataclass(frozen=True, slots=True)
class Kind:
    """How a kind of log is read.

    make: a reader for one file; it may remember what the file's head says (`header`: it is shown the first
    lines of the file again after a restart). `tells_leases`: what every line holds that tells a lease; such
    lines are looked for in what was read before, after a start. `mapped`: a mapping file says what is where.
    """

    make: Callable[[], Read]
    header: bool = False
    tells_leases: bytes | None = None
    mapped: bool = False


KINDS: Final = MappingProxyType(
    {
        "dnsmasq": Kind(lambda: read_dnsmasq, tells_leases=b"DHCPACK"),
        "pihole": Kind(lambda: read_dnsmasq, tells_leases=b"DHCPACK"),
    }
)
