"""A receiver of many peers: `python -m benchmarks.ends.crowded guarded|bare FOLDER KEYS`, told what to do.

KEYS has a public key a line. Prints its endpoint and public key. `hold` on standard input: it stands still,
as in a commit on a disk that does not answer; `go`: it goes on. At the end of input: its counters.
`bare` is a ROUTER behind CURVE as it comes, which answers each frame and keeps nothing.
"""

import json
import sqlite3
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import zmq

from shared.errors import BadInput
from shared.link import ledger
from shared.link.frames import Ack, encode
from shared.link.keys import KeyPair
from shared.link.limits import GUARDED
from shared.link.outcomes import Delivery, Outcome, Standing
from shared.link.quota import STRICT
from shared.link.server import LinkServer
from shared.storage import Writer

# A thousand peers share one machine's loopback here: with a hub's own quota none of them could exceed it.
LIMITS = replace(
    GUARDED,
    strangers=2048,
    quota=replace(STRICT, batches_per_second=1.0, bytes_per_second=4096.0, burst_s=30.0),
)


class Store:
    """An inbox that remembers where each stream stands and how many bytes came."""

    def __init__(self, path: Path, keys: Sequence[str], free: threading.Event) -> None:
        self._writer = Writer(path, [ledger.create_tables])
        self._known = {key: str(number) for number, key in enumerate(keys)}
        self._free = free

    def enrolments(self) -> Mapping[str, str]:
        """All keys."""
        return self._known

    def inviting(self) -> bool:
        """Never."""
        return False

    def join(self, public_key: str, secret: bytes, name: str) -> str:
        """Never."""
        raise BadInput("not_inviting")

    def hello(self, enrolment: str, stream: str, epoch: int) -> Standing:
        """How the stream stands."""
        return self._writer.run(lambda own: ledger.hello(own, enrolment, stream, epoch))

    def deliver(self, deliveries: Sequence[Delivery]) -> Sequence[Outcome]:
        """Once, on disk, and not while it is held."""
        self._free.wait()
        return self._writer.run(lambda own: ledger.deliver_in_transaction(own, deliveries, _nothing))

    def close(self) -> None:
        """Let the file go."""
        self._writer.close()


def _nothing(connection: sqlite3.Connection, delivery: Delivery) -> None:
    """What the batch says is not this measurement's matter."""


def guarded(folder: Path, keys: Sequence[str]) -> None:
    """Receive by the link, with a hub's limits."""
    free = threading.Event()
    free.set()
    pair = KeyPair.new()
    store = Store(folder / "crowded.db", keys, free)
    server = LinkServer("tcp://127.0.0.1:*", pair, store, LIMITS)
    server.start()
    print(server.endpoint, pair.public, flush=True)
    _obey(free)
    counters = server.counters
    server.stop()
    store.close()
    print(json.dumps(counters), flush=True)


def bare() -> None:
    """Receive by a ROUTER with libzmq's own defaults."""
    free = threading.Event()
    free.set()
    pair = KeyPair.new()
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    router = context.socket(zmq.ROUTER)
    router.curve_server = 1
    router.curve_publickey, router.curve_secretkey = pair.public.encode(), pair.secret
    router.bind("tcp://127.0.0.1:*")
    print(router.get_string(zmq.LAST_ENDPOINT), pair.public, flush=True)
    threading.Thread(target=_answer, args=(router, free), daemon=True).start()
    _obey(free)
    print(json.dumps({}), flush=True)


def _answer(router: "zmq.Socket[bytes]", free: threading.Event) -> None:
    answer = encode(Ack(1, 1))
    while True:
        route, _ = router.recv_multipart(copy=False)
        router.send_multipart([route.bytes, answer])
        free.wait()


def _obey(free: threading.Event) -> None:
    for line in sys.stdin:
        if line.strip() == "hold":
            free.clear()
        else:
            free.set()
    free.set()


if __name__ == "__main__":
    kind, place, file = sys.argv[1:]
    if kind == "guarded":
        guarded(Path(place), Path(file).read_text().split())
    else:
        bare()
