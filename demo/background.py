"""What iPads ask for when nobody touches them, and what staff and visitors ask for meanwhile."""

from datetime import date
from typing import Final

import numpy as np

from demo.app_names import AppNames
from demo.dnsmasq_log import Query
from demo.presence import Presence
from demo.school import School

# Share of each name in an idle iPad's queries; most is push and iCloud.
SLEEPING: Final = {
    "1-courier.push.apple.com": 10,
    "27-courier.push.apple.com": 10,
    "courier.push.apple.com": 4,
    "gateway.icloud.com": 16,
    "p42-contacts.icloud.com": 3,
    "p114-caldav.icloud.com": 3,
    "setup.icloud.com": 2,
    "mask.icloud.com": 6,
    "mask-h2.icloud.com": 4,
    "captive.apple.com": 6,
    "time.apple.com": 5,
    "init.push.apple.com": 3,
    "gs-loc.apple.com": 3,
    "gsp64-ssl.ls.apple.com": 2,
    "configuration.apple.com": 4,
    "init.itunes.apple.com": 3,
    "bag.itunes.apple.com": 3,
    "xp.apple.com": 5,
    "ocsp2.apple.com": 3,
    "district.jamfcloud.com": 4,
    "mesu.apple.com": 2,
    "weather-data.apple.com": 3,
}
DAY_GAP: Final = 2000.0
NIGHT_GAP: Final = 4500.0
GROWN_UP_GAP: Final = 240.0

_PURPOSE: Final = 2


def background(school: School, day: date, present: list[Presence], names: AppNames) -> list[Query]:
    """The day's queries that are no lesson's, in no order."""

    rng = school.rng(_PURPOSE, day.toordinal())
    weights = np.array(list(SLEEPING.values()), dtype=float)
    pool = list(SLEEPING)
    found: list[Query] = []
    for presence in present:
        span = presence.end - presence.start
        gap = DAY_GAP if presence.arrives else NIGHT_GAP
        times = _times(rng, presence, span / gap)
        chosen = rng.choice(len(pool), len(times), p=weights / weights.sum()).tolist()
        found += [Query(t, presence.address, pool[i]) for t, i in zip(times, chosen, strict=True)]
        if presence.device.kind in ("staff", "visitor"):
            times = _times(rng, presence, span / GROWN_UP_GAP)
            found += [Query(t, presence.address, names.any(rng)) for t in times]
    return found


def _times(rng: np.random.Generator, presence: Presence, expected: float) -> list[int]:
    times: list[int] = rng.integers(presence.start, presence.end, size=rng.poisson(expected)).tolist()
    return times
