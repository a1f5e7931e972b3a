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
AGENTS = [
    {"signals": 1000, "windows": {"closed": 40}},
    {"signals": 500, "windows": {"closed": 20}},
]
DISTRICT: dict[str, Any] = {
    "distribution": [
        {"placed": 1, "thin": 2, "evidence_only": 3},
        {"placed": 10, "thin": 20, "evidence_only": 30},
    ]
}


def test_the_summary_adds_up_what_everybody_tells() -> None:
    assert combine(HUB, DISTRICT, AGENTS, 12.345) == {
        "schools": 1,
        "lessons": 60,
        "signals": 1500,
        "records": 15,
        "placements": {"placed": 11, "thin": 22, "evidence_only": 33},
        "seconds": 12.3,
    }


def test_a_demo_that_did_nothing_counts_nothing() -> None:
    empty: dict[str, Any] = {"schools": [], "counters": []}
    summary = combine(empty, {"distribution": []}, [], 0.0)
    assert summary["placements"] == {"placed": 0, "thin": 0, "evidence_only": 0}
    assert summary["lessons"] == summary["records"] == summary["signals"] == 0
