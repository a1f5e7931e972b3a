"""What a fleet in nobody's hands asks for, learnt from logs of whole days on which it only slept."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path

from edge_agent.identity.timetable import Timetable
from edge_agent.identity.whereabouts import learn_all
from edge_agent.parts import Parts
from edge_agent.paths import AgentFolder
from edge_agent.replay.outcome import Replayed
from edge_agent.replay.past import Past
from edge_agent.replay.run import Progress, Replay, check_kind, check_log
from edge_agent.settings import load_settings
from edge_agent.store import resting
from edge_agent.store.schema import MIGRATIONS
from shared.errors import CommonGroundError
from shared.storage import LARGE_PAGE, Writer


@dataclass(frozen=True, slots=True)
class Learnt:
    """On how many `days`; `talkers` are ids of apps that talk by themselves, "" stands for unlisted names."""

    days: int
    talkers: tuple[str, ...]
    read: Replayed


def learn_idle(
    folder: AgentFolder,
    logs: Sequence[Path],
    *,
    source: str,
    year: int | None,
    now: float,
    progress: Progress | None = None,
) -> Learnt:
    """Put what the logs say in place of what was known of their days; lessons of those days do not count.

    Raises UsageError or SettingsError for what cannot be read, CommonGroundError if no known iPad is in it.
    """
    settings = load_settings(folder)
    check_kind(source)
    for path in Past(source, logs).files():
        check_log(path, folder.database)
    parts = Parts.load(folder, settings)
    directory = parts.directory
    nobody = replace(directory.roster, classes={})
    directory.replace(directory.inventory, directory.roster, Timetable(nobody, (), settings.zone))
    learn_all(folder, settings, directory.learn)
    replay = Replay(parts, {}, source, year)
    read = replay.run(logs, now, progress)
    told = replay.nights.told()
    if not told:
        raise CommonGroundError(
            "no look-up of a known iPad is in these logs: check --year, the inventory and the leases"
        )
    writer = Writer(folder.database, MIGRATIONS, LARGE_PAGE)
    try:
        writer.run(partial(resting.put, told=told))
    finally:
        writer.close()
    apps = parts.catalogue.apps
    talkers = replay.nights.talkers(max(date.fromisoformat(idle.day) for idle in told))
    return Learnt(
        days=len(told),
        talkers=tuple(sorted(apps[app - 1].id if app else "" for app in talkers)),
        read=read,
    )
