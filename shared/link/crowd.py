"""How many connections there may be and which one goes first; numbers and names only, no socket, no clock.

A connection counts as a stranger's until a frame under an enrolled key has come over it, and again once that
key is enrolled no more.
"""

from collections import Counter, OrderedDict
from dataclasses import dataclass
from typing import Final

UNREAD: Final = 8 * 1024 * 1024  # bytes that no honest peer has on its way without a whole frame
_ALLOWED: Final = 16 * 1024  # bytes a look that need not be frames: heartbeats
_WRAPPING: Final = 64  # bytes that a frame takes on the wire beyond its own, at most
_EARLY_S: Final = 5.0  # how long a frame may be ahead of the news of its connection


@dataclass(frozen=True, slots=True)
class Room:
    """Connections of strangers, of one account (`quota.account_of`), and in all.

    `patience_s`: seconds until a stranger must have spoken as a member.
    """

    strangers: int = 256
    of_one_account: int = 64
    connections: int = 4096
    patience_s: float = 15.0


@dataclass(slots=True)
class Connection:
    """One connection, by its file descriptor; `peer` tells it from a later one of the same number."""

    fd: int
    peer: tuple[str, int]
    since: float
    account: str = ""
    member: bool = False
    ending: bool = False
    delivered: int = 0  # bytes of frames that came out; written by one thread, looked at by another
    looked: int = 0
    read: int = 0  # of all bytes received, those that came out as frames or need not


class Crowd:
    """All connections of one listener. What a method returns is to be cut, each once."""

    def __init__(self, room: Room) -> None:
        self.counters: Counter[str] = Counter()
        self._room = room
        self._all: dict[int, Connection] = {}
        self._strangers: dict[str, OrderedDict[int, Connection]] = {}  # by address, the oldest first
        self._strange = 0
        self._of_account: dict[str, OrderedDict[int, Connection]] = {}
        self._ending = 0
        self._early: OrderedDict[int, tuple[str, bool, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._all)

    def known(self, fd: int, account: str, size: int) -> bool:
        """Whether this connection speaks for this enrolment, as before; counts the frame if so."""
        connection = self._all.get(fd)
        if connection is None or connection.account != account or not connection.member:
            return False
        connection.delivered += size + _WRAPPING
        return True

    def accepted(self, fd: int, peer: tuple[str, int], now: float) -> list[Connection]:
        """A new connection from `peer` (address, port)."""
        early = self._early.pop(fd, None)
        self.closed(fd)
        connection = Connection(fd, peer, now)
        self._all[fd] = connection
        self._join_strangers(connection)
        cut = []
        if early:
            account, member, heard = early
            if now - heard < _EARLY_S:
                cut = self.heard(fd, account, member, 0, now)
        if self._strange > self._room.strangers:
            cut.append(self._cut(self._first_to_go(), "strangers"))
        elif len(self._all) - self._ending > self._room.connections:
            cut.append(self._cut(self._first_to_go() if self._strange else connection, "too_many"))
        return cut

    def heard(self, fd: int, account: str, member: bool, size: int, now: float) -> list[Connection]:
        """A frame of `size` bytes came of `account`, which is an enrolment's if `member`."""
        connection = self._all.get(fd)
        if connection is None:
            self._early[fd] = (account, member, now)
            if len(self._early) > self._room.connections:
                self._early.popitem(last=False)
            return []
        if connection.ending:
            return []
        connection.delivered += size + _WRAPPING
        if connection.account != account:
            self._leave_account(connection)
            connection.account = account
            self._of_account.setdefault(account, OrderedDict())[fd] = connection
        if member != connection.member:
            self._turn(connection, member, now)
        cut = []
        own = self._of_account[account]
        if len(own) > self._room.of_one_account:
            cut.append(self._cut(next(iter(own.values())), "too_many_of_one_account"))
        if self._strange > self._room.strangers:
            cut.append(self._cut(self._first_to_go(), "strangers"))
        return cut

    def closed(self, fd: int) -> None:
        """The connection is gone."""
        self._early.pop(fd, None)
        connection = self._all.pop(fd, None)
        if connection is None:
            return
        if connection.ending:
            self._ending -= 1
            return
        self._leave_account(connection)
        if not connection.member:
            self._leave_strangers(connection)

    def overdue(self, now: float) -> list[Connection]:
        """Strangers that had their time."""
        due = [
            connection
            for waiting in self._strangers.values()
            for connection in waiting.values()
            if now - connection.since >= self._room.patience_s
        ]
        return [self._cut(connection, "silent") for connection in due]

    def of(self, account: str, reason: str) -> list[Connection]:
        """Every connection of an account, all to be cut for `reason`."""
        own = list(self._of_account.get(account, {}).values())
        return [self._cut(connection, reason) for connection in own]

    def open(self) -> list[Connection]:
        """Those that are not being cut."""
        return [connection for connection in self._all.values() if not connection.ending]

    def received(self, connection: Connection, total: int) -> list[Connection]:
        """So many bytes came over it since it began; a message that never ends shows here alone."""
        delivered = connection.delivered
        connection.read = min(total, connection.read + delivered - connection.looked + _ALLOWED)
        connection.looked = delivered
        if connection.ending or total - connection.read <= UNREAD:
            return []
        return [self._cut(connection, "endless")]

    def _first_to_go(self) -> Connection:
        """The oldest stranger of the address that has most, so that a flood pushes out itself."""
        waiting = max(self._strangers.values(), key=len)
        return next(iter(waiting.values()))

    def _cut(self, connection: Connection, reason: str) -> Connection:
        self.counters[f"cut:{reason}"] += 1
        self._leave_account(connection)
        if not connection.member:
            self._leave_strangers(connection)
        connection.ending = True
        self._ending += 1
        return connection

    def _leave_account(self, connection: Connection) -> None:
        if own := self._of_account.get(connection.account):
            own.pop(connection.fd, None)
            if not own:
                del self._of_account[connection.account]

    def _turn(self, connection: Connection, member: bool, now: float) -> None:
        connection.member = member
        if member:
            self._leave_strangers(connection)
        else:
            connection.since = now
            self._join_strangers(connection)

    def _join_strangers(self, connection: Connection) -> None:
        self._strangers.setdefault(connection.peer[0], OrderedDict())[connection.fd] = connection
        self._strange += 1

    def _leave_strangers(self, connection: Connection) -> None:
        address = connection.peer[0]
        waiting = self._strangers[address]
        del waiting[connection.fd]
        self._strange -= 1
        if not waiting:
            del self._strangers[address]
