"""The hub can say whether what it holds is what the schools disclosed, record by record."""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from hub import folder
from hub.cli import app
from hub.nightly import Nightly, due
from hub.paths import Layout
from hub.store import receipts, verification
from shared import disclosure, storage
from shared.errors import BadInput, CommonGroundError, UsageError
from shared.link.outcomes import Rejected, Settled
from shared.records import Record, encode
from tests.hub.hubs import Hub, temporary_hub
from tests.hub.records import SCHOOL, lesson, status, week

AT = "2025-11-01T12:00:00Z"


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    layout = Layout(tmp_path / "hub")
    folder.create(layout, "North District", 8000, "tcp://127.0.0.1:5710", simulated=False)
    made = Hub(layout)
    yield made
    made.close()


def compared(hub: Hub) -> verification.Result:
    """The first school's result."""
    reader = storage.reader(hub.layout.database)
    try:
        return verification.compare(reader, 1, SCHOOL)
    finally:
        reader.close()


def alter(hub: Hub, statement: str) -> None:
    """As somebody with the file could."""
    with sqlite3.connect(hub.layout.database) as connection:
        assert connection.execute(statement).rowcount > 0
    connection.close()


def entry(
    payload: bytes, seq: int = 1, before: str = disclosure.GENESIS, kind: str = "week"
) -> disclosure.Entry:
    sha256 = disclosure.digest(payload)
    chain = disclosure.link(before, seq, AT, kind, seq, len(payload), sha256)
    return disclosure.Entry(seq, before, chain, kind, seq, len(payload), sha256, AT)


def test_what_was_sent_agrees_and_what_was_replaced_since_is_no_loss(hub: Hub) -> None:
    school = hub.join(SCHOOL)
    hub.send(school, lesson(), week(), status(), lesson(revision=2))
    result = compared(hub)
    assert (result.agree, result.replaced, result.whole) == (2, 1, True)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE lessons SET devices = devices + 1",
        "UPDATE lessons SET start = replace(start, ':00', ':01')",
        "UPDATE lessons SET features = replace(features, '0.5', '0.6')",
        "UPDATE lessons SET strip = 'junk'",
        "UPDATE placements SET verdict = 'placed' WHERE rowid = 1",
        "UPDATE placements SET probs = '[1.0,0.0,0.0,0.0,0.0]' WHERE rowid = 2",
        "DELETE FROM placements WHERE rowid = 1",
        "UPDATE scales SET version = '9'",
        "UPDATE schools SET name = 'Another'",
    ],
)
def test_one_changed_value_is_found_with_its_school_and_entry(hub: Hub, statement: str) -> None:
    school = hub.join(SCHOOL)
    hub.send(school, status(), lesson())
    alter(hub, statement)
    done = CliRunner().invoke(app, ["verify", str(hub.layout.folder), "--json"])
    told = json.loads(done.stdout)
    (one,) = told["schools"]
    assert isinstance(done.exception, CommonGroundError) and done.exception.exit_code == 1
    assert (told["whole"], one["agree"], one["differ"]) == (False, 0, 1)
    assert [(found["seq"], found["what"]) for found in one["findings"]] == [(2, "differs")]


def test_a_record_that_is_gone_is_missed(hub: Hub) -> None:
    school = hub.join(SCHOOL)
    hub.send(school, lesson(), week())
    alter(hub, "DELETE FROM weeks")
    assert [(one.kind, one.what, one.seq) for one in compared(hub).findings] == [("week", "missing", 2)]


def test_a_record_without_an_entry_is_taken_counted_and_said_to_be_without(hub: Hub) -> None:
    school = hub.join(SCHOOL)
    hub.inbox.deliver([msgspec.structs.replace(hub.delivery(school, week()), position=None)])
    result = compared(hub)
    assert (result.agree, result.without, result.whole) == (0, 1, True)
    assert hub.counters()[receipts.UNDISCLOSED] == 1


@pytest.mark.parametrize("wrong", ["bytes", "kind", "junk", "number"])
def test_a_record_whose_entry_does_not_fit_is_refused_and_raises_an_alarm(hub: Hub, wrong: str) -> None:
    school = hub.join(SCHOOL)
    payload = encode(week())
    told = {
        "bytes": disclosure.pack(entry(payload + b" ")),
        "kind": disclosure.pack(entry(payload, kind="lesson")),
        "junk": b"\x00" * 40,
        "number": disclosure.pack(replace(entry(payload), number=2)),
    }[wrong]
    delivery = msgspec.structs.replace(hub.delivery(school, payload), position=told)
    assert hub.inbox.deliver([delivery]) == [Rejected(1, "not_as_disclosed")]
    assert [alarm.reason for alarm in hub.views.alarms()] == ["not_as_disclosed"]
    assert hub.rows("SELECT count(*) FROM weeks") == [(0,)]


def test_a_refused_record_is_no_record_that_is_missing(hub: Hub) -> None:
    school = hub.join(SCHOOL)
    hub.send(
        school,
        week(),
        week(),
        b'{"kind":"week"}',
        encode(lesson()).replace(b":1}", b":1" + b"0" * 4_000 + b"}"),
    )
    assert hub.rows("SELECT seq FROM receipts") == [(1,)], "nothing is kept of what was refused"
    assert hub.rows("SELECT seq FROM receipt_lines") == [(4,)], "but its place in the line"
    assert compared(hub).whole


def test_a_log_that_went_back_is_taken_and_raises_an_alarm_once(hub: Hub) -> None:
    school = hub.join(SCHOOL)
    hub.send(school, status(), status(), status())
    again = entry(encode(week()), seq=2, before="ab" * 32)
    delivery = msgspec.structs.replace(hub.delivery(school, week()), position=disclosure.pack(again))
    assert hub.inbox.deliver([delivery]) == [Settled(4)]
    on = entry(encode(lesson()), seq=3, before=again.chain, kind="lesson")
    delivery = msgspec.structs.replace(hub.delivery(school, lesson()), position=disclosure.pack(on))
    assert hub.inbox.deliver([delivery]) == [Settled(5)]
    assert [(alarm.reason, alarm.count) for alarm in hub.views.alarms()] == [("log_went_back", 1)]
    assert compared(hub).agree == 2


def test_an_entry_that_comes_next_and_does_not_follow_is_a_break_and_a_gap_is_none(hub: Hub) -> None:
    hub.join(SCHOOL)
    first, other = entry(b"1"), entry(b"2", seq=2, before="ab" * 32)
    later = entry(b"3", seq=9, before="cd" * 32)

    def keep(*entries: disclosure.Entry) -> int:
        return hub.writer.run(lambda own: receipts.keep(own, 1, entries, 1.0))

    assert keep() == 0
    assert keep(first) == 0
    assert keep(other) == 1
    assert keep(later) == 0, "entries between may have been withdrawn"
    assert keep(first, other, later) == 2
    assert hub.rows("SELECT skipped FROM receipt_lines") == [(12,)]


def test_a_gap_is_counted_and_one_that_no_withdrawal_explains_is_a_break(hub: Hub) -> None:
    school = hub.join(SCHOOL)
    hub.send(school, status(), *[b""] * 30)
    for seq, broken in ((31 + 30, 0), (61 + receipts.UNDER_WAY + 1, 0), (5_000, 1), (5_001 + 32 + 1, 2)):
        told = entry(encode(status()), seq=seq, before="ab" * 32, kind="status")
        assert hub.inbox.deliver(
            [msgspec.structs.replace(hub.delivery(school, status()), position=disclosure.pack(told))]
        )
        assert sum(alarm.count for alarm in hub.views.alarms()) == broken, seq
    ((skipped,),) = hub.rows("SELECT skipped FROM receipt_lines")
    assert compared(hub).skipped == skipped
    assert CliRunner().invoke(app, ["verify", str(hub.layout.folder)]).exit_code == 0
    assert (
        f"{skipped:,d} came with no record"
        in CliRunner().invoke(app, ["status", str(hub.layout.folder)]).stdout
    )


@pytest.mark.parametrize("together", [True, False])
def test_once_a_school_tells_entries_a_record_without_one_is_refused_and_raises_an_alarm(
    hub: Hub, together: bool
) -> None:
    school = hub.join(SCHOOL)
    first = msgspec.structs.replace(hub.delivery(school, week(name="2025-W35")), position=None)
    sent = [
        first,
        hub.delivery(school, week()),
        msgspec.structs.replace(hub.delivery(school, lesson()), position=None),
    ]
    groups = [sent] if together else [[one] for one in sent]
    outcomes = [one for group in groups for one in hub.inbox.deliver(group)]
    assert outcomes == [Settled(1), Settled(2), Rejected(3, "not_as_disclosed")]
    assert [alarm.reason for alarm in hub.views.alarms()] == ["not_as_disclosed"]
    assert (compared(hub).without, compared(hub).whole) == (1, True)


def test_a_record_that_came_to_the_store_past_the_log_is_found(hub: Hub) -> None:
    school = hub.join(SCHOOL)
    hub.inbox.deliver([msgspec.structs.replace(hub.delivery(school, lesson(code="old")), position=None)])
    hub.send(school, lesson())
    alter(
        hub,
        "INSERT INTO lessons SELECT 9, school_id, 'made', start_s, start, minutes, grade_band, subject,"
        " devices, expected, evidence, visibility, sources, features, strip, revision, received"
        " FROM lessons WHERE id = 1",
    )
    done = CliRunner().invoke(app, ["verify", str(hub.layout.folder)])
    assert isinstance(done.exception, CommonGroundError) and "undisclosed" in done.stdout
    result = compared(hub)
    assert (result.agree, result.without, result.differ) == (1, 1, 1)


def test_a_later_version_may_append_to_an_entry(hub: Hub) -> None:
    own = entry(encode(week()))
    longer = [*msgspec.msgpack.decode(disclosure.pack(own)), "later"]
    found = receipts.check(msgspec.msgpack.encode(longer), encode(week()))
    assert found is not None and found.chain == own.chain
    assert receipts.check(None, b"") is None


@given(st.binary(max_size=200), st.binary(max_size=200))
@settings(derandomize=True, max_examples=300, deadline=None)
def test_whatever_comes_as_an_entry_is_refused_in_order_or_fits(position: bytes, payload: bytes) -> None:
    with pytest.raises(BadInput, match="not_as_disclosed"):
        receipts.check(position, payload)


@st.composite
def records(draw: st.DrawFn) -> Record:
    """A lesson or week that any agent could have made."""
    features = lesson().features | {"switch_rate": draw(st.none() | st.floats(0, 1e3).map(abs))}
    if draw(st.booleans()):
        spread = draw(st.lists(st.floats(0.01, 1), min_size=5, max_size=5))
        probs = tuple(part / sum(spread) for part in spread)
        placements = tuple(msgspec.structs.replace(one, probs=probs) for one in lesson().placements)
        made: Record = msgspec.structs.replace(lesson(), features=features, placements=placements)
        return made
    return msgspec.structs.replace(week(), features=features, evidence=draw(st.floats(0.5, 50)))


@given(st.lists(records(), min_size=1, max_size=4))
@settings(derandomize=True, max_examples=25, deadline=None)
def test_every_record_that_is_taken_can_be_written_again_byte_for_byte(sent: list[Record]) -> None:
    with temporary_hub() as hub:
        school = hub.join(SCHOOL)
        taken = [one for record in sent for one in hub.send(school, record)]
        result = compared(hub)
        assert result.whole and result.without == 0
        assert result.agree == len(hub.rows("SELECT 1 FROM lessons") + hub.rows("SELECT 1 FROM weeks")), taken


def test_the_result_stands_on_the_hubs_page_in_plain_words(hub: Hub) -> None:
    school = hub.join(SCHOOL)
    assert hub.views.status().verified is None
    hub.send(school, week(), lesson())
    assert CliRunner().invoke(app, ["verify", str(hub.layout.folder), SCHOOL]).exit_code == 0
    verified = hub.views.status().verified
    assert verified is not None and (verified.agree, verified.differ, verified.schools) == (2, 0, 1)
    alter(hub, "UPDATE lessons SET devices = 99")
    CliRunner().invoke(app, ["verify", str(hub.layout.folder)])
    verified = hub.views.status().verified
    assert verified is not None
    assert [(one.school, one.entry, one.what) for one in verified.not_disclosed] == [(SCHOOL, 2, "differs")]
    said = CliRunner().invoke(app, ["status", str(hub.layout.folder)]).stdout
    assert "1 record is other than disclosed" in said


def test_a_school_that_nobody_knows_is_a_wrong_call(hub: Hub) -> None:
    done = CliRunner().invoke(app, ["verify", str(hub.layout.folder), "Nowhere"])
    assert isinstance(done.exception, UsageError)


def test_a_running_hub_compares_once_a_night(hub: Hub) -> None:
    hub.send(hub.join(SCHOOL), week())
    clock = [datetime(2025, 11, 1, 14, 0)]
    nightly = Nightly(hub.writer, lambda: clock[0])
    looked: list[Any] = [nightly.look()]
    clock[0] = datetime(2025, 11, 2, 2, 0)
    looked += [nightly.look(), nightly.look()]
    clock[0] = datetime(2025, 11, 3, 1, 30)
    looked += [nightly.look()]
    assert looked == [False, True, False, True]
    assert hub.rows("SELECT agree, differ FROM verifications") == [(1, 0)]
    assert not due(datetime(2025, 11, 3, 12, 0), None)
