"""The hub about itself, read from the store."""

import sqlite3

from hub.known import Known
from hub.views.common import Tally
from hub.views.read_schools import summaries
from hub.views.status import Enrolment, KnownModel, Refused, StatusView
from hub.views.words import rfc3339
from shared.link import invitations, keys

_ENROLMENTS = """
SELECT s.name, e.public_key, e.joined, e.revoked FROM enrolments e JOIN schools s ON s.id = e.school_id
ORDER BY s.name, e.joined
"""
_REFUSED = """
SELECT s.name, r.reason, r.day, r.count FROM refused r LEFT JOIN schools s ON s.id = r.school_id
ORDER BY r.day DESC, s.name, r.reason LIMIT 1000
"""
_QUARANTINE = "SELECT count(*), coalesce(sum(length(excerpt)), 0) FROM quarantine"


def status(
    connection: sqlite3.Connection, name: str, simulated: bool, now: float, known: Known
) -> StatusView:
    """The hub about itself."""
    schools = tuple(summary for _, summary in summaries(connection, now))
    kept, kept_bytes = connection.execute(_QUARANTINE).fetchone()
    (schema,) = connection.execute("PRAGMA user_version").fetchone()
    return StatusView(
        district=name,
        simulated=simulated or any(school.simulated for school in schools),
        schema=schema,
        schools=schools,
        models=tuple(
            KnownModel(
                id=model.id,
                name=model.name,
                version=model.version,
                grain=model.grain,
                own=model.id in known.own,
            )
            for model in known.models
        ),
        enrolments=tuple(map(_enrolment, connection.execute(_ENROLMENTS))),
        inviting=invitations.any_open(connection, now),
        counters=tuple(
            Tally(reason=row["name"], count=row["count"])
            for row in connection.execute("SELECT name, count FROM counters ORDER BY name")
        ),
        refused=tuple(
            Refused(school=row["name"], reason=row["reason"], day=row["day"], count=row["count"])
            for row in connection.execute(_REFUSED)
        ),
        quarantine=kept,
        quarantine_bytes=kept_bytes,
    )


def _enrolment(row: sqlite3.Row) -> Enrolment:
    return Enrolment(
        school=row["name"],
        key=keys.fingerprint(row["public_key"]),
        joined=rfc3339(row["joined"]) or "",
        revoked=row["revoked"] is not None,
    )
