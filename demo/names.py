"""Invented people with names that look real, so that a test can search for them where none may be."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

_TABLE: Final = tomllib.loads((Path(__file__).parent / "names.toml").read_text(encoding="utf-8"))
GIVEN: Final[tuple[str, ...]] = tuple(_TABLE["given"].split())
FAMILY: Final[tuple[str, ...]] = tuple(_TABLE["family"].split())


@dataclass(frozen=True, slots=True)
class Person:
    """A learner or a teacher, as a roster knows them."""

    sourced_id: str
    role: str
    username: str
    given: str
    family: str

    @property
    def full(self) -> str:
        """Given and family name."""
        return f"{self.given} {self.family}"


class People:
    """Hands out people of one school; no full name and no username twice."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._names: set[tuple[str, str]] = set()
        self._users: set[str] = set()

    def learner(self) -> Person:
        """A learner, with a username of initial, family name and two digits."""
        given, family = self._name()
        stem = given[0].lower() + "".join(ch for ch in family.lower() if ch.isalpha())
        return self._person("student", given, family, stem, digits=True)

    def teacher(self) -> Person:
        """A teacher, with a username of given and family name."""
        given, family = self._name()
        stem = f"{given.lower()}.{''.join(ch for ch in family.lower() if ch.isalpha())}"
        return self._person("teacher", given, family, stem, digits=False)

    def _name(self) -> tuple[str, str]:
        while True:
            name = GIVEN[self._rng.integers(len(GIVEN))], FAMILY[self._rng.integers(len(FAMILY))]
            if name not in self._names:
                self._names.add(name)
                return name

    def _person(self, role: str, given: str, family: str, stem: str, *, digits: bool) -> Person:
        while True:
            username = f"{stem}{self._rng.integers(10, 100)}" if digits else stem
            if username not in self._users:
                self._users.add(username)
                return Person(hex_id(self._rng), role, username, given, family)


def hex_id(rng: np.random.Generator) -> str:
    """A random id in the shape of a UUID, as student information systems hand out."""
    digits = rng.bytes(16).hex()
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"
