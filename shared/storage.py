"""SQLite as both ends use it: WAL, full sync, forward-only migrations, one writer thread, many readers."""

import fcntl
import os
import queue
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from shared.errors import BusyError, SettingsError
from shared.files import sync_folder

if TYPE_CHECKING:
    from sqlite_utils import Database

T = TypeVar("T")
Migration = Callable[["Database"], None]

PAGE: Final = 4096
LARGE_PAGE: Final = 16 * 1024  # for files of payloads as large as the link takes them
LOG: Final = 16 * 1024 * 1024  # bytes of write-ahead log that go into the file at once


def connect(path: Path, page_bytes: int = PAGE) -> sqlite3.Connection:
    """A connection that writes: WAL, `synchronous=FULL`, deleted bytes overwritten, manual transactions.

    `page_bytes` is for a file that is not there yet: one that is keeps its own.
    """
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
    connection.execute(f"PRAGMA page_size={page_bytes:d}").close()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}").close()
    (page,) = connection.execute("PRAGMA page_size").fetchone()
    connection.execute(f"PRAGMA wal_autocheckpoint={LOG // page:d}").close()
    return connection


def reader(path: Path) -> sqlite3.Connection:
    """A connection that can only read, and never waits for the writer; rows by column name."""
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    return connection


def migrate(connection: sqlite3.Connection, migrations: Sequence[Migration]) -> None:
    """Bring the file to the newest schema, one transaction a step; `user_version` counts the steps taken.

    Raises SettingsError for a file written by a newer version of this program.
    """
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > len(migrations):
        raise SettingsError(
            f"this database has schema {version}, this program knows {len(migrations)}: upgrade the program"
        )
    if version == len(migrations):
        return
    from sqlite_utils import Database  # only a new file pays for it: where pandas is installed it loads that

    for step, migration in enumerate(migrations[version:], start=version + 1):
        with transaction(connection):
            migration(Database(connection))
            connection.execute(f"PRAGMA user_version = {step:d}")


class transaction:  # noqa: N801 - reads as a statement: `with transaction(connection):`
    """All or nothing: BEGIN IMMEDIATE ... COMMIT, ROLLBACK when the block raises."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __enter__(self) -> sqlite3.Connection:
        self._connection.execute("BEGIN IMMEDIATE")
        return self._connection

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if kind is not None:
            self._roll_back()
            return
        try:
            self._connection.execute("COMMIT")
        except sqlite3.Error:
            # A full disk can refuse the commit and leave the transaction open for the next piece of work.
            self._roll_back()
            raise

    def _roll_back(self) -> None:
        # On a full disk SQLite may have done so itself, in the middle of a statement.
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")


@contextmanager
def snapshot(connection: sqlite3.Connection) -> Iterator[None]:
    """Whatever is read in the block is of one moment, also while another connection writes."""
    if connection.in_transaction:
        yield
        return
    connection.execute("BEGIN").close()
    try:
        yield
    finally:
        connection.execute("ROLLBACK").close()


class Writer:
    """The one thread that writes a database file. Work is a function of the connection.

    Each piece of work is one transaction; its future resolves after the commit is on disk.
    """

    def __init__(self, path: Path, migrations: Sequence[Migration], page_bytes: int = PAGE) -> None:
        self.path = path
        self._queue: queue.SimpleQueue[tuple[Callable[[], None], Future[object]] | None] = queue.SimpleQueue()
        self._connection = connect(path, page_bytes)
        migrate(self._connection, migrations)
        sync_folder(path.parent)  # the file may be new, and SQLite syncs its names only with its log's
        self._thread = threading.Thread(target=self._run, name=f"writer:{path.name}", daemon=True)
        self._thread.start()

    def submit(self, work: Callable[[sqlite3.Connection], T]) -> "Future[T]":
        """Queue `work`; its result or its exception arrives in the future, after commit or rollback."""
        future: Future[T] = Future()

        def run() -> None:
            with transaction(self._connection):
                result = work(self._connection)
            future.set_result(result)

        self._queue.put((run, future))  # type: ignore[arg-type] # a queue holds futures of any result
        return future

    def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """`submit`, and wait for it."""
        return self.submit(work).result()

    def empty_log(self) -> bool:
        """Move everything from the write-ahead log into the file and cut the log to nothing.

        Deleted bytes are overwritten in the file, but live on in the log until then. False while a
        reader is in the way: try again.
        """
        future: Future[bool] = Future()

        def run() -> None:
            busy, _, _ = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            future.set_result(not busy)

        self._queue.put((run, future))  # type: ignore[arg-type] # a queue holds futures of any result
        return future.result()

    def close(self) -> None:
        """Finish what was queued, then close the file."""
        self._queue.put(None)
        self._thread.join()
        self._connection.close()

    def _run(self) -> None:
        while (item := self._queue.get()) is not None:
            run, future = item
            try:
                run()
            except Exception as error:  # noqa: BLE001 - it belongs to whoever waits for the future
                future.set_exception(error)


class FolderLock:
    """Held while a process runs on a folder, so that a second one is refused with a clear line."""

    def __init__(self, folder: Path, who: str) -> None:
        self._file = (folder / "lock").open("a+")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.seek(0)
            pid = self._file.read().strip() or "unknown"
            self._file.close()
            raise BusyError(
                f"another {who} (process {pid}) already runs on {folder}: stop it, or use another folder"
            ) from None
        self._file.truncate(0)
        self._file.write(str(os.getpid()))
        self._file.flush()

    def release(self) -> None:
        """Let go; the file stays, the lock does not."""
        self._file.close()
