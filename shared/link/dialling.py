"""A DEALER on the way to one receiver, with the monitor that alone tells how the handshake went."""

from collections.abc import Iterator
from enum import Enum
from typing import Final

import zmq
from zmq.utils.monitor import recv_monitor_message

from shared.errors import SettingsError
from shared.link.keys import KeyPair
from shared.link.sockets import Context, Socket, harden


class LineEvent(Enum):
    """What became of the connection."""

    UP = "up"
    DOWN = "down"
    REFUSED = "refused"  # the receiver does not know our key
    STRANGE = "strange"  # no handshake: another key, or no link at all


_EVENTS: Final = {
    zmq.EVENT_HANDSHAKE_SUCCEEDED: LineEvent.UP,
    zmq.EVENT_DISCONNECTED: LineEvent.DOWN,
    zmq.EVENT_HANDSHAKE_FAILED_AUTH: LineEvent.REFUSED,
    zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL: LineEvent.STRANGE,
    zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL: LineEvent.STRANGE,
}
_TEMPORARY: Final = 300  # the ZAP code for `try again`


class Line:
    """Connects by itself and connects again when the connection goes."""

    def __init__(self, context: Context, address: str, server_public: str, keys: KeyPair) -> None:
        self.socket: Socket = context.socket(zmq.DEALER)
        self.monitor: Socket = self.socket.get_monitor_socket(sum(_EVENTS))
        try:
            harden(self.socket, keys, address)
            self.socket.set(zmq.CURVE_SERVERKEY, server_public.encode())
            # Queue nothing for a connection that does not stand: what to send is decided after HELLO.
            self.socket.set(zmq.IMMEDIATE, 1)
            self.socket.set(zmq.RECONNECT_IVL, 200)
            self.socket.set(zmq.RECONNECT_IVL_MAX, 5_000)
            self.socket.set(zmq.CONNECT_TIMEOUT, 10_000)
            self.socket.connect(address)
        except zmq.ZMQError as error:
            self.close()
            raise SettingsError(f"cannot dial {address}: {error.strerror}; check address and key") from None

    def register(self, poller: zmq.Poller) -> None:
        """Let the poller watch both sockets."""
        poller.register(self.socket, zmq.POLLIN)
        poller.register(self.monitor, zmq.POLLIN)

    def send(self, data: bytes) -> bool:
        """Whether the frame is on its way; never waits."""
        try:
            self.socket.send(data, zmq.NOBLOCK)
        except zmq.Again:
            return False
        return True

    def frames(self) -> Iterator[bytes]:
        """Every frame that waits; those of several parts are not ours and are passed over."""
        while self.socket.poll(0):
            parts = self.socket.recv_multipart()
            if len(parts) == 1:
                yield parts[0]

    def events(self) -> Iterator[LineEvent]:
        """Everything that became of the connection since the last call."""
        while self.monitor.poll(0):
            message = recv_monitor_message(self.monitor)
            event = _EVENTS[zmq.Event(message["event"])]
            if event is LineEvent.REFUSED and message["value"] == _TEMPORARY:
                event = LineEvent.DOWN
            yield event

    def close(self) -> None:
        """Hang up."""
        self.socket.disable_monitor()
        self.monitor.close(linger=0)
        self.socket.close(linger=0)
