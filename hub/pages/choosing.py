"""Which of several models a page is read with: plain links, one of them current; pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from hub.known import Known


@dataclass(frozen=True)
class Choice:
    """One model to read the page with."""

    name: str
    address: str
    current: bool


@dataclass(frozen=True)
class Chosen:
    """The model that a page is read with (blank: none is there), and every choice."""

    model: str
    drawn: tuple[str, ...]
    choices: tuple[Choice, ...]


def choose(known: Known, models: Iterable[str], wanted: str, path: str, *, data: bool, **more: str) -> Chosen:
    """The wanted model if it is there, else the first; its choices only where there are several.

    `data`: the numbers of a figure are asked for, so every model is drawn. `more` stays in the addresses.
    """
    held: Sequence[str] = sorted(set(models), key=lambda model: known.order(model, ""))
    if not held:
        return Chosen("", (), ())
    model = wanted if wanted in held else held[0]
    choices = tuple(
        Choice(
            known.name(one),
            _address(path, ({} if one == held[0] else {"model": one}) | more),
            one == model,
        )
        for one in held
    )
    return Chosen(model, tuple(held) if data else (model,), choices if len(held) > 1 else ())


def _address(path: str, query: dict[str, str]) -> str:
    return f"{path}?{urlencode(query)}" if query else path
