"""What a record says, checked and in the form it is stored in; found without the store."""

import msgspec

from hub.known import Known
from hub.store import acceptance, heartbeats, lessons, weeks
from shared.errors import BadInput
from shared.records import LessonRecord, Record, StatusRecord


class Said(msgspec.Struct, frozen=True):
    """Of which school, and what, or why this hub cannot show it.

    `untimely` is why it cannot be of the time it names, unless its school is simulated.
    """

    school: str
    row: lessons.Row | weeks.Row | heartbeats.Row | BadInput
    untimely: BadInput | None = None


def read(record: Record, known: Known, now: float) -> Said:
    """What `record` says, by hub time `now` and the hub's models."""
    if isinstance(record, StatusRecord):
        return Said(record.school, heartbeats.row_of(record))
    try:
        acceptance.check(record, known)
        untimely = acceptance.untimely(record, now)
    except BadInput as error:
        return Said(record.school, error.with_traceback(None))
    row = lessons.row_of(record) if isinstance(record, LessonRecord) else weeks.row_of(record)
    return Said(record.school, row, untimely)
