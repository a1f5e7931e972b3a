"""The directory from the files that `agent.toml` names; what was refused in them comes along."""

from datetime import date, timedelta
from pathlib import Path

from edge_agent.identity.bells import load_bells
from edge_agent.identity.directory import Directory
from edge_agent.identity.inventory import load_inventory
from edge_agent.identity.leases import LeaseFile, Leases, read_lease_file
from edge_agent.identity.roster import Roster, load_roster
from edge_agent.identity.tables import Refused
from edge_agent.identity.timetable import Timetable
from edge_agent.paths import AgentFolder
from edge_agent.settings import AgentSettings
from shared.errors import SettingsError

Stamp = tuple[tuple[str, int, int], ...]


def load_directory(folder: AgentFolder, settings: AgentSettings) -> tuple[Directory, Refused]:
    """Read inventory, roster and bells; raises SettingsError for an unusable file."""
    refused = Refused()
    inventory = load_inventory(folder.resolve(settings.identity.inventory), refused)
    roster = load_roster(folder.resolve(settings.identity.roster), refused)
    bells = load_bells(folder.resolve(settings.identity.bells), refused)
    timetable = Timetable(roster, bells, settings.zone)
    directory = Directory(inventory, roster, timetable, settings.zone)
    _count_overlaps(timetable, roster, folder.resolve(settings.identity.bells), refused)
    return directory, refused


def read_known_leases(folder: AgentFolder, settings: AgentSettings, leases: Leases) -> None:
    """For a replay: the lease file's owners count as known from the beginning, there being no better.

    Raises SettingsError if the file cannot be read.
    """
    if settings.identity.leases is None:
        return
    path = folder.resolve(settings.identity.leases)
    try:
        read_lease_file(path.read_text(errors="replace").splitlines(), leases)
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}; correct `leases`") from None


def lease_file(folder: AgentFolder, settings: AgentSettings) -> LeaseFile | None:
    """For a running agent: the lease file to look at again and again, if there is one."""
    name = settings.identity.leases
    return LeaseFile(folder.resolve(name)) if name is not None else None


def stamp(folder: AgentFolder, settings: AgentSettings) -> Stamp:
    """Name, size and time of every file behind the directory: another stamp means other content."""
    identity = settings.identity
    roster = folder.resolve(identity.roster)
    single = [folder.resolve(identity.inventory), folder.resolve(identity.bells)]
    return tuple(_stamp(path) for path in (*single, *sorted(roster.glob("*.csv"))))


def _stamp(path: Path) -> tuple[str, int, int]:
    try:
        found = path.stat()
    except OSError:
        return path.name, 0, 0
    return path.name, found.st_size, found.st_mtime_ns


def _count_overlaps(timetable: Timetable, roster: Roster, bells: Path, refused: Refused) -> None:
    """Say how many lessons a week are left out because their class has another one at that time."""
    starts = [first for item in roster.classes.values() for first, _ in item.sessions]
    monday = max(starts, default=date(2026, 1, 5))
    week = [monday + timedelta(days=i) for i in range(7)]
    for _ in range(timetable.overlaps(week)):
        refused.add(bells, 0, "two periods of a class overlap", "")
