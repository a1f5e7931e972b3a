"""Usage exports read from the store."""

import sqlite3
from collections import defaultdict
from collections.abc import Mapping

import msgspec

from hub.known import Known
from hub.usage.telling import telling, tells_levels
from hub.views.common import PlacementView, Tally
from hub.views.merge import channels
from hub.views.read_classes import in_order, placement
from hub.views.usage import LeftOut, UsageDistrictView, UsageSummary, UsageView, UsageWeek
from hub.views.words import (
    MAPPED_ATTRIBUTION,
    MAPPED_LABEL,
    MAPPED_UNKNOWN_NOTE,
    SHORT_NOTE,
    UNKNOWN_NOTE,
    USAGE_ATTRIBUTION,
    USAGE_LABEL,
    USAGE_LABELS,
)
from shared.pages.formats import count

_features = msgspec.json.Decoder(dict[str, float | None])
_facts = msgspec.json.Decoder(dict[str, str | None])

_DISTRICTS = """
SELECT d.*, f.facts,
       (SELECT count(*) FROM usage_weeks w WHERE w.district = d.district) AS weeks,
       (SELECT min(week) FROM usage_weeks w WHERE w.district = d.district) AS first_week,
       (SELECT max(week) FROM usage_weeks w WHERE w.district = d.district) AS last_week,
       (SELECT coalesce(sum(count), 0) FROM usage_refused r WHERE r.district = d.district) AS refused
FROM usage_districts d LEFT JOIN usage_facts f ON f.district = d.district
WHERE ? IS NULL OR d.district = ?
"""
_PLACEMENTS = """
SELECT p.week, s.model, s.dimension, s.version, p.probs, p.verdict
FROM usage_placements p JOIN scales s ON s.id = p.scale_id WHERE p.district = ?
"""
_AROUND = ""
SHORT_DAYS = 30


def districts(connection: sqlite3.Connection) -> UsageView:
    """Every imported district by number."""
    rows = sorted(
        connection.execute(_DISTRICTS, (None, None)), key=lambda row: (len(row["district"]), row["district"])
    )
    sources = {_source(_facts.decode(row["facts"]) if row["facts"] else {}) for row in rows}
    mapped = any(source != (USAGE_LABEL, USAGE_ATTRIBUTION) for source in sources)
    return UsageView(
        label=USAGE_LABELS if mapped else USAGE_LABEL,
        attribution=" ".join(sorted({attribution for _, attribution in sources})) or USAGE_ATTRIBUTION,
        districts=tuple(map(_summary, rows)),
        refused=_refused(connection, _AROUND),
        left_out=tuple(
            LeftOut(file=row["file"], reason=row["reason"], count=row["count"])
            for row in connection.execute(
                "SELECT file, reason, count FROM usage_refused WHERE district = ? ORDER BY file, reason",
                (_AROUND,),
            )
        ),
    )


def district(connection: sqlite3.Connection, district_id: str, known: Known) -> UsageDistrictView | None:
    """One district week by week, or None."""
    row = connection.execute(_DISTRICTS, (district_id, district_id)).fetchone()
    if row is None:
        return None
    by_week: dict[str, list[PlacementView]] = defaultdict(list)
    for own in connection.execute(_PLACEMENTS, (district_id,)):
        by_week[own["week"]].append(placement(own, None, None, known))
    weeks = connection.execute(
        "SELECT * FROM usage_weeks WHERE district = ? ORDER BY week", (district_id,)
    ).fetchall()
    told = telling([week["engagement"] for week in weeks])
    facts = _facts.decode(row["facts"]) if row["facts"] else {}
    label, attribution = _source(facts)
    return UsageDistrictView(
        label=label,
        attribution=attribution,
        district=_summary(row),
        facts=facts,
        weeks=tuple(
            _week(week, by_week[week["week"]] if tells else [], known)
            for week, tells in zip(weeks, told, strict=True)
        ),
        refused=_refused(connection, district_id),
        notes=tuple(_notes(row, facts)),
    )


def _source(facts: Mapping[str, str | None]) -> tuple[str, str]:
    """What was measured, and whose data it is; an import through a mapping says both among its facts."""
    counted, export, of = (facts.get(key) for key in ("counted", "export", "of"))
    if counted is None or export is None or of is None:
        return USAGE_LABEL, USAGE_ATTRIBUTION
    return MAPPED_LABEL.format(counted=counted), MAPPED_ATTRIBUTION.format(of=of.capitalize(), export=export)


def _summary(row: sqlite3.Row) -> UsageSummary:
    facts = _facts.decode(row["facts"]) if row["facts"] else {}
    return UsageSummary(
        id=row["district"],
        name=f"{'School' if facts.get('of') == 'a school' else 'District'} {row['district']}",
        state=facts.get("state"),
        locale=facts.get("locale"),
        weeks=row["weeks"],
        first_week=row["first_week"],
        last_week=row["last_week"],
        days=row["days"],
        products=row["products"],
        engagement=row["engagement"],
        rows=row["rows"],
        used=row["used"],
        not_used=row["not_used"],
        refused=row["refused"],
    )


def _week(row: sqlite3.Row, placements: list[PlacementView], known: Known) -> UsageWeek:
    features = _features.decode(row["features"])
    if not tells_levels(row["engagement"], features.get("app_entropy")):
        placements = []
    return UsageWeek(
        week=row["week"],
        days=row["days"],
        products=row["products"],
        engagement=row["engagement"],
        features=features,
        channels=channels(features),
        placements=in_order(placements, known),
    )


def _refused(connection: sqlite3.Connection, district_id: str) -> tuple[Tally, ...]:
    rows = connection.execute(
        "SELECT reason, sum(count) AS count FROM usage_refused WHERE district = ?"
        " GROUP BY reason ORDER BY reason",
        (district_id,),
    )
    return tuple(Tally(reason=row["reason"], count=row["count"]) for row in rows)


def _notes(row: sqlite3.Row, facts: Mapping[str, str | None]) -> list[str]:
    notes = []
    if row["days"] < SHORT_DAYS:
        notes.append(SHORT_NOTE.format(days=count(row["days"], "day")))
    loads = row["engagement"] + row["unknown_engagement"]
    if row["unknown_engagement"] > 0:
        share = row["unknown_engagement"] / loads
        note = MAPPED_UNKNOWN_NOTE if "counted" in facts else UNKNOWN_NOTE
        notes.append(note.format(share="Less than 1%" if share < 0.01 else f"{share:.0%}"))
    return notes
