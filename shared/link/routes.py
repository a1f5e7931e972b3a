"""The numbers that a ROUTER gives its connections: unpredictable, and told from those that peers choose.

libzmq 4.3 counts them up from C's rand(), which nobody seeds, and lets a peer choose its own: a peer that
chooses the number that is next ends the whole process with a failed assertion.
"""

import ctypes
import secrets
from contextlib import suppress
from typing import Final

import zmq

from shared.link.sockets import Context, Socket

_MODULUS: Final = 2**32
_AHEAD: Final = 1024  # connections whose frames may come before the news of them
_PATIENCE_MS: Final = 5_000


def new_router(context: Context) -> Socket:
    """A ROUTER that begins to count where nobody can foresee it."""
    with suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).srand(ctypes.c_uint(secrets.randbits(32)))
    return context.socket(zmq.ROUTER)


class Routes:
    """Where the count of `router`, which has no connection yet, begins: learnt from one of our own."""

    def __init__(self, context: Context, router: Socket) -> None:
        address = f"inproc://routes-{id(router)}"
        router.bind(address)
        with context.socket(zmq.DEALER) as own:
            own.set(zmq.LINGER, 0)
            own.connect(address)
            own.send(b"")
            if not router.poll(_PATIENCE_MS):
                raise RuntimeError("libzmq does not deliver within this process")
            route, _ = router.recv_multipart()
        router.unbind(address)
        self._first = _number(route)

    def counted(self, route: bytes, connections: int) -> bool:
        """Whether the router may have given this number itself, after so many connections."""
        if len(route) != 5 or route[0]:
            return False
        return (_number(route) - self._first) % _MODULUS <= connections + _AHEAD


def _number(route: bytes) -> int:
    return int.from_bytes(route[1:], "big")
