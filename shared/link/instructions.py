"""What the receiving machine wants done with what it heard, by whoever lends it a socket and an inbox."""

import msgspec

from shared.link.frames import Ask, Busy, Hello, Join, Refused, Reject, Renewed, Told, ToSender
from shared.link.outcomes import Delivery


class Reply(msgspec.Struct, frozen=True, gc=False):
    """Send this frame to that connection."""

    route: bytes
    frame: ToSender

    @property
    def counted_as(self) -> str:
        """The name to count it by, or "" for what is not counted."""
        match self.frame:
            case Refused(reason):
                return f"refused:{reason}"
            case Reject(reason=reason):
                return f"rejected:{reason}"
            case Busy():
                return "busy"
            case Told():
                return "told"
            case Renewed(reason=reason):
                return f"renewal_refused:{reason}" if reason else "renewed"
            case _:
                return ""


class Greet(msgspec.Struct, frozen=True, gc=False):
    """Ask the inbox how the stream stands, then call `greeted`."""

    route: bytes
    key: str
    enrolment: str
    hello: Hello


class Take(msgspec.Struct, frozen=True, gc=False):
    """Hand this to the inbox, then call `settled`."""

    route: bytes
    delivery: Delivery


class Enrol(msgspec.Struct, frozen=True, gc=False):
    """Ask the inbox to enrol this key, then call `joined` or `not_joined`."""

    route: bytes
    key: str
    join: Join


class Question(msgspec.Struct, frozen=True, gc=False):
    """Ask the inbox what it tells this enrolment, and send that part."""

    route: bytes
    enrolment: str
    ask: Ask


class Renewal(msgspec.Struct, frozen=True, gc=False):
    """Ask the inbox to let `public` speak for the enrolment beside `key`, and send what came of it."""

    route: bytes
    key: str
    enrolment: str
    public: str


class Drop(msgspec.Struct, frozen=True, gc=False):
    """Over its limits, and told so before: no answer."""


class Cut(msgspec.Struct, frozen=True, gc=False):
    """End this account's connections: it does not listen."""

    account: str


Instruction = Reply | Greet | Take | Enrol | Question | Renewal | Drop | Cut
