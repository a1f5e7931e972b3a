"""The directory from the files that `agent.toml` names; what was refused in them comes along."""

from pathlib import Path

from edge_agent.identity.bells import load_bells
from edge_agent.identity.directory import Directory
from edge_agent.identity.inventory import load_inventory
from edge_agent.identity.leases import read_lease_file
from edge_agent.identity.roster import load_roster
from edge_agent.identity.tables import Refused
from edge_agent.identity.timetable import Timetable
from edge_agent.paths import AgentFolder
from edge_agent.settings import AgentSettings
from shared.errors import SettingsError

Stamp = tuple[tuple[str, int, int], ...]


def load_directory(folder: AgentFolder, settings: AgentSettings) -> tuple[Directory, Refused]:
    """Read inventory, roster, bells and known leases; raises SettingsError for an unusable file."""
    refused = Refused()
    inventory = load_inventory(folder.resolve(settings.identity.inventory), refused)
    roster = load_roster(folder.resolve(settings.identity.roster), refused)
    bells = load_bells(folder.resolve(settings.identity.bells), refused)
    directory = Directory(inventory, roster, Timetable(roster, bells, settings.zone), settings.zone)
    if settings.identity.leases is not None:
        path = folder.resolve(settings.identity.leases)
        try:
            read_lease_file(path.read_text(errors="replace").splitlines(), directory.leases)
        except OSError as error:
            raise SettingsError(f"{path} cannot be read: {error.strerror}; correct `leases`") from None
    return directory, refused


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
