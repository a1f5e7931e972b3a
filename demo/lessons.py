"""What a day's lessons put into the network and into apps' reports."""

from datetime import date
from zoneinfo import ZoneInfo

from demo.app_names import AppNames
from demo.dnsmasq_log import Query
from demo.presence import Presence
from demo.school import School
from demo.term import instant, is_school_day
from demo.xapi import Act
from models.catalogue.load import Catalogue
from shared.words import Action


def lesson_traffic(
    school: School,
    day: date,
    present: list[Presence],
    zone: ZoneInfo,
    catalogue: Catalogue,
    names: AppNames,
) -> tuple[list[Query], list[Act], int]:
    rng = school.rng(3, day.toordinal())
    where = {p.device.serial: p for p in present}
    bells = {b.name: b for b in school.bells if day.weekday() in b.weekdays}
    queries, acts, n = [], [], 0
    if not is_school_day(day):
        return [], [], 0
    for s in school.sections:
        for period in s.periods:
            if period not in bells:
                continue
            n += 1
            b = bells[period]
            t0, t1 = instant(day, b.start, zone), instant(day, b.end, zone)
            apps = rng.choice(400, 3) + 1
            for d, who in zip(s.devices, s.learners):
                p = where.get(d.serial)
                if p is None:
                    continue
                for t in rng.integers(t0, t1, 12).tolist():
                    name = names.of(int(rng.choice(apps)), t)
                    if name:
                        queries.append(Query(t, p.address, name))
                if school.character.reports_actions and d.owner is not None:
                    for t in rng.integers(t0, t1, 4).tolist():
                        acts.append(
                            Act(
                                t,
                                who,
                                catalogue.apps[int(rng.choice(apps)) - 1],
                                Action(int(rng.integers(1, 15))),
                                30.0,
                            )
                        )
    return queries, acts, n
