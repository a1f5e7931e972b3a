"""Mapping files: TOML that says which column of somebody else's export holds what; read strictly.

What is common to events (agent) and usage (hub) is here: how a file is laid out, which rows count, how times
are written, and how a mapping is found by its name or path.
"""

import difflib
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import lru_cache, partial
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Final, Literal, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import Meta

from shared import settings
from shared.errors import SettingsError

LOCAL: Final = "local"

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_REMEMBERED: Final = 4096
_MOST_TIME: Final = 64  # characters
_NUMBER: Final = re.compile(r"[0-9]{1,14}(?:\.[0-9]{1,12})?")
_UNITS: Final = MappingProxyType({"unix": 1.0, "unix_ms": 1e3})
_EXAMPLE: Final = datetime(2001, 2, 3, 16, 5, 6)

Column = Annotated[str, Meta(min_length=1, max_length=120)]
T = TypeVar("T")


class Layout(msgspec.Struct, frozen=True):
    """`csv` with a header line (or with `columns` named here, for files that have none), or `json` lines."""

    format: Literal["csv", "json"] = "csv"
    delimiter: Annotated[str, Meta(min_length=1, max_length=1)] = ","
    columns: Annotated[tuple[Column, ...], Meta(max_length=256)] = ()


class Rule(msgspec.Struct, frozen=True):
    """A row has one of these values in a column; case and blanks around do not matter."""

    column: Column
    values: Annotated[tuple[str, ...], Meta(min_length=1, max_length=256)] = msgspec.field(name="in")

    @property
    def plain_values(self) -> frozenset[str]:
        """The values as `plain` writes them."""
        return frozenset(plain(one) for one in self.values)


class Selection(Layout, frozen=True, kw_only=True):
    """A layout and which of its rows count: those that hold every `keep` rule and no `drop` rule."""

    keep: Annotated[tuple[Rule, ...], Meta(max_length=32)] = ()
    drop: Annotated[tuple[Rule, ...], Meta(max_length=32)] = ()

    def columns_with(self, *named: Column | None) -> list[str]:
        """Each column once that is named or that a rule asks for: no other is ever looked at."""
        asked = (rule.column for rule in (*self.keep, *self.drop))
        return list(dict.fromkeys(name for name in (*named, *asked) if name is not None))


class Cells:
    """The cells of rows that have these columns in this order, and whether such a row counts."""

    def __init__(self, own: Selection, columns: Sequence[str]) -> None:
        self._at = {name: i for i, name in enumerate(columns)}
        self._keep = [(self._at[rule.column], rule.plain_values) for rule in own.keep]
        self._drop = [(self._at[rule.column], rule.plain_values) for rule in own.drop]

    def cell(self, row: Sequence[str], column: Column | None) -> str:
        """What a row has there; nothing for no column."""
        return "" if column is None else row[self._at[column]]

    def left_out(self, row: Sequence[str]) -> str | None:
        """`not_kept` or `dropped` for a row that does not count, else None."""
        if not all(plain(row[i]) in values for i, values in self._keep):
            return "not_kept"
        return "dropped" if any(plain(row[i]) in values for i, values in self._drop) else None


class Moment(msgspec.Struct, frozen=True):
    """When: `iso`, `unix` (seconds), `unix_ms`, or a strptime format; `zone` is for times that name none."""

    column: Column
    format: Annotated[str, Meta(min_length=1, max_length=64)] = "iso"
    zone: str = LOCAL


def plain(text: str) -> str:
    """Text as it is compared: without case, blanks around it, or more than one blank within."""
    return " ".join(text.casefold().split())


def load(name_or_path: str, shape: type[T], shipped: Path, folder: Path) -> T:
    """The mapping of that name in `shipped`, or the file at that path (from `folder` on) as `shape`.

    Raises SettingsError with one line: which mappings there are, which key is unknown and what is near it.
    """
    if _NAME.fullmatch(name_or_path):
        path = shipped / f"{name_or_path}.toml"
        names = sorted(one.stem for one in shipped.glob("*.toml"))
        if name_or_path not in names:
            near = difflib.get_close_matches(name_or_path, names, n=1)
            hint = f"did you mean `{near[0]}`?" if near else f"known: {', '.join(names)}"
            raise SettingsError(f"there is no mapping `{name_or_path}`; {hint} Or give a file, my.toml")
    else:
        path = folder / name_or_path
        if not path.is_file():
            raise SettingsError(f"{path} is no file: give a mapping file, or the name of one that is shipped")
    return settings.load(path, shape)


def check_layout(layout: Layout, used: Sequence[str], name: str) -> None:
    """Raise SettingsError if `columns` are given and a column that is used is not among them."""
    if layout.format == "json" and layout.columns:
        raise SettingsError(f"{name}: `columns` is for csv; a JSON line names its own")
    known = {plain(column) for column in layout.columns}
    for column in used if known else ():
        if plain(column) not in known:
            near = difflib.get_close_matches(column, layout.columns, n=1)
            hint = f"did you mean `{near[0]}`?" if near else "add it there"
            raise SettingsError(f"{name}: column `{column}` is not among `columns`; {hint}")


def check_moment(moment: Moment, name: str) -> None:
    """Raise SettingsError unless the zone is known and the format says year, month and day."""
    if moment.zone != LOCAL:
        try:
            ZoneInfo(moment.zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise SettingsError(
                f"{name}: unknown time zone `{moment.zone}`: use an IANA name (Europe/Zurich), or `local`"
            ) from None
    if moment.format == "iso" or moment.format in _UNITS:
        return
    try:
        read = datetime.strptime(_EXAMPLE.replace(tzinfo=UTC).strftime(moment.format), moment.format)
    except (ValueError, re.error):
        read = None
    if read is None or read.date() != _EXAMPLE.date():
        raise SettingsError(
            f"{name}: time format `{moment.format}` must say year, month and day: `iso`, `unix`, `unix_ms`"
            " or for example `%m/%d/%Y %I:%M:%S %p`"
        )


def clock(moment: Moment) -> Callable[[str], datetime | None]:
    """How that column's text is read: None for what is no such time; no tzinfo where it names no zone."""
    if moment.format == "iso":
        return _iso
    if moment.format in _UNITS:
        return partial(_epoch, unit=_UNITS[moment.format])
    # Many rows share a second, and strptime is slow.
    return lru_cache(maxsize=_REMEMBERED)(partial(_formatted, form=moment.format))


def _iso(text: str) -> datetime | None:
    return _tried(datetime.fromisoformat, text)


def _formatted(text: str, form: str) -> datetime | None:
    return _tried(lambda given: datetime.strptime(given, form), text)


def _epoch(text: str, unit: float) -> datetime | None:
    if not _NUMBER.fullmatch(text.strip()):
        return None
    return _tried(lambda given: datetime.fromtimestamp(float(given) / unit, UTC), text)


def _tried(read: Callable[[str], datetime], text: str) -> datetime | None:
    text = text.strip()
    if len(text) > _MOST_TIME or not text.isascii():
        return None
    try:
        return read(text)
    except (ValueError, OverflowError, OSError):
        return None
