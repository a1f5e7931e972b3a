"""A bad wire between two network namespaces: `python -m tests.end_to_end.wire LEFT RIGHT SEED`.

Opens a TUN device named `wire` in each namespace, says `ready`, and carries IP packets from one to the other
with loss, delay, jitter, reordering and duplicates. Standard input takes `cut` and `mend`, each answered
with itself; at its end the counts are printed as JSON. Needs root and /dev/net/tun.
"""

import ctypes
import fcntl
import heapq
import json
import os
import random
import select
import struct
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

DEVICE = "wire"
MTU = 1500
_TUNSETIFF = 0x400454CA
_IFF_TUN, _IFF_NO_PI = 0x0001, 0x1000
_CLONE_NEWNET = 0x40000000


@dataclass(frozen=True)
class Weather:
    """Shares of packets, and seconds: each is late by `delay` plus or minus up to `jitter`.

    One of `reorder` waits `straggle` longer, so that those sent after it come before it.
    """

    loss: float = 0.05
    duplicate: float = 0.01
    reorder: float = 0.05
    delay: float = 0.040
    jitter: float = 0.020
    straggle: float = 0.030

    def arrivals(self, rng: random.Random) -> list[float]:
        """In how many seconds a packet arrives: never, once or twice."""
        if rng.random() < self.loss:
            return []
        copies = 2 if rng.random() < self.duplicate else 1
        return [
            self.delay
            + rng.uniform(-self.jitter, self.jitter)
            + (self.straggle if rng.random() < self.reorder else 0.0)
            for _ in range(copies)
        ]


class Wire:
    """Two TUN devices and what is on its way between them; `counts` say what became of the packets."""

    def __init__(self, ends: tuple[int, int], weather: Weather, rng: random.Random) -> None:
        self.counts: Counter[str] = Counter()
        self._ends = ends
        self._weather = weather
        self._rng = rng
        self._cut = False
        self._sent = 0
        self._newest = [0, 0]  # by direction: the newest packet that has arrived
        self._flying: list[tuple[float, int, int, bytes]] = []

    def cut(self) -> None:
        """From now on nothing arrives, not even what is on its way."""
        self._cut = True
        self.counts["lost_in_partition"] += len(self._flying)
        self._flying.clear()

    def mend(self) -> None:
        """As before the cut."""
        self._cut = False

    def wait(self) -> float | None:
        """Seconds until the next packet arrives; None if none is on its way."""
        return max(0.0, self._flying[0][0] - time.monotonic()) if self._flying else None

    def take(self, side: int) -> None:
        """Everything that waits at one end goes on its way, or is lost."""
        while True:
            try:
                packet = os.read(self._ends[side], 2 * MTU)
            except BlockingIOError:
                return
            self._sent += 1
            self.counts["sent"] += 1
            if self._cut:
                self.counts["lost_in_partition"] += 1
                continue
            arrivals = self._weather.arrivals(self._rng)
            self.counts["lost"] += not arrivals
            self.counts["doubled"] += len(arrivals) == 2
            for late in arrivals:
                heapq.heappush(self._flying, (time.monotonic() + late, self._sent, side, packet))

    def deliver(self) -> None:
        """Everything whose time has come arrives at the other end."""
        while self._flying and self._flying[0][0] <= time.monotonic():
            _, number, side, packet = heapq.heappop(self._flying)
            self.counts["overtaken"] += number < self._newest[side]
            self._newest[side] = max(self._newest[side], number)
            with suppress(OSError):  # a full queue loses packets, and so does an end that is not up yet
                os.write(self._ends[1 - side], packet)


def enter(namespace: str) -> None:
    """Move this thread, and no other, into a namespace that `ip netns` made."""
    libc = ctypes.CDLL(None, use_errno=True)
    with Path("/run/netns", namespace).open("rb") as file:
        if libc.setns(file.fileno(), _CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"cannot enter the namespace {namespace}")


def inside(namespace: str, work: Callable[[], T]) -> T:
    """What `work` gives when it is done by a thread that is in the namespace."""

    def within() -> T:
        enter(namespace)
        return work()

    # The thread ends with its pool, so that no later work finds itself in the namespace.
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(within).result()


def open_tun(namespace: str) -> int:
    """A TUN device in the namespace, as a descriptor that does not block."""

    def made() -> int:
        end = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(end, _TUNSETIFF, struct.pack("16sH22x", DEVICE.encode(), _IFF_TUN | _IFF_NO_PI))
        return end

    return inside(namespace, made)


def main(left: str, right: str, seed: str) -> None:
    """Carry packets until the end of standard input."""
    ends = open_tun(left), open_tun(right)
    wire = Wire(ends, Weather(), random.Random(int(seed)))
    print("ready", flush=True)  # noqa: T201 - the protocol with the test
    commands = {"cut": wire.cut, "mend": wire.mend}
    while True:
        readable, _, _ = select.select([*ends, sys.stdin], [], [], wire.wait())
        if sys.stdin in readable:
            word = sys.stdin.readline().strip()
            if not word:
                break
            commands[word]()
            print(word, flush=True)  # noqa: T201 - as above
        for side in (0, 1):
            if ends[side] in readable:
                wire.take(side)
        wire.deliver()
    print(json.dumps(wire.counts), flush=True)  # noqa: T201 - as above


if __name__ == "__main__":
    main(*sys.argv[1:])
