"""The sender's rules, one by one, with no socket and no clock."""

import random

import pytest

from shared.link.frames import WINDOW, Ack, Busy, Expect, Hello, Refused, Reject, Rejection, Welcome
from shared.link.sender import (
    Instruction,
    Outdated,
    Pace,
    Phase,
    Resume,
    Say,
    Sender,
    SetAside,
    Settled,
    Transmit,
)

EPOCH = 5


def new(**pace: float) -> Sender:
    return Sender("records", EPOCH, random.Random(1), Pace(**pace))


def hello_of(instructions: list[Instruction]) -> Hello:
    [say] = [i for i in instructions if isinstance(i, Say)]
    return say.frame


def welcome(hello: Hello, last_seq: int = 0, **fields: object) -> Welcome:
    values = {"position": None, "max_batch": 1000, "window": 8, **fields}
    return Welcome(1, hello.epoch, hello.nonce, last_seq, **values)  # type: ignore[arg-type] # as the test says


def opened(last_seq: int = 0, tail: int = 0, window: int = 8) -> Sender:
    machine = new()
    machine.received(welcome(hello_of(machine.up(0.0)), last_seq, window=window), 0.0)
    machine.resumed(last_seq, tail, 0.0)
    return machine


def test_nothing_is_sent_before_the_receiver_said_where_it_stands() -> None:
    machine = new()
    assert machine.available(5, 0.0) == []
    hello = hello_of(machine.up(0.0))
    assert (hello.stream, hello.epoch) == ("records", EPOCH)
    assert machine.available(5, 0.0) == []
    assert machine.received(welcome(hello, 2), 0.0) == [Resume(2, None)]
    assert machine.resumed(2, 5, 0.0) == [Transmit(3, 5)]


def test_at_most_a_window_is_on_its_way() -> None:
    machine = opened(window=WINDOW)
    assert machine.available(100, 0.0) == [Transmit(1, WINDOW)]
    assert machine.unacked == WINDOW
    assert machine.available(200, 0.0) == []
    assert machine.received(Ack(EPOCH, 3), 0.0) == [Settled(3), Transmit(WINDOW + 1, WINDOW + 3)]


def test_a_receiver_may_ask_for_a_smaller_window_but_not_for_a_larger() -> None:
    for asked, sent in ((2, 2), (100, WINDOW)):
        machine = new()
        machine.received(welcome(hello_of(machine.up(0.0)), window=asked), 0.0)
        assert machine.resumed(0, 50, 0.0) == [Transmit(1, sent)]


def test_an_acknowledgement_counts_for_everything_before_it_and_once() -> None:
    machine = opened(tail=5)
    assert machine.received(Ack(EPOCH, 5), 0.0) == [Settled(5)]
    assert machine.received(Ack(EPOCH, 4), 0.0) == []
    assert machine.deadline is None


def test_acknowledgements_of_another_epoch_mean_nothing() -> None:
    machine = opened(tail=5)
    assert machine.received(Ack(EPOCH - 1, 5), 0.0) == []
    assert machine.received(Reject(EPOCH + 1, 5, "x"), 0.0) == []
    assert machine.acked == 0


def test_a_rejected_batch_is_set_aside_and_the_line_goes_on() -> None:
    machine = opened(tail=10)
    assert machine.received(Reject(EPOCH, 1, "bad"), 0.0) == [SetAside(1, "bad"), Settled(1), Transmit(9, 9)]


def test_silence_leads_to_hello_with_growing_patience_that_progress_resets() -> None:
    machine = opened(tail=20)
    waits, now, hello = [], 0.0, Hello(1, "", 0, 0)
    for _ in range(8):
        assert machine.deadline is not None
        assert machine.tick(machine.deadline - 0.001) == []
        waits.append(machine.deadline - now)
        now = machine.deadline
        hello = hello_of(machine.tick(now))
    assert 0.75 <= waits[0] <= 1.25
    assert all(0.75 <= wait / min(30, 2.0**i) <= 1.25 for i, wait in enumerate(waits))
    assert len({round(wait / min(30, 2.0**i), 6) for i, wait in enumerate(waits)}) == 8, "jitter"
    machine.received(welcome(hello), now)
    assert machine.resumed(0, 20, now) == [Transmit(1, 8)]
    assert machine.deadline is not None
    assert machine.deadline - now <= 1.25


def test_an_answer_to_an_earlier_hello_is_out_of_date() -> None:
    machine = new()
    first = hello_of(machine.up(0.0))
    assert machine.deadline is not None
    second = hello_of(machine.tick(machine.deadline))
    assert machine.received(welcome(first), 2.0) == []
    assert machine.received(welcome(second, 7), 2.0) == [Resume(7, None)]


def test_a_gap_makes_it_go_back_once() -> None:
    machine = opened(tail=20)
    machine.received(Ack(EPOCH, 3), 0.0)
    assert machine.received(Expect(EPOCH, 4), 0.0) == [Transmit(4, 11)]
    assert machine.received(Expect(EPOCH, 4), 0.0) == []


@pytest.mark.parametrize("next_seq", [1, 9])
def test_a_receiver_that_expects_something_odd_is_asked_where_it_stands(next_seq: int) -> None:
    machine = opened(tail=20)
    machine.received(Ack(EPOCH, 3), 0.0)
    assert hello_of(machine.received(Expect(EPOCH, next_seq), 0.0)).epoch == EPOCH


def test_an_acknowledgement_of_what_was_never_sent_is_not_believed() -> None:
    machine = opened(tail=20)
    assert hello_of(machine.received(Ack(EPOCH, 9), 0.0)).epoch == EPOCH
    assert machine.acked == 0


def test_busy_pauses_as_long_as_it_says_and_then_everything_unsettled_goes_again() -> None:
    machine = opened(tail=20)
    machine.received(Ack(EPOCH, 2), 0.0)
    assert machine.received(Busy(400), 1.0) == []
    assert machine.deadline is not None
    assert 1.4 <= machine.deadline <= 1.5
    assert machine.available(30, 1.2) == []
    assert machine.tick(1.39) == []
    assert machine.tick(machine.deadline) == [Transmit(3, 10)]


def test_an_acknowledgement_during_a_pause_is_remembered() -> None:
    machine = opened(tail=20)
    machine.received(Busy(400), 1.0)
    assert machine.received(Ack(EPOCH, 8), 1.0) == [Settled(8)]
    assert machine.tick(2.0) == [Transmit(9, 16)]


def test_a_refused_peer_rests_and_asks_again_later() -> None:
    machine = new(refused=10.0)
    machine.up(0.0)
    assert machine.received(Refused("not_enrolled"), 1.0) == []
    assert (machine.phase, machine.refusal) == (Phase.REFUSED, "not_enrolled")
    assert machine.tick(10.9) == []
    assert machine.deadline is not None
    assert 11.0 <= machine.deadline <= 21.0
    hello = hello_of(machine.tick(machine.deadline))
    machine.received(welcome(hello), 22.0)
    assert machine.refusal == ""


def test_a_receiver_that_started_again_is_greeted_at_once() -> None:
    machine = opened(tail=3)
    assert hello_of(machine.received(Refused("hello_first"), 0.0)).epoch == EPOCH
    assert machine.received(Refused("hello_first"), 0.0) == [], "one for each batch that was on its way"


def test_a_newer_epoch_at_the_receiver_is_the_feeds_to_decide() -> None:
    machine = new()
    machine.up(0.0)
    assert machine.received(Refused("old_epoch", 9), 0.0) == [Outdated(9)]
    hello = hello_of(machine.renewed(10, 0.0))
    assert hello.epoch == 10
    machine.received(welcome(hello), 0.0)
    assert machine.resumed(0, 2, 0.0) == [Transmit(1, 2)]


def test_a_new_epoch_found_while_down_is_used_at_the_next_connection() -> None:
    machine = opened(tail=4)
    machine.down()
    assert machine.renewed(10, 0.0) == []
    assert hello_of(machine.up(0.0)).epoch == 10


def test_refusals_that_were_lost_are_heard_in_the_welcome() -> None:
    machine = new()
    hello = hello_of(machine.up(0.0))
    rejected = (Rejection(4, "bad"), Rejection(9, "beyond"))
    assert machine.received(welcome(hello, 5, rejected=rejected), 0.0) == [Resume(5, None)]
    assert machine.resumed(5, 6, 0.0) == [SetAside(4, "bad"), Transmit(6, 6)]


def test_refusals_of_an_epoch_that_is_over_are_forgotten_with_it() -> None:
    machine = new()
    machine.received(welcome(hello_of(machine.up(0.0)), 5, rejected=(Rejection(4, "bad"),)), 0.0)
    machine.received(welcome(hello_of(machine.renewed(9, 0.0))), 0.0)
    assert machine.resumed(0, 0, 0.0) == []


def test_without_a_connection_nothing_happens_whatever_the_time() -> None:
    machine = opened(tail=4)
    assert machine.down() == []
    assert machine.deadline is None
    assert machine.tick(1e9) == []
    assert machine.received(Ack(EPOCH, 1), 1e9) == []
    assert machine.available(9, 1e9) == []
