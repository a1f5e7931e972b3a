"""A collector at work on its own machine: asks the agent how the school is set up, then follows its log."""

import random
import secrets
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import structlog

from edge_agent.clock import Clock
from edge_agent.parts import parser
from edge_agent.paths import AgentFolder
from edge_agent.placing.collector import Collector
from edge_agent.remote.catalogue import AgentCatalogue
from edge_agent.remote.placer import TablePlacer, Tables
from edge_agent.remote.station import Station
from edge_agent.remote.telling import CLOCK, OTHER_KIND, SETUP, Setup, decode_setup, decode_time
from edge_agent.settings import SourceSettings
from edge_agent.sources.follow import Follower
from edge_agent.sources.listening import Listener, open_listener
from models.catalogue.load import Catalogue
from models.catalogue.match import NameMatcher
from shared.errors import BadInput, CommonGroundError, SettingsError
from shared.link.client import LinkClient
from shared.link.peer_file import Peer
from shared.link.spool import Spool

ASK_SECONDS: Final = 10.0
TIME_SECONDS: Final = 2.0  # what time it is, nobody waits for longer: the log is read meanwhile
LOOK_SECONDS: Final = 1.0


def run(station: Station, agent: Peer, source: SourceSettings, clock: Clock, stop: threading.Event) -> None:
    """Collect until `stop`. Raises SettingsError when agent and collector do not fit together.

    `source` says what to read: its kind, path and mapping; paths begin where the program was started.
    """
    parser(source.kind, ZoneInfo("UTC"), mapping=source.mapping)
    path, kind = Path(source.path or ""), source.kind
    log = structlog.get_logger("collect")
    spool = Spool(rereads=not path.is_fifo())
    rng = random.Random(secrets.randbits(64))
    pairs = station.key_pairs()
    client = LinkClient(
        agent.address,
        agent.public_keys,
        pairs,
        kind,
        spool,
        rng,
        keeper=station.keeper,
    )
    if len(pairs) > 1:
        client.renew(pairs[1])
    client.start()
    follower: Follower | Listener | None = None
    try:
        setup = _setup(client, stop, log.info)
        if setup is None:
            return
        catalogue = AgentCatalogue(partial(_ask, client), setup.catalogue)
        collector = _collector(setup, source.kind, catalogue.load(), client)
        follower = _follower(setup, source, collector, clock, spool, client)
        follower.start()
        said = ""
        while not stop.wait(LOOK_SECONDS):
            said = _say(said, f"{follower.state}; the agent: {_link(client)}", log.info)
            if (fresh := catalogue.look()) is not None:
                collector.adopt(NameMatcher(fresh), fresh.version, fresh.off_task_apps())
                log.info("catalogue changed", version=fresh.version)
    finally:
        if follower is not None:
            follower.stop()
        client.stop()


def _setup(client: LinkClient, stop: threading.Event, say: Callable[..., None]) -> Setup | None:
    """How the school is set up, once the agent answers; None when asked to stop before that."""
    said = ""
    while not stop.is_set():
        try:
            data = client.ask(SETUP, LOOK_SECONDS)
        except TimeoutError:
            if client.state.detail == OTHER_KIND:
                raise SettingsError(
                    "this collector was invited to read another kind of log: name that one, or invite another"
                ) from None
            said = _say(said, f"waiting for the agent: {_link(client)}", say)
            continue
        if data is None:
            raise SettingsError("the agent knows no such collector: ask for a new invitation")
        try:
            return decode_setup(data)
        except BadInput as error:
            raise SettingsError(
                f"the agent's answer cannot be read ({error.reason}):"
                " install the same version of commonground on both"
            ) from None
    return None


def _collector(setup: Setup, kind: str, catalogue: Catalogue, client: LinkClient) -> Collector:
    if setup.kind != kind:
        raise SettingsError(
            f"this collector was invited to read `{setup.kind}`, not `{kind}`: invite another"
        )
    return Collector(
        kind=kind,
        source=setup.source,
        placer=TablePlacer(Tables(partial(_ask, client), ZoneInfo(setup.timezone))),
        matcher=NameMatcher(catalogue),
        catalogue=catalogue.version,
        off_task=catalogue.off_task_apps(),
    )


def _follower(
    setup: Setup,
    source: SourceSettings,
    collector: Collector,
    clock: Clock,
    spool: Spool,
    client: LinkClient,
) -> Follower | Listener:
    kind, path, zone = source.kind, Path(source.path or ""), ZoneInfo(setup.timezone)
    parse, ask = parser(kind, zone, mapping=source.mapping), partial(_time, client)
    if path.is_fifo():
        return open_listener(source, AgentFolder(Path()), parse, collector, spool, clock, ask)
    return Follower(path, parse, collector, spool, clock, setup.source, ask)


def _time(client: LinkClient) -> int | None:
    data = _ask(client, CLOCK, TIME_SECONDS)
    return None if data is None else decode_time(data)


def _ask(client: LinkClient, what: str, patience: float = ASK_SECONDS) -> bytes | None:
    try:
        return client.ask(what, patience)
    except TimeoutError:
        raise CommonGroundError(f"the agent does not answer: {_link(client)}") from None


def _link(client: LinkClient) -> str:
    state = client.state
    return f"{state.name}{': ' if state.detail else ''}{state.detail}"


def _say(before: str, now: str, say: Callable[..., None]) -> str:
    if now != before:
        say("collector", state=now)
    return now
