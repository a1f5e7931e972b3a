"""Sockets and pipes that bring records: connections are made to wait, datagrams and pipes never."""

import os
import selectors
import socket
import struct
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from edge_agent.sources.framing import Framing
from edge_agent.sources.handing import OVERFLOW, Handing
from edge_agent.sources.places import THIS_MACHINE, Seat, admit
from edge_agent.sources.senders import Network, host_of, may_send
from edge_agent.sources.syslog import lines
from shared.errors import BadInput

PIECE: Final = 16 * 1024
DATAGRAMS_A_TURN: Final = 512
IDLE_SECONDS: Final = 60.0  # so long a connection may bring nothing before another one may have its place
SLOW_SECONDS: Final = 30.0  # so long one record may take to arrive
DATAGRAM_BUFFER: Final = 4 * 1024 * 1024
STREAM_BUFFER: Final = 64 * 1024  # what waits there is lost if the process is killed
NO_PLACE: Final = "no_place"
GAVE_WAY: Final = "gave_way"
NOT_LISTED: Final = "sender_not_listed"

_MEMINFO: Final = 55  # Linux, SO_MEMINFO: nine numbers, the last one is of datagrams dropped for want of room
_NUMBERS: Final = struct.Struct("=9I")


class Receiver(Protocol):
    """Something that brings records."""

    def turn(self, now: float, seconds: float) -> bool:
        """Receive what is there, waiting up to `seconds` for the first; whether nothing was left then."""

    def close(self) -> None:
        """Receive no more."""


class Datagrams:
    """Syslog by UDP, one message each."""

    def __init__(self, bound: socket.socket, handing: Handing, allowed: tuple[Network, ...] = ()) -> None:
        self._socket = bound
        self._handing = handing
        self._allowed = allowed
        with suppress(OSError):
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, DATAGRAM_BUFFER)
        bound.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(bound, selectors.EVENT_READ)
        self._dropped = 0

    def turn(self, now: float, seconds: float) -> bool:
        """See Receiver."""
        if not self._selector.select(seconds):
            return True
        records: list[bytes] = []
        try:
            for _ in range(DATAGRAMS_A_TURN):
                data, peer = self._socket.recvfrom(65536)
                if may_send(peer[0], self._allowed):
                    records += [line + b"\n" for line in lines(data, now)]
                else:
                    self._handing.refuse(NOT_LISTED)
        except BlockingIOError:
            return True
        finally:
            self._handing.offer(records)
            self._count_dropped()
        return False

    def close(self) -> None:
        """See Receiver."""
        self._selector.close()
        self._socket.close()

    def _count_dropped(self) -> None:
        """What the kernel had no room for, where it says so (Linux)."""
        if sys.platform != "linux":
            return
        with suppress(OSError, struct.error):
            told = self._socket.getsockopt(socket.SOL_SOCKET, _MEMINFO, _NUMBERS.size)
            dropped: int = _NUMBERS.unpack(told)[-1]
            self._handing.refuse(OVERFLOW, (dropped - self._dropped) & 0xFFFFFFFF)
            self._dropped = dropped


@dataclass(slots=True)
class _Connection:
    socket: socket.socket
    framing: Framing
    host: str
    heard: float  # when it brought a record (monotonic)
    begun: float  # when its unfinished record began


class Connections:
    """Connections to one listening socket, read only while there is room: the senders then wait."""

    def __init__(
        self,
        listening: socket.socket,
        make: Callable[[], Framing],
        handing: Handing,
        path: Path | None = None,
        allowed: tuple[Network, ...] = (),
    ) -> None:
        self._listening = listening
        self._make = make
        self._handing = handing
        self._path = path  # of a Unix socket
        self._allowed = allowed
        self._open: dict[int, _Connection] = {}  # by its handle
        listening.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(listening, selectors.EVENT_READ)

    def turn(self, now: float, seconds: float) -> bool:
        """See Receiver."""
        if not self._handing.wait_for_room(0.0):
            before = time.monotonic()
            self._handing.wait_for_room(seconds)
            stood = time.monotonic() - before
            for connection in self._open.values():  # it is we who were slow, and who did not listen
                connection.begun += stood
                connection.heard += stood
            return False
        drained = True
        for key, _ in self._selector.select(seconds):
            if key.fileobj is self._listening:
                self._accept()
                drained = False
            elif key.fd in self._open:
                drained &= self._receive(self._open[key.fd], now)
        for connection in list(self._open.values()):
            if connection.framing.unfinished and time.monotonic() - connection.begun > SLOW_SECONDS:
                self._end(connection)
        return drained

    def close(self) -> None:
        """See Receiver."""
        for connection in list(self._open.values()):
            self._end(connection)
        self._selector.close()
        self._listening.close()
        if self._path is not None:
            self._path.unlink(missing_ok=True)

    def _accept(self) -> None:
        try:
            accepted, peer = self._listening.accept()
        except OSError:
            return  # it went away, or there are no more handles for now
        if self._path is None and not may_send(peer[0], self._allowed):
            self._turn_away(accepted, NOT_LISTED)
            return
        host = THIS_MACHINE if self._path else host_of(peer[0], self._listening.getsockname()[0])
        begun = time.monotonic()
        numbers = list(self._open)
        seats = [Seat(item.host, item.heard) for item in self._open.values()]
        answer = admit(seats, host, begun, IDLE_SECONDS)
        if not answer.is_let_in:
            self._turn_away(accepted, NO_PLACE)
            return
        if answer.instead_of is not None:
            self._handing.refuse(GAVE_WAY)
            self._end(self._open[numbers[answer.instead_of]])
        accepted.setblocking(False)
        with suppress(OSError):
            accepted.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, STREAM_BUFFER)
            accepted.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self._open[accepted.fileno()] = _Connection(accepted, self._make(), host, begun, begun)
        self._selector.register(accepted, selectors.EVENT_READ)

    def _turn_away(self, accepted: socket.socket, why: str) -> None:
        accepted.close()
        self._handing.refuse(why)

    def _receive(self, connection: _Connection, now: float) -> bool:
        try:
            data = connection.socket.recv(PIECE)
        except BlockingIOError:
            return True
        except OSError:
            data = b""
        if not data or not self._feed(connection, data, now):
            self._end(connection)
        return len(data) < PIECE

    def _feed(self, connection: _Connection, data: bytes, now: float) -> bool:
        """Whether the connection goes on."""
        resumed = connection.framing.unfinished
        try:
            fed = connection.framing.feed(data, now)
        except BadInput as refusal:
            self._handing.refuse(refusal.reason)
            return False
        if fed.records or not resumed:
            connection.begun = time.monotonic()
        if fed.records:
            connection.heard = time.monotonic()
            self._handing.take(fed.records)
        for reason, number in fed.refused.items():
            self._handing.refuse(reason, number)
        try:
            return connection.socket.send(fed.reply) == len(fed.reply) and not fed.ended
        except OSError:
            return not fed.reply

    def _end(self, connection: _Connection) -> None:
        if connection.framing.unfinished:
            # Its end might have been that of another address.
            self._handing.refuse("cut_off")
        self._selector.unregister(connection.socket)
        del self._open[connection.socket.fileno()]
        connection.socket.close()


class Pipe:
    """A named pipe that programs write log lines into.

    It is always read: dnsmasq writes its log before it answers, and a full pipe would stop all look-ups.
    """

    def __init__(self, path: Path, make: Callable[[], Framing], handing: Handing) -> None:
        self._path = path
        self._make = make
        self._handing = handing
        self._framing = make()
        self._selector = selectors.DefaultSelector()
        self._open = _open_pipe(path)
        self._selector.register(self._open, selectors.EVENT_READ)

    def turn(self, now: float, seconds: float) -> bool:
        """See Receiver. Raises OSError while there is no pipe."""
        if not self._selector.select(seconds):
            return True
        try:
            data = os.read(self._open, PIECE)
        except BlockingIOError:
            return True
        if data:
            fed = self._framing.feed(data, now)
            self._handing.offer(fed.records)
        else:
            self._reopen()
        return len(data) < PIECE

    def close(self) -> None:
        """See Receiver."""
        self._selector.close()
        os.close(self._open)

    def _reopen(self) -> None:
        """The last writer closed it: opened before it is closed, or what is written then would be lost."""
        if self._framing.unfinished:
            self._handing.refuse("cut_off")
        self._framing = self._make()
        opened = _open_pipe(self._path)
        self._selector.unregister(self._open)
        os.close(self._open)
        self._open = opened
        self._selector.register(opened, selectors.EVENT_READ)


def _open_pipe(path: Path) -> int:
    return os.open(path, os.O_RDONLY | os.O_NONBLOCK)
