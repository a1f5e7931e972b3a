"""What the commands of `commonground agent` share."""

import os
import pwd
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from edge_agent.clock import make_clock
from edge_agent.days import rfc3339
from edge_agent.paths import AgentFolder
from edge_agent.settings import load_settings
from shared.errors import SettingsError, UsageError

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="The agent's folder.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


def say(text: str) -> None:
    typer.echo(text)


def school_time(paths: AgentFolder) -> datetime:
    """What time it is for the school, in its zone; in a simulation the simulated time."""
    settings = load_settings(paths)
    return datetime.fromtimestamp(make_clock(paths, settings).now(), settings.zone)


def school_day(paths: AgentFolder) -> date:
    """The school's own date."""
    return school_time(paths).date()


def now(paths: AgentFolder) -> str:
    """The school's time as the agent writes it into its logs: RFC 3339, UTC."""
    return rfc3339(school_time(paths).timestamp())


@contextmanager
def progress_bar(label: str) -> Iterator[Callable[[float], None] | None]:
    """A bar that is told the share done, when a terminal is attached; else nothing."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=1.0)
        yield lambda share: bar.update(task, completed=share)


def secret_text(token: str) -> str:
    try:
        if token == "-":  # noqa: S105 - the usual name of standard input
            return sys.stdin.read().strip()
        return Path(token).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError, ValueError):
        # Not repeated: somebody may have put the invitation itself here, and logs keep command lines.
        raise UsageError(
            "the invitation cannot be read: give the path of its file, or - to paste it"
        ) from None


class opened_store:  # noqa: N801 - reads as a statement: `with opened_store(folder) as connection:`
    """One short transaction in the agent's file; works while the agent runs."""

    def __init__(self, paths: AgentFolder) -> None:
        from edge_agent.store.schema import MIGRATIONS
        from shared.storage import LARGE_PAGE, connect, migrate, transaction

        load_settings(paths)
        require_own(paths)
        self._connection = connect(paths.database, LARGE_PAGE)
        migrate(self._connection, MIGRATIONS)
        self._transaction = transaction(self._connection)

    def __enter__(self) -> Any:
        return self._transaction.__enter__()

    def __exit__(self, *details: Any) -> None:
        try:
            self._transaction.__exit__(*details)
        finally:
            self._connection.close()


@contextmanager
def reading_store(paths: AgentFolder) -> Iterator[sqlite3.Connection]:
    """The agent's file to read from, brought to this program's schema first; works while the agent runs."""
    from edge_agent.store.schema import MIGRATIONS
    from shared.storage import reader

    require_database(paths)
    connection = reader(paths.database)
    connection.text_factory = _text
    try:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version != len(MIGRATIONS):
            with opened_store(paths):
                pass
        yield connection
    finally:
        connection.close()


def _text(data: bytes) -> str:
    """Text that somebody spoilt is shown as far as it can be, for a check to name it."""
    return data.decode(errors="replace")


def require_own(paths: AgentFolder) -> None:
    """Raises SettingsError where the folder is another user's, with the way to call it as that user."""
    try:
        found = paths.secrets.stat()
    except OSError:
        return  # said by whoever needs it
    if not os.access(paths.secrets, os.R_OK | os.W_OK | os.X_OK):
        try:
            owner = pwd.getpwuid(found.st_uid).pw_name
        except KeyError:
            owner = f"#{found.st_uid}"
        raise SettingsError(f"{paths.root} is the user {owner}’s: say it again after `sudo -u {owner}`")


def require_database(paths: AgentFolder) -> None:
    if not paths.database.exists():
        raise SettingsError(f"{paths.database} is missing: this agent has not run yet")


def print_counts(totals: dict[str, int], counts: dict[str, dict[str, int]]) -> None:
    say(", ".join(f"{number} {name}" for name, number in totals.items()))
    rows = [(what, reason, number) for what, reasons in counts.items() for reason, number in reasons.items()]
    if not rows:
        return
    table = Table("what", "reason", "number", box=None)
    for what, reason, number in rows:
        table.add_row(what, reason, str(number))
    Console().print(table)
