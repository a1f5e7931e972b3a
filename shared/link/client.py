"""The sending end on a socket: one thread that carries a feed's batches to one receiver, for ever."""

import random
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Literal

import structlog
import zmq

from shared.errors import BadInput, CommonGroundError
from shared.link.credentials import Credentials
from shared.link.dialling import Line, LineEvent
from shared.link.errands import Errands
from shared.link.feed import Feed
from shared.link.frames import Batch, Renewed, Told, decode_to_sender, encode
from shared.link.keys import KeyPair
from shared.link.rotation import NOBODY, Keeper, Rotation
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
from shared.link.sockets import Context, Waker, check_address
from shared.link.versions import UPGRADE_RECEIVER

_LOOK_S: Final = 1.0  # how often the feed is asked without having called
_NOT_ENROLLED: Final = "not_enrolled"


@dataclass(frozen=True, slots=True)
class LinkState:
    """For status pages. `last_ack` is a reading of the client's clock, None before the first."""

    name: Literal["connected", "waiting", "refused"]
    detail: str
    last_ack: float | None
    unacked: int


class LinkClient:
    """Sends `feed` as `stream` to the receiver at `address` that holds `server_public`.

    A key in force, ours or the receiver's, may be followed by the next one, tried when the first is refused;
    `keeper` is told of every change.
    """

    def __init__(
        self,
        address: str,
        server_public: str | tuple[str, ...],
        keys: KeyPair | tuple[KeyPair, ...],
        stream: str,
        feed: Feed,
        rng: random.Random,
        clock: Callable[[], float] = time.monotonic,
        pace: Pace | None = None,
        keeper: Keeper = NOBODY,
    ) -> None:
        self._address = check_address(address)
        self._credentials = Credentials(
            (keys,) if isinstance(keys, KeyPair) else keys,
            (server_public,) if isinstance(server_public, str) else server_public,
        )
        self._stream = stream
        self._feed = feed
        self._rng = rng
        self._clock = clock
        self._pace = pace or Pace()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._last_ack: float | None = None
        self._denied = ""
        self._strangers = 0  # rounds without a handshake
        self._redial = False
        self._errands = Errands(rng, self._pace, self._nudge)
        self._rotation = Rotation(self._credentials, self._errands, keeper)
        self._machine = Sender(stream, 0, rng, self._pace)
        self._log = structlog.get_logger("link.client")
        self.state = LinkState("waiting", "not started", None, 0)

    def start(self) -> None:
        """Begin sending, in a thread of its own."""
        self._context: Context = zmq.Context()
        self._wake = Waker(self._context)
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name=f"link:{self._stream}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End within two seconds; what is unacknowledged stays with the feed."""
        if self._thread is None:
            return
        self._stopping.set()
        self._feed.close()
        self._wake()
        self._thread.join()
        self._thread = None

    def ask(self, what: str, timeout: float) -> bytes | None:
        """What the receiver has for us under this name; None for nothing. From any thread.

        Raises TimeoutError when there is no answer in `timeout` seconds, and UsageError for what is no name.
        """
        return self._errands.ask(what, timeout, self._why_silent)

    def renew(self, pair: KeyPair) -> None:
        """Speak with this key as soon as the receiver has it on its disk. From any thread; see `Keeper`.

        Have it on your own disk first: once it is used the old one is refused.
        """
        self._errands.renew(pair)

    def _nudge(self) -> bool:
        if self._thread is not None:
            self._wake()
        return self._thread is not None

    def _why_silent(self) -> str:
        if self._machine.phase is Phase.OPEN:
            return "it is slow" if self._machine.minor else UPGRADE_RECEIVER
        return self.state.detail or "not connected"

    def _run(self) -> None:
        attached = False
        try:
            while not self._stopping.is_set():
                try:
                    if not attached:
                        self._feed.attach(self._wake)
                        attached = True
                    self._converse()
                except Exception as error:  # noqa: BLE001 - a feed's full disk: begin again, nothing is lost
                    if self._stopping.is_set():
                        break
                    self._log.error("link_failed", error=f"{type(error).__name__}: {error}")
                    whose = "" if isinstance(error, CommonGroundError) else "the outbox cannot be used: "
                    self._show("waiting", f"{whose}{error}")
                    self._stopping.wait(self._pace.first * (1 + self._rng.random()))
        finally:
            self._errands.take_over()
            self._errands.asker.close()
            self._feed.detach()
            self._wake.close()
            self._context.term()

    def _converse(self) -> None:
        """One line after another until asked to stop; an error of the feed ends the line."""
        self._machine = Sender(self._stream, self._feed.epoch(), self._rng, self._pace)
        self._errands.asker.again()
        self._redial = False
        self._line = Line(self._context, self._address, self._credentials.server, self._credentials.pair)
        poller = zmq.Poller()
        poller.register(self._wake.ear, zmq.POLLIN)
        self._line.register(poller)
        try:
            self._look_at = 0.0
            while not (self._stopping.is_set() or self._redial):
                ready = dict(poller.poll(self._wait_ms()))
                if self._wake.ear in ready:
                    self._wake.drain()
                    self._errands.take_over()
                    self._look_at = 0.0
                if self._line.monitor in ready:
                    self._events()
                if self._line.socket in ready:
                    self._hear()
                now = self._clock()
                self._carry_out(self._machine.tick(now))
                if now >= self._look_at:
                    self._look_at = now + _LOOK_S
                    self._carry_out(self._machine.available(self._feed.tail(), now))
                for frame in self._errands.asker.due(now) if self._may_ask() else ():
                    self._line.send(encode(frame))
                self._show_machine()
        finally:
            self._line.close()

    def _wait_ms(self) -> int:
        until = self._look_at
        if self._machine.deadline is not None:
            until = min(until, self._machine.deadline)
        if self._may_ask():
            until = min(until, self._errands.asker.deadline)
        return int(max(0.0, min(_LOOK_S, until - self._clock())) * 1000) + 1

    def _may_ask(self) -> bool:
        return self._machine.phase is Phase.OPEN and self._machine.minor >= 1

    def _events(self) -> None:
        """What became of the connection."""
        for event in self._line.events():
            if self._redial:
                return
            match event:
                case LineEvent.UP:
                    self._denied = ""
                    self._carry_out(self._machine.up(self._clock()))
                case LineEvent.DOWN:
                    self._carry_out(self._machine.down())
                case LineEvent.REFUSED:
                    self._denied = "this key is not enrolled there: ask for an invitation and join"
                    self._next_of_ours()
                case LineEvent.STRANGE:
                    self._machine.refusal = "no handshake: is this the receiver's key, and is it a link?"
                    if self._credentials.several_servers:  # with one to expect the line itself tries again
                        self._next_of_theirs()

    def _next_of_ours(self) -> None:
        self._redial = True
        if self._credentials.refused():
            self._show_machine()
            self._stopping.wait(self._pace.refused * (0.5 + self._rng.random()))

    def _next_of_theirs(self) -> None:
        self._redial = True
        if self._credentials.no_handshake():
            self._show_machine()
            self._strangers += 1
            self._stopping.wait(self._pace.wait(self._strangers, self._rng))

    def _hear(self) -> None:
        for data in self._line.frames():
            try:
                frame = decode_to_sender(data)
            except BadInput as error:
                self._log.warning("link_answer_refused", reason=error.reason)
                continue
            match frame:
                case Told():
                    self._errands.asker.told(frame)
                case Renewed():
                    self._redial |= self._rotation.answered(frame)
                case _:
                    self._carry_out(self._machine.received(frame, self._clock()))
        if self._machine.refusal == _NOT_ENROLLED and self._credentials.several and not self._redial:
            self._next_of_ours()

    def _carry_out(self, instructions: Iterable[Instruction]) -> None:
        queue = deque(instructions)
        while queue:
            queue.extend(self._do(queue.popleft()))

    def _do(self, instruction: Instruction) -> Iterable[Instruction]:
        now = self._clock()
        match instruction:
            case Say(frame):
                self._line.send(encode(frame))
            case Transmit(first, last):
                self._transmit(first, last)
            case Settled(seq):
                self._feed.settle(seq)
                self._last_ack = now
            case SetAside(seq, reason):
                self._feed.set_aside(seq, reason)
            case Resume(last_seq, position):
                self._rotation.welcomed(self._machine.next_key)
                self._strangers = 0
                epoch = self._feed.resume(last_seq, position)
                if epoch != self._machine.epoch:
                    return self._machine.renewed(epoch, now)
                return self._machine.resumed(last_seq, self._feed.tail(), now)
            case Outdated(current):
                if (newer := self._feed.outdated(current)) is not None:
                    return self._machine.renewed(newer, now)
        return ()

    def _transmit(self, first: int, last: int) -> None:
        epoch = self._machine.epoch
        for seq, item in enumerate(self._feed.read(first, last), start=first):
            payload = item.payload
            if len(payload) > self._machine.max_batch:
                self._feed.set_aside(seq, "too_large_for_receiver")
                payload = b""
            if not self._line.send(encode(Batch(epoch, seq, payload, item.position))):
                return  # the machine's own patience runs out, and it asks

    def _show_machine(self) -> None:
        match self._machine.phase:
            case Phase.OPEN:
                self._show("connected", "")
            case Phase.REFUSED:
                self._show("refused", self._machine.refusal)
            case _ if self._denied:
                self._show("refused", self._denied)
            case _:
                self._show("waiting", self._machine.refusal or f"no answer yet from {self._address}")

    def _show(self, name: Literal["connected", "waiting", "refused"], detail: str) -> None:
        self.state = LinkState(name, detail, self._last_ack, self._machine.unacked)
