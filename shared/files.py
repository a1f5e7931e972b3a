"""Files written whole or not at all: no crash and no full disk leaves half of one, or takes the former one.

What is written goes to a hidden file beside the target, onto the disk, and then takes the target's name.
"""

import io
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final, TextIO

from shared.errors import UsageError

_ORDINARY: Final = 0o666  # of which the umask takes away
_DESCRIPTORS: Final = ("/dev/fd/", "/dev/std", "/proc/")  # open files, whatever stands behind them


def replace(path: Path, data: bytes) -> None:
    """The file with this content. Raises UsageError, and changes nothing, where it cannot be written."""
    with replacing(path) as file:
        file.write(data)


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A handle for bytes that become the file when the block ends, and leave nothing when it fails.

    A link stays, and what it points to is replaced. An existing file keeps its permissions. Devices and pipes
    are written as they are. Raises UsageError where the file cannot be written.
    """
    try:
        target = _regular(path)
        with path.open("wb") if target is None else _draft(target) as file:
            yield file
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise UsageError(f"{path} cannot be written ({why}): choose another place") from None


@contextmanager
def replacing_text(path: Path) -> Iterator[TextIO]:
    """`replacing` for text in UTF-8, its line ends written as they are."""
    with replacing(path) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        try:
            yield text
        finally:
            text.detach()


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder onto the disk: a file that is synced may be lost for want of its name."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _regular(path: Path) -> Path | None:
    """The file behind the name, there or yet to be; None for what is no file or cannot be exchanged."""
    if str(path.absolute()).startswith(_DESCRIPTORS):
        return None
    former = _status(path)
    return Path(os.path.realpath(path)) if former is None or stat.S_ISREG(former.st_mode) else None


def _status(path: Path) -> os.stat_result | None:
    """None where nothing is yet; what else keeps one from looking is an OSError."""
    try:
        return path.stat()
    except FileNotFoundError:
        return None


@contextmanager
def _draft(target: Path) -> Iterator[BinaryIO]:
    former = _status(target)
    if former and not os.access(target, os.W_OK):
        raise PermissionError(None, "the file there is read-only")
    draft = target.with_name(f".{secrets.token_hex(8)}.part")
    mode = former.st_mode & 0o777 if former else _ORDINARY
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            if former:
                with suppress(OSError):  # only root may give a file away
                    os.fchown(descriptor, former.st_uid, former.st_gid)
                os.fchmod(descriptor, mode)
            yield file
            file.flush()
            os.fsync(descriptor)
        draft.replace(target)
        sync_folder(target.parent)
    except BaseException:
        with suppress(OSError):
            draft.unlink()
        raise
