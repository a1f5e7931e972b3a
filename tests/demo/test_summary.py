"""The summary is what hub and agents tell, added up."""

from typing import Any

from demo.summary import combine

HUB: dict[str, Any] = {
    "schools": [{"last_heard": "2026-09-26T17:00:00+00:00"}, {"last_heard": None}],
    "counters": [
        {"reason": "lesson_new", "count": 10},
        {"reason": "lesson_replaced", "count": 2},
        {"reason": "week_new", "count": 3},
        {"reason": "status", "count": 99},
    ],
}


def _agent(signals: int, closed: int, *verdicts: int) -> dict[str, Any]:
    placements = dict(zip(("placed", "thin", "evidence_only"), verdicts, strict=True))
    return {"signals": signals, "windows": {"closed": closed, "placements": placements}}


def test_the_summary_adds_up_what_everybody_tells() -> None:
    assert combine(HUB, [_agent(1000, 40, 1, 2, 3), _agent(500, 20, 10, 20, 30)], 12.345) == {
        "schools": 1,
        "lessons": 60,
        "signals": 1500,
        "records": 15,
        "placements": {"placed": 11, "thin": 22, "evidence_only": 33},
        "seconds": 12.3,
    }


def test_a_demo_that_did_nothing_counts_nothing() -> None:
    summary = combine({"schools": [], "counters": []}, [], 0.0)
    assert summary["placements"] == {"placed": 0, "thin": 0, "evidence_only": 0}
    assert summary["lessons"] == summary["records"] == summary["signals"] == 0
