"""The bytes that brokers and the link carry side by side: full batches of signals, or lesson records."""

from datetime import UTC, datetime
from typing import Final, Literal

from benchmarks.make.batches import signal_batches
from benchmarks.make.records import Records
from shared.records import encode

Kind = Literal["batches", "records"]
DIFFERENT: Final = 16


def payloads(kind: Kind) -> list[bytes]:
    """Some that differ: batches of just under 64 KiB, or records of some 2 KiB."""
    if kind == "batches":
        return signal_batches(DIFFERENT)[0]
    records = Records("Payload School", seed=3)
    start = datetime(2026, 9, 14, 9, tzinfo=UTC)
    return [encode(records.lesson(f"c{number}", start)) for number in range(DIFFERENT)]
