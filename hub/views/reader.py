"""The one reader that pages and the API use: a read-only connection a thread, a snapshot a view."""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from hub import folder, settings
from hub.known import Known
from hub.paths import Layout
from hub.views import read_alarms, read_classes, read_schools, read_status, read_usage, read_weeks
from hub.views.alarms import Alarm
from hub.views.district import DistrictView
from hub.views.merge import distributions
from hub.views.school import ClassView, SchoolView
from hub.views.status import StatusView
from hub.views.usage import UsageDistrictView, UsageView
from hub.views.words import UNSHARED_NOTE
from shared import storage
from shared.errors import SettingsError


class Views:
    """Everything that a hub folder knows; raises SettingsError when the folder is not a hub's.

    `clock` gives hub time in epoch seconds: how long ago a school was heard. `known` are its models.
    """

    def __init__(self, hub_folder: Path, clock: Callable[[], float] = time.time) -> None:
        layout = self._layout = Layout(hub_folder)
        self._settings = settings.load(layout)
        if not layout.database.exists():
            raise SettingsError(f"{layout.database} is missing: restore it from the backup of this folder")
        self.known = Known.load(layout.models)
        self._path = layout.database
        self._clock = clock
        self._own = threading.local()
        self._opened: list[sqlite3.Connection] = []

    def district(self, weeks: int = 1) -> DistrictView:
        """The district, its newest `weeks` weeks merged."""
        with self._snapshot() as connection:
            name, simulated = self._settings.district, self._settings.simulated
            return read_weeks.district(connection, name, simulated, weeks, self._clock(), self.known)

    def school(self, slug: str) -> SchoolView | None:
        """One school with all its weeks, or None."""
        with self._snapshot() as connection:
            for school_id, summary in read_schools.summaries(connection, self._clock(), slug):
                weeks, by_week = read_weeks.school_weeks(connection, school_id, self.known)
                parts, _ = read_weeks.apart((p for own in by_week.values() for p in own), self.known)
                return SchoolView(
                    school=summary,
                    district=self._settings.district,
                    weeks=weeks,
                    distribution=distributions(parts, self.known),
                    term=read_weeks.term(weeks, by_week, self.known),
                    classes=read_classes.shared_classes(connection, school_id),
                    note=UNSHARED_NOTE,
                )
        return None

    def school_class(self, slug: str, code: str, lessons: int = 200) -> ClassView | None:
        """A shared class with its newest `lessons`, or None when the school has no such class."""
        with self._snapshot() as connection:
            for school_id, summary in read_schools.summaries(connection, self._clock(), slug):
                for shared in read_classes.shared_classes(connection, school_id, code):
                    return ClassView(
                        school=summary,
                        district=self._settings.district,
                        shared=shared,
                        lessons=read_classes.lessons(connection, school_id, code, lessons, self.known),
                    )
        return None

    def school_lesson(self, slug: str, code: str, start: str) -> ClassView | None:
        """A shared class with the one lesson that started then (ISO, to the second), or None."""
        with self._snapshot() as connection:
            for school_id, summary in read_schools.summaries(connection, self._clock(), slug):
                for shared in read_classes.shared_classes(connection, school_id, code):
                    held = read_classes.lesson_at(connection, school_id, code, start, self.known)
                    if held:
                        return ClassView(
                            school=summary, district=self._settings.district, shared=shared, lessons=held
                        )
        return None

    def usage_districts(self) -> UsageView:
        """Every district of the usage exports that were imported."""
        with self._snapshot() as connection:
            return read_usage.districts(connection)

    def usage_district(self, district_id: str) -> UsageDistrictView | None:
        """One of them week by week, or None."""
        with self._snapshot() as connection:
            return read_usage.district(connection, district_id, self.known)

    def status(self) -> StatusView:
        """The hub about itself."""
        with self._snapshot() as connection:
            name, simulated = self._settings.district, self._settings.simulated
            now, public = self._clock(), folder.link_keys(self._layout).public
            following, trouble = folder.next_keys(self._layout)
            next_key = following.public if following else ""
            return read_status.status(connection, name, simulated, now, self.known, public, next_key, trouble)

    def alarms(self, *, cleared: bool = False) -> tuple[Alarm, ...]:
        """The alarms that stand, newest first; after them those that were `cleared`, if wanted."""
        with self._snapshot() as connection:
            return read_alarms.read(connection, cleared=cleared)

    def check(self) -> None:
        """Raises sqlite3.Error when the database cannot be read."""
        with self._snapshot() as connection:
            connection.execute("SELECT count(*) FROM schools").fetchone()

    def close(self) -> None:
        """Close every connection that was opened."""
        while self._opened:
            self._opened.pop().close()

    @contextmanager
    def _snapshot(self) -> Iterator[sqlite3.Connection]:
        connection: sqlite3.Connection | None = getattr(self._own, "connection", None)
        if connection is None:
            connection = self._own.connection = storage.reader(self._path)
            connection.isolation_level = None
            self._opened.append(connection)
        connection.execute("BEGIN").close()
        try:
            yield connection
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK").close()
