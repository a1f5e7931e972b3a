"""A receiving end: `python -m benchmarks.ends.receiver intake|durable|kept|raw FOLDER PEER_PUBLIC`.

Prints its endpoint and public key, then receives until the end of standard input. `intake` is the agent's
own, on the agent's store; `durable` checks every batch and acknowledges it when it is on disk, in one table;
`kept` does so with whatever comes; `raw` answers each message that says how many went before it.
"""

import sqlite3
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import sqlite_utils
import zmq

from edge_agent.intake.intake import IntakeInbox
from edge_agent.store.schema import MIGRATIONS
from models.catalogue.load import load_catalogue
from shared import signals
from shared.errors import BadInput
from shared.link import ledger
from shared.link.keys import KeyPair
from shared.link.outcomes import Delivery, Outcome, Standing
from shared.link.server import LinkServer
from shared.storage import LARGE_PAGE, Writer


def batches_table(db: sqlite_utils.Database) -> None:
    """Batches as they came."""
    db.table("batches").create({"id": int, "signals": int, "payload": bytes}, pk="id")


class Store:
    """An inbox with one table, for shared.link.server."""

    def __init__(self, path: Path, peer: str, *, checked: bool = True) -> None:
        self._writer = Writer(path, [ledger.create_tables, batches_table], LARGE_PAGE)
        self._peer = peer
        self._apps = len(load_catalogue().apps)
        self._checked = checked

    def enrolments(self) -> Mapping[str, str]:
        """The one peer."""
        return {self._peer: "school"}

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
        """On disk when it returns."""
        return self.begin(deliveries, lambda: None)()

    def begin(
        self, deliveries: Sequence[Delivery], ready: Callable[[], None]
    ) -> Callable[[], Sequence[Outcome]]:
        """As the agent's intake does it."""
        written = self._writer.submit(
            lambda own: ledger.deliver_in_transaction(own, deliveries, self._effect)
        )
        written.add_done_callback(lambda _: ready())
        return written.result

    def close(self) -> None:
        """Let the file go."""
        self._writer.close()

    def _effect(self, connection: sqlite3.Connection, delivery: Delivery) -> None:
        count = len(signals.decode(delivery.payload, apps=self._apps)) if self._checked else 0
        connection.execute(
            "INSERT INTO batches (signals, payload) VALUES (?, ?)", (count, delivery.payload)
        ).close()


def durable(folder: Path, peer: str, *, checked: bool = True) -> None:
    """Receive by the link."""
    keys = KeyPair.new()
    store = Store(folder / "received.db", peer, checked=checked)
    server = LinkServer("tcp://127.0.0.1:*", keys, store)
    server.start()
    _say(server.endpoint, keys.public)
    sys.stdin.read()
    server.stop()
    store.close()


def intake(folder: Path, peer: str) -> None:
    """Receive by the agent's own intake."""
    keys = KeyPair.new()
    writer = Writer(folder / "received.db", MIGRATIONS, LARGE_PAGE)
    inbox = IntakeInbox(writer, peer, len(load_catalogue().apps), lambda: None)
    server = LinkServer("tcp://127.0.0.1:*", keys, inbox)
    server.start()
    _say(server.endpoint, keys.public)
    sys.stdin.read()
    server.stop()
    writer.close()


def raw() -> None:
    """Receive by a bare ROUTER behind CURVE."""
    keys = KeyPair.new()
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    router = context.socket(zmq.ROUTER)
    router.curve_server = 1
    router.curve_publickey, router.curve_secretkey = keys.public.encode(), keys.secret
    router.bind("tcp://127.0.0.1:*")
    _say(router.get_string(zmq.LAST_ENDPOINT), keys.public)
    threading.Thread(target=_answer, args=(router,), daemon=True).start()
    sys.stdin.read()


def _answer(router: "zmq.Socket[bytes]") -> None:
    seen = 0
    while True:
        route, frame = router.recv_multipart(copy=False)
        if len(frame.buffer) > 16:
            seen += 1
        elif seen == int(frame.bytes):
            seen = 0
            router.send_multipart([route.bytes, b"all"])


def _say(endpoint: str, public: str) -> None:
    sys.stdout.write(f"{endpoint} {public}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    mode, place, other = sys.argv[1:]
    if mode == "raw":
        raw()
    elif mode == "intake":
        intake(Path(place), other)
    else:
        durable(Path(place), other, checked=mode == "durable")
