"""One school's calendar day as its systems see it: log lines, leases and statements, each with its time."""

from bisect import bisect_left
from dataclasses import dataclass
from datetime import date
from typing import Final
from zoneinfo import ZoneInfo

from demo.app_names import AppNames
from demo.background import background
from demo.dnsmasq_log import Ack, Query, Resolver
from demo.lessons import Customs, lesson_traffic
from demo.presence import acks, presences
from demo.school import School
from demo.xapi import encode, invalid_statements, statements
from models.catalogue.load import Catalogue

_RESOLVER: Final = 6
_APPS: Final = 7


@dataclass(frozen=True, slots=True)
class SchoolDay:
    """What a day leaves in the log and sends.

    `times` belong to `blocks`, `said` to `statements` (seconds UTC). A block is what the resolver logs of
    one event; `broken` are statements that no receiver should take, sent with the day's first good one.
    """

    times: list[int]
    blocks: list[bytes]
    leases: list[Ack]
    said: list[int]
    statements: list[bytes]
    broken: list[bytes]
    lessons: int

    def log(self, start: int, end: int) -> bytes:
        """Log lines with `start <= t < end`."""
        return b"".join(self.blocks[bisect_left(self.times, start) : bisect_left(self.times, end)])

    def sent(self, start: int, end: int) -> tuple[list[bytes], list[bytes]]:
        """Statements with `start <= t < end`, and the broken ones that go with them."""
        first, last = bisect_left(self.said, start), bisect_left(self.said, end)
        return self.statements[first:last], self.broken if first == 0 < last else []


def build_day(
    school: School, day: date, zone: ZoneInfo, customs: Customs, catalogue: Catalogue, names: AppNames
) -> SchoolDay:
    """The day of one school; the same for the same seed, however often it is built."""
    present = presences(school, day, zone)
    leases = acks(present)
    queries, acts, lessons = lesson_traffic(school, day, present, zone, customs, catalogue, names)
    queries += background(school, day, present, names)
    # Leases first: an address is known before it asks for anything in the same second.
    events: list[Ack | Query] = [*leases, *queries]
    events.sort(key=_time)
    resolver = Resolver(
        zone,
        school.rng(_RESOLVER, day.toordinal()),
        pid=700 + 113 * school.index,
        wordy=school.character.wordy_resolver,
    )
    acts.sort(key=lambda act: act.t)
    home_page = f"https://{school.character.domain}"
    made = statements(acts, home_page, zone, school.rng(_APPS, day.toordinal()))
    return SchoolDay(
        times=[event.t for event in events],
        blocks=resolver.blocks(events),
        leases=sorted(leases, key=_time),
        said=[act.t for act in acts],
        statements=[encode(statement) for statement in made],
        broken=[encode(statement) for statement in invalid_statements(made[0])] if made else [],
        lessons=lessons,
    )


def _time(event: Ack | Query) -> int:
    return event.t
