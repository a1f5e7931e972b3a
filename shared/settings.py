"""Strict TOML settings: a typed struct a file; an unknown key is an error naming the nearest known one."""

import difflib
import os
import re
import tomllib
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from shared.errors import SettingsError
from shared.files import sync_folder

T = TypeVar("T")

_EMPTY: Final = re.compile(r"Expected `array` of length >= 1 - at `\$\.(\S+)`")
_BOUND: Final = re.compile(r"Expected `(?:int|float)` (>=|<=) (\S+) - at `\$\.(\S+)`")


def load(path: Path, shape: type[T]) -> T:
    """The file at `path` as `shape` (a msgspec.Struct whose nested tables are Structs too).

    Raises SettingsError with one line: the file, the key, and what to do.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsError(f"{path} is missing: run `init` for this folder first") from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} cannot be read: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path} is not valid TOML: {error}") from None
    return parse(table, shape, str(path))


def parse(table: object, shape: type[T], name: str) -> T:
    """A parsed table as `shape`; `name` is what messages call it."""
    _refuse_unknown(table, msgspec.inspect.type_info(shape), name, "")
    try:
        return msgspec.convert(table, shape)
    except msgspec.ValidationError as error:
        raise SettingsError(f"{name}: {_words(str(error))}") from None


def _words(error: str) -> str:
    """A list that is empty and a number beyond its bounds in words; every other message as msgspec has it."""
    empty = _EMPTY.fullmatch(error)
    if empty is not None:
        return f"`{empty[1]}` is an empty list: name something, or take the line out"
    found = _BOUND.fullmatch(error)
    if found is None:
        return error
    sign, bound, key = found.groups()
    return f"`{key}` must be {bound} or {'more' if sign == '>=' else 'less'}"


def _refuse_unknown(table: object, info: msgspec.inspect.Type, name: str, where: str) -> None:
    if isinstance(info, msgspec.inspect.ListType | msgspec.inspect.VarTupleType) and isinstance(table, list):
        for i, item in enumerate(table):
            _refuse_unknown(item, info.item_type, name, f"{where}[{i}]")
    if not isinstance(info, msgspec.inspect.StructType) or not isinstance(table, dict):
        return
    known = {field.encode_name: field.type for field in info.fields}
    for key, value in table.items():
        path = f"{where}.{key}".lstrip(".")
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            hint = f"did you mean `{near[0]}`?" if near else f"known keys: {', '.join(sorted(known))}"
            raise SettingsError(f"{name}: unknown key `{path}`; {hint}")
        _refuse_unknown(value, known[key], name, path)


def write_secret(path: Path, data: bytes) -> None:
    """A new file that only its owner can read (0600 from its first byte); refuses to replace one."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    sync_folder(path.parent)


def read_secret(path: Path) -> bytes:
    """A secret beside the settings; refuses one that others on the machine can read."""
    try:
        mode = path.stat().st_mode & 0o777
        data = path.read_bytes()
    except FileNotFoundError:
        raise SettingsError(f"{path} is missing: restore it from the backup of this folder") from None
    if mode & 0o077:
        raise SettingsError(f"{path} can be read by others (mode {mode:o}): run `chmod 600 {path}`")
    return data
