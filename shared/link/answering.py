"""What a server answers beside batches: what it tells a sender, and keys that follow one another."""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol, runtime_checkable

from shared.errors import BadInput
from shared.link.asking import version_of
from shared.link.frames import MAX_PARTS, PART, Ask, Renewed, Told
from shared.link.instructions import Question, Renewal

_KEPT_BYTES: Final = 2 * MAX_PARTS * PART  # of answers that are being pulled
_KEPT_S: Final = 60.0  # an answer may hold what the inbox itself forgets; older ones are asked of it anew
_KNOWN_KEYS: Final = 8192  # whose state is remembered


@runtime_checkable
class Telling(Protocol):
    """An inbox that has something to tell; called from the server's thread only."""

    def tell(self, enrolment: str, what: str) -> bytes | None:
        """What this enrolment may know under this name, at most 15 MiB; None for nothing."""


@runtime_checkable
class Renewing(Protocol):
    """An inbox whose enrolments may change their key; called from the server's thread only."""

    def renew(self, enrolment: str, old_key: str, new_key: str) -> None:
        """Let `new_key` speak for the enrolment beside `old_key`; on disk when it returns, may come twice.

        Raises BadInput to refuse.
        """

    def retire(self, enrolment: str, key_in_use: str) -> None:
        """`key_in_use` speaks: the keys that it was renewed from may speak no more. May come twice."""


@dataclass(frozen=True, slots=True)
class _Kept:
    version: bytes
    data: bytes
    since: float


class Answers:
    """The answers of one server, for whatever its inbox can do; `clock` is monotonic, in seconds."""

    def __init__(self, inbox: object, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._telling = inbox if isinstance(inbox, Telling) else None
        self._renewing = inbox if isinstance(inbox, Renewing) else None
        self._kept: OrderedDict[tuple[str, str], _Kept] = OrderedDict()
        self._in_use: set[str] = set()
        self._granted: set[str] = set()  # keys that have not spoken yet

    def told(self, question: Question) -> Told:
        """The part that was asked for."""
        ask = question.ask
        version, data = self._whole(question.enrolment, ask)
        parts = max(1, -(-len(data) // PART)) if version else 0
        if ask.part >= parts:  # it became shorter meanwhile: its first part says of which version it is
            return Told(ask.what, version, 0, parts, data[:PART])
        return Told(ask.what, version, ask.part, parts, data[ask.part * PART : (ask.part + 1) * PART])

    def renewed(self, renewal: Renewal) -> Renewed:
        """Whether the key was taken."""
        if self._renewing is None:
            return Renewed(renewal.public, "keys_are_not_renewed_here")
        try:
            self._renewing.renew(renewal.enrolment, renewal.key, renewal.public)
        except BadInput as error:
            return Renewed(renewal.public, error.reason)
        self._in_use.discard(renewal.public)
        _remember(self._granted, renewal.public)
        return Renewed(renewal.public)

    def heard(self, enrolment: str, key: str) -> bool:
        """A HELLO came under this key, so that those before it are done with; whether it is a new one."""
        if self._renewing is None or key in self._in_use:
            return False
        self._renewing.retire(enrolment, key)
        _remember(self._in_use, key)
        new = key in self._granted
        self._granted.discard(key)
        return new

    def forget_old(self) -> None:
        """Answers that were kept for a minute; to be called now and then, whether or not anybody asks."""
        oldest = self._clock() - _KEPT_S
        for place in [place for place, kept in self._kept.items() if kept.since <= oldest]:
            del self._kept[place]

    def _whole(self, enrolment: str, ask: Ask) -> tuple[bytes, bytes]:
        """Version and bytes; both empty for nothing. Only a first part is asked of the inbox anew."""
        if self._telling is None:
            return b"", b""
        self.forget_old()
        place = enrolment, ask.what
        kept = self._kept.pop(place, None) if ask.part else None
        if kept is None:
            self._kept.pop(place, None)
            data = self._telling.tell(enrolment, ask.what)
            if data is None:
                return b"", b""
            if len(data) > MAX_PARTS * PART:
                raise ValueError(f"{ask.what}: {len(data)} bytes, a link tells {MAX_PARTS * PART} at most")
            kept = _Kept(version_of(data), data, self._clock())
        if len(kept.data) > PART * (ask.part + 1):
            self._keep(place, kept)
        return kept.version, kept.data

    def _keep(self, place: tuple[str, str], answer: _Kept) -> None:
        self._kept[place] = answer
        while sum(len(kept.data) for kept in self._kept.values()) > _KEPT_BYTES:
            self._kept.popitem(last=False)


def _remember(keys: set[str], key: str) -> None:
    """To forget some costs one look more at the disk."""
    if len(keys) >= _KNOWN_KEYS:
        keys.clear()
    keys.add(key)
