"""A waiting thread is woken by every call, and addresses are what they seem."""

import threading

import pytest
import zmq

from shared.errors import SettingsError
from shared.link.sockets import Waker, check_address


def test_no_call_is_lost_however_fast_they_come() -> None:
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    waker = Waker(context)
    said = heeded = 0
    total = 20_000

    def call() -> None:
        nonlocal said
        for i in range(1, total + 1):
            said = i
            waker()

    caller = threading.Thread(target=call)
    caller.start()
    while heeded < total:
        assert waker.ear.poll(5000), f"asleep at {heeded} of {said}"
        waker.drain()
        heeded = said
    caller.join()
    waker.close()
    waker()
    context.term()


@pytest.mark.parametrize(
    "address", ["tcp://127.0.0.1:5710", "tcp://hub.school.example:1", "tcp://[::1]:65535"]
)
def test_addresses_that_can_be_dialled(address: str) -> None:
    assert check_address(address) == address


@pytest.mark.parametrize("address", ["tcp://*:5710", "tcp://127.0.0.1:*", "tcp://*:*"])
def test_addresses_that_can_only_be_listened_on(address: str) -> None:
    assert check_address(address, listening=True) == address
    with pytest.raises(SettingsError):
        check_address(address)


@pytest.mark.parametrize(
    "address",
    ["tcp://h:0", "tcp://h:65536", "tcp://h:5710/path", "tcp://a b:1", "tcp://h:1\n", "ipc:///tmp/x"],
)
def test_what_is_no_address_is_refused_with_one_line(address: str) -> None:
    with pytest.raises(SettingsError, match=r"tcp://HOST:PORT|choose 1 to 65535"):
        check_address(address, listening=True)
