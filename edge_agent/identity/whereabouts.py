"""Every file that says who had which address, and who was where; looked at again whenever it has changed."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final, Protocol

from edge_agent.identity.dhcp_logs import read_dhcpd, read_kea, read_windows
from edge_agent.identity.histories import (
    History,
    HistoryFile,
    bytes_of,
    files_of,
    lines_of,
    text_of,
    unreadable,
)
from edge_agent.identity.leases import LeaseFile, Leases, OwnersOf, dnsmasq_owners
from edge_agent.identity.neighbours import neighbour_owners
from edge_agent.identity.places import read_associations
from edge_agent.identity.radius import read_detail
from edge_agent.paths import AgentFolder
from edge_agent.settings import AgentSettings
from edge_agent.sources.facts import Lease, Whereabouts
from shared.errors import SettingsError

LOOK_SECONDS: Final = 0.2

# One row a kind of file. The first say who has an address now; the others who had it, or was where, when.
OWNERS: Final = MappingProxyType[str, OwnersOf]({"dnsmasq": dnsmasq_owners, "neighbours": neighbour_owners})
HISTORIES: Final = MappingProxyType(
    {
        "dhcpd": History(read_dhcpd, ends=b"\n}\n"),
        "kea": History(read_kea, header=True),
        "windows": History(read_windows),
        "radius": History(read_detail, ends=b"\n\n"),
        "associations": History(read_associations, header=True),
    }
)


class Watched(Protocol):
    """A file that is looked at again and again; `trouble` says what is wrong with it, or nothing."""

    trouble: str

    def refresh(self, now: float) -> int:
        """Learn what is new in it at `now` (seconds UTC); how much. Raises nothing."""


class Watch:
    """All such files of a school; any thread may look."""

    def __init__(self, files: Sequence[Watched]) -> None:
        self._files = files
        self._lock = threading.Lock()
        self._next = float("-inf")

    @property
    def trouble(self) -> str:
        """What somebody should do about the files, or nothing."""
        return next((file.trouble for file in self._files if file.trouble), "")

    def look(self, now: float) -> None:
        """Learn what is new (`now` in seconds UTC), at most five times a second.

        A server writes a lease down before the device can use it: whoever looks here before placing
        look-ups knows whose they are.
        """
        if not self._files:
            return
        with self._lock:
            if time.monotonic() >= self._next:
                self._next = time.monotonic() + LOOK_SECONDS
                for file in self._files:
                    file.refresh(now)


def watch(
    folder: AgentFolder, settings: AgentSettings, leases: Leases, learn: Callable[[Whereabouts], None]
) -> Watch:
    """The files that `agent.toml` names; owners go to `leases`, histories to `learn`."""
    files: list[Watched] = []
    for kind, path in _named(folder, settings):
        if kind in OWNERS:
            files.append(LeaseFile(path, leases, OWNERS[kind]))
        else:
            files.append(HistoryFile(path, HISTORIES[kind], settings.zone, learn))
    return Watch(files)


def learn_all(folder: AgentFolder, settings: AgentSettings, learn: Callable[[Whereabouts], None]) -> None:
    """For a replay: everything that the files say; owners of no known time count from the beginning.

    Raises SettingsError if one cannot be read.
    """
    for kind, path in _named(folder, settings):
        try:
            for file in files_of(path):
                lines = lines_of(text_of(bytes_of(file)))
                if kind in OWNERS:
                    told: Iterator[Whereabouts] = (Lease(0, *owner) for owner in OWNERS[kind](lines))
                else:
                    told = HISTORIES[kind].read(lines, settings.zone)
                for fact in told:
                    learn(fact)
        except (OSError, ValueError) as error:
            raise SettingsError(unreadable(path, error)) from None


def _named(folder: AgentFolder, settings: AgentSettings) -> Iterator[tuple[str, Path]]:
    if settings.identity.leases is not None:
        yield "dnsmasq", folder.resolve(settings.identity.leases)
    yield from ((one.kind, folder.resolve(one.path)) for one in settings.addresses)
    yield from ((one.kind, folder.resolve(one.path)) for one in settings.places)
