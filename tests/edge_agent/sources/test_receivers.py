"""A receiver that could not read for a while holds that against nobody."""

import socket
from types import SimpleNamespace
from typing import cast

import pytest

from edge_agent.sources import receivers
from edge_agent.sources.handing import Handing
from edge_agent.sources.places import PLACES
from edge_agent.sources.receivers import IDLE_SECONDS, Connections
from edge_agent.sources.syslog import SyslogStream

LONG = 2 * IDLE_SECONDS


class FullOrEmpty:
    """Stands in for what records are handed to: while it is full, waiting for room takes `LONG` seconds."""

    def __init__(self) -> None:
        self.now = 0.0
        self.full = False
        self.refused: list[str] = []
        self.taken = 0

    def wait_for_room(self, seconds: float) -> bool:
        if self.full and seconds:
            self.now += LONG
        return not self.full

    def take(self, records: list[bytes]) -> None:
        self.taken += len(records)

    def refuse(self, reason: str, number: int = 1) -> None:
        self.refused += [reason] * number


def test_who_could_not_be_heard_while_there_was_no_room_does_not_lose_its_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    room = FullOrEmpty()
    monkeypatch.setattr(receivers, "time", SimpleNamespace(monotonic=lambda: room.now))
    listening = socket.create_server(("127.0.0.1", 0))
    connections = Connections(listening, SyslogStream, cast(Handing, room))
    peers = []

    def calls() -> None:
        peers.append(socket.create_connection(listening.getsockname(), timeout=10))
        connections.turn(0.0, 10.0)

    for _ in range(PLACES):
        calls()
    room.full = True
    connections.turn(0.0, 1.0)
    room.full = False
    calls()
    assert room.refused == ["no_place"], "nobody was silent: nobody was listened to"
    room.now += LONG
    calls()
    assert room.refused == ["no_place", "gave_way"]
    for peer in peers:
        peer.close()
    connections.close()
