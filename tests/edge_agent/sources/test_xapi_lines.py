"""Statements from files: each counts once, whatever layout the export has."""

import json
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.sources.facts import Did, Reading
from edge_agent.sources.logtime import LogTime
from edge_agent.sources.xapi_lines import MAX_LINE, StatementLines

HERE = Path(__file__).parent.parent / "recorded" / "xapi"
LINES = (HERE / "video_statements.jsonl").read_bytes()
TIMES = LogTime(ZoneInfo("Europe/Zurich"))
VOIDED = {"id": "http://adlnet.gov/expapi/verbs/voided"}


def uid(number: int) -> str:
    return f"fd41c918-b88b-4b20-a0a5-{number:012}"


def one(number: int, **changed: Any) -> dict[str, Any]:
    return {
        "id": uid(number),
        "actor": {"name": "Kanarina", "account": {"homePage": "https://s.example", "name": "anna"}},
        "verb": {"id": "http://activitystrea.ms/schema/1.0/create"},
        "object": {"id": "https://padlet.com/Kanarina"},
        "timestamp": "2026-09-14T09:05:00+02:00",
    } | changed


def void(number: int, target: int) -> dict[str, Any]:
    return one(number, verb=VOIDED, object={"objectType": "StatementRef", "id": uid(target)})


def read(*lines: Any, reader: StatementLines | None = None) -> Reading:
    texts = (line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines)
    return (reader or StatementLines())(b"".join(text + b"\n" for text in texts), TIMES)


def accounted(reading: Reading) -> bool:
    told = len(reading.facts) + sum(reading.refused.values()) + sum(reading.passed_over.values())
    return told == reading.lines


def test_a_recorded_course_is_facts_and_verbs_of_no_use() -> None:
    reading = StatementLines()(LINES, TIMES)
    assert reading.lines == 60 and not reading.refused
    assert set(reading.passed_over) == {"verb_of_no_use"}
    assert all(isinstance(fact, Did) for fact in reading.facts)
    assert accounted(reading)
    assert reading.newest == max(fact.t for fact in reading.facts if isinstance(fact, Did))


def test_every_layout_of_an_export_says_the_same() -> None:
    several = [one(i) for i in range(3)]
    texts = [json.dumps(item).encode() for item in several]
    layouts = [
        texts,
        [json.dumps(several).encode()],
        [b"[", texts[0] + b",", texts[1] + b",", texts[2], b"]"],
        [b"[" + texts[0] + b",", texts[1] + b",", texts[2] + b"]"],
        [json.dumps({"statements": several, "more": ""}).encode()],
        [texts[0] + b"\r", b"", texts[1] + b"\r", texts[2] + b"\r"],
    ]
    for layout in layouts:
        reading = read(*layout)
        assert (len(reading.facts), reading.lines, reading.refused) == (3, 3, {}), layout


def test_an_id_counts_once_in_a_file_also_in_another_chunk() -> None:
    reader = StatementLines()
    first = read(one(1), one(1), one(2), reader=reader)
    second = read(one(2), one(3), reader=reader)
    assert (len(first.facts), len(second.facts)) == (2, 1)
    assert first.passed_over == second.passed_over == {"statement_known": 1}


def test_what_is_voided_close_by_or_before_does_not_count() -> None:
    reader = StatementLines()
    first = read(one(1), void(2, 1), void(3, 4), reader=reader)
    assert not first.facts and first.passed_over == {"voided": 3} and accounted(first)
    second = read(one(4), one(5), reader=reader)
    assert len(second.facts) == 1
    late = read(void(6, 5), reader=reader)
    assert late.passed_over == {"voided": 1, "voided_too_late": 1} and accounted(late)


def test_a_statement_without_a_time_has_the_time_when_it_was_stored_or_none() -> None:
    stored = one(1, stored="2026-09-14T07:05:00Z")
    del stored["timestamp"]
    (fact,) = read(stored).facts
    assert isinstance(fact, Did) and fact.t == 1_789_369_500
    del stored["stored"]
    assert read(stored).passed_over == {"no_timestamp": 1}


def test_an_export_of_the_second_edition_is_judged_by_it() -> None:
    agents = {"contextAgents": [{"objectType": "contextAgent", "agent": {"mbox": "mailto:a@b.example"}}]}
    assert read(one(1, context=agents, version="2.0.0")).facts
    assert read(one(1, context=agents)).refused == {"statement_invalid": 1}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{", "body_is_no_json"),
        (b'{"a":1,"a":2}', "body_is_no_json"),
        (b"[" * 5000 + b"]", "body_is_no_json"),
        (b'"text"', "statement_invalid"),
        (b"\xff\xfe\x00", "body_is_no_json"),
        (b'{"id":"' + b"x" * MAX_LINE + b'"}', "line_too_long"),
        (one(1, actor={"name": "Kanarina"}), "actor_unidentified"),
        (one(1, timestamp="9999-12-31T00:00:00Z"), "timestamp_out_of_range"),
    ],
)
def test_what_is_broken_is_refused_alone_and_shows_nothing(line: Any, reason: str) -> None:
    reading = read(one(7), line, one(8))
    assert len(reading.facts) == 2 and reading.refused == {reason: 1} and accounted(reading)
    assert "Kanarina" not in str(reading.excerpts)


@settings(derandomize=True, max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 59), st.integers(0, 3000), st.binary(max_size=6)), max_size=6))
def test_mutated_lines_never_raise_and_every_statement_is_accounted_for(
    changes: list[tuple[int, int, bytes]],
) -> None:
    lines = LINES.split(b"\n")
    for number, at, inserted in changes:
        lines[number] = lines[number][:at] + inserted + lines[number][at + 1 :]
    reading = StatementLines()(b"\n".join(lines), TIMES)
    assert accounted(reading)
    assert len(reading.excerpts) <= 20
