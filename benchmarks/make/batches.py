"""Signal batches as large as the link takes them."""

from typing import Final

import numpy as np

from benchmarks.make.signals import CLASSES_AT_ONCE, contacts
from models.catalogue.load import load_catalogue
from shared import signals
from shared.signals import SignalBatch

SIGNALS: Final = 3_090  # at 21 bytes each, with the codes of forty classes, just under 64 KiB


def signal_batches(count: int) -> tuple[list[bytes], int]:
    """`count` different encoded batches of simulated contacts, and how many signals each holds."""
    catalogue = load_catalogue()
    made, _ = contacts(catalogue, seed=2, count=count * SIGNALS)
    codes = tuple(f"class{number:02d}" for number in range(CLASSES_AT_ONCE))
    batches = []
    for start in range(0, count * SIGNALS, SIGNALS):
        part = slice(start, start + SIGNALS)
        batch = SignalBatch(
            "dnsmasq",
            "resolver",
            catalogue.version,
            "2026-09-07",
            codes,
            t=made.t[part].astype(np.uint32),
            device=made.device[part],
            class_=(made.window[part] % CLASSES_AT_ONCE).astype(np.uint16),
            app=made.app[part].astype(np.uint16),
            action=made.action[part],
            amount=made.amount[part].astype(np.float32),
        )
        batches.append(signals.encode(batch))
    return batches, SIGNALS
