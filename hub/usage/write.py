"""Writing what was imported: each file's part is replaced whole, so that importing again changes nothing."""

import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isnan

import msgspec
import numpy as np

from hub.store import scales
from hub.usage.weeks import KIND, Tallied, features
from models.catalogue.load import Catalogue
from models.features.set1 import FEATURES, visible
from models.scoring.scorer import Scored, Scorer

_json = msgspec.json.Encoder()

_FORGET = (
    "DELETE FROM usage_placements WHERE district = ?",
    "DELETE FROM usage_weeks WHERE district = ?",
    "DELETE FROM usage_districts WHERE district = ?",
)


@dataclass(slots=True)
class FileReport:
    """What became of one file; for a district's file, rows = used + not_used + the sum of `refused`."""

    file: str
    district: str = ""
    weeks: int = 0
    days: int = 0
    rows: int = 0
    used: int = 0
    not_used: int = 0
    refused: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, file: str, district: str, tallied: Tallied) -> "FileReport":
        """What became of a file whose rows came to that."""
        return cls(
            file,
            district,
            weeks=len(tallied.weeks),
            days=len({day for week in tallied.weeks.values() for day in week.days}),
            rows=tallied.rows,
            used=tallied.used,
            not_used=tallied.not_used,
            refused=Counter({fault.value: count for fault, count in tallied.faults.items()}),
        )


def table(connection: sqlite3.Connection, kind: str, rows: Mapping[str, Mapping[str, str | None]]) -> None:
    """Add or replace rows of the list of products, or of the facts about districts."""
    if kind == "products":
        statement = (
            "INSERT INTO usage_products (lp_id, name) VALUES (?, ?)"
            " ON CONFLICT (lp_id) DO UPDATE SET name = excluded.name"
        )
        values = [(row_id, row.get("Product Name")) for row_id, row in rows.items()]
    else:
        statement = (
            "INSERT INTO usage_facts (district, facts) VALUES (?, ?)"
            " ON CONFLICT (district) DO UPDATE SET facts = excluded.facts"
        )
        values = [(row_id, _text(row)) for row_id, row in rows.items()]
    connection.executemany(statement, values).close()


def district(
    connection: sqlite3.Connection, report: FileReport, tallied: Tallied, catalogue: Catalogue, scorer: Scorer
) -> None:
    """Replace a district: its totals, its weeks and what is inferred of them."""
    for statement in _FORGET:
        connection.execute(statement, (report.district,)).close()
    weeks = sorted(tallied.weeks)
    connection.execute(
        "INSERT INTO usage_districts (district, days, products, engagement, unknown_engagement, rows, used,"
        " not_used) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            report.district,
            report.days,
            len({lp_id for week in tallied.weeks.values() for lp_id in week.products}),
            sum(tallied.weeks[name].engagement for name in weeks),
            tallied.unknown_engagement,
            report.rows,
            report.used,
            report.not_used,
        ),
    ).close()
    if not weeks:
        return
    rows = features([tallied.weeks[name] for name in weeks], catalogue)
    seen = visible([KIND])
    for name, row in zip(weeks, rows, strict=True):
        week = tallied.weeks[name]
        shown = {
            feature: None if isnan(value) else value
            for feature, value, own in zip(FEATURES, row.tolist(), seen, strict=True)
            if own
        }
        connection.execute(
            "INSERT INTO usage_weeks (district, week, days, products, engagement, features)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (report.district, name, len(week.days), len(week.products), week.engagement, _text(shown)),
        ).close()
    _placements(connection, report.district, weeks, scorer.score(rows))


def _placements(connection: sqlite3.Connection, district: str, weeks: Sequence[str], scored: Scored) -> None:
    stages = np.isfinite(scored.probs[0]).sum(axis=1).tolist()
    named = [
        (scored.model, dimension, scored.version, count)
        for dimension, count in zip(scored.dimensions, stages, strict=True)
    ]
    ids = scales.ensure(connection, named)
    connection.executemany(
        "INSERT INTO usage_placements (district, week, scale_id, probs, verdict) VALUES (?, ?, ?, ?, ?)",
        [
            (
                district,
                week,
                ids[scale],
                _text(scored.probs[i, d, : scale[3]].tolist()),
                scored.verdicts[i][d],
            )
            for i, week in enumerate(weeks)
            for d, scale in enumerate(named)
        ],
    ).close()


def mapped(
    connection: sqlite3.Connection,
    report: FileReport,
    tallied: Tallied,
    facts: Mapping[str, str | None],
    catalogue: Catalogue,
    scorer: Scorer,
) -> None:
    """Replace a district or school whose exports are read through a mapping, and what is said of it."""
    connection.execute("DELETE FROM usage_refused WHERE district = ?", (report.district,)).close()
    table(connection, "districts", {report.district: facts})
    district(connection, report, tallied, catalogue, scorer)


def refused(connection: sqlite3.Connection, report: FileReport) -> None:
    """Replace what is known of the rows that a file had left out."""
    connection.execute("DELETE FROM usage_refused WHERE file = ?", (report.file,)).close()
    connection.executemany(
        "INSERT INTO usage_refused (file, district, reason, count) VALUES (?, ?, ?, ?)",
        [(report.file, report.district, reason, count) for reason, count in sorted(report.refused.items())],
    ).close()


def forget_refused(connection: sqlite3.Connection, file: str) -> bool:
    """Take a file off the list of those that were left out around the districts; whether it stood there."""
    cursor = connection.execute("DELETE FROM usage_refused WHERE file = ? AND district = ''", (file,))
    return cursor.rowcount > 0


def _text(value: object) -> str:
    return _json.encode(value).decode()
