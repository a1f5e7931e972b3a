"""A backup as one file: a tar, first the manifest with every file's size and hash; nothing is believed."""

import hashlib
import io
import tarfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import IO, Annotated, Final

import msgspec
from msgspec import Meta

from shared.errors import UsageError

FORMAT: Final = 1
MANIFEST: Final = "manifest.json"
MOST_MANIFEST: Final = 4 * 1024 * 1024
CHUNK: Final = 256 * 1024
DEEPEST: Final = 32
LONGEST_NAME: Final = 255  # bytes: no file system has longer ones
SPOILT: Final = "this backup is spoilt or incomplete: take the one before it"

_NO_PATH: Final = (FileExistsError, NotADirectoryError, IsADirectoryError)  # one path within another

Hash = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]


class Kept(msgspec.Struct, frozen=True):
    """One file: its path within the folder, with /, bytes, SHA-256."""

    path: str
    size: Annotated[int, Meta(ge=0)]
    sha256: Hash


class Manifest(msgspec.Struct, frozen=True):
    """What the backup says of itself. `elsewhere` are paths of the settings that are not in it."""

    format: int
    program: str
    school: str
    made: str
    lessons_given_up: int
    files: tuple[Kept, ...]
    elsewhere: tuple[str, ...] = ()


def kept(path: str, file: Path) -> Kept:
    """A file as the manifest has it."""
    digest = hashlib.sha256()
    size = 0
    with file.open("rb") as data:
        while block := data.read(CHUNK):
            digest.update(block)
            size += len(block)
    return Kept(path, size, digest.hexdigest())


def write(target: IO[bytes], manifest: Manifest, files: Mapping[str, Path]) -> None:
    """The whole archive; `files` are by the manifest's paths. Raises UsageError if one changed meanwhile."""
    with tarfile.open(fileobj=target, mode="w|", format=tarfile.PAX_FORMAT) as tar:
        encoded = msgspec.json.encode(manifest)
        tar.addfile(_member(MANIFEST, len(encoded)), io.BytesIO(encoded))
        for entry in manifest.files:
            with files[entry.path].open("rb") as data:
                checked = _Checked(data, entry)
                tar.addfile(_member(f"files/{entry.path}", entry.size), checked)
                if not checked.is_whole:
                    raise UsageError(f"{entry.path} changed while it was copied: run the backup again")


def read(source: IO[bytes], folder: Path) -> Manifest:
    """Write every file below `folder`, which is empty. Raises UsageError for whatever is not as it should be.

    No member's own name, owner, mode or kind is believed: only what the manifest lists is written.
    """
    try:
        with tarfile.open(fileobj=source, mode="r|") as tar:
            members = iter(tar)
            manifest = _manifest(tar, next(members, None))
            for entry in manifest.files:
                _extract(tar, next(members, None), entry, folder)
            if next(members, None) is not None:
                raise UsageError(SPOILT)
    except (tarfile.TarError, EOFError, msgspec.DecodeError, UnicodeDecodeError, ValueError, *_NO_PATH):
        raise UsageError(SPOILT) from None
    return manifest


def _member(name: str, size: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, 0o600
    return member


def _manifest(tar: tarfile.TarFile, member: tarfile.TarInfo | None) -> Manifest:
    if member is None or member.name != MANIFEST or not member.isreg() or member.size > MOST_MANIFEST:
        raise UsageError("this is no backup of an agent: give the file that `agent backup` wrote")
    file = tar.extractfile(member)
    manifest = msgspec.json.decode(file.read() if file else b"", type=Manifest)
    if manifest.format != FORMAT:
        raise UsageError(f"this backup has format {manifest.format}, this program reads {FORMAT}: upgrade it")
    paths = [entry.path for entry in manifest.files]
    if len(set(paths)) != len(paths) or not all(_is_within(path) for path in paths):
        raise UsageError(SPOILT)
    return manifest


def _is_within(path: str) -> bool:
    parts = PurePosixPath(path).parts
    return (
        bool(parts)
        and str(PurePosixPath(path)) == path
        and not any(part in ("/", "..", ".") for part in parts)
        and path.isprintable()
        and len(parts) <= DEEPEST
        and all(len(part.encode()) <= LONGEST_NAME for part in parts)
    )


def _extract(tar: tarfile.TarFile, member: tarfile.TarInfo | None, entry: Kept, folder: Path) -> None:
    if (
        member is None
        or not member.isreg()
        or member.issparse()  # its holes would be written out: a small file would fill the disk
        or (member.name, member.size) != (f"files/{entry.path}", entry.size)
    ):
        raise UsageError(SPOILT)
    file = tar.extractfile(member)
    if file is None:
        raise UsageError(SPOILT)
    target = folder.joinpath(*PurePosixPath(entry.path).parts)
    target.parent.mkdir(parents=True, exist_ok=True)
    checked = _Checked(file, entry)
    with target.open("xb") as out:
        for block in iter(lambda: checked.read(CHUNK), b""):
            out.write(block)
    if not checked.is_whole:
        raise UsageError(SPOILT)


class _Checked:
    """A file that is hashed while it is read."""

    def __init__(self, file: IO[bytes], entry: Kept) -> None:
        self._file = file
        self._entry = entry
        self._digest = hashlib.sha256()
        self._size = 0

    def read(self, size: int = -1, /) -> bytes:
        data = self._file.read(size)
        self._digest.update(data)
        self._size += len(data)
        return data

    @property
    def is_whole(self) -> bool:
        """Whether all of it was read, and nothing else."""
        return (self._size, self._digest.hexdigest()) == (self._entry.size, self._entry.sha256)
