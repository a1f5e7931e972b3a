"""A statement is judged by the standard: what is legal is never refused, what is not is named by its part."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.sources.facts import Did
from edge_agent.sources.xapi import VERBS, StatementReader
from edge_agent.sources.xapi_statement import VOIDED, check
from models.catalogue.load import load_catalogue
from models.catalogue.match import NameMatcher
from shared.errors import BadInput
from shared.words import Action

CATALOGUE = load_catalogue()
READER = StatementReader(CATALOGUE, NameMatcher(CATALOGUE))
PADLET = next(i for i, app in enumerate(CATALOGUE.apps, start=1) if app.id == "padlet")
NOW = 1_789_000_000.0
ID = "fd41c918-b88b-4b20-a0a5-a4c32391aaa0"
ANNA = {"account": {"homePage": "https://school.example", "name": "anna"}}
CREATE = {"id": "http://activitystrea.ms/schema/1.0/create"}
BOARD = {"id": "https://anna:secret@padlet.com:443/board/7?author=anna"}
GOOD: dict[str, Any] = {"actor": ANNA, "verb": CREATE, "object": BOARD}


def read(**changed: Any) -> Did | str:
    return READER.read(GOOD | changed, NOW)


def fact(**changed: Any) -> Did:
    found = read(**changed)
    assert isinstance(found, Did), found
    return found


def test_a_statement_says_who_did_what_with_which_app_and_when() -> None:
    found = fact(timestamp="2026-09-14T09:05:30.250+02:00", result={"duration": "PT1M5.5S"})
    assert found == Did(1_789_369_530, "anna", PADLET, Action.CREATE, 65.5)
    assert fact() == Did(int(NOW), "anna", PADLET, Action.CREATE, 0.0), "received now, for an unknown time"


def test_an_app_without_a_host_is_known_by_its_bundle_id_or_its_host_name_as_platform() -> None:
    bundle, index = next(iter(CATALOGUE.by_bundle_id.items()))
    elsewhere = {"id": "https://content.vendor.example/x"}
    assert fact(object=elsewhere, context={"platform": bundle}).app == index
    assert fact(object=elsewhere, context={"platform": "padlet.com"}).app == PADLET
    assert fact(object=elsewhere, context={"platform": "Something"}).app == 0
    assert fact(object={"id": "urn:uuid:padlet.com"}).app == 0


@pytest.mark.parametrize(("word", "action"), sorted(VERBS.items()))
def test_a_verb_is_known_by_its_last_word_in_every_vocabulary(word: str, action: Action) -> None:
    for vocabulary in ("http://adlnet.gov/expapi/verbs/", "https://x.example/verbs#", "urn:verbs:"):
        assert fact(verb={"id": vocabulary + word.capitalize()}).action is action


def test_a_mailbox_is_a_user_only_as_a_whole() -> None:
    assert fact(actor={"mbox": "mailto:anna@gmail.com"}).user == "anna@gmail.com"


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"verb": {"id": "http://activitystrea.ms/schema/1.0/like"}}, "verb_of_no_use"),
        ({"verb": {"id": "tag:example.org,2026:like"}}, "verb_of_no_use"),
        ({"actor": {"objectType": "Group", "member": [ANNA, ANNA]}}, "actor_not_a_person"),
        ({"actor": {"objectType": "Group", "member": []}}, "actor_not_a_person"),
        ({"actor": ANNA | {"objectType": "Group"}}, "actor_not_a_person"),
        ({"actor": {"mbox_sha1sum": "ebd31e95054c018b10727ccffd2ef2ec3a016ee9"}}, "actor_without_user_name"),
        ({"actor": {"openid": "https://anna.openid.example/"}}, "actor_without_user_name"),
        ({"object": ANNA | {"objectType": "Agent"}}, "object_is_no_activity"),
        ({"object": {"objectType": "Group", "member": [ANNA]}}, "object_is_no_activity"),
        ({"object": {"objectType": "StatementRef", "id": ID}}, "object_is_no_activity"),
        ({"object": GOOD | {"objectType": "SubStatement"}}, "object_is_no_activity"),
        ({"verb": {"id": VOIDED}, "object": {"objectType": "StatementRef", "id": ID}}, "voided"),
        ({"timestamp": "0000-02-29T00:00:00Z"}, "timestamp_out_of_range"),
        ({"timestamp": "0001-01-01T00:00:00+14:00"}, "timestamp_out_of_range"),
        ({"timestamp": "1969-12-31T23:59:59.9Z"}, "timestamp_out_of_range"),
        ({"timestamp": "2106-02-07T06:28:16Z"}, "timestamp_out_of_range"),
        ({"timestamp": "9999-12-31T23:59:59-12:00"}, "timestamp_out_of_range"),
    ],
)
def test_what_is_legal_and_of_no_use_is_passed_over_for_its_own_reason(
    changed: dict[str, Any], reason: str
) -> None:
    assert read(**changed) == reason


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("PT0S", 0),
        ("PT1,5S", 1.5),
        ("PT1M", 60),
        ("PT59M59.99S", 3599.99),
        ("PT2H", 3600),
        ("P1D", 3600),
        ("P1W", 3600),
        ("P0.0001W", 60.48),
        ("P1Y2M", 3600),
        ("P1Y2M3DT4H5M6.7S", 3600),
        ("PT" + "9" * 400 + "S", 3600),
    ],
)
def test_every_iso_duration_is_read_and_an_hour_is_the_most(text: str, seconds: float) -> None:
    assert fact(result={"duration": text}).amount == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text", ["", "P", "PT", "P1YT", "P1", "1S", "P1W2D", "PT1S2H", "P-1D", "-PT1S", "PT١S"]
)
def test_what_is_no_iso_duration_is_invalid(text: str) -> None:
    assert refusal(GOOD | {"result": {"duration": text}}) == "result.duration must be an ISO 8601 duration"


@pytest.mark.parametrize(
    "text",
    [
        "2026-09-14T07:05:30Z",
        "2026-09-14T07:05:30",
        "2026-09-14t07:05:30.1234567z",
        "2026-09-14 09:05:30,9+0200",
        "20260914T070530Z",
        "2026-W38-1T07:05:30Z",
    ],
)
def test_every_iso_timestamp_is_read_and_means_utc_without_an_offset(text: str) -> None:
    assert fact(timestamp=text).t == 1_789_369_530


def test_a_leap_second_is_a_second() -> None:
    assert fact(timestamp="2016-12-31T23:59:60Z").t == fact(timestamp="2017-01-01T00:00:00Z").t


def refusal(statement: object) -> str:
    with pytest.raises(BadInput) as caught:
        READER.read(statement, NOW)
    assert caught.value.reason in {"statement_invalid", "actor_unidentified"}
    return caught.value.detail


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in GOOD.items() if key != name}


@pytest.mark.parametrize(
    ("statement", "part"),
    [
        ("text", "statement"),
        (None, "statement"),
        (without("actor"), "actor"),
        (without("verb"), "verb"),
        (without("object"), "object"),
        (GOOD | {"id": "7"}, "id"),
        (GOOD | {"id": None}, "id"),
        (GOOD | {"id": f"{{{ID}}}"}, "id"),
        (GOOD | {"actor": {"name": "anna"}}, "actor"),
        (GOOD | {"actor": ANNA | {"mbox": "mailto:anna@gmail.com"}}, "actor"),
        (GOOD | {"actor": ANNA | {"objectType": "Person"}}, "actor.objectType"),
        (GOOD | {"actor": {"account": {"name": "anna"}}}, "actor.account.homePage"),
        (GOOD | {"actor": {"account": ANNA["account"] | {"name": 7}}}, "actor.account.name"),
        (GOOD | {"actor": {"mbox": "anna@gmail.com"}}, "actor.mbox"),
        (GOOD | {"actor": {"mbox_sha1sum": "anna"}}, "actor.mbox_sha1sum"),
        (GOOD | {"actor": {"openid": "anna"}}, "actor.openid"),
        (GOOD | {"actor": {"objectType": "Group"}}, "actor"),
        (GOOD | {"actor": {"objectType": "Group", "member": ANNA}}, "actor.member"),
        (
            GOOD | {"actor": {"objectType": "Group", "member": [{"objectType": "Group"}]}},
            "actor.member.objectType",
        ),
        (GOOD | {"verb": {"id": "did it"}}, "verb.id"),
        (GOOD | {"verb": {"display": {"en": "created"}}}, "verb.id"),
        (GOOD | {"verb": {"id": VOIDED}}, "object"),
        (GOOD | {"object": {"objectType": "Activity"}}, "object.id"),
        (GOOD | {"object": {"objectType": "Thing", "id": "a:b"}}, "object.objectType"),
        (GOOD | {"object": {"objectType": ["Activity"], "id": "a:b"}}, "object.objectType"),
        (GOOD | {"object": {"objectType": "StatementRef", "id": "7"}}, "object.id"),
        (GOOD | {"object": GOOD | {"objectType": "SubStatement", "id": ID}}, "object"),
        (GOOD | {"object": without("verb") | {"objectType": "SubStatement"}}, "verb"),
        (
            GOOD
            | {"object": GOOD | {"objectType": "SubStatement", "object": {"objectType": "SubStatement"}}},
            "object.objectType",
        ),
        (GOOD | {"timestamp": "yesterday after lunch"}, "timestamp"),
        (GOOD | {"timestamp": "2026-13-01T00:00:00Z"}, "timestamp"),
        (GOOD | {"timestamp": 1_789_369_530}, "timestamp"),
        (GOOD | {"result": "good"}, "result"),
        (GOOD | {"result": {"duration": 5}}, "result.duration"),
        (GOOD | {"context": []}, "context"),
        (GOOD | {"context": {"platform": 7}}, "context.platform"),
    ],
)
def test_what_the_standard_calls_invalid_is_refused_by_the_name_of_its_part(
    statement: object, part: str
) -> None:
    assert refusal(statement).startswith(part + " ")


def test_the_essence_tells_statements_apart_by_who_what_and_which_but_not_by_when() -> None:
    one = check(GOOD)
    same: list[dict[str, Any]] = [{"timestamp": "2026-09-14T07:05:30Z"}, {"id": ID}, {"version": "1.0.0"}]
    other: list[dict[str, Any]] = [
        {"actor": {"mbox": "mailto:anna@gmail.com"}},
        {"verb": {"id": "urn:other"}},
        {"object": {"id": "urn:other"}},
        {"result": {"completion": True}},
    ]
    assert all(check(GOOD | changed).essence == one.essence for changed in same)
    assert all(check(GOOD | changed).essence != one.essence for changed in other)


TEXTS = st.text(max_size=12) | st.sampled_from(
    [
        *(
            "",
            "Agent",
            "Group",
            "Activity",
            "SubStatement",
            "StatementRef",
            "mailto:a@b",
            "a:b",
            "http://[",
            ID,
        ),
        *(VOIDED, "PT1S", "P1W", "2026-09-14T07:05:30Z", "\ud800", "http://x@:/", "0000-00-00", "24:00"),
    ]
)
NAMES = st.sampled_from(
    [
        *("id", "actor", "verb", "object", "objectType", "account", "homePage", "name", "mbox", "member"),
        *("openid", "mbox_sha1sum", "timestamp", "result", "duration", "context", "platform"),
    ]
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=5),
    max_leaves=25,
)
ANY_STATEMENT: st.SearchStrategy[Any] = ANYTHING | st.builds(
    lambda changed: GOOD | changed, st.dictionaries(NAMES, ANYTHING, max_size=3)
)


def outcome(statement: Any) -> Did | str:
    try:
        return READER.read(statement, NOW)
    except BadInput as refused:
        return refused.reason


@settings(derandomize=True, max_examples=500, deadline=None)
@given(ANY_STATEMENT, TEXTS)
def test_whatever_is_sent_is_a_fact_or_has_a_reason(statement: Any, text: str) -> None:
    found = outcome(statement)
    if isinstance(found, Did):
        assert 0 <= found.t < 2**32 and 0 <= found.amount <= 3600 and 0 <= found.app <= len(CATALOGUE.apps)
    for changed in (
        {"timestamp": text},
        {"result": {"duration": text}},
        {"object": {"id": "http://" + text}},
    ):
        assert outcome(GOOD | changed)
