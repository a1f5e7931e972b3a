"""What every socket of the link has in common: addresses, CURVE, limits, and waking a waiting thread."""

import re
import threading
from contextlib import suppress
from typing import Any, Final

import zmq

from shared.errors import SettingsError
from shared.link.frames import MAX_FRAME, WINDOW
from shared.link.keys import KeyPair

HEARTBEAT_MS: Final = 5_000
SILENCE_MS: Final = 15_000  # a peer that says nothing for this long is gone
QUEUE: Final = 16  # frames waiting to be read in one connection
DOMAIN: Final = "link"

_ADDRESS: Final = re.compile(r"tcp://([A-Za-z0-9.-]+|\*|\[[0-9A-Fa-f:.]+\]):([0-9]{1,5}|\*)\Z")
Context = zmq.Context["zmq.Socket[bytes]"]
Socket = zmq.Socket[bytes]


def check_address(address: str, *, listening: bool = False) -> str:
    """The address, if it is one; `*` stands for any host or a free port where `listening`."""
    match = _ADDRESS.match(address)
    if not match or (not listening and "*" in match.groups()):
        raise SettingsError(f"`{address[:100]}` is no link address: write tcp://HOST:PORT")
    if match[2] != "*" and not 0 < int(match[2]) < 65536:
        raise SettingsError(f"`{address}` has no usable port: choose 1 to 65535")
    return address


def harden(socket: Socket, keys: KeyPair, address: str) -> None:
    """Our key, and every limit said aloud."""
    options: dict[int, Any] = {
        zmq.LINGER: 0,
        zmq.IPV6: int("[" in address),
        zmq.MAXMSGSIZE: MAX_FRAME,
        zmq.SNDHWM: 2 * WINDOW,
        zmq.RCVHWM: QUEUE,
        zmq.HANDSHAKE_IVL: 10_000,
        zmq.HEARTBEAT_IVL: HEARTBEAT_MS,
        zmq.HEARTBEAT_TIMEOUT: SILENCE_MS,
        zmq.HEARTBEAT_TTL: SILENCE_MS,
        zmq.TCP_KEEPALIVE: 1,
        zmq.TCP_KEEPALIVE_IDLE: 60,
        zmq.TCP_KEEPALIVE_INTVL: 20,
        zmq.TCP_KEEPALIVE_CNT: 3,
        zmq.CURVE_PUBLICKEY: keys.public.encode(),
        zmq.CURVE_SECRETKEY: keys.secret,
    }
    for option, value in options.items():
        socket.set(option, value)


class Waker:
    """Ends another thread's poll from any thread."""

    def __init__(self, context: Context) -> None:
        address = f"inproc://wake-{id(self)}"
        self.ear: Socket = context.socket(zmq.PULL)
        self.ear.bind(address)
        self._mouth: Socket = context.socket(zmq.PUSH)
        self._mouth.set(zmq.LINGER, 0)
        self._mouth.connect(address)
        self._lock = threading.Lock()
        self._called = False

    def __call__(self) -> None:
        """Wake the other thread; a call that is already under way is enough."""
        with self._lock:
            if not self._called and not self._mouth.closed:
                self._called = True
                self._mouth.send(b"", zmq.NOBLOCK)

    def drain(self) -> None:
        """The woken thread forgets the calls that it heeds after this; there is one message at most."""
        with suppress(zmq.Again):
            self.ear.recv(zmq.NOBLOCK)
        with self._lock:
            self._called = False

    def close(self) -> None:
        """No call after this one does anything."""
        with self._lock:
            self._mouth.close()
        self.ear.close()
