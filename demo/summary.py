"""What came of a demo, in numbers that the hub and the agents tell themselves."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from demo.watch import Watched, get_json
from shared.errors import CommonGroundError

VERDICTS: Final = ("placed", "thin", "evidence_only")
# The hub's counters of records that told it something; heartbeats do not.
RECORDS: Final = ("lesson_new", "lesson_replaced", "lesson_older_revision", "week_new")

Summary = dict[str, Any]


def summarise(hub: Watched, agents: Sequence[Watched], seconds: float) -> Summary:
    """Ask everybody; raises CommonGroundError if somebody does not answer."""
    schools = [_ask(agent, "/status.json") for agent in agents]
    return combine(_ask(hub, "/api/v1/status"), schools, seconds)


def combine(hub: Mapping[str, Any], agents: Sequence[Mapping[str, Any]], seconds: float) -> Summary:
    """The summary from the hub's status and each agent's.

    Lessons, signals and placements (of every lesson, on every dimension) are the agents'; schools and
    records are what the hub received.
    """
    counted = {row["reason"]: row["count"] for row in hub["counters"]}
    windows = [agent["windows"] for agent in agents]
    return {
        "schools": sum(1 for school in hub["schools"] if school["last_heard"]),
        "lessons": sum(part["closed"] for part in windows),
        "signals": sum(agent["signals"] for agent in agents),
        "records": sum(counted.get(name, 0) for name in RECORDS),
        "placements": {name: sum(part["placements"][name] for part in windows) for name in VERDICTS},
        "seconds": round(seconds, 1),
    }


def _ask(watched: Watched, path: str) -> Any:
    answer = get_json(watched.port, path)
    if answer is None:
        raise CommonGroundError(f"{watched.title} does not answer {path}: see its log")
    return answer
