"""The directory from the files that `agent.toml` names; what was refused in them comes along."""

from datetime import date, timedelta
from pathlib import Path

from edge_agent.identity.bells import Bell, load_bells
from edge_agent.identity.bundle import watched
from edge_agent.identity.carts import carts
from edge_agent.identity.directory import Directory
from edge_agent.identity.inventory import inventory_files, load_inventory
from edge_agent.identity.places import load_access_points
from edge_agent.identity.roster import Roster
from edge_agent.identity.roster_file import load_roster
from edge_agent.identity.school_calendar import REGULAR, TESTING, Calendar, load_calendar
from edge_agent.identity.tables import Refused
from edge_agent.identity.timetable import Timetable
from edge_agent.identity.timetable_file import with_timetable
from edge_agent.identity.today import Change, load_changes, today_file
from edge_agent.paths import AgentFolder
from edge_agent.settings import AgentSettings

Stamp = tuple[tuple[str, int, int], ...]

LATEST = date(2100, 1, 4)  # some rosters say "for ever" as the year 9999


def load_directory(folder: AgentFolder, settings: AgentSettings) -> tuple[Directory, Refused]:
    """Read inventory, roster, bells and what goes with them; raises SettingsError for an unusable file."""
    refused = Refused()
    identity = settings.identity
    opt_outs = None if identity.opt_outs is None else folder.resolve(identity.opt_outs)
    inventory = load_inventory(folder.resolve(identity.inventory), refused, opt_outs)
    roster = load_roster(
        folder.resolve(identity.roster),
        refused,
        school=settings.school,
        org=identity.org,
        users=inventory.by_user,
    )
    calendar = Calendar()
    if identity.calendar is not None:
        calendar = load_calendar(folder.resolve(identity.calendar), refused)
    if identity.timetable is not None:
        roster = with_timetable(roster, folder.resolve(identity.timetable), refused, calendar.labels)
    bells = load_bells(folder.resolve(identity.bells), refused, calendar.labels)
    changes = load_changes(today_file(folder.root))
    _count_unknown_schedules(folder, settings, bells, calendar, changes, refused)
    timetable = Timetable(roster, bells, settings.zone, calendar, changes)
    points = {folder.resolve(place.access_points) for place in settings.places}
    rooms = {ap: room for path in sorted(points) for ap, room in load_access_points(path, refused).items()}
    directory = Directory(inventory, roster, timetable, settings.zone, rooms)
    directory.carts = carts(settings.carts)
    _count_overlaps(timetable, roster, folder.resolve(identity.bells), refused)
    return directory, refused


def load_schedules(folder: AgentFolder, settings: AgentSettings) -> frozenset[str]:
    """The schedules that the bells have; raises SettingsError for an unusable file."""
    identity, refused = settings.identity, Refused()
    calendar = Calendar()
    if identity.calendar is not None:
        calendar = load_calendar(folder.resolve(identity.calendar), refused)
    bells = load_bells(folder.resolve(identity.bells), refused, calendar.labels)
    return frozenset(bell.schedule for bell in bells)


def stamp(folder: AgentFolder, settings: AgentSettings) -> Stamp:
    """Name, size and time of every file behind the directory: another stamp means other content."""
    identity = settings.identity
    named = (identity.bells, identity.timetable, identity.calendar, identity.opt_outs)
    single = [folder.resolve(name) for name in named if name is not None]
    exports = inventory_files(folder.resolve(identity.inventory))
    every = (*exports, *single, today_file(folder.root), *watched(folder.resolve(identity.roster)))
    return tuple(_stamp(path) for path in every)


def _stamp(path: Path) -> tuple[str, int, int]:
    try:
        found = path.stat()
    except OSError:
        return path.name, 0, 0
    return path.name, found.st_size, found.st_mtime_ns


def _count_overlaps(timetable: Timetable, roster: Roster, bells: Path, refused: Refused) -> None:
    """Say how many lessons a week are left out because their class has another one at that time."""
    starts = [first for item in roster.classes.values() for first, _ in item.sessions]
    monday = min(max(starts, default=date(2026, 1, 5)), LATEST)
    week = [monday + timedelta(days=i) for i in range(7)]
    for _ in range(timetable.overlaps(week)):
        refused.add(bells, 0, "two periods of a class overlap", "")


def _count_unknown_schedules(
    folder: AgentFolder,
    settings: AgentSettings,
    bells: tuple[Bell, ...],
    calendar: Calendar,
    changes: tuple[Change, ...],
    refused: Refused,
) -> None:
    """Say which schedules are asked for and have no bells: the regular ones ring on such days."""
    known = {bell.schedule for bell in bells} | {REGULAR, TESTING, ""}
    for _ in sorted(calendar.schedules - known):
        path = folder.resolve(settings.identity.calendar or "")
        refused.add(path, 0, "a schedule that the bells do not have", "")
    for _ in sorted({change.schedule for change in changes} - known):
        refused.add(today_file(folder.root), 0, "a schedule that the bells do not have", "")
