"""The simulated schools could be real ones."""

from collections import Counter
from itertools import pairwise

from demo.characters import CHARACTERS
from demo.school import School, Section, build_schools
from tests.demo.conftest import SEED


def test_the_same_seed_gives_the_same_schools_and_another_seed_others(schools: tuple[School, ...]) -> None:
    assert build_schools(SEED) == schools
    assert build_schools(SEED + 1) != schools


def test_nobody_has_two_lessons_at_once(schools: tuple[School, ...]) -> None:
    for school in schools:
        known = {bell.name for bell in school.bells}
        taken: Counter[tuple[str, str]] = Counter()
        for section in school.sections:
            assert set(section.periods) <= known
            cart = [section.room] if section.devices[0].kind == "cart" else []
            for period in section.periods:
                for who in (section.teacher.username, section.learners[0].username, *cart):
                    taken[who, period] += 1
        assert max(taken.values()) == 1


def test_bells_of_a_weekday_do_not_overlap(schools: tuple[School, ...]) -> None:
    for school in schools:
        for weekday in range(5):
            rings = sorted((b.start, b.end) for b in school.bells if weekday in b.weekdays)
            assert rings
            assert all(before[1] <= after[0] for before, after in pairwise(rings))


def test_every_grade_band_keeps_three_classes_and_teachers_when_shared_classes_are_taken_out(
    schools: tuple[School, ...],
) -> None:
    for school in schools:
        bands: dict[str, list[Section]] = {}
        for section in school.sections:
            if not section.shared:
                bands.setdefault(_band(section.grade), []).append(section)
        for sections in bands.values():
            assert len(sections) >= 3
            assert len({section.teacher.username for section in sections}) >= 3
            assert max(len(section.learners) for section in sections) >= 10


def test_one_class_has_nine_learners_and_its_teacher_shares_it(schools: tuple[School, ...]) -> None:
    small = [s for school in schools for s in school.sections if len(s.learners) < 10]
    assert {len(section.learners) for section in small} == {9}
    assert all(section.shared for section in small)


def test_about_two_fifths_of_the_classes_are_shared(schools: tuple[School, ...]) -> None:
    sections = [section for school in schools for section in school.sections]
    assert 0.35 < sum(section.shared for section in sections) / len(sections) < 0.55


def test_a_cart_serves_every_class_of_its_room_and_its_ipads_have_no_user(
    schools: tuple[School, ...],
) -> None:
    rooms = {group.room for character in CHARACTERS for group in character.groups if group.cart}
    for school in schools:
        for section in school.sections:
            if section.room in rooms:
                assert all(device.kind == "cart" and device.owner is None for device in section.devices)
                assert all(device.room == section.room for device in section.devices)
            assert len(section.devices) == len(section.learners)


def test_serials_addresses_usernames_and_ids_are_unique(schools: tuple[School, ...]) -> None:
    for school in schools:
        people = (*school.teachers, *school.learners)
        for values in (
            [device.serial for device in school.devices if device.serial],
            [device.hardware for device in school.devices],
            [person.username for person in people],
            [person.sourced_id for person in people],
            [person.full for person in people],
        ):
            assert len(set(values)) == len(values)


def test_some_ipads_show_a_private_address_that_the_inventory_does_not_list(
    schools: tuple[School, ...],
) -> None:
    for school in schools:
        private = [d for d in school.devices if d.listed and d.hardware != d.listed]
        assert len(private) == 3
        assert all(device.hardware[1] in "26ae" for device in private)
        listed = {device.listed for device in school.devices}
        assert not listed & {device.hardware for device in private}


def test_canaries_cover_every_person_and_device(schools: tuple[School, ...]) -> None:
    for school in schools:
        canaries = school.canaries()
        assert all(person.username in canaries for person in (*school.teachers, *school.learners))
        assert all(device.hardware in canaries for device in school.devices)
        # Short strings would be found in anything.
        assert min(len(text) for text in canaries) >= 5


def _band(grade: str) -> str:
    return "k-2" if grade in ("01", "02") else "3-5" if grade <= "05" else "6-8" if grade <= "08" else "9-12"
