"""Using an invitation: knock once at the receiver, and have this key enrolled."""

import time
from typing import Final

import zmq

from shared.errors import BadInput, CommonGroundError
from shared.link.dialling import Line, LineEvent
from shared.link.frames import Join, Joined, Refused, decode_to_sender, encode
from shared.link.keys import KeyPair
from shared.link.sockets import check_address

_WHY: Final = {
    "invitation_unknown": "it does not know this invitation: ask for a new one",
    "invitation_used": "this invitation was used already: ask for a new one",
    "invitation_expired": "this invitation has expired: ask for a new one",
    "invitation_replaced": "a newer invitation was made, so that this one is void: use that one",
    "school_name_differs": "this invitation is for a school of another name: set `school` in agent.toml",
    "key_changed": "this school has joined with another key: let the hub `revoke` that one, then ask anew",
    "key_of_another_school": "this key is another school's: set up each school in a folder of its own",
    "revoked": "this key was revoked: ask for a new invitation",
}

_NONE_OPEN: Final = (
    "has no invitation open: this one was used, replaced or ran out; tell whoever made it, then ask for a new"
    " one"
)


def join(
    address: str, server_public: str, keys: KeyPair, secret: bytes, name: str, timeout: float = 10.0
) -> None:
    """Enrol `keys` at `address` with the invitation's `secret`; `name` is how the other side may call us.

    Raises CommonGroundError with the reason in one line.
    """
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    try:
        line = Line(context, check_address(address), server_public, keys)
        try:
            _knock(line, Join(secret, name), address, time.monotonic() + timeout)
        finally:
            line.close()
    finally:
        context.term()


def _knock(line: Line, request: Join, address: str, until: float) -> None:
    poller = zmq.Poller()
    line.register(poller)
    trouble = "nobody answers; check that it runs and that this network lets the connection through"
    ask_at = float("inf")
    while (now := time.monotonic()) < until:
        if now >= ask_at:
            ask_at = now + 1.0
            line.send(encode(request))
        poller.poll(int(1000 * max(0.0, min(until, ask_at) - now)) + 1)
        for event in line.events():
            match event:
                case LineEvent.UP:
                    ask_at = 0.0
                case LineEvent.DOWN:
                    ask_at = float("inf")
                case LineEvent.REFUSED:
                    raise CommonGroundError(f"{address} {_NONE_OPEN}")
                case LineEvent.STRANGE:
                    trouble = "what answers there is not the receiver of this invitation; check the address"
        for data in line.frames():
            if _is_joined(data, address):
                return
    raise CommonGroundError(f"{address}: {trouble}")


def _is_joined(data: bytes, address: str) -> bool:
    try:
        frame = decode_to_sender(data)
    except BadInput:
        raise CommonGroundError(f"{address} speaks another version: upgrade the older of the two") from None
    if isinstance(frame, Refused):
        raise CommonGroundError(f"{address}: {_WHY.get(frame.reason, frame.reason)}")
    return isinstance(frame, Joined)
