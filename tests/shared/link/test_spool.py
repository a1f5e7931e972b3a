"""The spool holds a window's worth at most, and the receiver's memory says where the source is read on."""

import threading

import pytest

from shared.errors import BadInput
from shared.link.frames import WINDOW
from shared.link.spool import Closed, Rewound, Spool


def opened(position: bytes | None = None) -> Spool:
    spool = Spool(now_ms=lambda: 1000)
    spool.resume(0, position)
    assert spool.opened() == position
    return spool


def test_nothing_is_put_before_the_receiver_said_where_to_read_on() -> None:
    spool = Spool()
    with pytest.raises(Rewound):
        spool.put(b"x", b"1")
    with pytest.raises(TimeoutError, match="no answer"):
        spool.opened(timeout=0)


def test_the_receivers_position_is_where_reading_goes_on() -> None:
    opened(b"line 7")


def test_after_a_pause_reading_goes_on_where_the_collector_itself_stood() -> None:
    spool = opened(b"7")
    spool.put(b"x", b"8")
    assert spool.opened() == b"8"


def test_a_batch_beyond_the_window_waits_for_the_first_to_be_acknowledged() -> None:
    spool = opened()
    for i in range(WINDOW):
        spool.put(b"x", b"%d" % i)
    late = threading.Thread(target=spool.put, args=(b"next", b"9"))
    late.start()
    assert late.is_alive()
    assert spool.tail() == WINDOW
    spool.settle(1)
    late.join(5)
    assert not late.is_alive()
    assert spool.tail() == WINDOW + 1
    assert [item.payload for item in spool.read(WINDOW, WINDOW + 1)] == [b"x", b"next"]


def test_whoever_cannot_wait_is_told_so_and_may_put_the_same_batch_later() -> None:
    spool = Spool(rereads=False)
    for _ in range(WINDOW):
        spool.put(b"x", timeout=0)
    with pytest.raises(TimeoutError, match=f"{WINDOW} batches"):
        spool.put(b"next", timeout=0)
    assert spool.tail() == WINDOW, "it was not taken"
    spool.resume(0, None)
    spool.settle(1)
    spool.put(b"next", timeout=0)
    assert [item.payload for item in spool.read(WINDOW, WINDOW + 1)] == [b"x", b"next"]


def test_it_is_stalled_while_the_receiver_takes_nothing_of_what_waits() -> None:
    now = [100.0]
    spool = Spool(now_ms=lambda: 1000, monotonic=lambda: now[0])
    spool.resume(0, None)
    spool.opened()
    now[0] += 60
    assert not spool.is_stalled(), "nothing waits"
    spool.put(b"x", b"1")
    spool.put(b"y", b"2")
    now[0] += 1.9
    assert not spool.is_stalled()
    spool.settle(1)
    now[0] += 1.9
    assert not spool.is_stalled()
    now[0] += 0.2
    assert spool.is_stalled()
    spool.settle(2)
    assert not spool.is_stalled()


def test_putting_wakes_the_client() -> None:
    spool, woken = opened(), threading.Event()
    spool.attach(woken.set)
    spool.put(b"x", b"1")
    assert woken.is_set()


def test_flush_waits_until_everything_is_acknowledged() -> None:
    spool = opened()
    assert spool.flush(0)
    spool.put(b"x", b"1")
    assert not spool.flush(0)
    result: list[bool] = []
    waiting = threading.Thread(target=lambda: result.append(spool.flush(5)))
    waiting.start()
    spool.settle(1)
    waiting.join(5)
    assert result == [True]


def test_closing_frees_whoever_waits() -> None:
    spool = opened()
    for i in range(WINDOW):
        spool.put(b"x", b"%d" % i)
    caught: list[str] = []

    def put() -> None:
        try:
            spool.put(b"next", b"9")
        except Closed as error:
            caught.append(str(error))

    waiting = threading.Thread(target=put)
    waiting.start()
    spool.close()
    waiting.join(5)
    assert caught == ["the link was stopped"]
    assert not spool.flush(5)
    with pytest.raises(Closed):
        spool.opened(5)


def test_a_receiver_that_lost_what_it_acknowledged_makes_the_source_be_read_again() -> None:
    spool = opened()
    for i in range(4):
        spool.put(b"x", b"%d" % i)
    spool.settle(3)
    assert spool.resume(2, b"1") == 1001
    assert spool.tail() == 0
    with pytest.raises(Rewound):
        spool.put(b"y", b"5")
    with pytest.raises(Rewound):
        spool.flush(0)
    spool.resume(0, b"1")
    assert spool.opened() == b"1"
    assert spool.rewinds == 1


def test_a_receiver_whose_position_went_back_is_noticed_even_when_nothing_was_sent_since() -> None:
    spool = opened(b"40")
    assert spool.resume(0, b"10") == 1001
    spool.resume(0, b"10")
    assert spool.opened() == b"10"


def test_an_epoch_that_somebody_else_used_is_not_ours() -> None:
    spool = Spool(rereads=False, now_ms=lambda: 1000)
    spool.put(b"mine")
    assert spool.resume(1, None) == 1001
    assert spool.tail() == 1


def test_what_cannot_be_read_again_is_kept_whatever_the_receiver_lost() -> None:
    spool = Spool(rereads=False, now_ms=lambda: 1000)
    spool.put(b"first")
    spool.resume(0, None)
    spool.put(b"second")
    spool.settle(1)
    assert spool.resume(0, None) == 1001
    spool.put(b"third")
    assert [item.payload for item in spool.read(1, 2)] == [b"second", b"third"]


def test_lost_acknowledgements_are_made_good_by_the_welcome() -> None:
    spool = opened()
    for i in range(3):
        spool.put(b"x", b"%d" % i)
    assert spool.resume(2, b"1") == 1000
    assert spool.tail() == 3
    assert len(spool.read(3, 3)) == 1


def test_a_clock_that_went_back_does_not_shut_a_collector_out() -> None:
    spool = Spool(now_ms=lambda: 5)
    assert spool.epoch() == 5
    assert spool.outdated(700) == 701


def test_a_collector_whose_stream_was_taken_over_stops() -> None:
    spool = opened()
    assert spool.outdated(2000) is None
    with pytest.raises(Closed, match="another collector"):
        spool.put(b"x", b"1")


def test_a_rejection_is_counted_once_however_often_it_is_said() -> None:
    spool = opened()
    spool.set_aside(1, "bad")
    spool.set_aside(1, "bad")
    spool.set_aside(2, "bad")
    assert spool.rejected == {"bad": 2}


@pytest.mark.parametrize(("payload", "position"), [(b"", b"1"), (bytes(65537), b"1"), (b"x", bytes(1025))])
def test_what_cannot_be_sent_is_refused_at_once(payload: bytes, position: bytes) -> None:
    spool = opened()
    with pytest.raises(BadInput, match="payload_size"):
        spool.put(payload, position)
