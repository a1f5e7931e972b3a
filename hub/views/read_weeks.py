"""Week records read from the store: parts to merge, and one school's weeks with their bands merged."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from math import isfinite

import msgspec
import structlog

from hub.known import Known
from hub.views import read_alarms
from hub.views.district import DistrictView, WeekFacts
from hub.views.merge import CHANNEL_FEATURES, Part, channels, distributions, weighted_mean
from hub.views.read_schools import summaries
from hub.views.school import SchoolWeek, Term
from hub.views.term import LEAST_WEEKS, newest_term

_floats = msgspec.json.Decoder(tuple[float, ...])
_names = msgspec.json.Decoder(tuple[str, ...])
_features = msgspec.json.Decoder(dict[str, float | None])
_log = structlog.get_logger("hub.views")

_PARTS = """
SELECT w.school_id, w.week, s.model, s.dimension, s.version, s.stages, p.expected, p.placed, p.thin,
       p.evidence_only
FROM weeks w JOIN week_placements p ON p.week_id = w.id JOIN scales s ON s.id = p.scale_id
"""
_FACTS = """
SELECT coalesce(sum(lessons), 0) AS lessons, coalesce(sum(classes), 0) AS classes
FROM (SELECT sum(lessons) AS lessons, max(classes) AS classes
      FROM (SELECT school_id, week, sum(lessons) AS lessons, sum(classes) AS classes
            FROM weeks WHERE week >= ? GROUP BY school_id, week)
      GROUP BY school_id)
"""


def district(
    connection: sqlite3.Connection, name: str, simulated: bool, count: int, now: float, known: Known
) -> DistrictView:
    """The district with its newest `count` weeks merged."""
    summed = summaries(connection, now)
    schools = tuple(summary for _, summary in summed)
    newest = connection.execute("SELECT DISTINCT week FROM weeks ORDER BY week DESC LIMIT ?", (count,))
    weeks = tuple(sorted(week for (week,) in newest))
    first = weeks[0] if weeks else ""
    facts = connection.execute(_FACTS, (first,)).fetchone()
    held = connection.execute(f"{_PARTS} WHERE w.week >= ?", (first,))
    parts, of_a_term = apart([part for _, part in _parts(held)], known)
    sent = {row[0] for row in connection.execute("SELECT school_id FROM weeks WHERE week >= ?", (first,))}
    return DistrictView(
        name=name,
        simulated=simulated or any(school.simulated for school in schools),
        alarms=read_alarms.read(connection),
        schools=schools,
        week=weeks[-1] if weeks else None,
        weeks=weeks,
        facts=WeekFacts(
            lessons=facts["lessons"],
            classes=facts["classes"],
            schools=len(sent),
            schools_missing=sum(not one.revoked and school not in sent for school, one in summed),
        ),
        distribution=distributions(parts, known),
        term_models=tuple(sorted({part.model for part in of_a_term})),
    )


def apart(parts: Iterable[Part], known: Known) -> tuple[list[Part], list[Part]]:
    """Parts of models that may speak of a week, and those of models that need a term."""
    held = list(parts)
    return (
        [part for part in held if known.grain(part.model) != "term"],
        [part for part in held if known.grain(part.model) == "term"],
    )


def school_weeks(
    connection: sqlite3.Connection, school_id: int, known: Known
) -> tuple[tuple[SchoolWeek, ...], dict[str, list[Part]]]:
    """A school's weeks, oldest first, and the parts of each."""
    by_week: dict[str, list[Part]] = defaultdict(list)
    for week, part in _parts(connection.execute(f"{_PARTS} WHERE w.school_id = ?", (school_id,))):
        by_week[week].append(part)
    rows = connection.execute(
        "SELECT * FROM weeks WHERE school_id = ? ORDER BY week, grade_band", (school_id,)
    ).fetchall()
    weeks = tuple(
        _week(week, list(bands), apart(by_week.get(week, []), known)[0], known)
        for week, bands in groupby(rows, key=lambda row: str(row["week"]))
    )
    return weeks, by_week


def term(weeks: Sequence[SchoolWeek], by_week: Mapping[str, list[Part]], known: Known) -> Term | None:
    """The newest term of these weeks (oldest first), with what may be said of it."""
    span = newest_term([one.week for one in weeks])
    if not span:
        return None
    held = [one for one in weeks if one.week in span]
    parts, of_a_term = apart((part for week in span for part in by_week.get(week, [])), known)
    told = len(span) >= LEAST_WEEKS
    return Term(
        first_week=span[0],
        last_week=span[-1],
        weeks=len(span),
        weeks_needed=LEAST_WEEKS,
        lessons=sum(one.lessons for one in held),
        visibility=weighted_mean((one.visibility, one.lessons) for one in held),
        sources=tuple(sorted({kind for one in held for kind in one.sources})),
        waiting=() if told else tuple(sorted({part.model for part in of_a_term})),
        distribution=distributions([*parts, *(of_a_term if told else ())], known),
    )


def _parts(rows: Iterable[sqlite3.Row]) -> Iterator[tuple[str, Part]]:
    """Parts with their weeks; one that cannot be read is left out, and the log says whose it is."""
    for row in rows:
        try:
            yield row["week"], _part(row)
        except (msgspec.DecodeError, ValueError) as error:
            _log.error("week_left_out", school_id=row["school_id"], week=row["week"], error=str(error))


def _part(row: sqlite3.Row) -> Part:
    expected = _floats.decode(row["expected"])
    if len(expected) != row["stages"] or not all(isfinite(one) and one >= 0 for one in expected):
        raise ValueError("expected lessons do not fit their scale")
    return Part(
        school=row["school_id"],
        model=row["model"],
        dimension=row["dimension"],
        version=row["version"],
        expected=expected,
        placed=row["placed"],
        thin=row["thin"],
        evidence_only=row["evidence_only"],
    )


def _week(week: str, bands: Sequence[sqlite3.Row], parts: list[Part], known: Known) -> SchoolWeek:
    features = [(_features.decode(row["features"]), row["evidence"]) for row in bands]
    kinds = sorted({kind for row in bands for kind in _names.decode(row["sources"])})
    return SchoolWeek(
        week=week,
        bands=tuple(row["grade_band"] for row in bands),
        lessons=sum(row["lessons"] for row in bands),
        classes=sum(row["classes"] for row in bands),
        teachers=sum(row["teachers"] for row in bands),
        devices=max(row["devices"] for row in bands),
        evidence=sum(row["evidence"] for row in bands),
        visibility=weighted_mean((row["visibility"], row["lessons"]) for row in bands),
        sources=tuple(kinds),
        channels=channels(
            {
                name: weighted_mean((own.get(name), evidence) for own, evidence in features)
                for name in CHANNEL_FEATURES.values()
            }
        ),
        distribution=distributions(parts, known),
    )
