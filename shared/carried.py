"""What carries a secret to another machine: a new file for its owner alone."""

from pathlib import Path

from shared.errors import UsageError
from shared.settings import write_secret


def check_free(*paths: Path | None) -> None:
    """Raises UsageError where no new file can be made, before anything is done; None is no file."""
    named = [path for path in paths if path is not None]
    for path in named:
        if path.exists():
            raise UsageError(f"{path} exists: remove it, or name another file")
        if not path.parent.is_dir():
            raise UsageError(f"{path.parent} is no folder: make it, or name another file")
    if len(set(named)) < len(named):
        raise UsageError(f"{named[0]} cannot hold both: name two files")


def write(path: Path, data: bytes) -> None:
    """A new file of mode 0600. Raises UsageError where that cannot be done."""
    try:
        write_secret(path, data)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}; name another file") from None
