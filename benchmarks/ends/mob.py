"""Many peers in one process, told what to do: `python -m benchmarks.ends.mob ADDRESS PUBLIC KEYS`.

KEYS has the peers' public and secret keys, one pair a line. On standard input: `connect`: each says HELLO and
hears an answer; `send N BYTES`: each sends N batches and hears that all are taken; `flood N BYTES`: each
pushes N batches that come too early, as fast as they go, whatever it hears. Prints `done` after each: after a
flood when nothing more has gone out for a while.
"""

import sys
import time
from pathlib import Path

import zmq

from shared.link.frames import Ack, Batch, Hello, decode_to_sender, encode
from shared.link.keys import KeyPair
from shared.link.sockets import harden

PATIENCE_S = 20.0
STILL_S = 1.5
QUEUE = 2  # so that what is sent is on its way


class Mob:
    """All peers."""

    def __init__(self, address: str, public: str, keys: list[KeyPair]) -> None:
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._context.set(zmq.MAX_SOCKETS, 2 * len(keys) + 64)
        self._peers = []
        self._poller = zmq.Poller()
        for pair in keys:
            peer = self._context.socket(zmq.DEALER)
            harden(peer, pair, address)
            peer.set(zmq.CURVE_SERVERKEY, public.encode())
            peer.set(zmq.SNDHWM, QUEUE)
            peer.connect(address)
            self._peers.append(peer)
            self._poller.register(peer, zmq.POLLIN)

    def connect(self) -> None:
        """Each says HELLO and is answered."""
        for peer in self._peers:
            peer.send(encode(Hello(1, "records", 1, 7)))
        self._hear(1, every=True)

    def send(self, count: int, size: int) -> None:
        """Each sends `count` batches, which must fit a window, and waits until all are taken."""
        for seq in range(1, count + 1):
            frame = encode(Batch(1, seq, bytes(size)))
            for peer in self._peers:
                peer.send(frame)
        self._hear(count, every=False)

    def flood(self, count: int, size: int) -> None:
        """Each pushes `count` batches that no receiver is waiting for."""
        frame = zmq.Frame(encode(Batch(1, 1_000_000, bytes(size))))
        left = dict.fromkeys(range(len(self._peers)), count)
        end, still = time.monotonic() + PATIENCE_S, time.monotonic() + STILL_S
        while left and (now := time.monotonic()) < min(end, still):
            for number in list(left):
                try:
                    self._peers[number].send(frame, zmq.NOBLOCK, copy=False)
                except zmq.Again:
                    continue
                still = now + STILL_S
                left[number] -= 1
                if not left[number]:
                    del left[number]
            time.sleep(0.001)
        time.sleep(0.5)

    def _hear(self, count: int, *, every: bool) -> None:
        """Until each peer has heard so many answers, or that so many batches are taken."""
        left = dict.fromkeys(self._peers, count)
        end = time.monotonic() + PATIENCE_S
        while left:
            if time.monotonic() > end:
                raise RuntimeError(f"{len(left)} peers heard nothing")
            for peer, _ in self._poller.poll(1000):
                frame = decode_to_sender(peer.recv())
                if peer not in left:
                    continue
                taken = frame.seq if isinstance(frame, Ack) and not every else 0
                left[peer] -= 1
                if left[peer] == 0 or taken == count:
                    del left[peer]


def main(address: str, public: str, file: str) -> None:
    """Obey until the end of input."""
    pairs = [line.split(" ") for line in Path(file).read_text().splitlines()]
    mob = Mob(address, public, [KeyPair(own, secret.encode()) for own, secret in pairs])
    for line in sys.stdin:
        what, *numbers = line.split()
        match what:
            case "connect":
                mob.connect()
            case "send":
                mob.send(*map(int, numbers))
            case "flood":
                mob.flood(*map(int, numbers))
        print("done", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
