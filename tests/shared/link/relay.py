"""A wire that somebody sits on: a TCP relay that records, alters and cuts what a client sends."""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress

Alter = Callable[[int, bytes], bytes | None]
"""(bytes that went before on this connection, what comes now) -> what is sent on, None to hang up."""


class Relay:
    """Listens on a free port of this machine for connections to `endpoint`; `close` ends all of them.

    `alter` may be changed at any time. `recorded` has, by connection, all that its client sent.
    """

    def __init__(self, endpoint: str) -> None:
        self._server = int(endpoint.rpartition(":")[2])
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"tcp://127.0.0.1:{self._listener.getsockname()[1]}"
        self.recorded: list[bytearray] = []
        self.alter: Alter = lambda before, data: data
        self._sockets: list[socket.socket] = [self._listener]
        self._threads: list[threading.Thread] = []
        self._start(self._accept)

    def close(self) -> None:
        """Hang up everywhere."""
        for own in self._sockets:
            with suppress(OSError):
                own.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for own in self._sockets:
            own.close()

    def _start(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._server))
                self._sockets += [client, server]
                self.recorded.append(bytearray())
                self._start(self._carry, client, server, self.recorded[-1])
                self._start(self._carry, server, client, None)

    def _carry(self, source: socket.socket, target: socket.socket, record: bytearray | None) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if record is None:
                    target.sendall(data)
                    continue
                altered = self.alter(len(record), data)
                record += data
                if altered is None:
                    break
                target.sendall(altered)
        for own in (source, target):
            with suppress(OSError):
                own.shutdown(socket.SHUT_RDWR)
