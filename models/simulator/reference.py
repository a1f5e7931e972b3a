"""The reference for set 1 from made-up lessons: `python -m models.simulator.reference` prints it."""

import sys
from typing import Final

import numpy as np

from models.catalogue.load import load_catalogue
from models.features.compute import Signals, Windows, compute_features
from models.scoring.reference import Reference, encode, reference_of
from models.simulator.lessons import Events, Habits, lesson_events, plan_lesson

SEED: Final = 20110
SCHOOLS: Final = 40
LESSONS_A_SCHOOL: Final = 25

_SUBJECTS: Final = ("English", "Mathematics", "Science", "History", "Art", "Music", "Spanish", "Computing")
_KINDS: Final = frozenset({"dnsmasq", "xapi"})


def make_reference(
    seed: int = SEED, schools: int = SCHOOLS, lessons_a_school: int = LESSONS_A_SCHOOL
) -> Reference:
    """The reference of a made-up district; the same arguments give the same numbers."""
    rng = np.random.default_rng(seed)
    catalogue = load_catalogue()
    lessons: list[Events] = []
    lengths: list[int] = []
    for _ in range(schools):
        habits = Habits.draw(rng, catalogue)
        for _ in range(lessons_a_school):
            minutes = int(rng.choice([40, 45, 50, 60]))
            plan = plan_lesson(
                rng, habits, subject=str(rng.choice(_SUBJECTS)), grade=int(rng.integers(0, 13))
            )
            lessons.append(lesson_events(rng, plan, devices=int(rng.integers(15, 31)), minutes=minutes))
            lengths.append(minutes * 60)
    x = compute_features(*as_columns(lessons, lengths), catalogue.channel_weights(), catalogue.off_task())
    made = {
        "how": "models.simulator.reference on the shipped catalogue; no real lesson stands behind it",
        "seed": seed,
        "schools": schools,
        "lessons": len(lessons),
        "sources": sorted(_KINDS),
    }
    return reference_of(x, simulated=True, made=made)


def as_columns(lessons: list[Events], lengths: list[int]) -> tuple[Signals, Windows]:
    """Lessons of the given lengths in seconds as signals and windows, all of them from second 0."""
    sizes = np.array([len(events) for events in lessons])
    signals = Signals(
        window=np.repeat(np.arange(len(lessons), dtype=np.int32), sizes),
        t=np.concatenate([events.t for events in lessons]),
        device=np.concatenate([events.device for events in lessons]).astype(np.uint64),
        app=np.concatenate([events.app for events in lessons]),
        action=np.concatenate([events.action for events in lessons]),
        amount=np.concatenate([events.amount for events in lessons]),
    )
    windows = Windows(
        start=np.zeros(len(lessons), np.int64),
        end=np.array(lengths, np.int64),
        kinds=[_KINDS] * len(lessons),
        expected=np.full(len(lessons), 25),
    )
    return signals, windows


if __name__ == "__main__":
    sys.stdout.buffer.write(encode(make_reference()))
