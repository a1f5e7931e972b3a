"""The snapshot of one agent's folder: settings, files, logs, ports and, if it runs, what the agent says."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from edge_agent.check.app_facts import app_facts
from edge_agent.check.facts import Facts, SchoolFacts, SeenFacts
from edge_agent.check.gather_sources import SourceLook, unreadable
from edge_agent.check.house_facts import bypassed, house_facts
from edge_agent.check.sampling import MIB, Progress, Sampler
from edge_agent.check.school_facts import school_facts
from edge_agent.clock import make_clock
from edge_agent.identity.whereabouts import learn_all
from edge_agent.pages.shape import AgentStatus
from edge_agent.parts import Parts
from edge_agent.paths import AgentFolder
from edge_agent.settings import AgentSettings, load_settings
from shared.errors import CommonGroundError, SettingsError

SAMPLE: Final = 16 * MIB
SYSTEM: Final = Path("/")


def gather(
    folder: AgentFolder,
    running: AgentStatus | None = None,
    *,
    since: float | None = None,
    limit: int = SAMPLE,
    system: Path = SYSTEM,
    progress: Progress | None = None,
) -> Facts:
    """Look at everything. `running` is what the running agent says of itself, None if none runs.

    `since` (seconds UTC): look-ups before it do not count. `limit`: bytes of the newest lines of each log.
    `system`: the machine's root, below which settings of other programs lie. Raises SettingsError if
    agent.toml cannot be used; whatever else is wrong becomes a finding.
    """
    settings = load_settings(folder)
    now = make_clock(folder, settings).now()
    parts, trouble = _parts(folder, settings)
    sampler = None if parts is None else Sampler(parts, folder.root, now, since or 0.0, limit)
    addresses = tuple(_addresses(folder, settings, sampler))
    look = SourceLook(folder, settings, running, sampler, now, system)
    sources = tuple(look.sources(progress))
    return Facts(
        now=now,
        zone=settings.zone,
        sources=sources,
        addresses=addresses,
        seen=SeenFacts() if sampler is None else sampler.seen(),
        school=None if parts is None else _school(parts, now, since),
        school_trouble=trouble,
        house=house_facts(folder, settings),
        bypassed=bypassed(folder),
        has_addresses=bool(settings.addresses) or settings.identity.leases is not None,
        apps=None if parts is None else app_facts(folder, parts, now),
    )


def _parts(folder: AgentFolder, settings: AgentSettings) -> tuple[Parts | None, str]:
    try:
        return Parts.load(folder, settings), ""
    except CommonGroundError as error:
        return None, str(error)


def _school(parts: Parts, now: float, since: float | None) -> SchoolFacts:
    return school_facts(parts.directory, parts.refused, parts.settings.zone, now, since)


def _addresses(
    folder: AgentFolder, settings: AgentSettings, sampler: Sampler | None
) -> Iterator[tuple[str, str]]:
    """Each file of addresses and places with what is wrong with it; what they say is learnt."""
    for path, one in _one_by_one(settings):
        trouble = unreadable(folder.resolve(path))
        if not trouble and sampler is not None:
            try:
                learn_all(folder, one, sampler.learn)
            except SettingsError as error:
                trouble = f"is of no use: {error}"
        yield path, trouble


def _one_by_one(settings: AgentSettings) -> Iterator[tuple[str, AgentSettings]]:
    """The settings with one such file each, so that one that cannot be read hides no other."""
    identity = msgspec.structs.replace(settings.identity, leases=None)
    bare = msgspec.structs.replace(settings, identity=identity, addresses=(), places=())
    if settings.identity.leases is not None:
        yield settings.identity.leases, msgspec.structs.replace(bare, identity=settings.identity)
    yield from ((one.path, msgspec.structs.replace(bare, addresses=(one,))) for one in settings.addresses)
    yield from ((one.path, msgspec.structs.replace(bare, places=(one,))) for one in settings.places)
