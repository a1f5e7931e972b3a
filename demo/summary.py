"""What came of a demo, in numbers that the hub and the agents tell themselves."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from demo.watch import Watched, get_json
from shared.errors import CommonGroundError

VERDICTS: Final = ("placed", "thin", "evidence_only")
# The hub's counters of records that told it something; heartbeats do not.
RECORDS: Final = ("lesson_new", "lesson_replaced", "lesson_older_revision", "week_new")
ALL_WEEKS: Final = 260

Summary = dict[str, Any]


def summarise(hub: Watched, agents: Sequence[Watched], seconds: float) -> Summary:
    """Ask everybody; raises CommonGroundError if somebody does not answer."""
    status = _ask(hub, "/api/v1/status")
    district = _ask(hub, f"/api/v1/district?weeks={ALL_WEEKS}")
    schools = [_ask(agent, "/status.json") for agent in agents]
    return combine(status, district, schools, seconds)


def combine(
    status: Mapping[str, Any],
    district: Mapping[str, Any],
    schools: Sequence[Mapping[str, Any]],
    seconds: float,
) -> Summary:
    """The summary from the hub's status, the district's weeks, and each agent's status."""
    counted = {row["reason"]: row["count"] for row in status["counters"]}
    return {
        "schools": sum(1 for school in status["schools"] if school["last_heard"]),
        "lessons": sum(school["windows"]["closed"] for school in schools),
        "signals": sum(school["signals"] for school in schools),
        "records": sum(counted.get(name, 0) for name in RECORDS),
        "placements": {
            verdict: sum(row[verdict] for row in district["distribution"]) for verdict in VERDICTS
        },
        "seconds": round(seconds, 1),
    }


def _ask(watched: Watched, path: str) -> Any:
    answer = get_json(watched.port, path)
    if answer is None:
        raise CommonGroundError(f"{watched.title} does not answer {path}: see its log")
    return answer
