"""`agent backup`: everything that another machine needs to go on, in one file."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import IO, Annotated, cast

import typer

from edge_agent.commands.common import Folder, now, say
from edge_agent.commands.secret_words import secret_word
from edge_agent.paths import AgentFolder
from edge_agent.settings import load_settings
from shared.errors import UsageError

_PASSPHRASE = typer.Option(metavar="FILE", help="Encrypt under the passphrase in this file; - to paste it.")
_INPUT = typer.Option(
    "--with-input", help="Hold roster, inventory and bells too: children's names. Encrypt such a backup."
)


def backup(
    folder: Folder,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The backup to write, for its owner alone.")],
    passphrase: Annotated[str, _PASSPHRASE] = "",
    with_input: Annotated[bool, _INPUT] = False,
) -> None:
    """Write settings, keys and store into one file; works while the agent runs."""
    from importlib.metadata import version

    from edge_agent.leaving import school_key
    from edge_agent.setup import archive, keep, snapshot
    from shared.files import replacing

    paths = AgentFolder(folder)
    settings = load_settings(paths)
    word = secret_word(passphrase, "the passphrase") if passphrase else ""
    os.umask(0o077)
    with suppress(OSError):
        file.chmod(0o600)  # a backup of before keeps its permissions
    files = keep.keys_and_settings(paths, settings)
    if with_input:
        files |= keep.people(paths, settings)
    given_up = 0
    with _beside(file) as scratch:
        if paths.database.exists():
            files[keep.STORE] = Path(scratch) / keep.STORE
            given_up = snapshot.take(paths.database, files[keep.STORE])
        manifest = archive.Manifest(
            archive.FORMAT,
            version("commonground"),
            settings.school,
            now(paths),
            given_up,
            tuple(archive.kept(name, path) for name, path in sorted(files.items())),
            keep.elsewhere(paths, settings, files),
        )
        with replacing(file) as target:
            if word:
                from edge_agent.setup.passphrase import Sealing

                sealing = Sealing(target, word)
                archive.write(cast("IO[bytes]", sealing), manifest, files)
                sealing.finish()
            else:
                archive.write(target, manifest, files)
    say(f"Wrote {file}: {len(manifest.files)} files, {'' if word else 'not '}encrypted. Whoever has it")
    say("can speak for this school to the district: keep it like a key.")
    if manifest.elsewhere:
        say(f"Not in it, the school has them: {', '.join(manifest.elsewhere)}")
    if given_up:
        say(f"Not in it either: {given_up} lessons under way now, whose signals die with their day's key.")
    if f"secrets/{school_key.PRIVATE}" in files:
        say(f"It holds secrets/{school_key.PRIVATE} too, which opens the records that left: move it away.")


def _beside(file: Path) -> "tempfile.TemporaryDirectory[str]":
    try:
        return tempfile.TemporaryDirectory(prefix=".commonground-", dir=file.absolute().parent)
    except OSError as error:
        raise UsageError(f"{file} cannot be written: {error.strerror}; choose another place") from None
