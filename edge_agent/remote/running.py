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
from edge_agent.collector import Collector
from edge_agent.parts import parser
from edge_agent.remote.placer import TablePlacer, Tables
from edge_agent.remote.station import Station
from edge_agent.remote.telling import CLOCK, OTHER_KIND, SETUP, Setup, decode_setup, decode_time
from edge_agent.sources.follow import Follower
from models.catalogue.load import load_catalogue
from models.catalogue.match import NameMatcher
from shared.errors import BadInput, CommonGroundError, SettingsError
from shared.link.client import LinkClient
from shared.link.peer_file import Peer
from shared.link.spool import Spool

ASK_SECONDS: Final = 10.0
TIME_SECONDS: Final = 2.0  # what time it is, nobody waits for longer: the log is read meanwhile
LOOK_SECONDS: Final = 1.0


def run(station: Station, agent: Peer, kind: str, path: Path, clock: Clock, stop: threading.Event) -> None:
    """Collect until `stop`. Raises SettingsError when agent and collector do not fit together."""
    log = structlog.get_logger("collect")
    spool = Spool()
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
    follower: Follower | None = None
    try:
        setup = _setup(client, stop, log.info)
        if setup is None:
            return
        follower = _follower(setup, kind, path, clock, spool, client)
        follower.start()
        said = ""
        while not stop.wait(LOOK_SECONDS):
            said = _say(said, f"{follower.state}; the agent: {_link(client)}", log.info)
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


def _follower(
    setup: Setup, kind: str, path: Path, clock: Clock, spool: Spool, client: LinkClient
) -> Follower:
    catalogue = load_catalogue()
    if setup.kind != kind:
        raise SettingsError(
            f"this collector was invited to read `{setup.kind}`, not `{kind}`: invite another"
        )
    if setup.catalogue != catalogue.version:
        raise SettingsError(
            f"the agent has catalogue {setup.catalogue}, this collector {catalogue.version}:"
            " install the same version of commonground on both"
        )
    zone = ZoneInfo(setup.timezone)
    collector = Collector(
        kind=kind,
        source=setup.source,
        placer=TablePlacer(Tables(partial(_ask, client), zone)),
        matcher=NameMatcher(catalogue),
        catalogue=catalogue.version,
    )
    return Follower(path, parser(kind, zone), collector, spool, clock, setup.source, partial(_time, client))


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
