"""How often each batch may have had its effect, by all that happened to it: the law that a run is held to."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Fate:
    """What happened to one accepted batch.

    taken: `good` by every receiver, `bad` by none, `new` by newer receivers only.
    """

    taken: str
    said: bool = False  # it was on its way at least once
    withdrawn: bool = False
    dropped: bool = False
    unsaid: bool = False  # withdrawn before it was ever on its way
    gone: bool = False  # its outbox was lost, or put back to before it came or after it went
    doubtful: bool = False  # accepted between an outbox, and a hub, being put back and the next WELCOME
    forgotten: bool = False  # a hub put back lost it, and its time in the outbox was over
    returned: int = 0  # how often an outbox that was put back had it waiting


@dataclass
class Fates:
    """All batches by their payload; `numbers` are those of the outbox in force."""

    of: dict[bytes, Fate] = field(default_factory=dict)
    numbers: dict[int, bytes] = field(default_factory=dict)
    put_back_times: int = 0  # how often the outbox was put back
    hub_put_back: bool = False  # so that the outbox may have no more of what it is asked for again
    unsure: bool = False  # the outbox was put back, and no WELCOME came since
    begun_anew: bool = False  # it was lost at all

    def accepted(self, number: int, payload: bytes) -> None:
        """The outbox has it."""
        fate = self.of.setdefault(payload, Fate(payload.split(b" ")[0].decode()))
        fate.doubtful |= self.unsure and self.hub_put_back
        self.numbers[number] = payload

    def said(self, payload: bytes) -> None:
        """It is on its way. What was withdrawn must never be."""
        fate = self.of[payload]
        assert not (fate.withdrawn or fate.dropped), f"{payload!r} was withdrawn, and is sent all the same"
        fate.said = True

    def withdrawn(self, number: int) -> None:
        """Its bytes are gone from the outbox."""
        fate = self.of[self.numbers.pop(number)]
        fate.withdrawn = True
        fate.unsaid = not fate.said

    def lost(self) -> None:
        """The outbox's disk is gone."""
        for payload in self.numbers.values():
            self.of[payload].gone = True
        self.numbers.clear()

    def put_back(self, had: dict[int, tuple[str, bytes]], kept: dict[int, tuple[str, bytes]]) -> None:
        """The outbox, which had these states and payloads, is as it was when it kept those."""
        safe = {payload for _, payload in had.values() if payload and not self.of[payload].gone}
        self.put_back_times += 1
        self.unsure = True
        self.lost()
        for number, (state, payload) in kept.items():
            if not payload:
                continue
            fate = self.of[payload]
            fate.withdrawn = fate.dropped = fate.unsaid = False
            fate.gone = payload not in safe  # it may have gone by empty meanwhile
            fate.returned += state in ("pending", "aside")
            self.numbers[number] = payload

    @property
    def restored(self) -> bool:
        """Whether the outbox was put back at all."""
        return self.put_back_times > 0

    def bounds(self, payload: bytes, *, kept: bool, fenced: bool, faithful: bool) -> tuple[int, int]:
        """Least and most effects.

        `kept`: still in the outbox; `fenced`: another outbox has its place; `faithful`: each refusal was
        sure to become known to the sender.
        """
        fate = self.of[payload]
        if fate.taken == "bad" or fate.unsaid:
            return 0, 0
        waits = fenced or fate.withdrawn or fate.dropped or fate.gone or fate.doubtful
        waits |= fate.forgotten and not kept
        waits |= fate.taken == "new" and not faithful  # a lost REJECT leaves nothing to retry
        return (0 if waits else 1), 1 + fate.returned + self.put_back_times
