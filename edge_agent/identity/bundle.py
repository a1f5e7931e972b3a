"""The CSV files of one export, from a folder or a zip; a zip is read in memory and never unpacked."""

import re
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edge_agent.identity.table_text import MAX_MIB, text_of, too_large, unreadable
from edge_agent.identity.tables import Refused, parse, rows
from shared.errors import SettingsError

MAX_FILES: Final = 500
MAX_ZIP_MIB: Final = 256  # unpacked, all files of a zip together
MAX_BUNDLES: Final = 400
_DATE: Final = re.compile(r"(20\d\d)[-_.]?([01]\d)[-_.]?([0-3]\d)(?:\D?(\d{4,6}))?")
_CANNOT: Final = (OSError, EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError)


@dataclass(frozen=True, slots=True)
class Bundle:
    """CSV files by their lower-case name. `dated` is the date in the export's own name, or nothing.

    packed: there is a zip among them, which is not read.
    """

    path: Path
    dated: str
    files: dict[str, Callable[[], bytes] | Path]
    packed: bool = False

    def has(self, *names: str) -> bool:
        """Whether all of these files are there."""
        return all(name.lower() in self.files for name in names)

    def rows(
        self, name: str, needed: Sequence[str], optional: Sequence[str], refused: Refused
    ) -> Iterator[tuple[int, dict[str, str]]]:
        """The rows of a file, see `tables.parse`; raises SettingsError if it is missing or no use."""
        found = self.files.get(name.lower())
        if found is None:
            return rows(self.path / name, needed, refused, optional)
        if isinstance(found, Path):
            return rows(found, needed, refused, optional)
        path = self.path / name
        return parse(path, text_of(path, found()), needed, refused, optional)


def bundles(path: Path) -> list[Bundle]:
    """The exports at a path, oldest first: a zip, or a folder with CSV files and zips in it.

    CSV files that lie in the folder itself are one export and the oldest; zips follow by the date in their
    name. Raises SettingsError where nothing of use is there, or a zip is none that a school system makes.
    """
    if path.is_file():
        return [_zipped(path)]
    try:
        inside = sorted(path.iterdir())
    except FileNotFoundError:
        raise SettingsError(f"{path} is missing: export it, or correct its path in agent.toml") from None
    except OSError as error:
        raise SettingsError(unreadable(path, error)) from None
    loose: dict[str, Callable[[], bytes] | Path] = {
        item.name.lower(): item for item in inside if item.suffix.lower() == ".csv" and item.is_file()
    }
    zips = [item for item in inside if item.suffix.lower() == ".zip" and item.is_file()]
    if len(zips) > MAX_BUNDLES:
        raise SettingsError(f"{path} holds {len(zips)} zips: keep the newest bulk export and what came since")
    found = [_zipped(item) for item in zips]
    found.sort(key=lambda item: (item.dated, item.path.name))
    return [Bundle(path, "", loose), *found] if loose or not found else found


def watched(path: Path) -> list[Path]:
    """Every file that `bundles` would read."""
    if not path.is_dir():
        return [path]
    return sorted(item for item in path.iterdir() if item.suffix.lower() in {".csv", ".zip"})


def _zipped(path: Path) -> Bundle:
    try:
        with zipfile.ZipFile(path) as archive:
            infos = archive.infolist()
    except PermissionError as error:
        raise SettingsError(unreadable(path, error)) from None
    except zipfile.BadZipFile:
        raise SettingsError(
            f"{path} is no readable zip: name the roster's folder or zip, or export it again if that is it"
        ) from None
    except _CANNOT as error:
        raise SettingsError(f"{path} is no readable zip ({type(error).__name__}): export it again") from None
    # Apple and Windows put files of their own beside those that somebody chose.
    infos = [item for item in infos if not item.is_dir() and not item.filename.startswith("__MACOSX/")]
    _refuse_tricks(path, infos)
    files: dict[str, Callable[[], bytes] | Path] = {}
    for info in infos:
        name = info.filename.rpartition("/")[2].lower()
        if not name.endswith(".csv") or name.startswith("."):
            continue
        if name in files:
            raise SettingsError(f"{path} holds two files called {name}: export it again")
        files[name] = _Member(path, info.filename)
    packed = any(info.filename.lower().endswith(".zip") for info in infos)
    return Bundle(path, _date_in(path.name), files, packed)


def _refuse_tricks(path: Path, infos: Sequence[zipfile.ZipInfo]) -> None:
    if len(infos) > MAX_FILES or sum(item.file_size for item in infos) > MAX_ZIP_MIB * 1024 * 1024:
        raise SettingsError(f"{path} unpacks to more than a roster has: export only this school's roster")
    for info in infos:
        parts = info.filename.replace("\\", "/").split("/")
        is_odd = "\\" in info.filename or ".." in parts or parts[0].endswith(":") or not parts[0]
        is_link = stat.S_ISLNK(info.external_attr >> 16)
        if is_odd or is_link:
            raise SettingsError(f"{path} holds a file whose place is outside of the zip: export it again")
        if info.flag_bits & 1:
            raise SettingsError(f"{path} is locked by a password: export it without one")
        if info.file_size > MAX_MIB * 1024 * 1024 and info.filename.lower().endswith(".csv"):
            raise too_large(path / info.filename)


@dataclass(frozen=True, slots=True)
class _Member:
    """One file of a zip, read when it is asked for."""

    path: Path
    name: str

    def __call__(self) -> bytes:
        try:
            with zipfile.ZipFile(self.path) as archive, archive.open(self.name) as file:
                data = file.read(MAX_MIB * 1024 * 1024 + 1)
        except (*_CANNOT, KeyError) as error:
            why = type(error).__name__
            raise SettingsError(f"{self.path} is no readable zip ({why}): export it again") from None
        if len(data) > MAX_MIB * 1024 * 1024:
            raise too_large(self.path / self.name)
        return data


def _date_in(name: str) -> str:
    found = _DATE.search(name)
    if found is None:
        return ""
    year, month, day, clock = found.groups()
    return f"{year}{month}{day}{clock or ''}"
