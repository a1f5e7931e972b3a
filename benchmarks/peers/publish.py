"""One publisher against one of the peers, each in processes and files of its own."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Literal

from benchmarks.make.payloads import Kind
from benchmarks.peers import brokers
from benchmarks.processes import module
from shared.link.keys import load_or_create

Peer = Literal["link", "mosquitto", "nats", "nats_always"]
PEERS: Final[tuple[Peer, ...]] = ("link", "mosquitto", "nats", "nats_always")


def publish(root: Path, peer: str, how: str, kind: Kind, count: int) -> dict[str, Any]:
    """What the publisher says (see benchmarks.ends.publisher), and the broker's `version`."""
    with _target(root, peer) as (words, version):
        done = subprocess.run(
            module("benchmarks.ends.publisher", words[0], how, kind, str(count), *words[1:]),
            stdout=subprocess.PIPE,
            text=True,
            check=False,
            timeout=600,
        )
    if done.returncode:
        raise RuntimeError(f"the publisher ({peer}, {kind}) failed, see above")
    return {**json.loads(done.stdout), "version": version}


@contextmanager
def _target(root: Path, peer: str) -> Iterator[tuple[list[str], str]]:
    """What the publisher is told of the peer while it runs."""
    if peer == "link":
        with _link(root) as (endpoint, public):
            yield ["link", endpoint, public, str(root)], ""
        return
    opened = (
        brokers.mosquitto(root) if peer == "mosquitto" else brokers.nats(root, always=peer == "nats_always")
    )
    with opened as broker:
        name = "mosquitto" if peer == "mosquitto" else "nats"
        yield [name, str(broker.port), str(broker.certificate)], broker.version


@contextmanager
def _link(root: Path) -> Iterator[tuple[str, str]]:
    """A receiving end that keeps what comes; its endpoint and public key."""
    keys = load_or_create(root, "sender")
    receiver = subprocess.Popen(
        module("benchmarks.ends.receiver", "kept", str(root), keys.public),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with receiver:
        assert receiver.stdin and receiver.stdout
        endpoint, public = receiver.stdout.readline().split()
        try:
            yield endpoint, public
        finally:
            receiver.stdin.close()
