"""Many schools in one process: `python -m benchmarks.ends.fleet FILE`, each with its own socket and keys.

The link's own sending machine speaks for each; only the thread is shared, and what is sent lies in memory,
each record with the entry of the school's log that goes with it. The fleet is made to cost little, since it
takes its part of the same processors: it looks at a socket when the kernel says so.

FILE says where the hub is, the schools' keys, and what waits in each. Prints a line when it begins to
connect, and at the end, as JSON, seconds from the first connection to the last acknowledgement, the
processor seconds that the fleet itself took, how many records were set aside and connections cut, and how
often a record was sent.
"""

import json
import random
import select
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
import zmq

from shared.link.dialling import Line, LineEvent
from shared.link.frames import Batch, decode_to_sender, encode
from shared.link.keys import KeyPair
from shared.link.sender import Instruction, Pace, Resume, Say, Sender, SetAside, Settled, Transmit

EPOCH: Final = 1
_SWEEP_S: Final = 0.25  # how often clocks are told the time


class Fleet(msgspec.Struct):
    """What FILE holds, as msgpack: keys are public and secret halves, `waiting` records by school.

    A record comes with its position on the link.
    """

    address: str
    public: str
    keys: list[tuple[str, bytes]]
    waiting: list[list[tuple[bytes, bytes]]]


@dataclass(slots=True)
class School:
    """One school's end of the link."""

    line: Line
    machine: Sender
    waiting: Sequence[tuple[bytes, bytes]]
    acked: int = 0
    aside: int = 0
    cut: int = 0
    sent: int = 0

    def look(self) -> None:
        """What became of the connection."""
        now = time.monotonic()
        for event in self.line.events():
            if event is LineEvent.UP:
                self.carry_out(self.machine.up(now))
            elif event is LineEvent.REFUSED:
                raise RuntimeError("the hub does not know a school's key")
            else:  # a hub at whose door too many stand cuts handshakes off: the line dials again by itself
                self.cut += 1
                self.carry_out(self.machine.down())
        self.hear()

    def hear(self) -> None:
        """Take in what came, and answer it, until nothing waits."""
        now = time.monotonic()
        while True:
            try:
                data = self.line.socket.recv(zmq.NOBLOCK)
            except zmq.Again:
                return
            self.carry_out(self.machine.received(decode_to_sender(data), now))

    def carry_out(self, instructions: Iterable[Instruction]) -> None:
        """What shared.link.client does with a feed, with a list."""
        queue = deque(instructions)
        while queue:
            match queue.popleft():
                case Say(frame):
                    self.line.send(encode(frame))
                case Transmit(first, last):
                    self.sent += last - first + 1
                    for seq in range(first, last + 1):
                        self.line.send(encode(Batch(EPOCH, seq, *self.waiting[seq - 1])))
                case Settled(seq):
                    self.acked = seq
                case SetAside():
                    self.aside += 1
                case Resume(last_seq):
                    self.acked = last_seq
                    queue.extend(self.machine.resumed(last_seq, len(self.waiting), time.monotonic()))

    @property
    def done(self) -> bool:
        """Whether the hub has everything."""
        return self.acked == len(self.waiting)


def main(fleet: Fleet) -> dict[str, float]:
    """Connect all at once, and send until everything is acknowledged."""
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    context.set(zmq.MAX_SOCKETS, 8 * len(fleet.keys) + 64)
    ears = select.epoll()
    ready: dict[int, Callable[[], None]] = {}
    schools = []
    print("connecting", flush=True)
    began, used = time.perf_counter(), time.process_time()
    for number, ((public, secret), own) in enumerate(zip(fleet.keys, fleet.waiting, strict=True)):
        line = Line(context, fleet.address, fleet.public, KeyPair(public, secret))
        school = School(line, Sender("records", EPOCH, random.Random(number), Pace()), own)
        schools.append(school)
        for socket, action in ((line.socket, school.hear), (line.monitor, school.look)):
            descriptor = int(socket.get(zmq.FD))
            ears.register(descriptor, select.EPOLLIN)
            ready[descriptor] = action
    busy, swept = schools, began
    while busy:
        for descriptor, _ in ears.poll(_SWEEP_S):
            ready[descriptor]()
        if time.perf_counter() - swept >= _SWEEP_S or all(school.done for school in busy):
            busy = [school for school in busy if not school.done]
            for school in busy:
                school.carry_out(school.machine.tick(time.monotonic()))
                school.look()
            swept = time.perf_counter()
    return {
        "seconds": time.perf_counter() - began,
        "fleet_cpu_seconds": time.process_time() - used,
        "aside": sum(school.aside for school in schools),
        "cut": sum(school.cut for school in schools),
        "sent": sum(school.sent for school in schools),
    }


if __name__ == "__main__":
    print(json.dumps(main(msgspec.msgpack.decode(Path(sys.argv[1]).read_bytes(), type=Fleet))))
