"""The receiving end on a socket: one thread, a ROUTER behind CURVE, many frames to one commit."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

import structlog
import zmq

from shared.errors import BadInput, BusyError, SettingsError
from shared.link.answering import Answers
from shared.link.crowd import Room
from shared.link.door import Door, connections_allowed
from shared.link.frames import Refused, Renewed, Told, encode
from shared.link.gate import Gate, Handshakes, Knocks
from shared.link.groups import Groups, Size
from shared.link.inbox import Inbox
from shared.link.instructions import (
    Cut,
    Drop,
    Enrol,
    Greet,
    Question,
    Renewal,
    Reply,
    Take,
)
from shared.link.keys import KeyPair
from shared.link.limits import Limits
from shared.link.outcomes import Outcome
from shared.link.quota import account_of
from shared.link.receiver import Receiver
from shared.link.routes import Routes, new_router
from shared.link.sockets import DOMAIN, Context, Socket, Waker, check_address, harden

_ANNOUNCE_S: Final = 0.5


class LinkServer:
    """Receives on `address` (tcp://HOST:PORT, `*` for a free port) for `inbox`.

    `next_key` gives the public key that this server will have next, or "": looked at twice a second, and
    announced to every sender.

    `counters` has `batches` handed to the inbox in `commits`, `rejected:<reason>`, `refused:<reason>`,
    `busy`, `told` parts, `renewed` keys and `renewal_refused:<reason>`, `joined`, `joins_ignored` for being
    too many, `handshakes_refused`, `unsent_replies`, and `failures` of the inbox; `dropped` frames of peers
    over their limits, `connections` now, and those ended, by `cut:<reason>`.
    """

    def __init__(
        self,
        address: str,
        keys: KeyPair,
        inbox: Inbox,
        limits: Limits | None = None,
        clock: Callable[[], float] = time.monotonic,
        next_key: Callable[[], str] = str,
    ) -> None:
        self.endpoint = check_address(address, listening=True)
        self._keys = keys
        self._inbox = inbox
        self._limits = limits or Limits()
        self._clock = clock
        self._next_key = next_key
        self._receiver = Receiver(self._limits.quota)
        self._counters: Counter[str] = Counter()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._connections: Callable[[], dict[str, int]] = dict
        self._log = structlog.get_logger("link.server")

    @property
    def counters(self) -> dict[str, int]:
        """A copy of the counts so far."""
        return {**self._counters, **self._connections()}

    def start(self) -> None:
        """Listen. Raises BusyError when the port is taken, SettingsError when the address is not ours."""
        self._stopping.clear()
        self._receiver = Receiver(self._limits.quota)
        self._answers = Answers(self._inbox, self._clock)
        self._announced = float("-inf")
        self._knocks = Knocks(self._limits.joins_per_second)
        self._refusals = Knocks(self._limits.joins_per_second)
        self._context: Context = zmq.Context()
        self._router: Socket = new_router(self._context)
        self._routes = Routes(self._context, self._router)
        self._gate = Gate(
            self._context, self._inbox, self._clock, self._limits.enrolments_s, self._handshakes()
        )
        self._door = Door(self._context, self._router, self._room(), self._clock)
        self._connections = lambda: self._door.counters
        self._wake = Waker(self._context)
        own = self._limits
        size = Size(own.group_batches, own.group_bytes, own.retry_ms)
        self._groups = Groups(self._inbox, size, self._settled, self._fail, self._wake, self._counters)
        try:
            self._listen()
        except BaseException:
            self._release()
            raise
        self._thread = threading.Thread(target=self._run, name=f"link:{self.endpoint}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Finish the delivery under way, then let go of the port."""
        if self._thread is None:
            return
        self._stopping.set()
        self._wake()
        self._thread.join()
        self._thread = None

    def _listen(self) -> None:
        harden(self._router, self._keys, self.endpoint)
        self._router.set(zmq.CURVE_SERVER, 1)
        self._router.set_string(zmq.ZAP_DOMAIN, DOMAIN)
        self._router.set(zmq.ROUTER_MANDATORY, 1)
        self._router.set(zmq.BACKLOG, 1024)
        self._router.set(zmq.HANDSHAKE_IVL, int(self._limits.handshake_s * 1000))
        self._router.set(zmq.RCVHWM, self._limits.queue)
        self._router.set(zmq.SNDHWM, self._limits.answers)
        try:
            self._router.bind(self.endpoint)
        except zmq.ZMQError as error:
            if error.errno == zmq.EADDRINUSE:
                raise BusyError(
                    f"{self.endpoint} is in use by another program: stop it, or choose another port"
                ) from None
            raise SettingsError(f"cannot listen on {self.endpoint}: {error.strerror}") from None
        self.endpoint = self._router.get_string(zmq.LAST_ENDPOINT)
        self._door.open(int(self.endpoint.rpartition(":")[2]))

    def _room(self) -> Room:
        own = self._limits
        connections = connections_allowed(own.connections)
        patience = own.handshake_s + own.silent_s
        return Room(min(own.strangers, connections // 2), own.quota.sessions, connections, patience)

    def _handshakes(self) -> Handshakes:
        own = self._limits
        return Handshakes(own.handshakes_per_second, 2.0 * own.quota.sessions, self._receiver.refuses)

    def _release(self) -> None:
        self._wake.close()
        self._door.close()
        self._router.close(linger=0)
        self._gate.close()
        self._context.term()

    def _run(self) -> None:
        poller, deaf = zmq.Poller(), zmq.Poller()
        for socket in (self._gate.socket, self._wake.ear):
            poller.register(socket, zmq.POLLIN)
            deaf.register(socket, zmq.POLLIN)
        poller.register(self._router, zmq.POLLIN)
        try:
            while not self._stopping.is_set():
                ready = dict((deaf if self._groups.full else poller).poll(500))
                if self._wake.ear in ready:
                    self._wake.drain()
                try:
                    self._announce()
                    if self._gate.socket in ready:
                        self._counters["handshakes_refused"] += self._gate.answer()
                    if self._router in ready:
                        self._drain()
                    self._groups.turn()
                except Exception as error:  # noqa: BLE001 - the inbox is not ours; the line must not die of it
                    self._fail(error)
            self._groups.flush()
        finally:
            self._release()

    def _announce(self) -> None:
        now = self._clock()
        if now - self._announced >= _ANNOUNCE_S:
            self._announced = now
            self._answers.forget_old()
            for reply in self._receiver.announce(self._next_key()):
                self._reply(reply)

    def _fail(self, error: Exception) -> None:
        self._counters["failures"] += 1
        self._log.error("link_inbox_failed", error=f"{type(error).__name__}: {error}")

    def _drain(self) -> None:
        """Everything that waits, up to one commit's worth."""
        for _ in range(self._limits.group_frames):
            if self._groups.full:
                break
            try:
                route_frame, frame, *others = self._router.recv_multipart(zmq.NOBLOCK, copy=False)
            except zmq.Again:
                break
            route, key = route_frame.bytes, str(frame.get("User-Id"))
            enrolment = self._gate.enrolment(key)
            account = account_of(key, enrolment)
            if not self._well_connected(route, frame, account, enrolment is not None, others):
                continue
            instruction = self._receiver.received(route, key, enrolment, frame.buffer, self._clock())
            match instruction:
                case Drop():
                    self._counters["dropped"] += 1
                case Cut(account=deaf):
                    self._door.cut(deaf, "over_limits")
                case Reply():
                    self._reply(instruction)
                case Take():
                    self._groups.gather(instruction)
                case Greet():
                    # What it asks about may be on its way to the disk.
                    self._groups.flush_of(instruction.enrolment)
                    self._greet(instruction)
                case Enrol():
                    self._enrol(instruction, account)
                case Question() | Renewal():
                    self._answer(instruction)

    def _well_connected(
        self, route: bytes, frame: zmq.Frame, account: str, member: bool, others: Sequence[zmq.Frame]
    ) -> bool:
        """Whether what came is of one part, over a connection whose number we gave it ourselves."""
        fd = int(frame.get(zmq.SRCFD))
        size = len(frame) + sum(len(other) for other in others)
        if not self._door.known(fd, account, size):
            self._door.heard(fd, account, member, size)
            if not self._routes.counted(route, self._door.accepted):
                self._expel(account, "chosen_route")
                return False
        if others:  # a peer may send any number of parts; ours have one
            self._counters["refused:parts"] += 1
            self._expel(account, "parts")
        return not others

    def _expel(self, account: str, reason: str) -> None:
        self._receiver.expel(account, self._clock())
        self._door.cut(account, reason)

    def _greet(self, greet: Greet) -> None:
        try:
            if self._answers.heard(greet.enrolment, greet.key):
                self._gate.refresh()
                self._receiver.retired(greet.enrolment, greet.key)
            standing = self._inbox.hello(greet.enrolment, greet.hello.stream, greet.hello.epoch)
        except BadInput as error:
            self._reply(Reply(greet.route, Refused(error.reason)))
        except Exception as error:  # noqa: BLE001 - a full disk: no answer, it will say HELLO again
            self._fail(error)
        else:
            self._reply(self._receiver.greeted(greet, standing))

    def _answer(self, asked: Question | Renewal) -> None:
        frame: Told | Renewed
        try:
            if isinstance(asked, Question):
                frame = self._answers.told(asked)
            else:
                frame = self._answers.renewed(asked)
                self._gate.refresh()
        except Exception as error:  # noqa: BLE001 - no answer: it will ask again
            self._fail(error)
        else:
            self._reply(Reply(asked.route, frame))

    def _enrol(self, enrol: Enrol, account: str) -> None:
        if not self._knocks.allow(account, self._clock()):
            self._counters["joins_ignored"] += 1
            return
        try:
            self._inbox.join(enrol.key, enrol.join.secret, enrol.join.name)
        except BadInput as error:
            # Whoever has a secret that opens is heard however many strangers guess; only they share this.
            if self._refusals.allow("", self._clock()):
                self._reply(Reply(enrol.route, Refused(error.reason)))
            else:
                self._counters["joins_ignored"] += 1
            return
        self._gate.refresh()
        self._counters["joined"] += 1
        self._reply(self._receiver.joined(enrol))

    def _settled(self, group: Sequence[Take], outcomes: Sequence[Outcome]) -> None:
        for reply in self._receiver.settled(group, outcomes):
            self._reply(reply)

    def _reply(self, reply: Reply) -> None:
        if name := reply.counted_as:
            self._counters[name] += 1
        try:
            self._router.send_multipart([reply.route, encode(reply.frame)], zmq.NOBLOCK)
        except zmq.ZMQError:
            self._counters["unsent_replies"] += 1
            self._receiver.unreachable(reply.route)
