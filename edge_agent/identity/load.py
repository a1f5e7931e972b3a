"""The directory from the files that `agent.toml` names; what was refused in them comes along."""

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
