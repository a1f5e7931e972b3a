"""Per-event exports of filters and the like, read through a mapping: who reached what, and when."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Final, NoReturn
from zoneinfo import ZoneInfo

import msgspec

from edge_agent.sources.facts import Contact, Reading, Visit
from edge_agent.sources.linewise import read_lines
from edge_agent.sources.logtime import LogTime
from edge_agent.sources.scrub_names import scrub_name
from models.catalogue.load import load_catalogue
from models.catalogue.names import by_name, called
from shared import mapping
from shared.errors import BadInput, SettingsError
from shared.exports import MAX_USER, Rows, host_of, is_address
from shared.mapping import LOCAL, Cells, Column, Moment, Selection

MAPPINGS: Final = Path(__file__).parent / "mappings"


class Who(msgspec.Struct, frozen=True):
    """Columns that say who it was; where both have something the address counts."""

    address: Column | None = None
    user: Column | None = None


class What(msgspec.Struct, frozen=True):
    """Columns that say what was reached; the first that has something counts: host, url, product."""

    host: Column | None = None
    url: Column | None = None
    product: Column | None = None


class EventMapping(Selection, frozen=True, kw_only=True):
    """A whole mapping file."""

    time: Moment
    who: Who
    what: What


def load_mapping(name_or_path: str, folder: Path = Path()) -> EventMapping:
    """A shipped mapping by its name, or a file (from `folder` on); raises SettingsError with one line."""
    loaded = mapping.load(name_or_path, EventMapping, MAPPINGS, folder)
    name = f"mapping {name_or_path}"
    if loaded.who == Who():
        raise SettingsError(f"{name}: [who] needs `address` or `user`, the column that says who it was")
    if loaded.what == What():
        raise SettingsError(f"{name}: [what] needs `host`, `url` or `product`, the column that was reached")
    mapping.check_moment(loaded.time, name)
    mapping.check_layout(loaded, columns(loaded), name)
    return loaded


def ask_for_mapping() -> NoReturn:
    """What a kind without a mapping of its own makes; raises SettingsError."""
    names = ", ".join(sorted(one.stem for one in MAPPINGS.glob("*.toml")))
    raise SettingsError(f"a source of kind `events` needs `mapping`: a file of your own, or one of {names}")


def columns(own: EventMapping) -> list[str]:
    """Every column that the mapping reads, each once."""
    who, what = own.who, own.what
    return own.columns_with(own.time.column, who.address, who.user, what.host, what.url, what.product)


def make_reader(own: EventMapping) -> "EventReader":
    """A reader for one file of that shape."""
    return EventReader(own, _products() if own.what.product is not None else {})


class EventReader:
    """Reads one export: remembers its header line, which is no line of its own in what is counted."""

    def __init__(self, own: EventMapping, products: Mapping[str, str]) -> None:
        names = columns(own)
        self._own = own
        self._products = products
        self._rows = Rows(own, names)
        cells = Cells(own, names)
        self._cell, self._left_out = cells.cell, cells.left_out
        self._clock = mapping.clock(own.time)
        self._zone = None if own.time.zone == LOCAL else LogTime(ZoneInfo(own.time.zone))

    def __call__(self, chunk: bytes, times: LogTime, /) -> Reading:
        """See Read."""
        return read_lines(chunk, times, self._line)

    def _line(self, line: bytes, times: LogTime) -> Contact | Visit | str | None:
        row = self._rows.row(line)
        return None if row is None else self._fact(row, times)

    def _fact(self, row: list[str], times: LogTime) -> Contact | Visit | str:
        """The row's fact, or why it is passed over; raises BadInput for what is broken."""
        if left_out := self._left_out(row):
            return left_out
        t = self._seconds(self._cell(row, self._own.time.column), times)
        if t is None:
            raise BadInput("unreadable_time")
        name = self._name(row)
        if name is None:
            return "nothing_named"
        address, user = self._cell(row, self._own.who.address), self._cell(row, self._own.who.user)
        if address:
            if not is_address(address):
                raise BadInput("bad_address")
            return Contact(t, address, name)
        if len(user) > MAX_USER:
            raise BadInput("bad_user")
        return Visit(t, user, name) if user else "nobody_named"

    def _name(self, row: list[str]) -> str | None:
        what = self._own.what
        for column in (what.host, what.url):
            cell = self._cell(row, column)
            if cell:
                host = host_of(cell)
                return _scrubbed(host) if host else None
        return self._products.get(called(self._cell(row, what.product)))

    def _seconds(self, text: str, times: LogTime) -> int | None:
        moment = self._clock(text)
        if moment is None:
            return None
        return (self._zone or times).seconds(_written(moment))


@lru_cache(maxsize=16_384)
def _scrubbed(host: str) -> str | None:
    return scrub_name(host) or None


def _written(moment: datetime) -> bytes:
    return moment.isoformat().encode()


@lru_cache(maxsize=1)
def _products() -> dict[str, str]:
    """The first host of every product of the catalogue that has one: a name that matches the product."""
    catalogue = load_catalogue()
    found: Iterable[tuple[str, int]] = by_name(catalogue).items()
    return {name: catalogue.apps[i - 1].domains[0] for name, i in found if catalogue.apps[i - 1].domains}
