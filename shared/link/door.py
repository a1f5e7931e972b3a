"""Watches the connections of a listening socket, by what libzmq tells of them, and ends those too many.

In a thread of its own: neither a commit that takes long nor a flood keeps it from its work.
"""

import os
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

import zmq
from zmq.utils.monitor import recv_monitor_message

from shared.link.crowd import Connection, Crowd, Room
from shared.link.sockets import Context, Socket

if sys.platform != "win32":
    import resource

_LOOK_S: Final = 0.5
_FOR_THE_REST: Final = 256  # file descriptors that connections leave to databases, pages and logs
_LEAST: Final = 16
_EVENTS: Final = zmq.EVENT_ACCEPTED | zmq.EVENT_DISCONNECTED | zmq.EVENT_MONITOR_STOPPED
_BYTES_RECEIVED: Final = 128  # where `tcpi_bytes_received` (8 bytes) begins in Linux's struct tcp_info
_TCP_INFO: Final = getattr(socket, "TCP_INFO", None)


def connections_allowed(wanted: int) -> int:
    """How many connections leave enough file descriptors; raises the soft limit as far as is needed."""
    if sys.platform == "win32":  # which knows no such limit
        return wanted
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + _FOR_THE_REST
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return wanted
    raised = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (raised, hard))
        soft = raised
    return max(_LEAST, min(wanted, soft - _FOR_THE_REST))


class Door:
    """Of `listener`, which is not bound yet, until `close`; made and closed where the socket is used.

    `accepted` counts connections since it opened.
    """

    def __init__(self, context: Context, listener: Socket, room: Room, clock: Callable[[], float]) -> None:
        self._crowd = Crowd(room)
        self._clock = clock
        self._lock = threading.Lock()
        self._port = 0
        self.accepted = 0
        self._listener = listener
        address = f"inproc://door-{id(self)}"
        listener.monitor(address, _EVENTS)
        self._news: Socket = context.socket(zmq.PAIR)
        # libzmq's own thread waits for room in here: there must always be some.
        self._news.set(zmq.RCVHWM, 0)
        self._news.connect(address)
        self._thread: threading.Thread | None = None

    @property
    def counters(self) -> dict[str, int]:
        """`connections` now, and how many were ended, by `cut:<reason>`."""
        with self._lock:
            return {"connections": len(self._crowd), **self._crowd.counters}

    def open(self, port: int) -> None:
        """The listener is bound to `port`."""
        self._port = port
        self._thread = threading.Thread(target=self._run, name=f"door:{port}", daemon=True)
        self._thread.start()

    def known(self, fd: int, account: str, size: int) -> bool:
        """Whether this connection spoke before for this enrolment, and now `size` bytes; takes no lock."""
        return self._crowd.known(fd, account, size)

    def heard(self, fd: int, account: str, member: bool, size: int) -> None:
        """A frame of `size` bytes came over the connection `fd`; see `Crowd.heard`."""
        with self._lock:
            self._end(self._crowd.heard(fd, account, member, size, self._clock()))

    def cut(self, account: str, reason: str) -> None:
        """End every connection of this account."""
        with self._lock:
            self._end(self._crowd.of(account, reason))

    def close(self) -> None:
        """End the thread; the listener is about to be closed."""
        self._listener.disable_monitor()
        if self._thread is None:
            self._news.close()
        else:
            self._thread.join()

    def _run(self) -> None:
        look_at = 0.0
        while self._listen(_LOOK_S):
            now = time.monotonic()
            if now >= look_at:
                look_at = now + _LOOK_S
                self._look()
        self._news.close()

    def _listen(self, seconds: float) -> bool:
        """All news that waits or comes in this time; False after the last."""
        if not self._news.poll(int(seconds * 1000)):
            return True
        with self._lock:
            while self._news.poll(0):
                message = recv_monitor_message(self._news)
                fd = message["value"]
                match message["event"]:
                    case zmq.EVENT_ACCEPTED:
                        self.accepted += 1
                        peer = self._peer_of(fd) or ("", 0)  # gone again, and DISCONNECTED follows
                        self._end(self._crowd.accepted(fd, peer, self._clock()))
                    case zmq.EVENT_DISCONNECTED:
                        self._crowd.closed(fd)
                    case _:
                        return False
        return True

    def _look(self) -> None:
        with self._lock:
            self._end(self._crowd.overdue(self._clock()))
            for connection in self._crowd.open():
                if (total := _bytes_received(connection.fd)) is not None:
                    self._end(self._crowd.received(connection, total))

    def _peer_of(self, fd: int) -> tuple[str, int] | None:
        try:
            with _held(fd) as own:
                address, port = own.getpeername()[:2]
                return (address, port) if own.getsockname()[1] == self._port else None
        except OSError:  # closed meanwhile, or no socket any more
            return None

    def _end(self, connections: Iterable[Connection]) -> None:
        for connection in connections:
            with suppress(OSError), _held(connection.fd) as own:
                if own.getsockname()[1] == self._port and own.getpeername()[:2] == connection.peer:
                    own.shutdown(socket.SHUT_RDWR)


@contextmanager
def _held(fd: int) -> Iterator[socket.socket]:
    """The connection under a descriptor of our own, whatever `fd` is used for meanwhile."""
    own = os.dup(fd)
    try:
        held = socket.socket(fileno=own)
    except OSError:
        os.close(own)
        raise
    with held:
        yield held


def _bytes_received(fd: int) -> int | None:
    """Bytes that came over a TCP connection since it began; None where the system does not say."""
    if _TCP_INFO is None:
        return None
    try:
        own = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, fileno=fd)
    except OSError:
        return None
    try:
        return int(
            struct.unpack_from("Q", own.getsockopt(socket.IPPROTO_TCP, _TCP_INFO, 192), _BYTES_RECEIVED)[0]
        )
    except (OSError, struct.error):
        return None
    finally:
        own.detach()
