"""Whatever lessons a school has, the hub takes the records that its agent makes of them."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.identity.roster import SchoolClass
from edge_agent.identity.timetable import Lesson
from edge_agent.leaving.records import lesson_record, week_lesson, week_record
from edge_agent.lessons.scoring import Scoring
from edge_agent.lessons.weeks import judged_alike
from edge_agent.lessons.windows import ClosedWindow, OpenWindow, WindowKey, close_windows
from edge_agent.sight.visibility import Seen
from hub.known import Known
from hub.store import acceptance
from models.catalogue.load import load_catalogue
from models.integration.load import load_model
from models.scoring.reference import shipped_reference
from models.scoring.scorer import Scorer
from shared.records import LessonRecord, WeekRecord, decode, encode
from shared.signals import SignalBatch
from shared.words import SOURCE_KINDS, Action
from tests.edge_agent.fits import make_fit
from tests.hub.records import SCHOOL

START = 1_756_710_000  # 2025-09-01T07:00:00Z
CATALOGUE = load_catalogue()
MODELS = ("tim", "samr", "picrat", "acot", "loti")
FITTED = ("tim", "acot")  # one that speaks of a lesson, one of a term
KNOWN = Known.load()
ZONE = ZoneInfo("Europe/Vienna")


def _scoring() -> Scoring:
    models = [load_model(name) for name in MODELS]
    return Scoring(
        tuple(
            Scorer.fitted(model, make_fit(model))
            if model.id in FITTED
            else Scorer(model, shipped_reference())
            for model in models
        ),
        5,
    )


SCORING = _scoring()

kinds = st.frozensets(st.sampled_from(sorted(SOURCE_KINDS)), min_size=1, max_size=3)
amounts = st.one_of(st.just(0.0), st.floats(0, 3600, width=32))


@st.composite
def windows(draw: st.DrawFn) -> tuple[OpenWindow, SignalBatch]:
    """A lesson of any length, and what was seen in it: nothing, a little, or everybody all the time."""
    seconds = draw(st.one_of(st.integers(1, 36_000), st.sampled_from((60, 2_700, 36_000))))
    expected = draw(st.integers(1, 40))
    devices = draw(st.integers(0, expected + 3))
    seen = draw(st.sampled_from(("little", "all")))
    if seen == "all":
        app = draw(st.integers(0, len(CATALOGUE.apps)))
        rows = [(t, d, app, Action.CONTACT, 0.0) for d in range(devices) for t in range(0, seconds, 1_200)]
        rows = [(t, d, a, act, 1_200.0) for t, d, a, act, _ in rows]
    else:
        rows = draw(
            st.lists(
                st.tuples(
                    st.integers(0, seconds - 1),
                    st.integers(0, max(0, devices - 1)),
                    st.integers(0, len(CATALOGUE.apps)),
                    st.sampled_from(Action),
                    amounts,
                ),
                max_size=40,
            )
        )
    columns = list(zip(*rows, strict=True)) or [()] * 5
    batch = SignalBatch(
        kind="xapi",
        source="s",
        catalogue="1",
        day_key="k",
        class_codes=("7f3k",),
        t=np.array(columns[0], np.uint32) + np.uint32(START),
        device=np.array(columns[1], np.uint64),
        class_=np.zeros(len(rows), np.uint16),
        app=np.array(columns[2], np.uint16),
        action=np.array([int(one) for one in columns[3]], np.uint8),
        amount=np.array(columns[4], np.float32),
    )
    teachers = frozenset(draw(st.lists(st.sampled_from("abcdef"), min_size=1, max_size=3)))
    school_class = SchoolClass("c", "", "3-5", "science", "", (), (), teachers, frozenset())
    lesson = Lesson(school_class, START, START + seconds)
    sight = Seen(
        seconds=draw(st.integers(0, (expected + 5) * seconds)), bypassed=draw(st.integers(0, expected))
    )
    return OpenWindow(WindowKey("7f3k", START), lesson, expected, sight), batch


def closed(window: OpenWindow, batch: SignalBatch, sources: frozenset[str]) -> ClosedWindow:
    (found,) = close_windows([window], [batch], sources, CATALOGUE, SCORING)
    return found


def check_taken(record: LessonRecord | WeekRecord) -> None:
    """Raises BadInput where the hub would refuse it; it comes through the wire unchanged."""
    read = decode(encode(record))
    assert read == record
    assert isinstance(read, LessonRecord | WeekRecord)
    acceptance.check(read, KNOWN)
    assert acceptance.untimely(read, START + 86_400.0) is None


@settings(derandomize=True, max_examples=250, deadline=None)
@given(windows(), kinds)
def test_every_lesson_that_an_agent_can_close_is_taken(
    seen: tuple[OpenWindow, SignalBatch], sources: frozenset[str]
) -> None:
    found = closed(*seen, sources)
    check_taken(lesson_record(found, school=SCHOOL, zone=ZONE, kinds=sources, revision=1))


@settings(derandomize=True, max_examples=120, deadline=None)
@given(st.lists(st.tuples(windows(), kinds), min_size=1, max_size=8), st.data())
def test_every_week_that_an_agent_can_add_up_is_taken(
    seen: list[tuple[tuple[OpenWindow, SignalBatch], frozenset[str]]], data: st.DataObject
) -> None:
    lessons = [week_lesson(closed(*one, sources), sources) for one, sources in seen]
    names = frozenset[str]().union(*(lesson.teachers for lesson in lessons))
    year, week, _ = datetime.fromtimestamp(START, UTC).isocalendar()
    check_taken(
        week_record(
            judged_alike(lessons, SCORING),
            school=SCHOOL,
            week=f"{year}-W{week:02d}",
            grade_band=data.draw(st.sampled_from(("3-5", "mixed", "all"))),
            teachers=len(names),
        )
    )


def test_a_lesson_in_which_everybody_is_seen_all_the_time_is_taken() -> None:
    """Shares of a step then sum to 1, and to a little more once each is rounded."""
    channels = (Action.VIEW, Action.PRACTISE, Action.CREATE, Action.COEDIT, Action.PUBLISH, Action.REFLECT)
    did = (*channels, Action.PLAN)
    batch = SignalBatch.from_rows(
        [(START, device, 0, 1, int(action), 3_600.0) for device, action in enumerate(did)],
        kind="xapi",
        source="s",
        catalogue="1",
        day_key="k",
        class_codes=("7f3k",),
    )
    school_class = SchoolClass("c", "", "3-5", "science", "", (), (), frozenset("a"), frozenset())
    lesson = Lesson(school_class, START, START + 2_700)
    window = OpenWindow(WindowKey("7f3k", START), lesson, len(did), Seen(seconds=len(did) * 2_700))
    sources = frozenset({"xapi"})
    record = lesson_record(
        closed(window, batch, sources), school=SCHOOL, zone=ZONE, kinds=sources, revision=1
    )
    assert max(sum(step.values()) for step in record.strip) == pytest.approx(1.0003)
    check_taken(record)
