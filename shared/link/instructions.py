"""What the receiving machine wants done with what it heard, by whoever lends it a socket and an inbox."""

from dataclasses import dataclass

from shared.link.frames import Ask, Busy, Hello, Join, Refused, Reject, Renewed, Told, ToSender
from shared.link.outcomes import Delivery


@dataclass(frozen=True, slots=True)
class Reply:
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


@dataclass(frozen=True, slots=True)
class Greet:
    """Ask the inbox how the stream stands, then call `greeted`."""

    route: bytes
    key: str
    enrolment: str
    hello: Hello


@dataclass(frozen=True, slots=True)
class Take:
    """Hand this to the inbox, then call `settled`."""

    route: bytes
    delivery: Delivery


@dataclass(frozen=True, slots=True)
class Enrol:
    """Ask the inbox to enrol this key, then call `joined` or `not_joined`."""

    route: bytes
    key: str
    join: Join


@dataclass(frozen=True, slots=True)
class Question:
    """Ask the inbox what it tells this enrolment, and send that part."""

    route: bytes
    enrolment: str
    ask: Ask


@dataclass(frozen=True, slots=True)
class Renewal:
    """Ask the inbox to let `public` speak for the enrolment beside `key`, and send what came of it."""

    route: bytes
    key: str
    enrolment: str
    public: str


@dataclass(frozen=True, slots=True)
class Drop:
    """Over its limits, and told so before: no answer."""


@dataclass(frozen=True, slots=True)
class Cut:
    """End this account's connections: it does not listen."""

    account: str


Instruction = Reply | Greet | Take | Enrol | Question | Renewal | Drop | Cut
