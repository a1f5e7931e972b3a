"""Which of a lesson's expected devices are in the building, heard or not: by their addresses of that day."""

from collections.abc import Mapping, Sequence
from datetime import date
from zoneinfo import ZoneInfo

from edge_agent.days import day_start
from edge_agent.identity.directory import Directory
from edge_agent.identity.timetable import Lesson
from edge_agent.lessons.windows import WindowKey
from edge_agent.placing.daykeys import DayKeys, pseudonym


class Around:
    """Asked when lessons close, while the day's key lives; one thread at a time.

    Only what this machine learns counts: leases that a collector sees on another machine are not known here.
    """

    def __init__(self, directory: Directory, keys: DayKeys, codes: Mapping[str, str], zone: ZoneInfo) -> None:
        self._directory = directory
        self._keys = keys
        self._codes = codes
        self._zone = zone
        self._of: Sequence[Lesson] = ()
        self._lessons: dict[WindowKey, Lesson] = {}

    def addressed(self, day: date, key: WindowKey, now: float) -> frozenset[int]:
        """Pseudonyms of the expected devices that were given an address, or an access point, from the first
        second of the local day to the lesson's end. None of a lesson that is on the timetable no more, and
        none once the day's key is destroyed (`now`: seconds UTC).
        """
        lesson = self._lesson(day, key)
        if lesson is None:
            return frozenset()
        since = day_start(day, self._zone)
        around = [
            device
            for device in self._directory.members(lesson)
            if self._directory.is_around(device, since, lesson.end)
        ]
        secret = self._keys.key(day, now) if around else ""
        if isinstance(secret, str):
            return frozenset()
        return frozenset(pseudonym(secret, device.id) for device in around)

    def _lesson(self, day: date, key: WindowKey) -> Lesson | None:
        lessons = self._directory.timetable.lessons(day)
        if lessons is not self._of:
            self._of = lessons
            self._lessons = {
                WindowKey(self._codes[lesson.school_class.id], lesson.start): lesson
                for lesson in lessons
                if lesson.school_class.id in self._codes
            }
        return self._lessons.get(key)
