"""Many schools in one process: `python -m benchmarks.ends.fleet FILE`, each with its own socket and keys.

The link's own sending machine speaks for each; only the thread is shared, and what is sent lies in memory.
FILE says where the hub is, the schools' keys, and what waits in each. Prints a line when it begins to
connect, and at the end, as JSON, seconds from the first connection to the last acknowledgement.
"""

import json
import random
import sys
import time
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import zmq

from shared.link.dialling import Line, LineEvent
from shared.link.frames import Batch, decode_to_sender, encode
from shared.link.keys import KeyPair
from shared.link.sender import Instruction, Pace, Resume, Say, Sender, SetAside, Settled, Transmit

EPOCH = 1


class Fleet(msgspec.Struct):
    """What FILE holds, as msgpack: keys are public and secret halves, `waiting` records by school."""

    address: str
    public: str
    keys: list[tuple[str, bytes]]
    waiting: list[list[bytes]]


@dataclass(slots=True)
class School:
    """One school's end of the link."""

    line: Line
    machine: Sender
    payloads: Sequence[bytes]
    acked: int = 0
    aside: int = 0

    def hear(self) -> None:
        """Take in what came, and answer it."""
        now = time.monotonic()
        for event in self.line.events():
            if event is LineEvent.UP:
                self.carry_out(self.machine.up(now))
            elif event is LineEvent.DOWN:
                self.carry_out(self.machine.down())
            else:
                raise RuntimeError(f"the hub and a school do not know each other: {event}")
        for data in self.line.frames():
            self.carry_out(self.machine.received(decode_to_sender(data), now))

    def carry_out(self, instructions: Iterable[Instruction]) -> None:
        """What shared.link.client does with a feed, with a list."""
        queue = deque(instructions)
        while queue:
            match queue.popleft():
                case Say(frame):
                    self.line.send(encode(frame))
                case Transmit(first, last):
                    for seq in range(first, last + 1):
                        self.line.send(encode(Batch(EPOCH, seq, self.payloads[seq - 1])))
                case Settled(seq):
                    self.acked = seq
                case SetAside():
                    self.aside += 1
                case Resume(last_seq):
                    queue.extend(self.machine.resumed(last_seq, len(self.payloads), time.monotonic()))

    @property
    def done(self) -> bool:
        """Whether the hub has everything."""
        return self.acked == len(self.payloads)


def main(fleet: Fleet) -> dict[str, float]:
    """Connect all at once, and send until everything is acknowledged."""
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    context.set(zmq.MAX_SOCKETS, 8 * len(fleet.keys) + 64)
    poller = zmq.Poller()
    by_socket: dict[Any, School] = {}
    print("connecting", flush=True)
    began = time.perf_counter()
    for number, ((public, secret), own) in enumerate(zip(fleet.keys, fleet.waiting, strict=True)):
        line = Line(context, fleet.address, fleet.public, KeyPair(public, secret))
        machine = Sender("records", EPOCH, random.Random(number), Pace())
        line.register(poller)
        by_socket[line.socket] = by_socket[line.monitor] = School(line, machine, own)
    schools = {id(school): school for school in by_socket.values()}
    while schools:
        for socket in {id(by_socket[socket]): socket for socket, _ in poller.poll(200)}.values():
            by_socket[socket].hear()
        now = time.monotonic()
        for key, school in list(schools.items()):
            school.carry_out(school.machine.tick(now))
            if school.done:
                del schools[key]
    seconds = time.perf_counter() - began
    aside = sum(school.aside for school in {id(school): school for school in by_socket.values()}.values())
    return {"seconds": seconds, "aside": aside}


if __name__ == "__main__":
    print(json.dumps(main(msgspec.msgpack.decode(Path(sys.argv[1]).read_bytes(), type=Fleet))))
