"""Keys that follow one another: several may speak for one enrolment while it changes its key.

A new key is enrolled by the old one, over the link, and may speak beside it; once it does, the old one is
retired. What an enrolment sent is counted under its own name, so that no batch is lost or doubled by this.
"""

import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from shared.errors import BadInput

if TYPE_CHECKING:
    from sqlite_utils import Database

RETIRED_KEPT: Final = 16  # of each enrolment: a mad peer that renews without end fills no disk


@dataclass(frozen=True, slots=True)
class Succession:
    """The rules over a table with `public_key`, `joined`, `revoked` and `renews` (see `add_column`).

    `owner` names the column of whom the key speaks for, `copied` what else a new key takes over. The
    caller's transaction; `now` is in seconds since 1970. All names are the caller's own constants.
    """

    table: str
    owner: str
    copied: tuple[str, ...] = ()

    def add_column(self, db: "Database") -> None:
        """A migration step: `renews` is the key that enrolled this one, NULL for one that was invited."""
        if "renews" not in db.table(self.table).columns_dict:
            db.conn.execute(self._sql("ALTER TABLE {table} ADD COLUMN renews TEXT"))

    def renew(
        self, connection: sqlite3.Connection, owner: int | str, old_key: str, new_key: str, now: float
    ) -> None:
        """Let `new_key` speak beside `old_key`; another one that was to follow it and never spoke is dropped.

        Raises BadInput when the old key may not speak (any more), and when the new one belongs to somebody
        else or was revoked.
        """
        known = self._row(connection, new_key)
        if known is not None and known[0] != owner:
            raise BadInput("key_of_another_enrolment")
        if known is not None and known[1] is not None:
            raise BadInput("revoked")
        old = self._row(connection, old_key)
        if old is None or old[0] != owner or old[1] is not None:
            raise BadInput("not_enrolled")
        if known is not None:
            return
        connection.execute(self._sql("DELETE FROM {table} WHERE renews = ? AND revoked IS NULL"), (old_key,))
        connection.execute(
            self._sql(
                "INSERT INTO {table} (public_key, joined, renews, {owner}{copied})"
                " SELECT ?, ?, public_key, {owner}{copied} FROM {table} WHERE public_key = ?"
            ),
            (new_key, now, old_key),
        )

    def before(self, connection: sqlite3.Connection, key_in_use: str) -> str | None:
        """The key that this one follows, if it may still speak; only reads."""
        row = connection.execute(
            self._sql(
                "SELECT old.public_key FROM {table} old JOIN {table} new ON new.renews = old.public_key"
                " WHERE new.public_key = ? AND old.revoked IS NULL"
            ),
            (key_in_use,),
        ).fetchone()
        return None if row is None else str(row[0])

    def retire(self, connection: sqlite3.Connection, owner: int | str, key_in_use: str, now: float) -> None:
        """`key_in_use` spoke: the key before it may speak no more."""
        old_key = self.before(connection, key_in_use)
        if old_key is None:
            return
        connection.execute(
            self._sql("UPDATE {table} SET revoked = ? WHERE public_key = ? AND {owner} = ?"),
            (now, old_key, owner),
        )
        connection.execute(
            self._sql(
                "DELETE FROM {table} WHERE public_key IN (SELECT old.public_key FROM {table} old"
                " JOIN {table} new ON new.renews = old.public_key WHERE old.{owner} = ?"
                " AND old.revoked IS NOT NULL ORDER BY old.revoked DESC, old.rowid DESC LIMIT -1 OFFSET ?)"
            ),
            (owner, RETIRED_KEPT),
        )

    def _row(self, connection: sqlite3.Connection, key: str) -> tuple[int | str, float | None] | None:
        row: tuple[int | str, float | None] | None = connection.execute(
            self._sql("SELECT {owner}, revoked FROM {table} WHERE public_key = ?"), (key,)
        ).fetchone()
        return row

    def _sql(self, statement: str) -> str:
        copied = "".join(f", {name}" for name in self.copied)
        return statement.format(table=self.table, owner=self.owner, copied=copied)
