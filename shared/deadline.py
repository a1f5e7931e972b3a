"""One moment by which talk with a server is over, however slowly its answer drips."""

import socket
import threading
import time
from contextlib import suppress
from types import TracebackType
from typing import Final, Self

Address = tuple[str, int]

_LEAST: Final = 0.001  # seconds: a socket's timeout of 0 would mean another thing


class Deadline:
    """Connections made by `connect` are cut once `seconds` have passed, whatever waits for them then.

    A socket's own timeout begins anew with each byte that comes. Only the look-up of a name is left to the
    system, which gives up by itself.
    """

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds
        self._lock = threading.Lock()  # guards the next two
        self._held: list[socket.socket] = []
        self._has_passed = False
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        with self._lock:
            while self._held:
                self._held.pop().close()

    def check(self) -> None:
        """Raises TimeoutError once it has passed: what was read until then may have been cut off."""
        if self._has_passed:
            raise TimeoutError("too slow")

    def connect(self, address: Address, timeout: float, source: Address | None = None) -> socket.socket:
        """As `socket.create_connection`, and over in time. Raises OSError."""
        failed: OSError = TimeoutError("too slow")
        for family, kind, protocol, _, found in socket.getaddrinfo(*address, type=socket.SOCK_STREAM):
            left = self._end - time.monotonic()
            if left <= 0:
                break
            made = socket.socket(family, kind, protocol)
            try:
                made.settimeout(max(_LEAST, min(timeout, left)))
                if source is not None:
                    made.bind(source)
                made.connect(found)
                made.settimeout(timeout)
                self._hold(made)
            except OSError as error:
                made.close()
                failed = error
            else:
                return made
        raise failed

    def _hold(self, made: socket.socket) -> None:
        """A handle of our own: TLS takes the first one over, and the connection behind both is the same."""
        with self._lock:
            self.check()
            self._held.append(made.dup())

    def _cut(self) -> None:
        with self._lock:
            self._has_passed = True
            for handle in self._held:
                with suppress(OSError):  # it has ended already
                    handle.shutdown(socket.SHUT_RDWR)
