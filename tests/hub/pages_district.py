"""A district with every kind of school, in the real store: what the pages' tests look at."""

import sqlite3
from pathlib import Path

from fastapi import FastAPI

from hub import folder
from hub.server import create_app
from hub.store import alarms
from hub.usage.load import import_usage
from shared.link.keys import fingerprint
from shared.records import LessonRecord, Placement, SourceFreshness, StatusRecord
from tests.hub.hubs import Hub
from tests.hub.records import SHARES, feature_row, lesson, week

USAGE = Path(__file__).parents[2] / "demo" / "usage"
HOSTILE = 'Birch "<script>alert(1)</script>" & Sons'
CODE = "7f3k"
DAY = 86_400.0


def filled(hub: Hub) -> FastAPI:
    """The application over a district: a full school, a hostile name, a third, one joined, one invited."""
    full = hub.join("Alder Primary", simulated=True)
    hub.send(full, *(week(name=f"2025-W{n}", lessons=10 + n % 7) for n in (26, 27, 28, 31, 32)))
    hub.send(full, *(shared_lesson(day) for day in range(1, 6)))
    fresh = (SourceFreshness("dnsmasq", "2025-08-05T09:44:00+02:00"), SourceFreshness("xapi", None))
    hub.send(full, StatusRecord("Alder Primary", fresh, 3, "0.1.0"))
    hostile = hub.join(HOSTILE)
    hub.send(hostile, week(HOSTILE, name="2025-W32", visibility=0.2))
    third = hub.join("Cedar High")
    hub.send(third, week("Cedar High", name="2025-W32", expected=(6.0, 4.0, 0.0, 0.0, 0.0)))
    hub.join("Dogwood Elementary")
    hub.invite("Elm School")
    connection = folder.connect(hub.layout)
    try:
        import_usage(connection, [USAGE])
    finally:
        connection.close()
    return served_by(hub)


def alarmed(hub: Hub) -> FastAPI:
    """The same, with an alarm of every reason, one of them often and of a hostile name."""
    app = filled(hub)

    def raise_all(own: sqlite3.Connection) -> None:
        for school, reason in enumerate(alarms.REASONS):
            for _ in range(1 + 40 * school):
                alarms.raise_alarm(own, 1 + school % 2, reason, fingerprint("k" * 40), hub.now + school)

    hub.writer.run(raise_all)
    return app


def served_by(hub: Hub) -> FastAPI:
    """The real application over this hub's store, by this hub's clock."""
    app = create_app(hub.layout.folder)
    app.state.views.close()
    app.state.views = hub.views
    return app


def shared_lesson(day: int) -> LessonRecord:
    """A lesson of the shared class on a day of September; the second is too thin to say anything."""
    plain = lesson(code=CODE, start=f"2025-09-0{day}T09:00:00-04:00", subject="science")
    features = feature_row({**SHARES, "create_share": 0.3, "synchrony": 0.9})
    steps = tuple({"consume": 0.2, "create": 0.05 * step, "other": 0.05} for step in range(9))
    placements = tuple(
        Placement(one.model, one.dimension, "1", one.probs, "thin", 0, 4) if day == 2 else one
        for one in plain.placements
    )
    return LessonRecord(
        school=plain.school,
        class_=plain.class_,
        start=plain.start,
        minutes=plain.minutes,
        grade_band=plain.grade_band,
        subject=plain.subject,
        devices=plain.devices,
        expected=plain.expected,
        evidence=plain.evidence,
        visibility=0.4,
        sources=("dnsmasq", "xapi"),
        feature_set="1",
        features=features,
        strip=steps,
        placements=placements,
        revision=1,
    )
