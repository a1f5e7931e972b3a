"""What may leave a school: minimums, sharing, and no subtraction between what leaves."""

from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.leaving.rules import (
    ALL_BANDS,
    Left,
    LessonFacts,
    lesson_held_back,
    revision_held_back,
    week_groups,
    week_held_back,
)


def lesson(
    row: int = 0,
    *,
    band: str = "3-5",
    code: str = "a",
    teacher: str = "t",
    devices: int = 20,
    left: Left = Left.NO,
) -> LessonFacts:
    return LessonFacts(row, band, code, frozenset({teacher}), devices, left)


def week(count: int, **same: object) -> list[LessonFacts]:
    return [lesson(i, code=f"c{i}", teacher=f"t{i}", **same) for i in range(count)]  # type: ignore[arg-type]


def test_a_class_of_nine_leaves_no_lesson_record_and_one_of_ten_does() -> None:
    assert lesson_held_back(devices=9, minimum=10, shared=True) == "few_devices"
    assert lesson_held_back(devices=10, minimum=10, shared=True) is None


def test_an_unshared_class_leaves_no_lesson_record_however_large() -> None:
    assert lesson_held_back(devices=500, minimum=10, shared=False) == "not_shared"


def test_a_revision_is_not_sent_when_fewer_than_five_devices_changed() -> None:
    assert revision_held_back(sent_before=True, changed_devices=4) == "few_devices_changed"
    assert revision_held_back(sent_before=True, changed_devices=5) is None
    assert revision_held_back(sent_before=False, changed_devices=0) is None


def test_a_week_needs_ten_devices_three_classes_and_three_teachers() -> None:
    assert week_held_back(week(3)) is None
    assert week_held_back(week(3, devices=9)) == "few_devices"
    assert week_held_back(week(2)) == "few_classes"
    assert week_held_back([lesson(i, code=f"c{i}", teacher=f"t{i % 2}") for i in range(6)]) == "few_teachers"
    assert week_held_back([]) == "no_lessons"


def test_what_remains_after_the_shared_lessons_is_subtracted_must_be_enough_or_nothing() -> None:
    shared = [lesson(i, code=f"s{i}", teacher=f"s{i}", left=Left.YES) for i in range(3)]
    assert week_held_back(shared) is None, "nothing remains: nobody can be found by subtraction"
    assert week_held_back([*shared, lesson(9, code="u", teacher="u")]) == "few_classes"
    assert week_held_back([*shared, *week(3)]) is None


def test_a_record_that_may_or_may_not_have_arrived_counts_both_ways() -> None:
    withdrawn = [lesson(9, code="w", teacher="w", left=Left.PERHAPS)]
    delivered = [lesson(i, code=f"s{i}", teacher=f"s{i}", left=Left.YES) for i in range(3)]
    assert week_held_back([*delivered, *withdrawn]) == "few_classes", "one withdrawn class alone remains"
    assert week_held_back([*delivered, *withdrawn, *week(2)]) == "few_classes", "if it did arrive, two remain"
    assert week_held_back([*delivered, *withdrawn, *week(3)]) is None


def test_one_band_below_its_minimum_makes_all_bands_leave_as_one() -> None:
    good, small = week(3, band="3-5"), [lesson(9, band="6-8", code="x", teacher="x")]
    groups, held_back = week_groups([*good, *small])
    assert list(groups) == [ALL_BANDS] and len(groups[ALL_BANDS]) == 4 and held_back is None


def test_when_all_together_are_too_few_nothing_leaves_but_the_reason() -> None:
    assert week_groups(week(2)) == ({}, "few_classes")
    assert week_groups([]) == ({}, "no_lessons")


facts = st.builds(
    LessonFacts,
    row=st.integers(0, 1000),
    grade_band=st.sampled_from(["k-2", "3-5", "6-8"]),
    class_code=st.sampled_from("abcdefghij"),
    teachers=st.frozensets(st.sampled_from("pqrstuv"), min_size=1, max_size=2),
    devices=st.integers(1, 30),
    left=st.sampled_from(Left),
)


@settings(derandomize=True, max_examples=400, deadline=None)
@given(st.lists(facts, max_size=25))
def test_every_group_that_leaves_keeps_the_minimums_with_and_without_its_shared_lessons(
    lessons: list[LessonFacts],
) -> None:
    groups, held_back = week_groups(lessons)
    assert bool(groups) != bool(held_back)
    for group in groups.values():
        surely = [item for item in group if item.left is not Left.YES]
        perhaps = [item for item in group if item.left is Left.NO]
        for part in [group, *(part for part in (surely, perhaps) if part)]:
            assert max(item.devices for item in part) >= 10
            assert len({item.class_code for item in part}) >= 3
            assert len({teacher for item in part for teacher in item.teachers}) >= 3
    if groups:
        together = sorted(item.row for group in groups.values() for item in group)
        assert together == sorted(item.row for item in lessons), "no lesson is left out or counted twice"
    for one, other in combinations(groups.values(), 2):
        assert not {item.grade_band for item in one} & {item.grade_band for item in other}
