"""Statements are valid xAPI 1.0.3, and carry what must never leave a school."""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from hypothesis import given, settings
from hypothesis import strategies as st

from demo.day import SchoolDay
from demo.school import School
from demo.xapi import duration
from demo.xapi_verbs import UNKNOWN_VERB, VERBS
from shared.words import Action

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
DURATION = re.compile(r"PT(?:(\d+)M)?(\d+(?:\.\d+)?)S")


def _faults(statement: Mapping[str, Any]) -> list[str]:
    """What the specification (part two, 2.4) finds wrong with the parts that we use."""
    faults = []
    if not UUID.fullmatch(statement.get("id", "")):
        faults.append("id")
    account = statement.get("actor", {}).get("account", {})
    if not account.get("name") or not urlsplit(account.get("homePage", "")).scheme:
        faults.append("actor")
    if not urlsplit(statement.get("verb", {}).get("id", "")).scheme:
        faults.append("verb")
    if not urlsplit(statement.get("object", {}).get("id", "")).scheme:
        faults.append("object")
    try:
        datetime.fromisoformat(statement.get("timestamp", ""))
    except ValueError:
        faults.append("timestamp")
    if "result" in statement and not DURATION.fullmatch(statement["result"]["duration"]):
        faults.append("result")
    return faults


def test_only_schools_whose_apps_report_send_statements(
    schools: tuple[School, ...], mondays: dict[str, SchoolDay]
) -> None:
    for school in schools:
        assert bool(mondays[school.slug].statements) == school.character.reports_actions


def test_good_statements_have_no_fault_and_broken_ones_have_one_each(mondays: dict[str, SchoolDay]) -> None:
    for day in mondays.values():
        assert not any(_faults(json.loads(statement)) for statement in day.statements)
        broken = [_faults(json.loads(statement)) for statement in day.broken]
        assert broken == ([["actor"], ["verb"], ["timestamp"], ["object"]] if day.statements else [])


def test_statement_ids_are_unique_and_times_are_those_of_the_acts(mondays: dict[str, SchoolDay]) -> None:
    for day in mondays.values():
        statements = [json.loads(statement) for statement in day.statements]
        assert len({statement["id"] for statement in statements}) == len(statements)
        moments = [int(datetime.fromisoformat(s["timestamp"]).timestamp()) for s in statements]
        assert moments == day.said == sorted(day.said)


def test_statements_carry_names_and_long_addresses_of_learners_with_an_ipad_of_their_own(
    schools: tuple[School, ...], mondays: dict[str, SchoolDay]
) -> None:
    for school in schools:
        owners = {device.owner.username for device in school.devices if device.owner}
        learners = {learner.username for learner in school.learners} & owners
        for text in mondays[school.slug].statements:
            statement = json.loads(text)
            assert statement["actor"]["account"]["name"] in learners
            assert urlsplit(statement["object"]["id"]).query


def test_every_action_has_a_verb_of_its_own() -> None:
    assert set(VERBS) == set(Action) - {Action.CONTACT}
    verbs = [verb for group in VERBS.values() for verb in group]
    assert len(set(verbs)) == len(verbs)
    assert UNKNOWN_VERB not in verbs


@settings(derandomize=True, max_examples=100, deadline=None)
@given(st.floats(min_value=0.01, max_value=3600))
def test_a_duration_reads_back_as_the_seconds_it_was(seconds: float) -> None:
    match = DURATION.fullmatch(duration(seconds))
    assert match
    read = int(match.group(1) or 0) * 60 + float(match.group(2))
    assert abs(read - seconds) <= 0.0051
