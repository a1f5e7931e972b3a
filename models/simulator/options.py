"""What one may choose of a simulated universe."""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from shared.errors import UsageError

Family = Literal["steps", "skewed"]
FAMILIES: Final[tuple[Family, ...]] = ("steps", "skewed")

# Each pair doubles what the oracle has to weigh.
MOST_INTERACTIONS: Final = MappingProxyType[Family, int]({"steps": 5, "skewed": 2})


def family_of(name: str) -> Family:
    """The family of that name. Raises UsageError for any other."""
    for family in FAMILIES:
        if family == name:
            return family
    raise UsageError(f"unknown family `{name[:40]}`: choose {' or '.join(FAMILIES)}")


@dataclass(frozen=True, slots=True)
class Options:
    """What one may choose of a universe; everything else is drawn, and so is what is None.

    family `steps`: features answer to the level itself, with normal noise. `skewed`: they answer to a
    continuous latent, with Student's noise whose spread grows with the level, and half of them log-normal.
    signs_wrong: share of each dimension's rubric features whose true direction is the opposite.
    interactions: pairs of features of which only the product tells of the stage. resolver_only: share of
    windows without features 7-14, 19, 20.
    """

    family: Family = "steps"
    schools: int | None = None
    coaches: int | None = None
    single_coach: bool = False
    signs_wrong: float = 0.0
    interactions: int = 0
    resolver_only: float = 0.25

    def check(self) -> None:
        """Raises UsageError for what cannot be made."""
        for name in ("signs_wrong", "resolver_only"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise UsageError(f"{name.replace('_', '-')} is a share: choose a number from 0 to 1")
        most = MOST_INTERACTIONS[self.family]
        if not 0 <= self.interactions <= most:
            raise UsageError(f"choose 0 to {most} interactions in the family `{self.family}`")
        for name, least in (("schools", 2), ("coaches", 1)):
            chosen = getattr(self, name)
            if chosen is not None and not least <= chosen <= 500:
                raise UsageError(f"choose {least} to 500 {name}")
