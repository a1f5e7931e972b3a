"""What records do to the store: many checked records of known schools, in one transaction of the caller's."""

import sqlite3

from hub.known import Known
from hub.store import acceptance, heartbeats
from hub.store.enrolments import School
from hub.store.heartbeats import Heartbeats
from hub.store.lessons import Lessons
from hub.store.scales import Scales
from hub.store.weeks import Weeks
from shared.errors import BadInput
from shared.records import LessonRecord, Record, StatusRecord


class Effects:
    """One transaction's effects: decided record by record in memory and in order, put on disk by `write`.

    Each record is judged by what the store holds and by those before it. `heard` is hub time in epoch
    seconds, `known` the hub's models.
    """

    def __init__(self, connection: sqlite3.Connection, heard: float, known: Known) -> None:
        scales = Scales(connection)
        self._connection = connection
        self._heard = heard
        self._known = known
        self._lessons = Lessons(connection, scales, heard)
        self._weeks = Weeks(connection, scales, heard)
        self._heartbeats = Heartbeats(connection)
        self._schools: set[int] = set()

    def apply(self, school: School, record: Record) -> str:
        """Do what `record` says for the school it came from; returns the counter it belongs to.

        Raises BadInput, and nothing is done, for a record of another school, for what this hub cannot show,
        for another time than ours (unless the school is simulated, whose clock may run ahead), for a lesson
        across another of its class, for a second week record of the same school, week and grade band, and
        for all bands beside one of them.
        """
        if record.school != school.name:
            raise BadInput("record_of_another_school", "a school writes its own records only")
        if isinstance(record, StatusRecord):
            done = self._heartbeats.take(school.id, record)
        else:
            acceptance.check(record, self._known)
            untimely = acceptance.untimely(record, self._heard)
            if untimely is not None and not self._simulated(school):
                raise untimely
            if isinstance(record, LessonRecord):
                done = self._lessons.take(school.id, record)
            else:
                done = self._weeks.take(school.id, record)
        self._schools.add(school.id)
        return done

    def write(self) -> None:
        """Put everything into the store."""
        self._lessons.write()
        self._weeks.write()
        self._heartbeats.write()
        heartbeats.hear(self._connection, self._schools, self._heard)

    def _simulated(self, school: School) -> bool:
        (simulated,) = self._connection.execute(
            "SELECT simulated FROM schools WHERE id = ?", (school.id,)
        ).fetchone()
        return bool(simulated)
