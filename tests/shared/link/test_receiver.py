"""The receiver's rules: who may say what, and what is answered."""

import pytest

from shared.link.frames import (
    MINOR,
    VERSION,
    Ack,
    Ask,
    Batch,
    Busy,
    Expect,
    Hello,
    Join,
    Joined,
    Refused,
    Reject,
    Renew,
    ToReceiver,
    Welcome,
    encode,
)
from shared.link.instructions import Drop, Enrol, Greet, Instruction, Question, Renewal, Reply, Take
from shared.link.outcomes import (
    Delivery,
    Fenced,
    Later,
    Missing,
    Outcome,
    Rejected,
    Settled,
    Standing,
    Verdict,
    judge,
)
from shared.link.quota import STRICT, Quota, account_of
from shared.link.receiver import Receiver

KEY, OTHER = "k" * 40, "o" * 40


def say(
    machine: Receiver,
    frame: ToReceiver,
    *,
    route: bytes = b"r",
    key: str = KEY,
    enrolment: str | None = "school",
    now: float = 0.0,
) -> Instruction:
    return machine.received(route, key, enrolment, encode(frame), now)


def greeted(
    machine: Receiver,
    *,
    route: bytes = b"r",
    key: str = KEY,
    enrolment: str = "school",
    minor: int = MINOR,
) -> Reply:
    greet = say(machine, Hello(1, "records", 5, 77, minor), route=route, key=key, enrolment=enrolment)
    assert isinstance(greet, Greet)
    return machine.greeted(greet, Standing(5, 3, b"here"))


@pytest.mark.parametrize(
    ("epoch", "seq", "verdict"),
    [
        (5, 4, Verdict.FRESH),
        (5, 3, Verdict.DUPLICATE),
        (5, 1, Verdict.DUPLICATE),
        (5, 5, Verdict.GAP),
        (4, 4, Verdict.OLD_EPOCH),
        (6, 1, Verdict.GAP),
    ],
)
def test_only_the_next_batch_of_the_newest_epoch_is_fresh(epoch: int, seq: int, verdict: Verdict) -> None:
    assert judge(Standing(5, 3), epoch, seq) is verdict


def test_hello_is_answered_with_where_the_stream_stands() -> None:
    reply = greeted(Receiver())
    assert isinstance(reply.frame, Welcome)
    assert (reply.frame.epoch, reply.frame.nonce) == (5, 77)
    assert (reply.frame.last_seq, reply.frame.position) == (3, b"here")


@pytest.mark.parametrize("major", [0, 2])
def test_another_version_is_refused_with_the_newest_that_is_spoken_here(major: int) -> None:
    refusal = Refused("version", 0, VERSION, MINOR)
    assert say(Receiver(), Hello(major, "records", 5, 0)) == Reply(b"r", refusal)


def test_an_older_epoch_is_refused_with_the_newer_one() -> None:
    machine = Receiver()
    greet = say(machine, Hello(1, "records", 5, 0))
    assert isinstance(greet, Greet)
    assert machine.greeted(greet, Standing(9, 3)) == Reply(b"r", Refused("old_epoch", 9))
    assert say(machine, Batch(5, 1, b"x")) == Reply(b"r", Refused("hello_first"))


def test_a_batch_goes_to_the_inbox_under_the_enrolment_not_under_a_name_it_chose() -> None:
    machine = Receiver()
    greeted(machine)
    take = say(machine, Batch(5, 4, b"x", b"p"))
    assert take == Take(b"r", Delivery("school", "records", 5, 4, b"x", b"p"))


def test_a_batch_without_hello_or_of_another_epoch_is_sent_back_to_say_it() -> None:
    machine = Receiver()
    assert say(machine, Batch(5, 1, b"x")) == Reply(b"r", Refused("hello_first"))
    greeted(machine)
    assert say(machine, Batch(6, 1, b"x")) == Reply(b"r", Refused("hello_first"))


def test_a_connection_that_another_key_takes_over_must_say_hello_itself() -> None:
    machine = Receiver()
    greeted(machine)
    assert say(machine, Batch(5, 4, b"x"), key=OTHER) == Reply(b"r", Refused("hello_first"))


def test_a_revoked_key_is_refused_and_forgotten() -> None:
    machine = Receiver()
    greeted(machine)
    assert say(machine, Batch(5, 4, b"x"), enrolment=None) == Reply(b"r", Refused("not_enrolled"))
    assert say(machine, Batch(5, 4, b"x")) == Reply(b"r", Refused("hello_first"))


def test_an_unknown_key_may_only_join() -> None:
    machine = Receiver()
    join = Join(bytes(24), "Alder")
    assert say(machine, Hello(1, "records", 5, 0), enrolment=None) == Reply(b"r", Refused("not_enrolled"))
    enrol = say(machine, join, enrolment=None)
    assert enrol == Enrol(b"r", KEY, join)
    assert machine.joined(enrol) == Reply(b"r", Joined())


def test_a_question_and_a_renewal_go_to_the_inbox_under_the_enrolment_of_the_key() -> None:
    machine = Receiver()
    ask, renew = Ask("model:1", 0), Renew("n" * 40)
    assert say(machine, ask) == say(machine, renew) == Reply(b"r", Refused("hello_first"))
    greeted(machine)
    assert say(machine, ask) == Question(b"r", "school", ask)
    assert say(machine, renew) == Renewal(b"r", KEY, "school", "n" * 40)
    assert say(machine, renew, key=OTHER) == Reply(b"r", Refused("hello_first"))
    assert say(machine, renew, enrolment=None) == Reply(b"r", Refused("not_enrolled"))


def test_a_peer_of_minor_0_is_answered_as_minor_0_would() -> None:
    machine = Receiver()
    greeted(machine, minor=0)
    for frame in (Ask("model:1", 0), Renew("n" * 40)):
        assert say(machine, frame) == Reply(b"r", Refused("bad_frame"))


def test_a_next_key_is_announced_to_whoever_greets_and_makes_all_greet_again() -> None:
    machine = Receiver()
    greeted(machine)
    assert machine.announce("n" * 40) == [Reply(b"r", Refused("hello_first"))], "also of those that rest"
    assert say(machine, Batch(5, 4, b"x")) == Reply(b"r", Refused("hello_first"))
    reply = greeted(machine)
    assert isinstance(reply.frame, Welcome)
    assert reply.frame.next_key == "n" * 40
    assert machine.announce("n" * 40) == []
    assert isinstance(say(machine, Batch(5, 4, b"x")), Take), "only a change makes them greet"
    machine.announce("")
    reply = greeted(machine)
    assert isinstance(reply.frame, Welcome)
    assert reply.frame.next_key == ""


def test_noise_is_refused() -> None:
    assert Receiver().received(b"r", KEY, "school", b"\xc1noise", 0.0) == Reply(b"r", Refused("bad_frame"))


def test_a_peer_over_its_quota_is_told_to_wait_and_others_are_not() -> None:
    machine = Receiver(Quota(batches_per_second=3))
    greeted(machine)
    greeted(machine, route=b"o", key=OTHER, enrolment="another")
    answers = [say(machine, Batch(5, 4 + i, b"x")) for i in range(4)]
    assert [type(a) for a in answers] == [Take, Take, Take, Reply]
    assert isinstance(answers[3], Reply)
    assert isinstance(answers[3].frame, Busy)
    assert isinstance(say(machine, Batch(5, 4, b"x"), route=b"o", key=OTHER, enrolment="another"), Take)
    assert isinstance(say(machine, Batch(5, 7, b"x"), now=1.0), Take)


def test_a_peer_that_changes_its_keys_takes_no_more_than_with_one() -> None:
    machine, taken = Receiver(Quota(batches_per_second=30)), 0
    for number in range(20):
        route, key = b"%d" % number, f"{number:040d}"
        greeted(machine, route=route, key=key)
        taken += sum(
            isinstance(say(machine, Batch(5, 4, b"x"), route=route, key=key), Take) for _ in range(20)
        )
    assert taken == 30


def test_a_peer_that_is_refused_is_so_whichever_of_its_keys_it_comes_back_with() -> None:
    machine = Receiver(Quota(batches_per_second=1))
    greeted(machine)
    while not machine.refuses(account_of(KEY, "school"), 0.0):
        say(machine, Batch(5, 4, b"x"))
    assert say(machine, Hello(1, "records", 5, 0), route=b"o", key=OTHER) == Reply(
        b"o", Refused("over_limits")
    )
    assert isinstance(say(machine, Hello(1, "records", 5, 0), key=OTHER, enrolment="another"), Greet)


def test_a_peer_that_renews_without_end_is_not_heard_for_a_while() -> None:
    machine = Receiver(STRICT)
    greeted(machine)
    heard = [say(machine, Renew(f"{number:040d}")) for number in range(6)]
    assert [type(one) for one in heard] == [Renewal] * 4 + [Drop] * 2
    assert isinstance(say(machine, Renew(f"{3:040d}")), Renewal), "an answer may have been lost"
    assert isinstance(say(machine, Renew(f"{5:040d}"), now=901.0), Renewal)


def test_what_was_agreed_with_the_keys_of_one_peer_takes_a_bounded_room() -> None:
    machine = Receiver(Quota(sessions=8))
    for number in range(100):
        greeted(machine, route=b"%d" % number, key=f"{number:040d}")
    assert len(machine._sessions) == sum(map(len, machine._routes.values())) == 8
    machine.retired("school", f"{99:040d}")
    machine.retired("unheard of", KEY)
    assert list(machine._sessions) == [b"99"]
    assert isinstance(say(machine, Batch(5, 4, b"x"), route=b"99", key=f"{99:040d}"), Take)


def test_a_key_that_is_enrolled_no_more_takes_no_room_and_nothing_from_the_one_after_it() -> None:
    machine = Receiver()
    greeted(machine)
    greeted(machine, route=b"o", key=OTHER)
    assert say(machine, Batch(5, 4, b"x"), enrolment=None) == Reply(b"r", Refused("not_enrolled"))
    assert list(machine._sessions) == [b"o"]
    assert isinstance(say(machine, Batch(5, 4, b"x"), route=b"o", key=OTHER), Take)


def test_a_peer_that_opens_too_many_streams_loses_its_oldest() -> None:
    machine = Receiver(Quota(sessions=2))
    for route in (b"1", b"2", b"3"):
        greeted(machine, route=route)
    assert say(machine, Batch(5, 4, b"x"), route=b"1") == Reply(b"1", Refused("hello_first"))
    assert isinstance(say(machine, Batch(5, 4, b"x"), route=b"3"), Take)


def test_after_a_lost_answer_the_connection_begins_with_hello() -> None:
    machine = Receiver()
    greeted(machine)
    machine.unreachable(b"r")
    machine.unreachable(b"never seen")
    assert say(machine, Batch(5, 4, b"x")) == Reply(b"r", Refused("hello_first"))


def replies(*outcomes: tuple[bytes, int, Outcome]) -> list[Reply]:
    taken = [Take(route, Delivery("school", "records", 5, seq, b"x")) for route, seq, _ in outcomes]
    return Receiver().settled(taken, [outcome for _, _, outcome in outcomes])


def test_many_settled_batches_are_one_acknowledgement_for_each_connection() -> None:
    assert replies((b"a", 1, Settled(1)), (b"b", 7, Settled(7)), (b"a", 2, Settled(2))) == [
        Reply(b"a", Ack(5, 2)),
        Reply(b"b", Ack(5, 7)),
    ]


def test_a_rejection_keeps_its_place_between_acknowledgements() -> None:
    outcomes: list[Outcome] = [Settled(1), Rejected(2, "bad"), Settled(3), Settled(4)]
    assert replies(*((b"a", i + 1, outcome) for i, outcome in enumerate(outcomes))) == [
        Reply(b"a", Ack(5, 1)),
        Reply(b"a", Reject(5, 2, "bad")),
        Reply(b"a", Ack(5, 4)),
    ]


@pytest.mark.parametrize(
    ("outcome", "frame"),
    [(Missing(3), Expect(5, 3)), (Later(50), Busy(50)), (Fenced(9), Refused("old_epoch", 9))],
)
def test_one_complaint_a_connection_is_enough(outcome: Outcome, frame: object) -> None:
    assert replies((b"a", 4, outcome), (b"a", 5, Missing(3)), (b"a", 6, Missing(3))) == [Reply(b"a", frame)]  # type: ignore[arg-type] # one of the three
