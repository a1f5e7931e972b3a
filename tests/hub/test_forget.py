"""What a stolen key brought in can be taken out, and what is true comes in again."""

import json
from collections.abc import Sequence

import msgspec
import pytest
from typer.testing import CliRunner

from hub.cli import app
from hub.store import enrolments, verification
from shared import storage
from shared.errors import UsageError
from shared.link.outcomes import Delivery, Outcome, Settled
from shared.records import LessonRecord, WeekRecord
from tests.hub.hubs import NOON, Hub, new_key
from tests.hub.records import SCHOOL, lesson, week

SINCE = "2025-11-01T13:00"
HOUR = 3600.0


def call(hub: Hub, *arguments: str) -> str:
    """What `hub forget` says."""
    done = CliRunner().invoke(app, ["forget", str(hub.layout.folder), *arguments])
    if done.exception is not None:
        raise done.exception
    return done.stdout


def poisoned(hub: Hub, *, disclosed: bool) -> str:
    """A school whose key was stolen after its first records; its enrolment."""
    school, other = hub.join(SCHOOL), hub.join("Birch Academy")
    send(hub, school, [lesson(), week(name="2025-W35")], disclosed)
    hub.now = NOON + 2 * HOUR
    hub.send(other, week("Birch Academy"))
    false: list[LessonRecord | WeekRecord] = [
        lesson(revision=1_000_000),
        lesson(code="made"),
        week(band="all"),
    ]
    assert all(isinstance(one, Settled) for one in send(hub, school, false, disclosed))
    return school


def send(
    hub: Hub, school: str, records: Sequence[LessonRecord | WeekRecord], disclosed: bool
) -> list[Outcome]:
    """Deliveries with or without the entries of a log."""
    deliveries: list[Delivery] = [hub.delivery(school, record) for record in records]
    if not disclosed:
        deliveries = [msgspec.structs.replace(one, position=None) for one in deliveries]
    return list(hub.inbox.deliver(deliveries))


def revoke(hub: Hub) -> None:
    hub.writer.run(lambda own: enrolments.revoke(own, SCHOOL, hub.now))


@pytest.mark.parametrize("disclosed", [True, False])
def test_what_came_since_then_is_gone_and_the_true_records_are_taken(hub: Hub, disclosed: bool) -> None:
    school = poisoned(hub, disclosed=disclosed)
    revoke(hub)
    said = call(hub, SCHOOL, "--since", SINCE, "--yes")
    assert "2 lessons and 1 weeks" in said
    assert hub.rows("SELECT school_id, week FROM weeks ORDER BY 1") == [(1, "2025-W35"), (2, "2025-W36")]
    assert hub.rows("SELECT count(*) FROM lessons") == hub.rows("SELECT count(*) FROM placements") == [(0,)]
    assert [one.reason for one in hub.views.alarms()] == ["forgotten"]
    assert whole(hub)
    hub.inbox.join(new_key(), hub.invite(SCHOOL), SCHOOL)
    hub.inbox.hello(school, "records", 9)
    again = [hub.delivery(school, one) for one in (lesson(), week(), week(band="6-8"))]
    outcomes = hub.inbox.deliver(
        [msgspec.structs.replace(one, epoch=9, seq=seq) for seq, one in enumerate(again, 1)]
    )
    assert list(outcomes) == [Settled(1), Settled(2), Settled(3)]
    assert whole(hub)


def whole(hub: Hub) -> bool:
    """Whether the first school's records are those that it disclosed."""
    reader = storage.reader(hub.layout.database)
    try:
        return verification.compare(reader, 1, SCHOOL).whole
    finally:
        reader.close()


def test_what_an_older_program_took_is_found_by_its_receipts(hub: Hub) -> None:
    poisoned(hub, disclosed=True)
    hub.writer.run(lambda own: own.execute("UPDATE lessons SET received = NULL").close())
    hub.writer.run(lambda own: own.execute("UPDATE weeks SET received = NULL").close())
    revoke(hub)
    assert "2 lessons and 1 weeks" in call(hub, "alder-primary", "--since", SINCE, "--yes")


def test_nothing_is_removed_without_yes_while_a_key_speaks_or_of_nobody(hub: Hub) -> None:
    poisoned(hub, disclosed=True)
    before = hub.rows("SELECT count(*) FROM lessons")
    with pytest.raises(UsageError, match="`revoke` it first"):
        call(hub, SCHOOL, "--since", SINCE, "--yes")
    revoke(hub)
    with pytest.raises(UsageError, match=r"would remove 2 lessons and 1 weeks.*--yes"):
        call(hub, SCHOOL, "--since", SINCE)
    with pytest.raises(UsageError, match="`yesterday` is no time"):
        call(hub, SCHOOL, "--since", "yesterday", "--yes")
    with pytest.raises(UsageError, match="no school is called"):
        call(hub, "Nowhere", "--since", SINCE, "--yes")
    assert hub.rows("SELECT count(*) FROM lessons") == before
    assert hub.views.alarms() == ()


def test_the_result_of_the_comparison_stands_at_once(hub: Hub) -> None:
    poisoned(hub, disclosed=True)
    revoke(hub)
    call(hub, SCHOOL, "--since", SINCE, "--yes")
    done = CliRunner().invoke(app, ["status", str(hub.layout.folder), "--json"])
    assert json.loads(done.stdout)["verified"]["agree"] == 1
