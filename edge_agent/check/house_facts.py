"""What a check sees of the agent's own folder: disk, keys, hub, and what its windows say of devices."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

from edge_agent.catalogue.in_use import load_in_use
from edge_agent.catalogue.overruling import overruled
from edge_agent.check.facts import HouseFacts
from edge_agent.intake.room import MIB, Room, Use
from edge_agent.leaving import school_key
from edge_agent.paths import AgentFolder
from edge_agent.settings import AgentSettings, load_hub
from models.catalogue.load import load_catalogue
from models.catalogue.overlay import District
from shared.errors import CommonGroundError, SettingsError
from shared.storage import reader

OPEN: Final = 0o077
NEWEST_WINDOWS: Final = 500


def house_facts(folder: AgentFolder, settings: AgentSettings) -> HouseFacts:
    """As they are now; an agent that has not run yet has used nothing."""
    disk = settings.disk
    use = _use(folder, settings)
    passwords = [
        folder.resolve(source.password_file)
        for source in settings.sources
        if source.password_file is not None
    ]
    try:
        joined = load_hub(folder) is not None
    except CommonGroundError:
        joined = False
    district = _district(folder)
    taken = overruled(load_catalogue(), district.overlay) if district else ()
    return HouseFacts(
        free=use.free,
        free_wanted=disk.free_mib * MIB,
        outbox_full=use.outbox_full,
        signals=use.signals,
        signals_wanted=disk.signals_mib * MIB,
        open_secrets=tuple(_open(folder.root, [folder.secrets, *_below(folder.secrets), *passwords])),
        missing_secrets=tuple(str(path) for path in passwords if not path.exists()),
        key_is_here=(folder.secrets / school_key.PRIVATE).exists(),
        joined=joined,
        overruled=tuple(one.name for one in taken),
        district_version=district.version if district else "",
    )


def bypassed(folder: AgentFolder) -> int:
    """The most devices that went around the resolver in one of the newest lessons, as windows say."""
    if not folder.database.exists():
        return 0
    query = "SELECT max(bypassed) FROM (SELECT bypassed FROM windows ORDER BY day DESC, start DESC LIMIT ?)"
    try:
        with closing(reader(folder.database)) as connection:
            (found,) = connection.execute(query, (NEWEST_WINDOWS,)).fetchone()
    except sqlite3.Error:
        return 0  # written by an older program
    return round(found or 0)


def _district(folder: AgentFolder) -> District | None:
    try:
        return load_in_use(folder).district
    except SettingsError:
        return None  # a spoilt store


def _use(folder: AgentFolder, settings: AgentSettings) -> Use:
    if folder.database.exists():
        try:
            with closing(Room(folder.database, settings.disk)) as room:
                return room.use()
        except sqlite3.Error:
            pass  # made by an older program, or in the middle of an upgrade
    status = os.statvfs(folder.root)
    return Use(outbox_full=False, refused=0, signals=0, free=status.f_bavail * status.f_frsize)


def _below(path: Path) -> Iterator[Path]:
    try:
        yield from sorted(path.rglob("*"))
    except OSError:
        return


def _open(root: Path, paths: list[Path]) -> Iterator[str]:
    """Those that others than their owner can reach."""
    for path in dict.fromkeys(paths):
        try:
            mode = path.stat().st_mode
        except OSError:
            continue
        # The public halves of keys are no secret.
        if mode & OPEN and path.suffix != ".pub":
            yield str(path.relative_to(root)) if path.is_relative_to(root) else str(path)
