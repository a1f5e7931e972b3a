"""The hub's tables and those that the link brings, as forward-only steps."""

from typing import TYPE_CHECKING

from hub.store import announced, catalogue, ceilings, enrolments, forgetting, receipts, verification
from shared import waiting
from shared.link import invitations, ledger
from shared.storage import Migration

if TYPE_CHECKING:
    from sqlite_utils import Database


def _schools(db: "Database") -> None:
    """Schools, and who they are on the link."""
    db.table("schools").create(
        {
            "id": int,
            "slug": str,
            "name": str,
            "simulated": int,
            "invited": float,
        },
        pk="id",
        not_null={"slug", "name", "simulated", "invited"},
        defaults={"simulated": 0},
    )
    db.table("schools").create_index(["slug"], unique=True)
    db.table("schools").create_index(["name"], unique=True)
    db.table("enrolments").create(
        {"public_key": str, "school_id": int, "joined": float, "revoked": float},
        pk="public_key",
        not_null={"school_id", "joined"},
        foreign_keys=[("school_id", "schools", "id")],
    )
    db.table("heartbeats").create(
        {"school_id": int, "heard": float, "backlog": int, "version": str, "sources": str},
        pk="school_id",
        foreign_keys=[("school_id", "schools", "id")],
    )


def _records(db: "Database") -> None:
    """Lessons and weeks with their placements; features, strips and distributions as JSON."""
    db.table("scales").create(
        {"id": int, "model": str, "dimension": str, "version": str, "stages": int},
        pk="id",
        not_null={"model", "dimension", "version", "stages"},
    )
    db.table("scales").create_index(["model", "dimension", "version", "stages"], unique=True)
    db.table("lessons").create(
        {
            "id": int,
            "school_id": int,
            "class": str,
            "start_s": int,
            "start": str,
            "minutes": int,
            "grade_band": str,
            "subject": str,
            "devices": int,
            "expected": int,
            "evidence": float,
            "visibility": float,
            "sources": str,
            "features": str,
            "strip": str,
            "revision": int,
        },
        pk="id",
        foreign_keys=[("school_id", "schools", "id")],
    )
    db.table("lessons").create_index(["school_id", "class", "start_s"], unique=True)
    db.table("placements").create(
        {"lesson_id": int, "scale_id": int, "probs": str, "low": int, "high": int, "verdict": str},
        pk=("lesson_id", "scale_id"),
        foreign_keys=[("lesson_id", "lessons", "id"), ("scale_id", "scales", "id")],
    )
    db.table("weeks").create(
        {
            "id": int,
            "school_id": int,
            "week": str,
            "grade_band": str,
            "lessons": int,
            "classes": int,
            "teachers": int,
            "devices": int,
            "evidence": float,
            "visibility": float,
            "sources": str,
            "features": str,
        },
        pk="id",
        foreign_keys=[("school_id", "schools", "id")],
    )
    db.table("weeks").create_index(["school_id", "week", "grade_band"], unique=True)
    db.table("weeks").create_index(["week"])
    db.table("week_placements").create(
        {
            "week_id": int,
            "scale_id": int,
            "expected": str,
            "placed": int,
            "thin": int,
            "evidence_only": int,
        },
        pk=("week_id", "scale_id"),
        foreign_keys=[("week_id", "weeks", "id"), ("scale_id", "scales", "id")],
    )


def _refusals(db: "Database") -> None:
    """What was counted, what was refused, and a scrubbed trace of it. School 0: none is known."""
    db.table("counters").create({"name": str, "count": int}, pk="name")
    db.table("refused").create(
        {"school_id": int, "reason": str, "day": str, "count": int}, pk=("school_id", "reason", "day")
    )
    db.table("quarantine").create(
        {
            "id": int,
            "school_id": int,
            "at": float,
            "reason": str,
            "kind": str,
            "size": int,
            "hash": str,
            "excerpt": str,
        },
        pk="id",
    )


def _usage(db: "Database") -> None:
    """Usage exports by district and ISO week; what was left out, by file (no district: the files around)."""
    db.table("usage_products").create({"lp_id": str, "name": str}, pk="lp_id")
    db.table("usage_facts").create({"district": str, "facts": str}, pk="district")
    db.table("usage_districts").create(
        {
            "district": str,
            "days": int,
            "products": int,
            "engagement": float,
            "unknown_engagement": float,
            "rows": int,
            "used": int,
            "not_used": int,
        },
        pk="district",
    )
    db.table("usage_weeks").create(
        {
            "district": str,
            "week": str,
            "days": int,
            "products": int,
            "engagement": float,
            "features": str,
        },
        pk=("district", "week"),
        foreign_keys=[("district", "usage_districts", "district")],
    )
    db.table("usage_placements").create(
        {"district": str, "week": str, "scale_id": int, "probs": str, "verdict": str},
        pk=("district", "week", "scale_id"),
        foreign_keys=[("scale_id", "scales", "id")],
    )
    db.table("usage_refused").create(
        {"file": str, "district": str, "reason": str, "count": int}, pk=("file", "reason")
    )


def _intake(db: "Database") -> None:
    """What each school has brought in on its newest day."""
    db.table("intake").create(
        {"school_id": int, "day": str, "lessons": int, "size": int},
        pk="school_id",
        not_null={"day", "lessons", "size"},
        foreign_keys=[("school_id", "schools", "id")],
    )


def _alarms(db: "Database") -> None:
    """What somebody should look at, once for each school, reason and fingerprint."""
    db.table("alarms").create(
        {
            "id": int,
            "school_id": int,
            "reason": str,
            "fingerprint": str,
            "first": float,
            "last": float,
            "count": int,
            "cleared": float,
        },
        pk="id",
        not_null={"school_id", "reason", "fingerprint", "first", "last", "count"},
        foreign_keys=[("school_id", "schools", "id")],
    )
    db.table("alarms").create_index(["school_id", "reason", "fingerprint"], unique=True)


MIGRATIONS: tuple[Migration, ...] = (
    ledger.create_tables,
    invitations.create_tables,
    _schools,
    _records,
    _refusals,
    _usage,
    _intake,
    receipts.create_tables,
    _alarms,
    enrolments.KEYS.add_column,
    verification.create_table,
    announced.create_table,
    receipts.add_gaps,
    ceilings.add_refused,
    forgetting.add_received,
    enrolments.add_index,
    waiting.add_table,
    catalogue.add_table,
)
