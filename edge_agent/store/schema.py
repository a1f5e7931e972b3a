"""The agent's tables, as forward-only migrations."""

from typing import TYPE_CHECKING

from edge_agent.store import app_days, checks, collectors, held_by_hub, met, pulses
from shared.link import ledger, outbox
from shared.storage import Migration

if TYPE_CHECKING:
    from sqlite_utils import Database


def _first(db: "Database") -> None:
    """Signals, lessons, what may leave, what was counted. Only `batches` and `heard` hold pseudonyms."""
    ledger.create_tables(db)
    outbox.create_tables(db)
    for statement in _TABLES:
        db.execute(statement)


_TABLES = (
    """CREATE TABLE batches (
        id INTEGER PRIMARY KEY, day TEXT NOT NULL, kind TEXT NOT NULL, source TEXT NOT NULL,
        t_min INTEGER NOT NULL, t_max INTEGER NOT NULL, signals INTEGER NOT NULL, payload BLOB NOT NULL)""",
    "CREATE INDEX batches_by_day ON batches(day)",
    """CREATE TABLE batch_classes (
        class_code TEXT NOT NULL, batch INTEGER NOT NULL REFERENCES batches(id) ON DELETE CASCADE,
        t_min INTEGER NOT NULL, t_max INTEGER NOT NULL, PRIMARY KEY (class_code, batch)) WITHOUT ROWID""",
    "CREATE INDEX batch_classes_by_batch ON batch_classes(batch)",
    """CREATE TABLE heard (
        class_code TEXT NOT NULL, start INTEGER NOT NULL, device INTEGER NOT NULL, day TEXT NOT NULL,
        PRIMARY KEY (class_code, start, device)) WITHOUT ROWID""",
    "CREATE INDEX heard_by_day ON heard(day)",
    "CREATE TABLE statements (hash INTEGER PRIMARY KEY, at INTEGER NOT NULL)",
    """CREATE TABLE classes (
        code TEXT PRIMARY KEY, class_id TEXT NOT NULL, term TEXT NOT NULL, UNIQUE (class_id, term))""",
    "CREATE TABLE sharing (class_code TEXT PRIMARY KEY REFERENCES classes(code), until TEXT NOT NULL)",
    """CREATE TABLE sharing_log (
        id INTEGER PRIMARY KEY, at TEXT NOT NULL, class_code TEXT NOT NULL, change TEXT NOT NULL)""",
    """CREATE TABLE windows (
        class_code TEXT NOT NULL, start INTEGER NOT NULL, ends INTEGER NOT NULL, day TEXT NOT NULL,
        week TEXT NOT NULL, grade_band TEXT NOT NULL, devices INTEGER NOT NULL,
        placed INTEGER NOT NULL, thin INTEGER NOT NULL, evidence_only INTEGER NOT NULL,
        upto_batch INTEGER NOT NULL, window TEXT NOT NULL, held_back TEXT,
        revision INTEGER NOT NULL DEFAULT 0, sent_batch INTEGER,
        PRIMARY KEY (class_code, start)) WITHOUT ROWID""",
    "CREATE INDEX windows_by_week ON windows(week)",
    """CREATE TABLE lesson_numbers (
        number INTEGER PRIMARY KEY, class_code TEXT NOT NULL, start INTEGER NOT NULL)""",
    "CREATE INDEX lesson_numbers_by_class ON lesson_numbers(class_code, start)",
    """CREATE TABLE schedule (
        class_code TEXT NOT NULL REFERENCES classes(code), start INTEGER NOT NULL, ends INTEGER NOT NULL,
        day TEXT NOT NULL, grade_band TEXT NOT NULL, subject TEXT NOT NULL, teachers TEXT NOT NULL,
        expected INTEGER NOT NULL, PRIMARY KEY (class_code, start)) WITHOUT ROWID""",
    "CREATE INDEX schedule_by_day ON schedule(day)",
    "CREATE TABLE day_keys (day TEXT PRIMARY KEY, state TEXT NOT NULL)",
    "CREATE TABLE weeks (week TEXT PRIMARY KEY, bands INTEGER NOT NULL, held_back TEXT)",
    """CREATE TABLE sources (
        id TEXT PRIMARY KEY, kind TEXT NOT NULL, newest INTEGER, lines INTEGER NOT NULL DEFAULT 0,
        signals INTEGER NOT NULL DEFAULT 0)""",
    """CREATE TABLE counts (
        source TEXT NOT NULL, what TEXT NOT NULL, reason TEXT NOT NULL, n INTEGER NOT NULL,
        PRIMARY KEY (source, what, reason)) WITHOUT ROWID""",
    "CREATE TABLE minutes (minute INTEGER PRIMARY KEY, n INTEGER NOT NULL)",
    """CREATE TABLE quarantine (
        id INTEGER PRIMARY KEY, at INTEGER NOT NULL, source TEXT NOT NULL, reason TEXT NOT NULL,
        excerpt TEXT NOT NULL)""",
    """CREATE TABLE disclosures (
        seq INTEGER PRIMARY KEY, at TEXT NOT NULL, kind TEXT NOT NULL, number INTEGER NOT NULL,
        bytes INTEGER NOT NULL, sha256 TEXT NOT NULL, chain TEXT NOT NULL, payload BLOB)""",
    "CREATE INDEX disclosures_by_number ON disclosures(number)",
)


def _positions(db: "Database") -> None:
    """A batch carries its entry of the disclosure log."""
    outbox.add_position(db)


def _room(db: "Database") -> None:
    """What is stored has a size that is known at once, and days that were forgotten are known as such."""
    outbox.add_budget(db)
    for statement in _ROOM:
        db.execute(statement)


_ROOM = (
    "CREATE TABLE stored (id INTEGER PRIMARY KEY CHECK (id = 1), bytes INTEGER NOT NULL)",
    "INSERT INTO stored SELECT 1, coalesce(sum(length(payload)), 0) FROM batches",
    """CREATE TRIGGER batch_stored AFTER INSERT ON batches
       BEGIN UPDATE stored SET bytes = bytes + length(NEW.payload); END""",
    """CREATE TRIGGER batch_forgotten AFTER DELETE ON batches
       BEGIN UPDATE stored SET bytes = bytes - length(OLD.payload); END""",
    "CREATE TABLE forgotten (day TEXT PRIMARY KEY) WITHOUT ROWID",
)


def _disclosure(db: "Database") -> None:
    """Records in the disclosure log are sealed; their fields are counted; what the hub holds is compared."""
    held_by_hub.create_table(db)
    for statement in _DISCLOSURE:
        db.execute(statement)


_DISCLOSURE = (
    "ALTER TABLE disclosures ADD COLUMN sealed TEXT",
    "CREATE TABLE disclosure_key (id INTEGER PRIMARY KEY CHECK (id = 1), public BLOB NOT NULL)",
    """CREATE TABLE disclosed_fields (
        kind TEXT NOT NULL, name TEXT NOT NULL, records INTEGER NOT NULL, first TEXT NOT NULL,
        last TEXT NOT NULL, PRIMARY KEY (kind, name)) WITHOUT ROWID""",
)


def _work(db: "Database") -> None:
    """What a look at the store costs does not grow with the lessons that are closed."""
    for statement in _WORK:
        db.execute(statement)


_WORK = (
    # A late batch says itself which classes it is of, and almost none is late.
    "DROP TABLE batch_classes",
    "DROP INDEX batches_by_day",
    "CREATE INDEX batches_by_day ON batches(day, t_max, t_min)",
    "ALTER TABLE schedule ADD COLUMN closed INTEGER NOT NULL DEFAULT 0",
    """UPDATE schedule SET closed = EXISTS (
        SELECT 1 FROM windows w WHERE w.class_code = schedule.class_code AND w.start = schedule.start)""",
    "CREATE INDEX schedule_open ON schedule(ends) WHERE closed = 0",
    # The first covers what the status counts, the second what a late batch is held against.
    "DROP INDEX windows_by_week",
    """CREATE INDEX windows_by_week ON windows(
        week, day, devices, held_back, sent_batch, placed, thin, evidence_only)""",
    "CREATE INDEX windows_by_day ON windows(day, start, ends, upto_batch)",
)


def _sight(db: "Database") -> None:
    """When devices were heard, who was there unheard, what each window saw, what the fleet says asleep."""
    for statement in _SIGHT:
        db.execute(statement)


_SIGHT = (
    # Of what was heard before nobody said when: it counts as heard from the first bell to the last.
    "ALTER TABLE heard ADD COLUMN first INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE heard ADD COLUMN last INTEGER NOT NULL DEFAULT 4294967295",
    # What a day has, and in which lessons a device was heard.
    "DROP INDEX heard_by_day",
    "CREATE INDEX heard_by_day ON heard(day, device, start)",
    """CREATE TABLE present (
        class_code TEXT NOT NULL, start INTEGER NOT NULL, device INTEGER NOT NULL, day TEXT NOT NULL,
        first INTEGER NOT NULL, last INTEGER NOT NULL,
        PRIMARY KEY (class_code, start, device)) WITHOUT ROWID""",
    "CREATE INDEX present_by_day ON present(day)",
    # In device-seconds; `bypassed` and `acted` in devices. Windows closed before say nothing of it.
    "ALTER TABLE windows ADD COLUMN kinds TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE windows ADD COLUMN expected INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE windows ADD COLUMN visible INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE windows ADD COLUMN bypassed INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE windows ADD COLUMN acted INTEGER NOT NULL DEFAULT 0",
    "CREATE INDEX windows_by_sight ON windows(week, kinds, ends, expected, visible, bypassed, acted)",
    """CREATE TABLE idle (
        day TEXT NOT NULL, app INTEGER NOT NULL, rests REAL NOT NULL, contacts INTEGER NOT NULL,
        devices INTEGER NOT NULL, PRIMARY KEY (day, app)) WITHOUT ROWID""",
)


MIGRATIONS: tuple[Migration, ...] = (
    *(_first, _positions, _room, collectors.add_tables, _disclosure, _work),
    _sight,
    checks.add_tables,
    pulses.add_tables,
    met.add_tables,
    app_days.add_tables,
)
