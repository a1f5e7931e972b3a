"""The hub about itself, read from the store."""

import sqlite3
from typing import Final

from hub.known import Known
from hub.store import announced, verification
from hub.views import read_alarms
from hub.views.common import Tally
from hub.views.read_schools import summaries
from hub.views.status import Enrolment, KnownModel, NotDisclosed, Refused, StatusView, Verified
from hub.views.words import rfc3339
from shared import waiting
from shared.link import invitations, keys

UNSENT_SHOWN_S: Final = 7 * 86_400.0

_ENROLMENTS = """
SELECT s.name, e.public_key, e.joined, e.revoked FROM enrolments e JOIN schools s ON s.id = e.school_id
ORDER BY s.name, e.joined
"""
_REFUSED = """
SELECT s.name, r.reason, r.day, r.count FROM refused r LEFT JOIN schools s ON s.id = r.school_id
ORDER BY r.day DESC, s.name, r.reason LIMIT 1000
"""
_VERIFIED = """
SELECT s.name, v.* FROM verifications v JOIN schools s ON s.id = v.school_id ORDER BY s.name
"""
_QUARANTINE = "SELECT count(*), coalesce(sum(length(excerpt)), 0) FROM quarantine"


def status(
    connection: sqlite3.Connection,
    name: str,
    simulated: bool,
    now: float,
    known: Known,
    public_key: str,
    next_key: str = "",
    trouble: str = "",
) -> StatusView:
    """The hub about itself; `public_key` is its own on the link.

    `next_key` is the one that waits to follow it, if any, and `trouble` what is wrong with that.
    """
    schools = tuple(summary for _, summary in summaries(connection, now))
    kept, kept_bytes = connection.execute(_QUARANTINE).fetchone()
    (schema,) = connection.execute("PRAGMA user_version").fetchone()
    return StatusView(
        district=name,
        simulated=simulated or any(school.simulated for school in schools),
        fingerprint=keys.fingerprint(public_key),
        next_key=keys.fingerprint(next_key) if next_key else None,
        not_told=tuple(announced.ignorant(connection, next_key)) if next_key else (),
        trouble=trouble,
        alarms=read_alarms.read(connection),
        unsent=tuple(
            Tally(reason=reason, count=number)
            for reason, number in sorted(waiting.spoilt(connection, now - UNSENT_SHOWN_S).items())
        ),
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
        verified=_verified(connection),
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


def _verified(connection: sqlite3.Connection) -> Verified | None:
    rows = connection.execute(_VERIFIED).fetchall()
    if not rows:
        return None
    agree, differ, missing, without = (
        sum(row[name] for row in rows) for name in ("agree", "differ", "missing", "without")
    )
    (skipped,) = connection.execute("SELECT coalesce(sum(skipped), 0) FROM receipt_lines").fetchone()
    return Verified(
        at=rfc3339(min(row["at"] for row in rows)) or "",
        schools=len(rows),
        agree=agree,
        differ=differ,
        missing=missing,
        without=without,
        skipped=skipped,
        not_disclosed=tuple(
            NotDisclosed(school=row["name"], entry=one.seq, kind=one.kind, what=one.what)
            for row in rows
            for one in verification.findings(row["findings"])
        ),
    )


def _enrolment(row: sqlite3.Row) -> Enrolment:
    return Enrolment(
        school=row["name"],
        key=keys.fingerprint(row["public_key"]),
        joined=rfc3339(row["joined"]) or "",
        revoked=row["revoked"] is not None,
    )
