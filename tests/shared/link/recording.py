"""What the recorder wrote down, and the disk images that a power cut at any point of it may leave.

Assumed of the disk: a sync that returned is kept (of a file: its bytes and length; of a folder: its names),
a sector of 512 bytes is written whole or not at all, names made or taken away since the last sync of the
folder survive in their order. Everything else that was not synced is kept or lost at random, by sectors.
"""

import random
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

SECTOR: Final = 512
_HEAD: Final = struct.Struct("<cHQI")


class Record(NamedTuple):
    """One thing done: `op` is c(reated), w(ritten), t(runcated), s(ynced), u(nlinked) or r(enamed)."""

    op: str
    path: str
    offset: int
    data: bytes


def read(log: Path) -> list[Record]:
    """All that was recorded."""
    return list(_records(log.read_bytes()))


def _records(data: bytes) -> Iterator[Record]:
    at = 0
    while at < len(data):
        op, path, offset, size = _HEAD.unpack_from(data, at)
        at += _HEAD.size
        yield Record(op.decode(), data[at : at + path].decode(), offset, data[at + path : at + path + size])
        at += path + size


@dataclass
class _File:
    """Bytes that are safe, and what was done since."""

    safe: bytearray = field(default_factory=bytearray)
    since: list[Record] = field(default_factory=list)

    def sync(self) -> None:
        for record in self.since:
            _apply(self.safe, record)
        self.since.clear()

    def survivor(self, rng: random.Random, keep: float) -> bytes:
        found = bytearray(self.safe)
        for record in self.since:
            for piece in _torn(record):
                if rng.random() < keep:
                    _apply(found, piece)
        return bytes(found)


def _torn(record: Record) -> Iterator[Record]:
    """A write by sectors, as far as it lies in several."""
    if record.op != "w":
        yield record
        return
    at = 0
    while at < len(record.data):
        end = min(len(record.data), at + SECTOR - (record.offset + at) % SECTOR)
        yield record._replace(offset=record.offset + at, data=record.data[at:end])
        at = end


def _apply(content: bytearray, record: Record) -> None:
    end = record.offset + len(record.data)
    if record.op == "w":
        content.extend(bytes(max(0, end - len(content))))
        content[record.offset : end] = record.data
    elif record.offset < len(content):
        del content[record.offset :]
    else:
        content.extend(bytes(record.offset - len(content)))


class Disk:
    """One machine's folder as its records say, ready to lose its power."""

    def __init__(self, folder: Path) -> None:
        self._folder = str(folder)
        self._now: dict[str, _File] = {}
        self._safe: dict[str, _File] = {}
        self._names: list[dict[str, _File]] = []  # after each change since the last sync of the folder

    def play(self, records: Sequence[Record]) -> None:
        """Go on with these; those of other folders are passed over."""
        for record in records:
            if record.path == self._folder and record.op == "s":
                self._safe = dict(self._now)
                self._names.clear()
            elif record.path.startswith(f"{self._folder}/") and not record.path.endswith("-shm"):
                self._play(record)

    def _play(self, record: Record) -> None:
        match record.op:
            case "c":
                self._now[record.path] = _File()
            case "u":
                self._now.pop(record.path, None)
            case "r":
                self._now[record.data.decode()] = self._now.pop(record.path)
            case "s":
                self._now[record.path].sync()
            case _:
                self._now[record.path].since.append(record)
        if record.op in "cur":
            self._names.append(dict(self._now))

    def after_cut(self, target: Path, rng: random.Random) -> None:
        """Write what is left into the folder `target`."""
        target.mkdir()
        keep = rng.choice((0.0, 0.2, 0.5, 0.8, 0.98, 1.0))
        for path, file in rng.choice([self._safe, *self._names]).items():
            (target / Path(path).name).write_bytes(file.survivor(rng, keep))
