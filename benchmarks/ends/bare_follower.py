"""A bare follower: `python -m benchmarks.ends.bare_follower LOG DATABASE`, an afternoon's script.

One regular expression a line, query lines into one SQLite table, a FULL commit each fifth of a second.
"""

import re
import sqlite3
import sys
import time
from pathlib import Path
from typing import Final

_QUERY: Final = re.compile(r"^(\S+ +\d+ [\d:]+) .*query\[\S+\] (\S+) from (\S+)$")


def main(log: Path, database: Path) -> None:
    """Follow until ended."""
    connection = sqlite3.connect(database, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE queries (at TEXT, name TEXT, address TEXT)")
    rest = ""
    with log.open(encoding="utf-8", errors="replace") as file:
        while True:
            *lines, rest = (rest + file.read()).split("\n")
            rows = [match.groups() for line in lines if (match := _QUERY.match(line))]
            if rows:
                connection.execute("BEGIN")
                connection.executemany("INSERT INTO queries VALUES (?, ?, ?)", rows)
                connection.execute("COMMIT")
            time.sleep(0.2)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
