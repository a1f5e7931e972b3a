"""Beside budget 4: the same bytes, acknowledged, through the link, Mosquitto and NATS JetStream."""

import itertools
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from benchmarks.harness import Row, Size, big, interleaved, median, prose, times
from benchmarks.machine import WORK
from benchmarks.make.payloads import Kind
from benchmarks.peers.publish import PEERS, publish

COUNTS: Final[dict[Size, dict[Kind, int]]] = {
    "quick": {"batches": 150, "records": 1500},
    "full": {"batches": 1000, "records": 10_000},
}
ROUNDS: Final = {"quick": 1, "full": 3}
KINDS: Final[tuple[Kind, ...]] = ("batches", "records")
SYNCED: Final = "nats_always"  # the one that promises on acknowledging what we promise


def measure(size: Size) -> Row:
    """The row."""
    found: dict[tuple[str, Kind], dict[str, Any]] = {}

    def one(peer: str, kind: Kind) -> float:
        count = COUNTS[size][kind]
        with TemporaryDirectory(dir=WORK) as name:
            sent = publish(Path(name), peer, "stream", kind, count)
        if sent["kept"] != count:
            raise RuntimeError(f"{peer} acknowledged {count} {kind} and has {sent['kept']}")
        found[peer, kind] = sent
        return count / float(sent["seconds"])

    contenders = {
        f"{peer} {kind}": lambda peer=peer, kind=kind: one(peer, kind)
        for kind, peer in itertools.product(KINDS, PEERS)
    }
    rounds = interleaved(ROUNDS[size], contenders)
    rate = {name: median(values) for name, values in rounds.items()}
    ratio = {kind: rate[f"link {kind}"] / rate[f"{SYNCED} {kind}"] for kind in KINDS}
    mib = {
        peer: rate[f"{peer} batches"] * found[peer, "batches"]["size"] / COUNTS[size]["batches"] / 2**20
        for peer in PEERS
    }
    versions = {peer: found[peer, "records"]["version"] for peer in ("mosquitto", SYNCED)}
    bytes_each = found["link", "records"]["size"] // COUNTS[size]["records"]
    return Row(
        name="brokers",
        budget="the same bytes with acknowledgements: the link beside message brokers",
        measured=f"{mib['link']:.0f} MiB/s in 64 KiB batches, {big(rate['link records'])} records/s",
        peer=f"NATS, synced: {mib[SYNCED]:.0f} MiB/s, {big(rate[f'{SYNCED} records'])} records/s",
        ratio=f"{times(ratio['batches'])}, {times(ratio['records'])}",
        met="no target",
        notes=prose(
            f"""
            {COUNTS[size]["batches"]:,} batches of just under 64 KiB, then {COUNTS[size]["records"]:,} lesson
            records of {bytes_each:,} bytes, one publisher and one server over loopback, at most 32
            unacknowledged, all encrypted: ours by CURVE, the brokers by TLS; clients in Python everywhere,
            servers in Python (ours), C and Go. Every one was looked for at the other end afterwards. Ours
            acknowledges after a FULL commit. NATS {versions[SYNCED]} JetStream on files with `sync_interval:
            always` does the same; by default it syncs each two minutes and acknowledges before:
            {mib["nats"]:.0f} MiB/s, {big(rate["nats records"])} records/s. Mosquitto
            {versions["mosquitto"]}, quality of service 1, for a subscriber who is away:
            {mib["mosquitto"]:.0f} MiB/s, {big(rate["mosquitto records"])} records/s, but its persistence is
            written each half hour and at its end, so that a power cut takes what it has acknowledged. Our
            ledger tells a repetition from a new batch for ever, JetStream by message id for two minutes,
            quality of service 1 not at all.
            """
        ),
        numbers={"rates_a_second": rate, "mib_a_second": mib, "rounds": rounds, "versions": versions},
    )
