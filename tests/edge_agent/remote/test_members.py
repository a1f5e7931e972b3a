"""Collectors on other machines hold up lessons while they are heard, not for ever; and fill one share."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from edge_agent.identity.directory import Directory
from edge_agent.intake.intake import IntakeInbox
from edge_agent.placing.parcel import Heard, Parcel, encode
from edge_agent.remote.day_table import DayTable
from edge_agent.remote.members import HOLDS_UP_SECONDS, SILENT_SECONDS, Members
from edge_agent.remote.telling import CLOCK, SETUP, Teller, decode_setup, decode_time
from edge_agent.store import collectors
from edge_agent.store.schema import MIGRATIONS
from shared import signals
from shared.errors import BadInput, UsageError
from shared.link import invitations
from shared.link.keys import KeyPair
from shared.link.outcomes import Delivery, Later, Outcome, Rejected, Settled
from shared.signals import SignalBatch
from shared.storage import Writer
from tests.edge_agent.remote.town import CODES, DAY, OneKey, at, directory, table

APPS = 400
NOON = float(at(12))
SHARE = 4000


class Hands:
    """A clock whose hands the test moves."""

    def __init__(self) -> None:
        self.moment, self.monotonic = NOON, 1000.0

    def now(self) -> float:
        return self.moment

    def tick(self) -> float:
        return self.monotonic


class Office:
    """An agent's store with collectors, and deliveries by their enrolments."""

    def __init__(self, root: Path, held: ExitStack) -> None:
        self.hands = Hands()
        self.school: Directory = directory(root / "school")
        self.writer = Writer(root / "agent.db", MIGRATIONS)
        held.callback(self.writer.close)
        self._held = held
        self._server = KeyPair.new().public
        self._sent: dict[str, int] = {}
        self.keys: dict[str, str] = {}
        self.start()

    def start(self) -> None:
        self.teller = Teller("Europe/Zurich", "1", APPS, self.school, OneKey(), CODES, self.hands)
        self.members = Members(self.writer, self.teller, APPS, SHARE, self.hands.tick)
        self._held.callback(self.members.close)
        self.inbox = IntakeInbox(
            self.writer, self._server, APPS, lambda: None, clock=self.hands.now, members=self.members
        )

    def join(self, name: str = "annex", kind: str = "dnsmasq") -> str:
        now = self.hands.now()
        address = "tcp://192.0.2.1:5711"
        token = self.writer.run(
            lambda own: collectors.invite(own, name, kind, address, self._server, now + 10**9)
        )
        self.keys[name] = KeyPair.new().public
        return self.members.join(self.keys[name], invitations.decode(token).secret)

    def revoke(self, name: str) -> None:
        self.writer.run(lambda own: collectors.revoke(own, name, self.hands.now()))

    def send(self, parcel: Parcel, enrolment: str = "collector:annex", stream: str = "dnsmasq") -> Outcome:
        """Epoch 1, the next number after what was taken."""
        self.inbox.hello(enrolment, stream, 1)
        seq = self._sent.get(enrolment, 0) + 1
        (outcome,) = self.inbox.deliver([Delivery(enrolment, stream, 1, seq, encode(parcel))])
        if not isinstance(outcome, Later):
            self._sent[enrolment] = seq
        return outcome

    def says(self, until: float | None, name: str = "annex", kind: str = "dnsmasq") -> None:
        beat = Parcel(kind, name, [], 0, None, {}, [], [], [], None if until is None else int(until))
        assert isinstance(self.send(beat, f"collector:{name}", kind), Settled)

    def until(self, over: float = float("-inf")) -> float:
        return self.members.read_until(self.hands.moment, lambda _: over)

    def rows(self, query: str) -> list[tuple[object, ...]]:
        return self.writer.run(lambda own: [tuple(row) for row in own.execute(query)])


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with ExitStack() as held:
        yield Office(tmp_path, held)


def some_signals(today: DayTable, number: int, *, second: int = 0) -> bytes:
    lesson = today.lessons[0]
    return signals.encode(
        SignalBatch.from_rows(
            [
                (lesson.start + second + i // 4, lesson.devices[0], 0, 1 + i % 4, 0, 0.0)
                for i in range(number)
            ],
            kind="dnsmasq",
            source="annex",
            catalogue="1",
            day_key=DAY.isoformat(),
            class_codes=(lesson.code,),
        )
    )


def parcel(*batches: bytes, **other: object) -> Parcel:
    fields: dict[str, object] = {"counts": {}, "excerpts": [], "heard": [], "seen": [], **other}
    whole = {"kind": "dnsmasq", "source": "annex", "lines": 3, "newest": at(9, 20), **fields}
    return Parcel(batches=list(batches), **whole)  # type: ignore[arg-type] # as a test needs them


def test_without_collectors_lessons_wait_for_nobody(office: Office) -> None:
    assert office.until() == NOON


def test_lessons_wait_for_the_collector_that_is_furthest_behind(office: Office) -> None:
    office.join()
    office.join("gym", "pihole")
    office.says(NOON - 60)
    office.says(NOON - 300, "gym", "pihole")
    assert office.until() == NOON - 300
    office.says(NOON, "gym", "pihole")
    assert office.until() == NOON - 60


def test_a_collector_that_falls_silent_holds_up_no_lesson(office: Office) -> None:
    office.join()
    office.says(NOON - 300)
    office.hands.monotonic += SILENT_SECONDS + 1
    assert office.until() == NOON


def test_a_restarted_agent_waits_for_its_collectors_until_they_had_time_to_speak(office: Office) -> None:
    office.join()
    office.start()
    assert office.until() < NOON - 900
    office.hands.monotonic += SILENT_SECONDS + 1
    assert office.until() == NOON


@pytest.mark.parametrize("said", [0, 1, 10**6])
def test_no_collector_holds_up_lessons_for_longer_than_the_limit(office: Office, said: int) -> None:
    office.join()
    office.says(said)
    assert office.until() == NOON - HOLDS_UP_SECONDS


def test_a_collector_that_says_the_future_has_read_until_now(office: Office) -> None:
    office.join()
    office.says(2**62)
    office.hands.moment += 30
    assert office.until() == NOON


def test_a_revoked_collector_holds_up_nothing(office: Office) -> None:
    office.join()
    office.says(0)
    office.revoke("annex")
    assert office.until() == NOON


def test_signals_of_a_day_without_a_key_are_deleted_whatever_a_collector_says(office: Office) -> None:
    office.join()
    office.says(0)
    assert office.until(over=NOON) == NOON


def test_the_page_says_who_holds_lessons_up(office: Office) -> None:
    office.join()
    office.says(NOON - 25 * 60)
    ((name, kind, state),) = office.members.sources()
    assert (name, kind) == ("annex", "dnsmasq")
    assert "25 min behind" in state


def test_the_agents_clock_is_told_so_that_a_collectors_own_need_not_be_right(office: Office) -> None:
    enrolment = office.join()
    data = office.members.tell(enrolment, CLOCK)
    assert data is not None
    assert decode_time(data) == NOON


def test_a_collector_that_is_invited_again_is_what_the_new_invitation_says(office: Office) -> None:
    def kind() -> str:
        data = office.members.tell("collector:annex", SETUP)
        assert data is not None
        return decode_setup(data).kind

    office.join()
    assert kind() == "dnsmasq"
    office.revoke("annex")
    assert office.members.tell("collector:annex", SETUP) is None
    office.join(kind="pihole")
    assert kind() == "pihole"


def test_a_refused_parcel_is_counted_at_the_collector_that_sent_it(office: Office) -> None:
    office.join()
    outcome = office.send(parcel(source="resolver"))
    assert isinstance(outcome, Rejected)
    assert office.rows("SELECT source, what FROM counts") == [("annex", "refused")]
    assert office.rows("SELECT source FROM quarantine") == [("annex",)]


def test_a_collector_has_one_stream(office: Office) -> None:
    enrolment = office.join()
    with pytest.raises(BadInput, match="other_kind"):
        office.inbox.hello(enrolment, "resolver", 1)


def test_revoking_lets_a_collector_join_again_however_high_its_epoch_was_driven(office: Office) -> None:
    office.inbox.hello(office.join(), "dnsmasq", 1)
    office.writer.run(lambda own: own.execute("UPDATE link_stream SET epoch = 9, position = x'01'"))
    office.revoke("annex")
    enrolment = office.join()
    standing = office.inbox.hello(enrolment, "dnsmasq", 5)
    assert (standing.epoch, standing.last_seq) == (5, 0)
    assert standing.position == b"\x01", "its place in the log stays: nothing counts twice"


def test_a_collector_that_has_filled_its_share_waits_and_the_others_do_not(office: Office) -> None:
    office.join()
    office.join("gym", "pihole")
    today = table(office.school)
    taken = [office.send(parcel(some_signals(today, 40, second=20 * i))) for i in range(6)]
    assert isinstance(taken[0], Settled)
    assert isinstance(taken[-1], Later)
    ((stored,),) = office.rows("SELECT sum(length(payload)) FROM batches")
    assert isinstance(stored, int)
    assert stored < SHARE + 2000
    assert "share" in next(state for name, _, state in office.members.sources() if name == "annex")
    office.says(NOON, "gym", "pihole")


def test_a_share_is_counted_again_after_a_restart_and_free_once_the_day_is_forgotten(office: Office) -> None:
    office.join()
    today = table(office.school)
    while isinstance(office.send(parcel(some_signals(today, 40))), Settled):
        pass
    office.start()
    assert isinstance(office.send(parcel(some_signals(today, 40))), Later)
    office.writer.run(lambda own: own.execute("DELETE FROM batches"))
    office.hands.monotonic += 60
    assert isinstance(office.send(parcel(some_signals(today, 40))), Settled)


def test_one_table_serves_every_group_and_every_parcel_until_the_school_changes(office: Office) -> None:
    first = office.teller.table(DAY.isoformat())
    assert office.teller.table(DAY.isoformat()) is first
    old = office.school
    office.school.replace(replace(old.inventory), old.roster, old.timetable)
    assert office.teller.table(DAY.isoformat()) is not first


def test_no_table_is_kept_once_its_days_key_is_destroyed(office: Office) -> None:
    office.teller.table(DAY.isoformat())
    office.teller.forget()
    assert not office.teller.kept


def test_a_parcel_of_thousands_of_groups_is_refused(office: Office) -> None:
    office.join()
    empty = [Heard("x", 0, DAY.isoformat(), []) for _ in range(3000)]
    assert isinstance(office.send(parcel(heard=empty)), Rejected)


def test_no_more_are_invited_than_a_heartbeat_can_name(office: Office) -> None:
    def invite(name: str) -> None:
        office.writer.run(
            lambda own: collectors.invite(
                own, name, "dnsmasq", "tcp://192.0.2.1:5711", KeyPair.new().public, NOON, own_sources=4
            )
        )

    for number in range(60):
        invite(f"c{number}")
    invite("c59")  # again: the earlier invitation is void
    with pytest.raises(UsageError, match="64"):
        invite("c60")
