"""The kinds of log that can be followed, replayed or listened for: one row each.

What a kind can see is in `shared/words.py`, as the hub needs it too.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final, Protocol

from edge_agent.sources.adguard import read_adguard
from edge_agent.sources.bind import read_bind
from edge_agent.sources.dnsmasq_columns import DnsmasqReader
from edge_agent.sources.dnstap import read_dnstap
from edge_agent.sources.events import ask_for_mapping, load_mapping, make_reader
from edge_agent.sources.facts import Reading
from edge_agent.sources.logtime import LogTime
from edge_agent.sources.squid import read_squid
from edge_agent.sources.umbrella import UmbrellaReader
from edge_agent.sources.unbound import read_unbound
from edge_agent.sources.xapi_lines import StatementLines
from edge_agent.sources.zeek import ZeekReader


class Read(Protocol):
    """From whole lines of one file to facts; what is no fact is counted. Never raises for what is read."""

    def __call__(self, chunk: bytes, times: LogTime, /) -> Reading: ...


@dataclass(frozen=True, slots=True)
class Kind:
    """How a kind of log is read.

    make: a reader for one file; it may remember what the file's head says (`header`: it is shown the first
    lines of the file again after a restart). `tells_leases`: what every line holds that tells a lease; such
    lines are looked for in what was read before, after a start. `mapped`: a mapping file says what is where,
    `make_mapped` takes its name or path and the folder that such a path begins in; `make` has one by default.
    `folder`: it arrives as files, which may be dropped into a folder. `framed`: chunks are whole frames
    (`framestream.whole_frames`), not lines.
    """

    make: Callable[[], Read]
    header: bool = False
    tells_leases: bytes | None = None
    make_mapped: Callable[[str, Path], Read] | None = None
    folder: bool = False
    framed: bool = False

    @property
    def mapped(self) -> bool:
        """Whether a mapping file says what is where."""
        return self.make_mapped is not None


def _events(name_or_path: str, folder: Path) -> Read:
    return make_reader(load_mapping(name_or_path, folder))


KINDS: Final = MappingProxyType(
    {
        "dnsmasq": Kind(DnsmasqReader, tells_leases=b"DHCPACK"),
        "pihole": Kind(DnsmasqReader, tells_leases=b"DHCPACK"),
        "unbound": Kind(lambda: read_unbound),
        "bind": Kind(lambda: read_bind),
        "adguard": Kind(lambda: read_adguard),
        "squid": Kind(lambda: read_squid),
        "dnstap": Kind(lambda: read_dnstap, framed=True),
        "zeek": Kind(ZeekReader, header=True),
        "umbrella": Kind(UmbrellaReader, header=True, folder=True),
        "securly": Kind(
            lambda: make_reader(load_mapping("securly")), header=True, make_mapped=_events, folder=True
        ),
        "xapi": Kind(StatementLines, folder=True),
        "events": Kind(ask_for_mapping, header=True, make_mapped=_events, folder=True),
    }
)


def file_kinds() -> list[str]:
    """Kinds of which a file can be read, in order of their names."""
    return sorted(name for name, kind in KINDS.items() if not kind.framed)
