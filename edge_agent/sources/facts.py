"""What a source may say. Facts hold identifiers: they live in memory between parser and pseudonym."""

from dataclasses import dataclass, field
from typing import Final

import msgspec

from shared.scrub import shape
from shared.words import Action

EXCERPTS_A_CHUNK: Final = 20


class Contact(msgspec.Struct, gc=False):
    """An address asked for a name at a second (UTC)."""

    t: int
    address: str
    name: str


class Lease(msgspec.Struct, gc=False):
    """From this second on an address belongs to a hardware address (twelve hex digits)."""

    t: int
    address: str
    hardware: str


class Released(msgspec.Struct, gc=False):
    """From this second on nobody has the address, until the next lease."""

    t: int
    address: str


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


@dataclass(slots=True)
class Reading:
    """What one chunk of a source held: facts in their order, lines seen, and what was refused."""

    facts: list[Fact] = field(default_factory=list)
    lines: int = 0
    newest: int | None = None
    refused: dict[str, int] = field(default_factory=dict)
    passed_over: dict[str, int] = field(default_factory=dict)
    excerpts: list[tuple[str, str]] = field(default_factory=list)

    def pass_over(self, reason: str) -> None:
        """Count something that is in order and says nothing of use."""
        self.passed_over[reason] = self.passed_over.get(reason, 0) + 1

    def refuse(self, reason: str, text: bytes | str) -> None:
        """Count one refused line, and keep its shape if there is room."""
        self.refused[reason] = self.refused.get(reason, 0) + 1
        if len(self.excerpts) < EXCERPTS_A_CHUNK:
            self.excerpts.append((reason, shape(text)))
