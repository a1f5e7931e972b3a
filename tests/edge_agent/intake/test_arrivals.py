"""Parcels of one group are refused before anything of them is written, and stored as if each came alone."""

import random
import sqlite3
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from edge_agent.lessons.late import Span, spans
from edge_agent.placing.parcel import Heard, Parcel
from edge_agent.store.arrivals import LONG, Arrivals, by_minute, check
from edge_agent.store.schema import MIGRATIONS
from shared import signals
from shared.errors import BadInput
from shared.signals import SignalBatch
from shared.storage import connect, migrate, transaction

APPS = 50
CLASSES = ("c1", "c2", "c3", "unused")
TABLES = ("batches", "minutes", "sources", "counts", "heard", "statements", "quarantine")
NOON = 1_789_041_600
DAYS = ("2026-09-10", "2026-09-11")
FORGOTTEN = "2026-09-11"


def batch(rng: random.Random, day: str = DAYS[0]) -> SignalBatch:
    """Signals of an hour."""
    rows = [
        (NOON + rng.randrange(3600), rng.getrandbits(64), rng.randrange(3), rng.randrange(APPS), 1, 0.0)
        for _ in range(rng.randrange(1, 60))
    ]
    return SignalBatch.from_rows(
        rows, kind="dnsmasq", source="resolver", catalogue="1", day_key=day, class_codes=CLASSES
    )


def parcel(rng: random.Random) -> Parcel:
    """What a source may send: some signals, counts, devices heard."""
    return Parcel(
        kind="dnsmasq",
        source=rng.choice(["resolver", "second"]),
        batches=[signals.encode(batch(rng, day)) for day in DAYS[: rng.randrange(3)]],
        lines=rng.randrange(100),
        newest=NOON + rng.randrange(100),
        counts={"missed": {"no_lease": rng.randrange(5)}},
        excerpts=[("bad_line", "aaa 999")] * rng.randrange(2),
        heard=[Heard("c1", NOON, rng.choice(DAYS), [rng.getrandbits(64), 7])],
        seen=[rng.randrange(10)],
    )


def store(path: Path, groups: Sequence[Sequence[Parcel]]) -> dict[str, list[tuple[object, ...]]]:
    """All tables after these groups, a transaction each."""
    connection = connect(path)
    migrate(connection, MIGRATIONS)
    connection.execute("INSERT INTO forgotten VALUES (?)", (FORGOTTEN,))
    for group in groups:
        with transaction(connection):
            arrivals = Arrivals(connection)
            for one in group:
                arrivals.add(check(one, APPS))
            arrivals.write()
    return {table: rows(connection, table) for table in TABLES}


def rows(connection: sqlite3.Connection, table: str) -> list[tuple[object, ...]]:
    """A table's rows in one order."""
    found = connection.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608 - names of the list above
    return sorted(found, key=repr)


@pytest.mark.parametrize("seed", range(10))
def test_a_group_leaves_what_its_parcels_would_have_left_one_by_one(tmp_path: Path, seed: int) -> None:
    parcels = [parcel(random.Random(seed * 100 + number)) for number in range(8)]
    together = store(tmp_path / "together.db", [parcels])
    assert together == store(tmp_path / "apart.db", [[one] for one in parcels])
    assert together["batches"]
    assert all(row[1] != FORGOTTEN for row in together["batches"])


def test_a_batch_says_the_first_and_the_last_second_of_each_class() -> None:
    made = batch(random.Random(3))
    expected = []
    for index, code in enumerate(CLASSES):
        times = [int(t) for t, own in zip(made.t, made.class_, strict=True) if own == index]
        if times:
            expected.append(Span(code, min(times), max(times)))
    assert list(spans(made)) == expected
    assert len(expected) == 3


@pytest.mark.parametrize("reach", [0, 59, 3600, 86_400, LONG * 60 + 60, 2**32 - 1 - NOON])
def test_signals_are_counted_by_minute_however_far_apart_they_are(reach: int) -> None:
    rng = random.Random(reach)
    times = [NOON, NOON + reach, *(NOON + rng.randint(0, reach) for _ in range(50))]
    made = SignalBatch.from_rows(
        [(t, 1, 0, 0, 1, 0.0) for t in times],
        kind="dnsmasq",
        source="resolver",
        catalogue="1",
        day_key=DAYS[0],
        class_codes=CLASSES,
    )
    assert by_minute(made) == Counter(t // 60 for t in times)


@pytest.mark.parametrize(
    ("spoilt", "reason"),
    [
        ({"batches": [b"no batch"]}, "batch_malformed"),
        ({"day_key": "tomorrow"}, "day_malformed"),
        ({"class_codes": ("c1", "c2", "c2")}, "batch_class_twice"),
        ({"heard": [Heard("c1", NOON, "tomorrow", [1])]}, "day_malformed"),
    ],
)
def test_what_is_wrong_anywhere_in_a_parcel_refuses_it_before_it_is_written(
    spoilt: dict[str, object], reason: str
) -> None:
    good = batch(random.Random(2))
    last = replace(good, **{name: spoilt[name] for name in ("day_key", "class_codes") if name in spoilt})  # type: ignore[arg-type] # names and values of its fields
    one = Parcel("dnsmasq", "resolver", [signals.encode(good), signals.encode(last)], 1, NOON, {}, [], [], [])
    for name in ("batches", "heard"):
        if name in spoilt:
            setattr(one, name, spoilt[name])
    with pytest.raises(BadInput) as refused:
        check(one, APPS)
    assert refused.value.reason == reason
