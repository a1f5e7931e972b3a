"""Free ports on the loopback: chosen once, kept while nobody else takes them."""

import socket
from collections.abc import Iterable

from shared.errors import BusyError

LOOPBACK = "127.0.0.1"


def is_free(port: int) -> bool:
    """Whether this machine would let us listen on the port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def need_free(port: int) -> None:
    """Raise BusyError if somebody listens there."""
    if not is_free(port):
        raise BusyError(f"port {port} is in use by another program: stop it, or choose another by --port")


def choose(names: Iterable[str], kept: dict[str, int], avoid: Iterable[int]) -> dict[str, int]:
    """A port for each name: the kept one while it is free, else a new one; none twice, none of `avoid`."""
    taken = set(avoid)
    chosen: dict[str, int] = {}
    held: list[socket.socket] = []
    try:
        for name in names:
            port = kept.get(name)
            if port is None or port in taken or not is_free(port):
                port = _new_port(taken, held)
            taken.add(port)
            chosen[name] = port
    finally:
        for probe in held:
            probe.close()
    return chosen


def _new_port(taken: set[int], held: list[socket.socket]) -> int:
    while True:
        probe = socket.socket()
        probe.bind((LOOPBACK, 0))
        held.append(probe)
        port = int(probe.getsockname()[1])
        if port not in taken:
            return port
