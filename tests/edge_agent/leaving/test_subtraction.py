"""Nobody can be found by arithmetic on what left: late signals, ended sharing, the week's aggregate."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from edge_agent.store import classes, disclosures
from edge_agent.store.classes import end_expired
from shared.link import outbox
from tests.edge_agent.lessons.test_lessons import PEOPLE, Desk, at, contacts
from tests.edge_agent.lessons.test_lessons import desk as desk

STAMP = "2026-09-14T10:00:00+00:00"


def close(desk: Desk, minute: int = 0) -> None:
    desk.lessons.close_due(at(10, minute), at(10, minute))


def week(desk: Desk) -> list[dict[str, Any]]:
    desk.weeks.send_due(at(12, 0, day=19))
    return desk.sent("week")


def deliver(desk: Desk) -> None:
    """The hub has acknowledged everything so far."""
    (last,) = desk.connection.execute("SELECT last FROM outbox_state").fetchone()
    desk.writer.run(lambda c: outbox.settle(c, last, 0.0))


def evidence(records: list[dict[str, Any]]) -> float:
    return sum(float(record["evidence"]) for record in records)


def test_late_signals_of_few_devices_are_in_no_record_at_all(desk: Desk) -> None:
    for class_id in desk.codes:
        desk.share(class_id)
    desk.take(contacts(range(48)), at(9, 10))
    close(desk)
    deliver(desk)
    desk.take(contacts(range(1), minute=30, name="kahoot.it"), at(10, 5))
    close(desk, 6)
    (record,) = week(desk)
    assert record["evidence"] == pytest.approx(evidence(desk.sent()), abs=1e-3), (
        "the week minus the lessons is 0"
    )
    for name in ("practise_share", "collaborate_share", "app_entropy"):
        values = [float(lesson["features"][name]) for lesson in desk.sent()]
        assert record["features"][name] == pytest.approx(sum(values) / len(values), abs=1e-9)


def test_late_signals_of_few_devices_stay_out_also_after_sharing_has_ended(desk: Desk) -> None:
    for class_id in desk.codes:
        desk.share(class_id)
    desk.take(contacts(range(48)), at(9, 10))
    close(desk)
    deliver(desk)
    before = evidence(desk.sent())
    desk.writer.run(lambda c: classes.unshare(c, desk.codes["c0"], STAMP))
    desk.take(contacts(range(1), minute=30, name="kahoot.it"), at(10, 5))
    close(desk, 6)
    (record,) = week(desk)
    assert record["evidence"] == pytest.approx(before, abs=1e-3)


def test_a_class_unshared_before_delivery_cannot_be_had_by_subtracting_the_others(desk: Desk) -> None:
    for class_id in desk.codes:
        desk.share(class_id)
    desk.take(contacts(range(48)), at(9, 10))
    close(desk)
    hidden = desk.codes["c0"]
    assert desk.writer.run(lambda c: classes.unshare(c, hidden, STAMP)) == 1
    deliver(desk)
    assert week(desk) == []


def test_unsharing_withdraws_every_revision_that_was_not_delivered(desk: Desk) -> None:
    code = desk.share("c0")
    desk.take(contacts(range(12)), at(9, 10))
    close(desk)
    desk.take(contacts(range(6), minute=20), at(10, 5))
    close(desk, 6)
    assert [record["revision"] for record in desk.sent()] == [1, 2]
    assert desk.writer.run(lambda c: classes.unshare(c, code, STAMP)) == 2
    assert desk.sent() == []


def test_a_record_does_not_leave_after_its_sharing_has_ended(desk: Desk) -> None:
    desk.share("c0", until="2026-09-14")
    desk.take(contacts(range(12)), at(9, 10))
    close(desk)
    assert len(desk.sent()) == 1
    assert desk.writer.run(lambda c: end_expired(c, date(2026, 9, 14), STAMP)) == []
    assert desk.writer.run(lambda c: end_expired(c, date(2026, 9, 15), STAMP)) == [desk.codes["c0"]]
    assert desk.sent() == []


def test_a_clock_that_was_wrong_has_not_ended_the_sharing_of_a_class(desk: Desk) -> None:
    code = desk.share("c0", until="2026-09-30")
    assert desk.writer.run(lambda c: end_expired(c, date(2027, 9, 14), STAMP)) == []
    assert classes.shared_until(desk.connection) == {code: date(2026, 9, 30)}
    desk.take(contacts(range(12)), at(9, 10))
    close(desk)
    assert len(desk.sent()) == 1
    for _ in range(2):
        desk.writer.run(lambda c: end_expired(c, date(2026, 10, 1), STAMP))
    assert desk.sent() == []
    withdrawn = desk.connection.execute("SELECT count(*) FROM disclosures WHERE kind = 'withdrawn'")
    assert withdrawn.fetchone()[0] == 1, "once"


def test_contacts_told_again_are_no_change_that_could_carry_one_child_along(desk: Desk) -> None:
    desk.share("c0")
    desk.take(contacts(range(11)), at(9, 10))
    close(desk)
    desk.take([*contacts(range(11)), *contacts(range(11, 12), minute=20)], at(10, 5))
    close(desk, 6)
    assert [record["revision"] for record in desk.sent()] == [1], "one device is new, eleven are as they were"


def test_what_was_delivered_stays_readable_for_the_school_after_unsharing(desk: Desk) -> None:
    code = desk.share("c0")
    desk.take(contacts(range(12)), at(9, 10))
    close(desk)
    deliver(desk)
    desk.writer.run(lambda c: classes.unshare(c, code, STAMP))
    row = desk.connection.execute("SELECT payload, sealed FROM disclosures WHERE kind = 'lesson'").fetchone()
    payload = disclosures.opened(desk.opener, *row)
    assert payload is not None and code.encode() in payload
    kinds = [kind for (kind,) in desk.connection.execute("SELECT kind FROM disclosures")]
    assert kinds == ["lesson"], "nothing was withdrawn: it had arrived"


def test_nothing_of_a_day_is_left_in_any_file_once_its_key_is_destroyed(desk: Desk, tmp_path: Path) -> None:
    key = desk.keys.key(date(2026, 9, 14), at(9, 10))
    assert isinstance(key, bytes)
    desk.take(contacts(range(48)), at(9, 10))
    close(desk)
    from edge_agent.placing.daykeys import pseudonym

    traces = [pseudonym(key, person.serial).to_bytes(8, "little") for person in PEOPLE]
    files = [tmp_path / "school" / f"agent.db{end}" for end in ("", "-wal", "-shm")]
    assert any(trace in files[0].read_bytes() + files[1].read_bytes() for trace in traces)
    desk.lessons.forget(at(12, 0, day=15))
    assert desk.writer.empty_log()
    for file in files:
        assert not any(trace in file.read_bytes() for trace in traces), file.name
