"""Keys and records that do not belong are told to somebody: once, with what to do, until it is settled."""

import sqlite3
import time
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from hub.store import alarms, enrolments
from hub.views.alarms import Alarm
from shared.errors import BadInput, CommonGroundError, UsageError
from shared.link.keys import KeyPair, fingerprint
from shared.link.server import LinkServer
from tests.hub.agents import Agent, HeardInbox, until
from tests.hub.hubs import EPOCH, Hub, new_key
from tests.hub.records import SCHOOL, lesson

HOUR = 3600.0
DAY = 24 * HOUR
DAY_MS = 24 * 3600 * 1000


def refused_join(hub: Hub, key: str, secret: bytes, name: str = SCHOOL) -> None:
    with pytest.raises(BadInput):
        hub.inbox.join(key, secret, name)


def standing(hub: Hub) -> list[tuple[str, str, str, int]]:
    """What stands: school, reason, fingerprint, how often."""
    return [(one.school, one.reason, one.fingerprint, one.count) for one in hub.views.alarms()]


def revoke(hub: Hub, name: str = SCHOOL) -> None:
    hub.writer.run(lambda own: enrolments.revoke(own, name, hub.now))


def test_another_key_with_a_used_invitation_is_refused_raises_an_alarm_and_replaces_nothing(hub: Hub) -> None:
    secret, own, other = hub.invite(SCHOOL), new_key(), new_key()
    enrolment = hub.inbox.join(own, secret, SCHOOL)
    assert hub.views.alarms() == ()
    refused_join(hub, other, secret)
    assert standing(hub) == [(SCHOOL, "other_key", fingerprint(other), 1)]
    assert hub.inbox.enrolments() == {own: enrolment}


def test_so_is_another_key_with_an_invitation_that_expired_or_is_another_schools(hub: Hub) -> None:
    first = hub.invite(SCHOOL)
    hub.inbox.join(new_key(), hub.invite(SCHOOL), SCHOOL)
    late, foreign = new_key(), new_key()
    refused_join(hub, late, first)
    hub.now += 1
    refused_join(hub, foreign, hub.invite("Birch Academy"), name=SCHOOL)
    assert set(standing(hub)) == {
        (SCHOOL, "other_key", fingerprint(late), 1),
        (SCHOOL, "other_key", fingerprint(foreign), 1),
    }


def test_the_key_of_one_school_that_tries_to_join_as_another_is_an_alarm_of_the_other(hub: Hub) -> None:
    key = new_key()
    hub.inbox.join(key, hub.invite("Birch Academy"), "Birch Academy")
    refused_join(hub, key, hub.invite(SCHOOL))
    assert standing(hub) == [(SCHOOL, "other_key", fingerprint(key), 1)]


def test_guesses_mistakes_and_repeated_answers_are_no_alarm(hub: Hub) -> None:
    secret, key = hub.invite(SCHOOL), new_key()
    refused_join(hub, new_key(), bytes(24))
    refused_join(hub, key, secret, name="Alder Secondary")
    hub.inbox.join(key, secret, SCHOOL)
    hub.inbox.join(key, secret, SCHOOL)
    hub.inbox.knocked(new_key())
    assert hub.views.alarms() == ()


def test_a_revoked_key_that_knocks_or_asks_to_join_again_is_an_alarm(hub: Hub) -> None:
    secret, key = hub.invite(SCHOOL), new_key()
    hub.inbox.join(key, secret, SCHOOL)
    hub.inbox.knocked(key)
    assert hub.views.alarms() == ()
    revoke(hub)
    hub.now += 2
    hub.inbox.knocked(key)
    hub.now += 2
    refused_join(hub, key, secret)
    assert standing(hub) == [(SCHOOL, "revoked_key", fingerprint(key), 2)]


def test_that_a_revoked_key_called_is_settled_when_it_joins_again(hub: Hub) -> None:
    key, other = new_key(), new_key()
    for one, name in ((key, SCHOOL), (other, "Birch Academy")):
        hub.inbox.join(one, hub.invite(name), name)
        revoke(hub, name)
    hub.now += 2
    hub.inbox.knocked(other)
    hub.now += 2
    for _ in range(3):  # of which the last two are not written yet
        hub.inbox.knocked(key)
    assert len(standing(hub)) == 2
    hub.inbox.join(key, hub.invite(SCHOOL), SCHOOL)
    hub.now += 2
    hub.inbox.knocked(other)
    assert [one[:2] for one in standing(hub)] == [("Birch Academy", "revoked_key")]


def test_each_new_alarm_is_one_warning_in_the_log_and_a_join_a_line(hub: Hub) -> None:
    with capture_logs() as said:
        enrolment = hub.join(SCHOOL)
        hub.send(enrolment, lesson("Birch Academy"), lesson("Birch Academy"))
        hub.send(enrolment, lesson("Birch Academy"))
        assert [(one["log_level"], one["event"]) for one in said] == [
            ("info", "school_joined"),
            ("warning", "alarm"),
        ]
        assert (said[1]["school"], said[1]["reason"]) == (SCHOOL, "another_school")
        hub.writer.run(lambda own: alarms.clear(own, "all", hub.now))
        hub.send(enrolment, lesson("Birch Academy"))
        assert [one["event"] for one in said[2:]] == ["alarm"], "it stands again"


def test_a_log_that_went_back_is_first_of_all_a_copy(hub: Hub) -> None:
    school = int(hub.join(SCHOOL))
    hub.writer.run(lambda own: alarms.of_broken_line(own, school, hub.now, 1))
    (one,) = hub.views.alarms()
    assert one.advice.startswith("Look for a second agent that speaks in its place: a copy of its folder")


def test_a_key_that_was_renewed_may_try_once_more_but_a_copy_that_keeps_trying_is_an_alarm(hub: Hub) -> None:
    old, new = new_key(), new_key()
    enrolment = hub.inbox.join(old, hub.invite(SCHOOL), SCHOOL)
    hub.writer.run(lambda own: enrolments.KEYS.renew(own, int(enrolment), old, new, hub.now))
    hub.writer.run(lambda own: enrolments.KEYS.retire(own, int(enrolment), new, hub.now))
    hub.now += HOUR
    for _ in range(3):
        hub.now += 10
        hub.inbox.knocked(old)
    assert hub.views.alarms() == ()
    hub.now += 600
    hub.inbox.knocked(old)
    assert standing(hub) == [(SCHOOL, "two_agents", fingerprint(old), 1)]


def test_records_in_another_schools_name_are_an_alarm_of_whoever_sent_them(hub: Hub) -> None:
    key = new_key()
    enrolment = hub.inbox.join(key, hub.invite(SCHOOL), SCHOOL)
    hub.inbox.hello(enrolment, "records", EPOCH)
    hub.send(enrolment, lesson("Birch Academy"), lesson("Birch Academy"), b"nonsense", lesson())
    assert standing(hub) == [(SCHOOL, "another_school", fingerprint(key), 2)]


@pytest.mark.parametrize("reason", alarms.OF_REFUSALS)
def test_each_refusal_that_is_more_than_a_fault_is_an_alarm(hub: Hub, reason: str) -> None:
    enrolment = int(hub.join(SCHOOL))
    hub.writer.run(lambda own: alarms.of_refusal(own, enrolment, "record_malformed", hub.now))
    hub.writer.run(lambda own: alarms.of_refusal(own, enrolment, reason, hub.now))
    assert [one.reason for one in hub.views.alarms()] == [alarms.OF_REFUSALS[reason]]


def test_an_outbox_that_was_lost_is_no_alarm_but_two_that_speak_in_turn_are(hub: Hub) -> None:
    enrolment = hub.join(SCHOOL)
    hub.inbox.hello(enrolment, "records", EPOCH + 5)
    hub.inbox.hello(enrolment, "records", EPOCH)
    hub.now += DAY + 1
    hub.inbox.hello(enrolment, "records", EPOCH)
    assert hub.views.alarms() == ()
    hub.now += HOUR
    hub.inbox.hello(enrolment, "records", EPOCH)
    ((school, reason, _, count),) = standing(hub)
    assert (school, reason, count) == (SCHOOL, "two_agents", 1)


def test_one_greeting_cannot_shut_a_school_out_and_it_starts_anew_after_it_was_revoked(hub: Hub) -> None:
    enrolment = hub.join(SCHOOL)
    hub.send(enrolment, lesson())
    with pytest.raises(BadInput, match="epoch_in_the_future"):
        hub.inbox.hello(enrolment, "records", 2**53)
    assert [one.reason for one in hub.views.status().refused] == ["hello_epoch_in_the_future"]
    assert [one.reason for one in hub.views.alarms()] == ["ahead"]
    stolen = int(hub.now * 1000) + DAY_MS
    assert hub.inbox.hello(enrolment, "records", stolen).epoch == stolen
    assert hub.inbox.hello(enrolment, "records", EPOCH).epoch == stolen
    revoke(hub)
    hub.inbox.join(new_key(), hub.invite(SCHOOL), SCHOOL)
    standing = hub.inbox.hello(enrolment, "records", EPOCH)
    assert (standing.epoch, standing.last_seq) == (EPOCH, 0)


def test_an_alarm_counts_up_is_cleared_and_stands_again_when_it_happens_again(hub: Hub) -> None:
    enrolment = hub.join(SCHOOL)
    hub.send(enrolment, lesson("Birch Academy"))
    hub.now += HOUR
    hub.send(enrolment, lesson("Birch Academy"))
    (alarm,) = hub.views.alarms()
    assert (alarm.first, alarm.last, alarm.count) == ("2025-11-01T12:00:00Z", "2025-11-01T13:00:00Z", 2)
    assert hub.writer.run(lambda own: alarms.clear(own, str(alarm.id), hub.now)) == 1
    assert hub.views.alarms() == ()
    assert [one.cleared for one in hub.views.alarms(cleared=True)] == ["2025-11-01T13:00:00Z"]
    hub.send(enrolment, lesson("Birch Academy"))
    assert [(one.id, one.count, one.cleared) for one in hub.views.alarms()] == [(alarm.id, 3, None)]
    assert hub.writer.run(lambda own: alarms.clear(own, "all", hub.now)) == 1


@pytest.mark.parametrize("which", ["7", "0", "-1", "", "first", "٧", "9" * 40])
def test_clearing_an_alarm_that_is_not_there_says_what_to_do(hub: Hub, which: str) -> None:
    with pytest.raises(UsageError, match="`alarms` lists them"):
        hub.writer.run(lambda own: alarms.clear(own, which, hub.now))


def test_keys_without_end_are_counted_and_only_so_many_named(hub: Hub) -> None:
    secret = hub.invite(SCHOOL)
    hub.inbox.join(new_key(), secret, SCHOOL)
    for _ in range(alarms.NAMED + 30):
        hub.now += 2
        refused_join(hub, new_key(), secret)
    found = standing(hub)
    assert len(found) == alarms.NAMED + 1
    assert sum(count for *_, count in found) == alarms.NAMED + 30
    assert [count for _, _, named, count in found if not named] == [30]


def test_a_key_that_knocks_without_end_costs_one_write_a_second_and_every_knock_is_counted(hub: Hub) -> None:
    key = new_key()
    hub.inbox.join(key, hub.invite(SCHOOL), SCHOOL)
    revoke(hub)

    def counted() -> list[tuple[object, ...]]:
        return hub.rows("SELECT count FROM alarms")

    for _ in range(500):
        hub.inbox.knocked(key)
    assert counted() == [(1,)]
    hub.now += 1
    hub.inbox.knocked(key)
    assert counted() == [(501,)]
    hub.inbox.knocked(key)
    hub.inbox.close()
    assert counted() == [(502,)]


def test_an_alarm_that_cannot_be_written_is_kept_until_there_is_room(hub: Hub) -> None:
    key = new_key()
    hub.inbox.join(key, hub.invite(SCHOOL), SCHOOL)
    revoke(hub)
    full = "CREATE TEMP TRIGGER full BEFORE INSERT ON alarms BEGIN SELECT RAISE(ABORT, 'full'); END"
    hub.writer.run(lambda own: own.execute(full).close())
    hub.inbox.knocked(key)
    assert hub.rows("SELECT count(*) FROM alarms") == [(0,)]
    hub.writer.run(lambda own: own.execute("DROP TRIGGER full").close())
    hub.now += 1
    hub.inbox.knocked(key)
    assert hub.rows("SELECT count FROM alarms") == [(2,)]


def test_every_reason_has_words_of_its_own_that_name_the_school_and_say_what_to_do(hub: Hub) -> None:
    school = int(hub.join(SCHOOL))

    def raise_all(own: sqlite3.Connection) -> None:
        for reason in alarms.REASONS:
            alarms.raise_alarm(own, school, reason, "", hub.now)

    hub.writer.run(raise_all)
    found: tuple[Alarm, ...] = hub.views.alarms()
    assert {one.reason for one in found} == set(alarms.REASONS)
    assert len({one.happened for one in found}) == len({one.advice for one in found}) == len(alarms.REASONS)
    assert all(SCHOOL in one.happened and one.advice for one in found)


def test_on_the_real_link_a_thief_and_a_revoked_agent_are_refused_and_seen(hub: Hub, tmp_path: Path) -> None:
    inbox = HeardInbox(hub.writer)
    pair = KeyPair.new()
    server = LinkServer("tcp://127.0.0.1:*", pair, inbox)
    server.start()
    agent, thief = Agent(tmp_path / "agent", SCHOOL), Agent(tmp_path / "thief", SCHOOL)
    text = hub.writer.run(
        lambda own: enrolments.invite(own, SCHOOL, False, server.endpoint, pair.public, time.time())
    )
    try:
        agent.join(text, server.endpoint)
        hub.writer.run(
            lambda own: enrolments.invite(own, "Birch", False, server.endpoint, pair.public, time.time())
        )
        with pytest.raises(CommonGroundError, match="used already"):
            thief.join(text, server.endpoint)
        assert ("other_key", fingerprint(thief.keys.public)) in {one[1:3] for one in standing(hub)}
        with agent.connected(server.endpoint, pair.public):
            agent.put(lesson())
            inbox.heard.get(timeout=30)
            revoke(hub)

            def seen() -> bool:
                agent.put(lesson())
                return "revoked_key" in {one.reason for one in hub.views.alarms()}

            until(seen)
    finally:
        server.stop()
        agent.close()
        thief.close()
        inbox.close()
