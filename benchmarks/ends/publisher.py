"""A sending end for any of the peers: `python -m benchmarks.ends.publisher PEER HOW KIND COUNT TARGET...`.

PEER is `link ENDPOINT PUBLIC FOLDER`, `mosquitto PORT CERTIFICATE` or `nats PORT CERTIFICATE`; HOW is
`stream`, with at most `WINDOW` unacknowledged, or `single`, each waiting for the one before it. Prints JSON:
seconds for all of it, each one's own seconds where it waited, bytes sent, and how many the other end kept.
"""

import asyncio
import itertools
import json
import logging
import random
import ssl
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, cast

from benchmarks.make.payloads import Kind, payloads
from shared.link.client import LinkClient
from shared.link.frames import WINDOW
from shared.link.keys import load_or_create
from shared.link.spool import Spool
from shared.storage import reader

How = Literal["stream", "single"]
TOPIC: Final = "school/one"
PATIENCE: Final = 300.0


@dataclass(slots=True)
class Sent:
    """What came of it."""

    seconds: float = 0.0
    each: list[float] = field(default_factory=list)
    size: int = 0
    kept: int = 0


def link(how: How, bodies: Iterator[bytes], endpoint: str, public: str, folder: str) -> Sent:
    """By our link, from memory as a collector sends."""
    feed, place, sent = Spool(), Path(folder), Sent()
    client = LinkClient(endpoint, public, load_or_create(place, "sender"), "bytes", feed, random.Random(1))
    client.start()
    feed.opened(timeout=30)
    began = time.perf_counter()
    for number, body in enumerate(bodies):
        start = time.perf_counter()
        feed.put(body, b"%d" % number)
        if how == "single":
            feed.flush(timeout=PATIENCE)
            sent.each.append(time.perf_counter() - start)
    if not feed.flush(timeout=PATIENCE):
        raise RuntimeError("the receiver did not acknowledge everything")
    sent.seconds = time.perf_counter() - began
    client.stop()
    store = reader(place / "received.db")
    (sent.kept,) = store.execute("SELECT count(*) FROM batches").fetchone()
    store.close()
    return sent


def mosquitto(how: How, bodies: Iterator[bytes], port: str, certificate: str) -> Sent:
    """By MQTT, quality of service 1, to a broker that keeps everything for a subscriber who is away."""
    _subscriber(port, certificate, None)
    sent = Sent()
    free, acknowledged = threading.Semaphore(WINDOW), threading.Semaphore(0)

    def settled(*_: object) -> None:
        free.release()
        acknowledged.release()

    client = _mqtt("publisher", port, certificate, True)
    client.on_publish = settled
    client.loop_start()
    count = 0
    began = time.perf_counter()
    for body in bodies:
        start = time.perf_counter()
        free.acquire()
        client.publish(TOPIC, body, qos=1)
        count += 1
        if how == "single":
            acknowledged.acquire()
            sent.each.append(time.perf_counter() - start)
    for _ in range(0 if how == "single" else count):
        acknowledged.acquire()
    sent.seconds = time.perf_counter() - began
    client.disconnect()
    client.loop_stop()
    sent.kept = _subscriber(port, certificate, count)
    return sent


def _mqtt(name: str, port: str, certificate: str, clean: bool) -> Any:
    from paho.mqtt.client import Client
    from paho.mqtt.enums import CallbackAPIVersion

    client = Client(CallbackAPIVersion.VERSION2, name, clean_session=clean)
    client.tls_set(certificate)
    client.max_inflight_messages_set(WINDOW)
    client.connect("127.0.0.1", int(port))
    return client


def _subscriber(port: str, certificate: str, count: int | None) -> int:
    """Subscribe and go away; with a `count`, come back and take what was kept, up to so many."""
    client = _mqtt("subscriber", port, certificate, False)
    came, subscribed = threading.Semaphore(0), threading.Event()
    client.on_message = lambda *_: came.release()
    client.on_subscribe = lambda *_: subscribed.set()
    client.loop_start()
    taken = 0
    if count is None:
        client.subscribe(TOPIC, qos=1)
        if not subscribed.wait(10):
            raise RuntimeError("the broker took no subscription")
    while count is not None and taken < count and came.acquire(timeout=10):
        taken += 1
    client.disconnect()
    client.loop_stop()
    return taken


def nats(how: How, bodies: Iterator[bytes], port: str, certificate: str) -> Sent:
    """By JetStream, into a stream on files."""
    return asyncio.run(_nats(how, bodies, port, certificate))


async def _nats(how: How, bodies: Iterator[bytes], port: str, certificate: str) -> Sent:
    from nats.aio.client import Client

    logging.getLogger("asyncio").setLevel(logging.ERROR)  # it warns of how the client ends a TLS connection
    server, sent = Client(), Sent()
    await server.connect(f"tls://127.0.0.1:{port}", tls=ssl.create_default_context(cafile=certificate))
    stream = server.jetstream(publish_async_max_pending=WINDOW)
    await stream.add_stream(name="school", subjects=["school"])
    waiting = []
    began = time.perf_counter()
    for body in bodies:
        start = time.perf_counter()
        if how == "single":
            await stream.publish("school", body)
            sent.each.append(time.perf_counter() - start)
        else:
            waiting.append(await stream.publish_async("school", body, wait_stall=PATIENCE))
    await asyncio.gather(*waiting)
    sent.seconds = time.perf_counter() - began
    sent.kept = (await stream.stream_info("school")).state.messages
    await server.close()
    return sent


PEERS: Final = {"link": link, "mosquitto": mosquitto, "nats": nats}


def main(peer: str, how: str, kind: str, count: str, *target: str) -> None:
    """Send, and say what came of it."""
    different = payloads(cast(Kind, kind))
    bodies = list(itertools.islice(itertools.cycle(different), int(count)))
    sent = PEERS[peer](cast(How, how), iter(bodies), *target)  # type: ignore[operator]
    sent.size = sum(map(len, bodies))
    print(json.dumps(asdict(sent)))


if __name__ == "__main__":
    main(*sys.argv[1:])
