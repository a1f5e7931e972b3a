"""Two sides of different versions speak the newest that both know, or say which of them to upgrade."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.link.frames import Batch, Hello, Refused, Welcome, decode_to_sender, encode
from shared.link.instructions import Greet, Reply, Take
from shared.link.outcomes import Standing
from shared.link.receiver import Receiver
from shared.link.sender import Phase, Say, Sender
from shared.link.versions import SPOKEN, UPGRADE_RECEIVER, UPGRADE_SENDER, Versions

KEY = "k" * 40


def speaks(oldest: int, newest: int, minor: int = 0) -> Versions:
    """A side of the future: the last minor of major version m is 10 m, but for the newest."""
    return Versions((*((major, 10 * major) for major in range(oldest, newest)), (newest, minor)))


def converse(sender: Sender, receiver: Receiver) -> list[int]:
    """Greet until one rests or both agree; the major versions offered."""
    said = sender.up(0.0)
    offered: list[int] = []
    for _ in range(10):
        hellos = [i.frame for i in said if isinstance(i, Say)]
        if not hellos:
            return offered
        [hello] = hellos
        offered.append(hello.v)
        match receiver.received(b"r", KEY, "school", encode(hello), 0.0):
            case Greet() as greet:
                reply = receiver.greeted(greet, Standing(hello.epoch, 0))
            case Reply() as reply:
                pass
            case other:
                raise AssertionError(other)
        said = sender.received(decode_to_sender(encode(reply.frame)), 0.0)
    raise AssertionError("they never came to an end")


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.tuples(st.integers(1, 5), st.integers(1, 5)), st.tuples(st.integers(1, 5), st.integers(1, 5)))
def test_the_highest_common_version_is_found_or_the_older_side_is_named(
    left: tuple[int, int], right: tuple[int, int]
) -> None:
    ours, theirs = speaks(min(left), max(left), 3), speaks(min(right), max(right), 7)
    sender = Sender("records", 5, random.Random(1), versions=ours)
    offered = converse(sender, Receiver(versions=theirs))
    common = {m for m, _ in ours.minors} & {m for m, _ in theirs.minors}
    if common:
        agreed = max(common)
        assert sender.phase is Phase.RESUMING
        assert offered[-1] == agreed
        assert sender.minor == min(ours.minor(agreed) or 0, theirs.minor(agreed) or 0)
    else:
        assert sender.phase is Phase.REFUSED
        assert sender.refusal == (UPGRADE_SENDER if ours.newest < theirs.newest else UPGRADE_RECEIVER)
    assert len(offered) <= 2


def test_a_receiver_of_minor_0_that_names_no_version_speaks_version_1() -> None:
    sender = Sender("records", 5, random.Random(1), versions=speaks(1, 2))
    sender.up(0.0)
    [say] = sender.received(Refused("version"), 0.0)
    assert isinstance(say, Say)
    assert (say.frame.v, say.frame.minor) == (1, 10)
    alone = Sender("records", 5, random.Random(1), versions=speaks(2, 2))
    alone.up(0.0)
    assert alone.received(Refused("version"), 0.0) == []
    assert alone.refusal == UPGRADE_RECEIVER


def test_a_late_refusal_of_what_was_offered_before_changes_nothing() -> None:
    sender = Sender("records", 5, random.Random(1), versions=speaks(1, 2))
    sender.up(0.0)
    refusal = Refused("version", 0, 1, 1)
    assert len(sender.received(refusal, 0.0)) == 1
    assert sender.received(refusal, 0.0) == []
    assert sender.phase is Phase.GREETING


def test_whoever_was_refused_offers_its_newest_again_later_since_either_side_may_be_upgraded() -> None:
    sender = Sender("records", 5, random.Random(1), versions=speaks(2, 3))
    sender.up(0.0)
    sender.received(Refused("version", 0, 1, 1), 0.0)
    assert sender.refusal == UPGRADE_RECEIVER
    assert sender.deadline is not None
    [say] = sender.tick(sender.deadline)
    assert isinstance(say, Say)
    assert say.frame.v == 3


def test_today_both_sides_speak_version_1() -> None:
    assert SPOKEN.minors == ((1, 1),)


@pytest.mark.parametrize("minor", [0, 1, 9])
def test_the_lower_minor_of_both_is_spoken(minor: int) -> None:
    sender = Sender("records", 5, random.Random(1))
    [say] = sender.up(0.0)
    assert isinstance(say, Say)
    sender.received(Welcome(1, 5, say.frame.nonce, 0, None, 100, 8, (), minor), 0.0)
    assert sender.minor == min(minor, 1)


def test_a_sender_of_minor_0_delivers_as_before() -> None:
    receiver = Receiver()
    greet = receiver.received(b"r", KEY, "school", encode(Hello(1, "records", 5, 7)), 0.0)
    assert isinstance(greet, Greet)
    receiver.greeted(greet, Standing(5, 0))
    assert isinstance(receiver.received(b"r", KEY, "school", encode(Batch(5, 1, b"x")), 0.0), Take)
