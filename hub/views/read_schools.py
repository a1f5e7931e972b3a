"""Schools as the hub knows them, read from the store, by name."""

import sqlite3
from collections.abc import Sequence

import msgspec
import structlog

from hub.views.common import SourceSeen
from hub.views.district import SchoolSummary
from hub.views.words import freshness, rfc3339
from shared.link import keys
from shared.records import SourceFreshness, is_time

_SCHOOLS = """
SELECT s.id, s.slug, s.name, s.simulated,
       (SELECT min(joined) FROM enrolments WHERE school_id = s.id) AS joined,
       e.public_key, e.joined AS enrolled,
       h.heard, h.backlog, h.version, h.sources,
       (SELECT count(*) FROM lessons WHERE school_id = s.id) AS lessons_shared,
       (SELECT count(DISTINCT week) FROM weeks WHERE school_id = s.id) AS weeks,
       w.week AS latest_week,
       sum(w.visibility * w.lessons) / nullif(sum(w.lessons), 0) AS visibility
FROM schools s
LEFT JOIN heartbeats h ON h.school_id = s.id
LEFT JOIN enrolments e ON e.public_key = (
    SELECT public_key FROM enrolments WHERE school_id = s.id AND revoked IS NULL
    ORDER BY joined DESC, public_key LIMIT 1)
LEFT JOIN weeks w ON w.school_id = s.id AND w.week = (SELECT max(week) FROM weeks WHERE school_id = s.id)
WHERE ? IS NULL OR s.slug = ?
GROUP BY s.id
"""

_sources = msgspec.json.Decoder(tuple[SourceFreshness, ...])
_log = structlog.get_logger("hub.views")


def summaries(
    connection: sqlite3.Connection, now: float, slug: str | None = None
) -> tuple[tuple[int, SchoolSummary], ...]:
    """`(id, summary)` of every school by name, or of the one with `slug`."""
    rows: Sequence[sqlite3.Row] = connection.execute(_SCHOOLS, (slug, slug)).fetchall()
    return tuple((row["id"], _summary(row, now)) for row in sorted(rows, key=_by_name))


def _by_name(row: sqlite3.Row) -> tuple[str, str]:
    return row["name"].casefold(), row["name"]


def _summary(row: sqlite3.Row, now: float) -> SchoolSummary:
    joined = row["joined"] is not None
    revoked = joined and row["public_key"] is None
    word, words = freshness(row["heard"], joined, revoked, now)
    return SchoolSummary(
        slug=row["slug"],
        name=row["name"],
        simulated=bool(row["simulated"]),
        joined=rfc3339(row["joined"]),
        last_heard=rfc3339(row["heard"]),
        freshness=word,
        freshness_words=words,
        lessons_shared=row["lessons_shared"],
        weeks=row["weeks"],
        latest_week=row["latest_week"],
        visibility=row["visibility"],
        backlog=row["backlog"],
        sources=_seen(row),
        version=row["version"],
        revoked=revoked,
        fingerprint=keys.fingerprint(row["public_key"]) if row["public_key"] else None,
        enrolled=rfc3339(row["enrolled"]),
    )


def _seen(row: sqlite3.Row) -> tuple[SourceSeen, ...]:
    """The school's sources; none when its heartbeat cannot be read, for the page is everybody's."""
    if not row["sources"]:
        return ()
    try:
        told = _sources.decode(row["sources"])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        _log.error("heartbeat_left_out", school_id=row["id"], error=str(error))
        return ()
    return tuple(
        SourceSeen(kind=one.kind, fresh=one.fresh if one.fresh and is_time(one.fresh) else None)
        for one in told
    )
