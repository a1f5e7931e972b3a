"""What a source may say. Facts hold identifiers: they live in memory between parser and pseudonym."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from shared.scrub import shape
from shared.words import Action

EXCERPTS_A_CHUNK: Final = 20


class Contact(msgspec.Struct, gc=False):
    """An address asked for a name at a second (UTC); `server` is the resolver's, if a source tells."""

    t: int
    address: str
    name: str
    server: str = ""


class Lease(msgspec.Struct, gc=False):
    """From this second on an address belongs to a hardware address (twelve hex digits)."""

    t: int
    address: str
    hardware: str


class Released(msgspec.Struct, gc=False):
    """From this second on nobody has the address, until the next lease; `hardware` had it, if known."""

    t: int
    address: str
    hardware: str = ""


class Visit(msgspec.Struct, gc=False):
    """A user, known by name instead of address, reached a name at a second (UTC)."""

    t: int
    user: str
    name: str


class Present(msgspec.Struct, gc=False):
    """An address had traffic at a second (UTC) and for so many seconds; with whom is not said."""

    t: int
    address: str
    seconds: float


class Located(msgspec.Struct, gc=False):
    """From this second on a hardware address is at an access point; at none if that is empty."""

    t: int
    hardware: str
    access_point: str


class Did(msgspec.Struct, gc=False):
    """An app reports what a user did. `app` is a catalogue index, `amount` seconds (0: unknown)."""

    t: int
    user: str
    app: int
    action: Action
    amount: float


Whereabouts = Lease | Released | Located  # what is learnt of addresses and places
Use = Contact | Visit | Present | Did  # what belongs into a lesson
Fact = Whereabouts | Use


@dataclass(frozen=True, slots=True)
class Contacts:
    """Contacts as columns [n], in the order of the log: seconds UTC, and places in the two tables.

    The tables are the reader's own and may grow; what is in them stays where it is.
    """

    t: NDArray[np.int64]
    address: NDArray[np.int64]
    name: NDArray[np.int64]
    addresses: list[str]
    names: list[str]

    def __len__(self) -> int:
        return len(self.t)

    def select(self, rows: "slice | NDArray[np.bool_] | NDArray[np.int64]") -> "Contacts":
        """Some of them."""
        return Contacts(self.t[rows], self.address[rows], self.name[rows], self.addresses, self.names)

    @classmethod
    def of(cls, facts: Sequence[Contact]) -> "Contacts":
        """From contacts one by one."""
        addresses = list(dict.fromkeys([fact.address for fact in facts]))
        names = list(dict.fromkeys([fact.name for fact in facts]))
        address_of = {address: place for place, address in enumerate(addresses)}
        name_of = {name: place for place, name in enumerate(names)}
        return cls(
            np.array([fact.t for fact in facts], np.int64),
            np.array([address_of[fact.address] for fact in facts], np.int64),
            np.array([name_of[fact.name] for fact in facts], np.int64),
            addresses,
            names,
        )

    def facts(self) -> list[Contact]:
        """The same one by one."""
        columns = self.t.tolist(), self.address.tolist(), self.name.tolist()
        return [
            Contact(t, self.addresses[address], self.names[name])
            for t, address, name in zip(*columns, strict=True)
        ]


@dataclass(slots=True)
class Reading:
    """What one chunk of a source held: facts in their order, lines seen, and what was refused.

    Where `contacts` is there, all contacts are in it; `facts` are then what is learnt of addresses, and
    `after` says of each how many contacts the log has before it.
    """

    facts: list[Fact] = field(default_factory=list)
    contacts: Contacts | None = None
    after: list[int] = field(default_factory=list)
    lines: int = 0
    newest: int | None = None
    refused: dict[str, int] = field(default_factory=dict)
    passed_over: dict[str, int] = field(default_factory=dict)
    excerpts: list[tuple[str, str]] = field(default_factory=list)

    def all_facts(self) -> list[Fact]:
        """Facts and contacts one by one, in the order of the log."""
        if self.contacts is None:
            return self.facts
        found: list[Fact] = []
        contacts, begin = self.contacts.facts(), 0
        for fact, end in zip(self.facts, self.after, strict=True):
            found += contacts[begin:end]
            found.append(fact)
            begin = end
        return found + contacts[begin:]

    def take_leases(self) -> list[Lease]:
        """What is told of leases, which is left out here: it is learnt otherwise."""
        told = [fact for fact in self.facts if isinstance(fact, Lease)]
        wanted = [i for i, fact in enumerate(self.facts) if not isinstance(fact, Lease)]
        self.facts = [self.facts[i] for i in wanted]
        self.after = [self.after[i] for i in wanted] if self.contacts is not None else []
        return told

    def drop_before(self, moment: int) -> int:
        """Leave out what is of before that (seconds UTC); how much of it was use."""
        late = 0
        if self.contacts is not None and len(self.contacts):
            kept = self.contacts.t >= moment
            late = len(kept) - int(kept.sum())
            if late:
                before = np.append(0, np.cumsum(kept))
                self.after = before[self.after].tolist() if self.after else []
                self.contacts = self.contacts.select(kept)
        wanted = [i for i, fact in enumerate(self.facts) if fact.t >= moment]
        if len(wanted) < len(self.facts):
            late += sum(isinstance(fact, Use) and fact.t < moment for fact in self.facts)
            self.facts = [self.facts[i] for i in wanted]
            self.after = [self.after[i] for i in wanted] if self.contacts is not None else []
        return late

    def pass_over(self, reason: str) -> None:
        """Count something that is in order and says nothing of use."""
        self.passed_over[reason] = self.passed_over.get(reason, 0) + 1

    def refuse(self, reason: str, text: bytes | str) -> None:
        """Count one refused line, and keep its shape if there is room."""
        self.refused[reason] = self.refused.get(reason, 0) + 1
        if len(self.excerpts) < EXCERPTS_A_CHUNK:
            self.excerpts.append((reason, shape(text)))
