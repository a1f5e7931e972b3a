"""Every part of the standard's own conformance suite: the valid are taken, the invalid refused."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from edge_agent.sources.facts import Did
from edge_agent.sources.xapi import StatementReader
from edge_agent.sources.xapi_json import decode
from edge_agent.sources.xapi_statement import VOIDED, check
from models.catalogue.load import load_catalogue
from models.catalogue.match import NameMatcher
from shared.errors import BadInput

HERE = Path(__file__).parent.parent / "recorded" / "xapi"
PARTS: dict[str, dict[str, str]] = json.loads((HERE / "conformance_parts.json").read_text())
PLAIN: dict[str, Any] = {
    "actor": {"mbox": "mailto:anna@school.example"},
    "verb": {"id": "http://adlnet.gov/expapi/verbs/attended"},
    "object": {"id": "http://www.example.com/meetings/occurances/34534"},
}
REF = {"objectType": "StatementRef", "id": "8f87ccde-bb56-4c2e-ab83-44982ef22df0"}

# Where the parts of a folder belong.
PLACES = {
    "activities": ("object",),
    "agents": ("actor", "object", "authority"),
    "groups": ("actor", "object"),
    "verbs": ("verb",),
    "contexts": ("context",),
    "results": ("result",),
    "substatements": ("object",),
}

# The others are valid.
INVALID = {
    *(f"activities/{name}_invalid" for name in ("description", "name")),
    *(f"activities/interaction_type_invalid_{name}" for name in ("iri", "numeric", "object", "string")),
    *(f"activities/{kind}_{name}" for kind in ("numeric", "string") for name in ("name", "description")),
    "activities/no_id",
    *(f"agents/account_no_{name}" for name in ("homepage", "name")),
    *(f"groups/identified_account_no_{name}" for name in ("homepage", "name")),
    "groups/anonymous_no_member",
    *(f"contexts/{name}" for name in ("instructor", "team", "invalid_activity")),
    *(f"statements/{name}" for name in ("actor", "authority", "verb", "multiple_actor")),
    *(f"statements/object_{name}" for name in ("activity", "actor", "statementref_no_id", "substatement")),
    *(f"statements/no_{name}" for name in ("actor", "verb", "object")),
    *(f"substatements/no_{name}" for name in ("actor", "verb", "object")),
    *(f"substatements/{name}" for name in ("actor", "verb", "activity", "agent", "group")),
    "substatements/statementref_no_id",
    *(f"substatements/activity_definition_{name}_invalid" for name in ("name", "description")),
    *(f"substatements/{name}_invalid_language_map" for name in ("context", "interaction_component")),
    "substatements/verb_invalid",
    "verbs/no_id",
}  # fmt: skip
ONLY_IN_2 = {"contexts/context_agents", "contexts/context_groups"}


def statements(name: str, text: str) -> list[bytes]:
    """Statements of which the part is one, in every place where it may stand."""
    folder = name.partition("/")[0]
    if folder == "statements":
        return [text.encode()]
    plain = PLAIN | ({"object": REF} if VOIDED in text else {})
    return [json.dumps(plain | {place: json.loads(text)}).encode() for place in PLACES[folder]]


@cache
def parts() -> list[tuple[str, str]]:
    return [(path.removesuffix(".json"), text) for found in PARTS.values() for path, text in found.items()]


@pytest.mark.parametrize("second", [False, True], ids=["1.0.3", "2.0"])
@pytest.mark.parametrize(("name", "text"), parts(), ids=[name for name, _ in parts()])
def test_a_part_is_judged_as_the_suite_judges_it(name: str, text: str, second: bool) -> None:
    for body in statements(name, text):
        if name in INVALID or (name in ONLY_IN_2 and not second):
            with pytest.raises(BadInput):
                check(decode(body), second=second)
        else:
            check(decode(body), second=second)


def test_the_table_names_parts_that_are_there() -> None:
    names = {name for name, _ in parts()}
    assert names >= INVALID | ONLY_IN_2
    assert len(names) == 121


def test_a_group_of_two_may_vouch_for_a_statement_and_no_other_group() -> None:
    pair = json.loads(PARTS["1.0.3"]["groups/authority_group.json"])
    check(PLAIN | {"authority": pair})
    for wrong in ({"member": pair["member"][:1]}, {"mbox": "mailto:a@b.example"}):
        with pytest.raises(BadInput):
            check(PLAIN | {"authority": pair | wrong})


def test_statements_of_a_real_course_are_all_in_order() -> None:
    catalogue = load_catalogue()
    reader = StatementReader(catalogue, NameMatcher(catalogue))
    lines = (HERE / "video_statements.jsonl").read_bytes().splitlines()
    found = [reader.read(decode(line), 0.0, second=second) for line in lines for second in (False, True)]
    assert {type(one) for one in found} == {Did, str}
    assert {one for one in found if isinstance(one, str)} == {"verb_of_no_use"}, "such as seeked"


CHOICE = {"interactionType": "choice"}
ATTACHMENT = {
    "usageType": "a:b",
    "display": {"en": "x"},
    "contentType": "a/b",
    "length": 1,
    "sha2": "x",
}
REFUSED_OR_NOT: list[tuple[dict[str, Any], bool, bool]] = [
    # what is added, and whether 1.0.3 and 2.0 take it
    ({"result": {"score": {"scaled": 1.01}}}, False, False),
    ({"result": {"score": {"min": 1, "max": 1}}}, False, False),
    ({"result": {"score": {"min": 0, "max": 10, "raw": 11}}}, False, False),
    ({"result": {"score": {"raw": 11, "max": 12.5}}}, True, True),
    ({"result": {"score": {"raw": "11"}}}, False, False),
    ({"result": {"success": 1}}, False, False),
    ({"result": {"response": None}}, False, False),
    ({"result": {"extensions": {"http://x.example/y": None}}}, True, True),
    ({"result": {"extensions": {"no-iri": 1}}}, False, False),
    ({"context": {"registration": "7"}}, False, False),
    ({"context": {"contextActivities": {"parent": [{"id": "a:b"}], "other": {"id": "a:b"}}}}, True, True),
    ({"context": {"platform": "x"}, "object": REF}, False, False),
    ({"context": {"statement": REF}}, True, True),
    ({"Result": {}}, False, False),
    ({"extra": 1}, False, False),
    ({"version": "1.0.3"}, True, True),
    ({"version": "2.0.0"}, False, True),
    ({"version": "0.95"}, False, False),
    ({"stored": "yesterday"}, False, False),
    ({"timestamp": "2026-09-14T07:05:30"}, True, False),
    ({"timestamp": "2026-09-14T07:05:30-00:00"}, False, False),
    ({"timestamp": "2026-09-14T07:05:30-0000"}, False, False),
    ({"timestamp": "2026-09-14T07:05:30.123456789Z"}, True, True),
    ({"actor": {"mbox": "mailto:a@b.example", "member": []}}, False, False),
    ({"object": {"id": "http://x.example/a b"}}, False, False),
    ({"object": {"id": "a:b", "definition": {"choices": [{"id": "1"}]}}}, False, False),
    ({"object": {"id": "a:b", "definition": CHOICE | {"choices": [{"id": "1"}, {"id": "2"}]}}}, True, True),
    ({"object": {"id": "a:b", "definition": CHOICE | {"choices": [{"id": "1"}, {"id": "1"}]}}}, False, False),
    ({"attachments": [ATTACHMENT]}, True, True),
    ({"attachments": [ATTACHMENT | {"length": "1"}]}, False, False),
    ({"attachments": [{"usageType": "a:b", "contentType": "a/b", "length": 1, "sha2": "x"}]}, False, False),
]  # fmt: skip


@pytest.mark.parametrize(("added", "first", "second"), REFUSED_OR_NOT)
def test_what_the_parts_leave_out_is_judged_by_the_text(
    added: dict[str, Any], first: bool, second: bool
) -> None:
    for edition, taken in ((False, first), (True, second)):
        if taken:
            check(PLAIN | added, second=edition)
        else:
            with pytest.raises(BadInput):
                check(PLAIN | added, second=edition)
