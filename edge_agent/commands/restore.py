"""`agent restore`: a backup becomes a folder on a new machine."""

import os
import shutil
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, cast

import typer

from edge_agent.commands.common import say
from edge_agent.commands.secret_words import secret_word
from edge_agent.paths import AgentFolder
from edge_agent.settings import load_settings
from shared.errors import UsageError

if TYPE_CHECKING:
    from edge_agent.setup.archive import Manifest

_PASSPHRASE = typer.Option(metavar="FILE", help="The passphrase of an encrypted backup; - to paste it.")


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `agent backup` wrote.")],
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The new folder: empty, or not there yet.")],
    passphrase: Annotated[str, _PASSPHRASE] = "",
) -> None:
    """Make a folder from a backup, once the machine that it was made on runs no more."""
    from edge_agent.setup import keep

    os.umask(0o077)
    _refuse_used(folder)
    word = secret_word(passphrase, "the passphrase") if passphrase else ""
    folder.absolute().parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=".commonground-", dir=folder.absolute().parent))
    try:
        with _opened(file) as source:
            manifest = _read(source, word, draft)
        paths = AgentFolder(draft)
        load_settings(paths)
        if (draft / keep.STORE).exists():
            _check_store(draft / keep.STORE)
        (draft / "input").mkdir(exist_ok=True)
        draft.rename(folder)  # an empty folder of that name gives way
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    _say_next(folder, manifest)


def _say_next(folder: Path, manifest: "Manifest") -> None:
    paths = AgentFolder(folder)
    missing = [name for name in manifest.elsewhere if not paths.resolve(name).exists()]
    say(f"Made {folder} from the backup of {manifest.made} ({manifest.school}, version {manifest.program}).")
    say("THE OLD MACHINE MUST NOT RUN THIS AGENT ANY MORE: switch it off, or remove its folder.")
    say("Two with one key drive each other out.")
    if missing:
        say(f"Bring again, exported anew, before anything runs: {', '.join(missing)}")
    say(f"Then: commonground agent check {folder}, then: commonground agent run {folder}")
    say("The district's pages say once that this school's log went back: tell them that it was restored.")
    if manifest.lessons_given_up:
        say(f"{manifest.lessons_given_up} lessons that were under way at the backup are given up.")


def _refuse_used(folder: Path) -> None:
    try:
        used = folder.exists() and (not folder.is_dir() or any(folder.iterdir()))
    except OSError as error:
        raise UsageError(f"{folder} cannot be read: {error.strerror}; choose another folder") from None
    if used:
        raise UsageError(f"{folder} is not empty: restore into a new folder, nothing is ever overwritten")


def _opened(file: Path) -> IO[bytes]:
    try:
        return file.open("rb")
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from None


def _read(source: IO[bytes], word: str, draft: Path) -> "Manifest":
    from edge_agent.setup import archive, passphrase

    sealed = source.read(len(passphrase.MAGIC)) == passphrase.MAGIC
    if sealed and not word:
        raise UsageError("this backup is encrypted: give its passphrase with --passphrase FILE, or -")
    if not sealed:
        source.seek(0)
        return archive.read(source, draft)
    opening = passphrase.Opening(source, word)
    manifest = archive.read(cast("IO[bytes]", opening), draft)
    opening.read()  # to the end: a file that was cut after the last member is not whole
    return manifest


def _check_store(path: Path) -> None:
    from edge_agent.setup.snapshot import check

    try:
        with closing(sqlite3.connect(path)) as connection:
            check(connection, path)
    except sqlite3.DatabaseError as error:
        raise UsageError(f"the store in this backup is spoilt ({error}): take the one before it") from None
