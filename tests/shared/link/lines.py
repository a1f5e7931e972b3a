"""Frames on their way over connections that come and go, each with its own route and key.

A tame network is TCP: frames of one connection arrive in order, and when it breaks, the last ones do not.
A wild one loses, doubles and reorders any frame, within and across connections.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from shared.link.frames import encode
from shared.link.instructions import Reply

Frame = tuple[bytes, str, bytes]  # route, the sender's key, what is said


@dataclass
class Lines:
    """Both directions; `route` is that of the connection that stands, b"" for none."""

    wild: bool = False
    route: bytes = b""
    to_receiver: list[Frame] = field(default_factory=list)
    to_sender: list[Frame] = field(default_factory=list)
    _made: int = 0

    def connect(self) -> None:
        """A new connection."""
        self._made += 1
        self.route = b"%d" % self._made

    def broken(self, arriving: int) -> None:
        """The connection is gone; of what was said over it so much still arrives, answers do not."""
        self.route = b""
        if not self.wild:
            del self.to_receiver[arriving:]
            self.to_sender.clear()

    def say(self, key: str, frames: list[bytes]) -> None:
        """From the sender; over no connection it is lost."""
        if self.route:
            self.to_receiver += [(self.route, key, data) for data in frames]

    def answer(self, replies: Iterable[Reply]) -> None:
        """From the receiver."""
        self.to_sender += [(reply.route, "", encode(reply.frame)) for reply in replies]

    def take_frames(self, most: int) -> list[Frame]:
        """What arrives at the receiver next."""
        arrived, self.to_receiver[:] = self.to_receiver[:most], self.to_receiver[most:]
        return arrived

    def take_answers(self, most: int) -> list[bytes]:
        """What arrives at the sender next: nobody hears what is said to a connection that is gone."""
        arrived, self.to_sender[:] = self.to_sender[:most], self.to_sender[most:]
        return [data for route, _, data in arrived if route == self.route]

    def lose(self, to_receiver: bool, at: int) -> None:
        """One frame."""
        frames = self._of(to_receiver)
        if frames:
            del frames[at % len(frames)]

    def double(self, to_receiver: bool, at: int, again_at: int) -> None:
        """One frame, which comes again somewhere else."""
        frames = self._of(to_receiver)
        if frames:
            frames.insert(again_at % (len(frames) + 1), frames[at % len(frames)])

    def overtake(self, to_receiver: bool, at: int) -> None:
        """One frame is the first to arrive."""
        frames = self._of(to_receiver)
        if frames:
            frames.insert(0, frames.pop(at % len(frames)))

    def new_line_first(self) -> None:
        """What was said over the newest connection arrives before what is left of those before."""
        self.to_receiver.sort(key=lambda frame: frame[0] != self.route)

    def clear(self) -> None:
        """Nothing is on its way any more."""
        self.to_receiver.clear()
        self.to_sender.clear()

    def _of(self, to_receiver: bool) -> list[Frame]:
        return self.to_receiver if to_receiver else self.to_sender
