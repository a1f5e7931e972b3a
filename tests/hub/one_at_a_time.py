"""A hub in dictionaries, one delivery after the other: what any grouping of the same deliveries must do."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime

from hub.known import Known
from hub.store import acceptance, receipts
from hub.store.ceilings import BYTES, LESSONS, REASONS, REFUSED, day_of, retry_ms
from shared.disclosure import REFUSED as NOT_AS_DISCLOSED
from shared.errors import BadInput
from shared.link.outcomes import Delivery, Fenced, Later, Missing, Outcome, Rejected, Settled
from shared.records import ALL_BANDS, LessonRecord, StatusRecord, WeekRecord, decode


class OneAtATime:
    """Everything that the store holds of schools given by enrolment, as plain values."""

    def __init__(self, names: Mapping[str, str], daily: Mapping[str, int], known: Known) -> None:
        self.names = names
        self.daily = daily
        self.known = known
        self.streams: dict[str, tuple[int, int, bytes | None, int]] = {}  # epoch, last seq, position, refused
        self.lessons: dict[tuple[str, str, int], LessonRecord] = {}
        self.weeks: dict[tuple[str, str, str], WeekRecord] = {}
        self.beats: dict[str, StatusRecord] = {}
        self.heard: dict[str, float] = {}
        self.rejections: list[tuple[str, int, int, str]] = []
        self.receipts: dict[tuple[str, int, str], str] = {}
        self.lines: dict[str, int] = {}  # number of the newest entry
        self.counters: Counter[str] = Counter()
        self.intake: dict[str, tuple[str, int, int, int]] = {}

    def hello(self, enrolment: str, epoch: int) -> None:
        """A conversation begins."""
        current, _, position, refused = self.streams.get(enrolment, (0, 0, None, 0))
        if epoch > current:
            self.streams[enrolment] = (epoch, 0, position, refused)

    def deliver(self, delivery: Delivery, now: float) -> Outcome:
        """One delivery, at hub time `now`."""
        if self._full(delivery.enrolment, now):
            return Later(retry_ms(now))
        epoch, last, position, refused = self.streams[delivery.enrolment]
        if delivery.epoch < epoch:
            return Fenced(epoch)
        if delivery.epoch > epoch:
            return Missing(1)
        if delivery.seq <= last:
            return Settled(last)
        if delivery.seq > last + 1:
            return Missing(last + 1)
        reason = self._take(delivery, now) if delivery.payload else None
        if reason == acceptance.AHEAD:
            return Later(retry_ms(now))
        position = position if delivery.position is None else delivery.position
        self.streams[delivery.enrolment] = (epoch, delivery.seq, position, refused + (reason is not None))
        if reason is None:
            return Settled(delivery.seq)
        self.counters["refused"] += 1
        self.rejections.append((delivery.enrolment, epoch, delivery.seq, reason))
        return Rejected(delivery.seq, reason)

    def _full(self, enrolment: str, now: float) -> str | None:
        day, lessons, size, refused = self.intake.get(enrolment, ("", 0, 0, 0))
        amounts = {LESSONS: lessons, BYTES: size, REFUSED: refused} if day == day_of(now) else {}
        return next((REASONS[name] for name in amounts if amounts[name] >= self.daily[name]), None)

    def _take(self, delivery: Delivery, now: float) -> str | None:
        """Why the record is refused, or None."""
        school = delivery.enrolment
        entry = done = reason = None
        try:
            entry = receipts.check(delivery.position, delivery.payload)
            if entry is None and school in self.lines:
                raise BadInput(NOT_AS_DISCLOSED)
            done = self._effect(school, delivery.payload, now)
        except BadInput as error:
            if error.reason == acceptance.AHEAD:
                return error.reason
            reason = error.reason
        if entry is not None:
            self.lines[school] = entry.seq
        day, lessons, size, refused = self.intake.get(school, ("", 0, 0, 0))
        if day != day_of(now):
            lessons = size = refused = 0
        size += len(delivery.payload)
        new = done == "lesson_new"
        self.intake[school] = (day_of(now), lessons + new, size, refused + (done is None))
        if done is None:
            return reason
        if entry is not None and entry.kind in (receipts.LESSON, receipts.WEEK):
            self.receipts.setdefault((school, entry.seq, entry.chain), entry.about)
        self.counters[done] += 1
        self.counters[receipts.UNDISCLOSED] += entry is None
        self.heard[school] = now
        return None

    def _effect(self, school: str, payload: bytes, now: float) -> str:
        record = decode(payload)
        if record.school != self.names[school]:
            raise BadInput("record_of_another_school")
        if isinstance(record, StatusRecord):
            self.beats[school] = record
            return "status"
        acceptance.check(record, self.known)
        if untimely := acceptance.untimely(record, now):
            raise untimely
        return (
            self._lesson(school, record) if isinstance(record, LessonRecord) else self._week(school, record)
        )

    def _lesson(self, school: str, record: LessonRecord) -> str:
        start = _start(record)
        key = (school, record.class_, start)
        known = self.lessons.get(key)
        if known and known.revision >= record.revision:
            return "lesson_older_revision"
        for (*class_, begins), other in self.lessons.items():
            across = begins < start + 60 * record.minutes and start < begins + 60 * other.minutes
            if class_ == [school, record.class_] and begins != start and across:
                raise BadInput("lesson_overlaps")
        self.lessons[key] = record
        return "lesson_replaced" if known else "lesson_new"

    def _week(self, school: str, record: WeekRecord) -> str:
        bands = {band for *key, band in self.weeks if key == [school, record.week]}
        if record.grade_band in bands:
            raise BadInput("week_already_known")
        if ALL_BANDS in bands or (bands and record.grade_band == ALL_BANDS):
            raise BadInput("week_bands_conflict")
        self.weeks[school, record.week, record.grade_band] = record
        return "week_new"


def _start(record: LessonRecord) -> int:
    return int(datetime.fromisoformat(record.start).timestamp())
