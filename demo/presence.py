"""Who is on a school's Wi-Fi on a calendar day, from when to when, and under which address."""

from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from demo.dnsmasq_log import LEASE_SECONDS, Ack
from demo.school import Device, School
from demo.term import instant, is_school_day

ABSENT: Final = 0.05
MOVED: Final = 0.1
_RENEWS: Final = LEASE_SECONDS // 2
_FIRST_HOST: Final = 20
_HOSTS: Final = 200
_PURPOSE: Final = 1


@dataclass(frozen=True, slots=True)
class Presence:
    """One device's stay on one day: `start <= t < end`, seconds UTC."""

    device: Device
    address: str
    start: int
    end: int
    arrives: bool


def presences(school: School, day: date, zone: ZoneInfo) -> list[Presence]:
    """Every device that is there on the day, in the order of the school's devices."""
    rng = school.rng(_PURPOSE, day.toordinal())
    start, end = day_span(day, zone)
    addresses = _addresses(school, rng)
    found = []
    for device, address in zip(school.devices, addresses, strict=True):
        if device.stays:
            found.append(Presence(device, address, start, end, arrives=False))
            continue
        # Drawn for everybody, so that one device's fate never changes another's.
        luck, early, late = rng.random(3)
        span = _span(school, device, day, zone, luck, (early, late))
        if span is not None:
            found.append(Presence(device, address, *span, arrives=True))
    return found


def acks(found: list[Presence]) -> list[Ack]:
    """The leases of a day: on arrival, and renewed after half their time."""
    made = []
    for presence in found:
        device = presence.device
        shift = 0 if presence.arrives else int(device.hardware[-2:], 16) * _RENEWS // 256
        made += [
            Ack(t, presence.address, device.hardware, device.host, asked=presence.arrives and i == 0)
            for i, t in enumerate(range(presence.start + shift, presence.end, _RENEWS))
        ]
    return made


def day_span(day: date, zone: ZoneInfo) -> tuple[int, int]:
    """A local calendar day: its first second, and the first of the next, in seconds UTC."""
    return instant(day, time(), zone), instant(day + timedelta(days=1), time(), zone)


def _span(
    school: School, device: Device, day: date, zone: ZoneInfo, luck: float, edges: tuple[float, float]
) -> tuple[int, int] | None:
    rings = [bell for bell in school.bells if day.weekday() in bell.weekdays]
    if not is_school_day(day) or not rings:
        return None
    first = instant(day, min(bell.start for bell in rings), zone)
    last = instant(day, max(bell.end for bell in rings), zone)
    early, late = edges
    if device.kind == "visitor":
        begins = first + int(early * (last - first) * 0.6)
        return (begins, begins + 2400 + int(late * 3600)) if luck < 0.6 else None
    if luck < ABSENT:
        return None
    minutes = (40, 70) if device.kind == "staff" else (20, 12)
    return first - 120 - int(early * minutes[0] * 60), last + 120 + int(late * minutes[1] * 60)


def _addresses(school: School, rng: np.random.Generator) -> list[str]:
    """An address for each device; some that went home get each other's of the day before."""
    places = np.arange(len(school.devices))
    mobile = np.flatnonzero([not device.stays for device in school.devices])
    moved = rng.choice(mobile, int(len(mobile) * MOVED), replace=False)
    places[moved] = rng.permutation(places[moved])
    network = school.character.network
    return [f"{network}.{1 + place // _HOSTS}.{_FIRST_HOST + place % _HOSTS}" for place in places.tolist()]
