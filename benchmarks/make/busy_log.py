"""A demo school's log with more look-ups a device, as networks in use have them."""

import random
import re
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from demo.day import SchoolDay
from demo.dnsmasq_log import Ack, Query, Resolver
from demo.feed import Feed
from demo.term import school_day

SPREAD_SECONDS: Final = 90
SEED: Final = 20260914
PREFIXES: Final = (
    *("cdn", "static", "img", "api2", "telemetry", "auth", "m", "edge7", "s3", "ws", "push", "fonts"),
    *("lb-12", "eu1", "a1842"),
)
_ASKED: Final = re.compile(rb"query\[[^]]+\] (\S+) from (\S+)\n")


def school_log(feed: Feed, days: int, factor: int) -> bytes:
    """The log of a school's first days, `factor` look-ups for each of the demo's."""
    made = (feed.day(school_day(number)) for number in range(days))
    return b"".join(b"".join(day.blocks) if factor == 1 else _busy(day, feed.zone, factor) for day in made)


def _busy(day: SchoolDay, zone: ZoneInfo, factor: int) -> bytes:
    """The day's log with `factor` look-ups for each of the demo's: the same devices, within a minute and a
    half, names below the one that was asked for; answers and leases as before.
    """
    rng = random.Random(SEED)
    events: list[Query | Ack] = list(day.leases)
    for t, block in zip(day.times, day.blocks, strict=True):
        found = _ASKED.search(block)
        if found is not None:
            name, address = (part.decode("latin-1") for part in found.groups())
            events.append(Query(t, address, name))
            events += [
                Query(t + rng.randrange(SPREAD_SECONDS), address, f"{rng.choice(PREFIXES)}.{name}")
                for _ in range(factor - 1)
            ]
    events.sort(key=lambda event: event.t)
    resolver = Resolver(zone, np.random.default_rng(SEED), pid=813, wordy=False)
    return b"".join(resolver.blocks(events))
