"""An agent's state as its pages get it: a busy one, and one that has just been installed."""

from typing import Any

from starlette.applications import Starlette

from edge_agent.page import create_page

HASH = "ab12" * 16


def busy() -> dict[str, Any]:
    """An agent in the middle of a school day."""
    return {
        "school": "Alder <b>Primary</b>",
        "simulated": True,
        "version": "0.1.0",
        "now": "2025-03-11T14:05:00+00:00",
        "now_epoch": 1_741_701_900.0,
        "caught_up": True,
        "working": "ok",
        "next_steps": [],
        "sources": [
            {
                "kind": "dnsmasq",
                "id": "resolver",
                "state": "reading",
                "fresh": "2025-03-11T14:04:58+00:00",
                "lines": 1_204_311,
                "signals": 88_211,
                "refused": {"malformed_line": 12},
                "unmatched": {"no_lease": 41},
            },
            {"kind": "xapi", "id": "apps", "state": "listening", "fresh": None, "lines": 0, "signals": 0},
        ],
        "signals": 88_211,
        "signals_by_minute": [
            {"minute": f"2025-03-11T13:{minute:02d}:00+00:00", "count": 100 + minute} for minute in range(60)
        ],
        "refused": {"malformed_line": 12, "a_reason_nobody_knows": 3},
        "unmatched": {"no_lease": 41, "private_address": 7},
        "outside": {"background": 40_211, "staff": 881},
        "late": 4,
        "quarantine": [
            {
                "when": "2025-03-11T13:00:00+00:00",
                "source": "resolver",
                "reason": "malformed_line",
                "excerpt": "aaa 99 <aaaaaa>",
            }
        ],
        "sight": {
            "week": "2025-W11",
            "lessons": 40,
            "expected_minutes": 36_000,
            "seen_minutes": 20_700,
            "bypassed_minutes": 9_000,
            "unseen_minutes": 6_300,
            "bypassed": 200,
            "reporting_lessons": 12,
            "reported_minutes": 4_000,
            "windows": [
                {
                    "windows": 40,
                    "sights": {"dnsmasq": "contacts", "xapi": "actions"},
                    "missing": [],
                },
                {"windows": 2, "sights": {"dnsmasq": "contacts"}, "missing": ["artefact_rate", "ar_use"]},
            ],
        },
        "models": [
            {"id": "tim", "name": "<b>TIM</b>", "version": "1", "fit": "0123456789ab", "dimensions": 5}
            | {"grain": "lesson", "calibrated": 3},
            {"id": "acot", "name": "ACOT", "version": "1", "fit": None, "dimensions": 1}
            | {"grain": "term", "calibrated": 0},
        ],
        "windows": {
            "closed": 214,
            "without_devices": 3,
            "lessons_sent": 31,
            "placements": {"placed": 0, "thin": 120, "evidence_only": 940},
            "held_back": {"not_shared": 176, "few_devices": 4},
        },
        "weeks": [
            {"week": "2025-W10", "bands": 2, "held_back": None},
            {"week": "2025-W09", "bands": 0, "held_back": "few_classes"},
        ],
        "outbox": {"pending": 1, "sent": 36, "set_aside": 2, "state": "connected", "last_ack": None},
        "left": [
            {"day": "2025-03-11", "kind": "lesson", "count": 3, "bytes": 9123},
            {"day": "2025-03-10", "kind": "week", "count": 2, "bytes": 6001},
        ],
        "left_hashes": [{"day": "2025-03-11", "kind": "lesson", "sha256": HASH} for _ in range(20)],
        "left_days": [{"day": "2025-03-11", "chain": "cd34" * 16}],
        "district_holds": {"seq": 812, "agrees": True, "day": "2025-03-11"},
        "sharing": [{"class_code": "K7QM-3FXD", "until": "2025-06-30"}],
    }


def new() -> dict[str, Any]:
    """An agent that has not been told of a source or a hub."""
    trouble = "Not joined to a hub yet: run `commonground agent join` with the district's invitation."
    return {"school": "Birch", "now": None, "working": trouble, "next_steps": [trouble, "Add a source."]}


def page_over(status: dict[str, Any]) -> Starlette:
    """The agent's real application over a state."""
    return create_page(lambda: status)
