"""Files that other programs append to, with a time in every entry: only what is new in them is read."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import tzinfo
from pathlib import Path
from typing import Final

from edge_agent.sources.facts import Whereabouts

MAX_FILE_BYTES: Final = 64 * 1024 * 1024
LONGEST_HEAD: Final = 4096
LINES_OF_NO_USE: Final = 1000  # in a row: then it is most likely a file of another kind

Learn = Callable[[Whereabouts], None]


@dataclass(frozen=True, slots=True)
class History:
    """How such a file is read: `ends` closes an entry (half of one waits); `header`: it names columns."""

    read: Callable[[Iterable[str], tzinfo], Iterator[Whereabouts]]
    ends: bytes = b"\n"
    header: bool = False


@dataclass(slots=True)
class HistoryFile:
    """Such a file, or a folder of them; `trouble` says what is wrong with it, or nothing."""

    path: Path
    history: History
    zone: tzinfo
    learn: Learn
    trouble: str = ""
    _read: dict[str, tuple[int, int]] = field(default_factory=dict)  # by name: inode, and bytes read
    _of_no_use: int = 0

    def refresh(self, now: float) -> int:
        """Learn what is new; how much. Raises nothing."""
        del now  # every entry has its own time
        told = 0
        try:
            for path in files_of(self.path):
                told += self._take(self._new_lines(path))
        except (OSError, ValueError) as error:
            self.trouble = unreadable(self.path, error)
        else:
            self.trouble = "" if self._of_no_use < LINES_OF_NO_USE else of_no_use(self.path)
        return told

    def _take(self, lines: list[str]) -> int:
        told = 0
        for fact in self.history.read(lines, self.zone):
            self.learn(fact)
            told += 1
        self._of_no_use = 0 if told else self._of_no_use + len(lines)
        return told

    def _new_lines(self, path: Path) -> list[str]:
        found = path.stat()
        inode, done = self._read.get(path.name, (found.st_ino, 0))
        if inode != found.st_ino or found.st_size < done:
            done = 0  # it was written anew
        if found.st_size == done:
            return []
        data = bytes_of(path, done)
        at = data.rfind(self.history.ends)
        if at < 0:
            return []
        whole = at + len(self.history.ends)
        self._read[path.name] = found.st_ino, done + whole
        head = _first_line(path) if done and self.history.header else b""
        return lines_of(text_of(head + data[:whole]))


def files_of(path: Path) -> list[Path]:
    """The file, or the files of a folder, the oldest first. Raises OSError."""
    if not path.is_dir():
        return [path]
    found = [item for item in path.iterdir() if item.is_file()]
    return sorted(found, key=lambda item: (item.stat().st_mtime_ns, item.name))


def bytes_of(path: Path, start: int = 0) -> bytes:
    """A file's bytes from `start` on. Raises OSError, and ValueError for more than 64 MiB."""
    with path.open("rb") as file:
        file.seek(start)
        data = file.read(MAX_FILE_BYTES + 1)
    if len(data) > MAX_FILE_BYTES:
        raise ValueError("it is larger than any such file")
    return data


def text_of(data: bytes) -> str:
    """Text as programs write it, UTF-16 where its mark says so; what is no text is replaced."""
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    return data.decode(encoding, "replace")


def lines_of(text: str) -> list[str]:
    """Lines as programs end them; a sign in a device's host name that Unicode calls an end ends none."""
    return text.replace("\r\n", "\n").split("\n")


def unreadable(path: Path, error: OSError | ValueError) -> str:
    """What to do about a file that cannot be read."""
    why = error.strerror if isinstance(error, OSError) else str(error)
    return f"{path} cannot be read: {why}; correct its path in agent.toml"


def of_no_use(path: Path) -> str:
    """What to do about a file whose lines are all passed over."""
    return f"{path} told nothing in {LINES_OF_NO_USE} lines: is its kind right in agent.toml?"


def _first_line(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.readline(LONGEST_HEAD)
