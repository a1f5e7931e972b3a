"""What records do to the store: many checked records of known schools, in one transaction of the caller's."""

import sqlite3
from collections.abc import Iterable

from hub.known import Known
from hub.store import heartbeats, lessons, said, weeks
from hub.store.enrolments import School
from hub.store.heartbeats import Heartbeats
from hub.store.lessons import Lessons
from hub.store.said import Said
from hub.store.scales import Scales
from hub.store.weeks import Weeks
from shared.errors import BadInput
from shared.records import Record


class Effects:
    """One transaction's effects: decided record by record in memory and in order, put on disk by `write`.

    Each record is judged by what the store holds and by those before it. `heard` is hub time in epoch
    seconds, `known` the hub's models.
    """

    def __init__(self, connection: sqlite3.Connection, heard: float, known: Known) -> None:
        self._scales = Scales(connection)
        self._connection = connection
        self._heard = heard
        self._known = known
        self._schools: set[int] = set()
        self._begin()

    def apply(self, school: School, record: Record) -> str:
        """`take` what the record says."""
        return self.take(school, said.read(record, self._known, self._heard))

    def look(self, coming: Iterable[tuple[School, Said]]) -> None:
        """What will be taken next: what the store has of it is found for all at once."""
        self._lessons.look(
            (school.id, one.row)
            for school, one in coming
            if isinstance(one.row, lessons.Row) and one.school == school.name
        )

    def take(self, school: School, one: Said) -> str:
        """Do what a record says for the school it came from; returns the counter it belongs to.

        Raises BadInput, and nothing is done, for a record of another school, for what this hub cannot show,
        for another time than ours (unless the school is simulated, whose clock may run ahead), for a lesson
        across another of its class, for a second week record of the same school, week and grade band, and
        for all bands beside one of them.
        """
        if one.school != school.name:
            raise BadInput("record_of_another_school", "a school writes its own records only")
        row = one.row
        if isinstance(row, BadInput):
            raise row
        if one.untimely is not None and not self._simulated(school):
            raise one.untimely
        if isinstance(row, lessons.Row):
            done = self._lessons.take(school.id, row)
        elif isinstance(row, weeks.Row):
            done = self._weeks.take(school.id, row)
        else:
            done = self._heartbeats.take(school.id, row)
        self._schools.add(school.id)
        return done

    def flush(self) -> None:
        """Put what was taken so far into the store, so that it need not lie in memory; `write` ends it."""
        self._lessons.write()
        self._weeks.write()
        self._heartbeats.write()
        self._begin()

    def write(self) -> None:
        """Put everything into the store."""
        self.flush()
        heartbeats.hear(self._connection, self._schools, self._heard)

    def _begin(self) -> None:
        self._lessons = Lessons(self._connection, self._scales, self._heard)
        self._weeks = Weeks(self._connection, self._scales, self._heard)
        self._heartbeats = Heartbeats(self._connection)

    def _simulated(self, school: School) -> bool:
        (simulated,) = self._connection.execute(
            "SELECT simulated FROM schools WHERE id = ?", (school.id,)
        ).fetchone()
        return bool(simulated)
