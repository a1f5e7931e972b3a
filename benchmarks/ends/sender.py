"""A sending end: `python -m benchmarks.ends.sender intake|spool|outbox|raw ENDPOINT KEY FOLDER COUNT`.

Its own key lies in FOLDER. Sends COUNT batches of real signals and prints, as JSON, seconds from the first
one handed over to the last one acknowledged, and how many signals a batch has.
"""

import itertools
import json
import random
import sqlite3
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final

import zmq

from benchmarks.make.batches import signal_batches
from edge_agent.placing import parcel
from shared.link import outbox
from shared.link.client import LinkClient
from shared.link.keys import KeyPair, load_or_create
from shared.link.outbox_feed import OutboxFeed
from shared.link.spool import Spool
from shared.storage import LARGE_PAGE, Writer

DIFFERENT: Final = 16
A_TRANSACTION: Final = 8


def spool(endpoint: str, public: str, folder: Path, payloads: Iterator[bytes]) -> float:
    """As a collector sends: from memory, the source's position with each batch."""
    feed = Spool()
    client = LinkClient(endpoint, public, load_or_create(folder, "sender"), "signals", feed, random.Random(1))
    client.start()
    feed.opened(timeout=30)
    began = time.perf_counter()
    for number, payload in enumerate(payloads):
        feed.put(payload, b"%d" % number)
    if not feed.flush(timeout=300):
        raise RuntimeError("the receiver did not acknowledge everything")
    seconds = time.perf_counter() - began
    client.stop()
    return seconds


def from_outbox(endpoint: str, public: str, folder: Path, payloads: Iterator[bytes]) -> float:
    """As an agent sends: accepted on disk first, a few in one transaction, settled on disk afterwards."""
    writer = Writer(folder / "outbox.db", [outbox.create_tables], LARGE_PAGE)
    feed = OutboxFeed(writer)
    client = LinkClient(endpoint, public, load_or_create(folder, "sender"), "signals", feed, random.Random(1))
    client.start()
    while client.state.name != "connected":
        time.sleep(0.01)
    began = time.perf_counter()
    while group := list(itertools.islice(payloads, A_TRANSACTION)):
        writer.run(partial(_append, group=group))
        feed.wake()
    while writer.run(lambda own: outbox.counts(own).pending):
        time.sleep(0.005)
    seconds = time.perf_counter() - began
    client.stop()
    writer.close()
    return seconds


def _append(connection: sqlite3.Connection, group: list[bytes]) -> None:
    for payload in group:
        outbox.append(connection, "signals", payload)


def raw(endpoint: str, public: str, payloads: list[bytes], count: int) -> float:
    """By a bare DEALER behind CURVE."""
    keys = KeyPair.new()
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    dealer = context.socket(zmq.DEALER)
    dealer.curve_serverkey = public.encode()
    dealer.curve_publickey, dealer.curve_secretkey = keys.public.encode(), keys.secret
    dealer.connect(endpoint)
    dealer.send(b"0")
    dealer.recv()
    began = time.perf_counter()
    for number in range(count):
        dealer.send(payloads[number % len(payloads)], copy=False)
    dealer.send(b"%d" % count)
    dealer.recv()
    seconds = time.perf_counter() - began
    context.destroy(linger=0)
    return seconds


def _parcel(batch: bytes) -> parcel.Parcel:
    """As a collector makes it of a chunk in which everything had its place."""
    return parcel.Parcel("dnsmasq", "resolver", [batch], 1, None, {}, [], [], [])


def main(mode: str, endpoint: str, public: str, folder: str, count: str) -> None:
    """Send, and say how long it took."""
    payloads, signals = signal_batches(DIFFERENT)
    endless = itertools.islice(itertools.cycle(payloads), int(count))
    match mode:
        case "intake":
            parcels = (parcel.encode(_parcel(batch)) for batch in endless)
            seconds = spool(endpoint, public, Path(folder), parcels)
        case "spool":
            seconds = spool(endpoint, public, Path(folder), endless)
        case "outbox":
            seconds = from_outbox(endpoint, public, Path(folder), endless)
        case _:
            seconds = raw(endpoint, public, payloads, int(count))
    print(json.dumps({"seconds": seconds, "signals": signals, "bytes": len(payloads[0])}))


if __name__ == "__main__":
    main(*sys.argv[1:])
