"""Any span of simulated time reaches the agent's input once, in order, and the same again after a crash."""

from datetime import date
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from demo.app_names import AppNames
from demo.day import SchoolDay
from demo.feed import Feed, append_from
from demo.school import School
from demo.term import beginning
from models.catalogue.load import load_catalogue
from shared.errors import SettingsError
from tests.demo.conftest import MONDAY

law = settings(
    derandomize=True,
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def test_the_same_seed_and_day_give_the_same_bytes(
    schools: tuple[School, ...], mondays: dict[str, SchoolDay], zone: ZoneInfo, names: AppNames
) -> None:
    for school in schools:
        again = Feed(school, zone, load_catalogue(), names).day(MONDAY)
        assert again.blocks == mondays[school.slug].blocks
        assert again.statements == mondays[school.slug].statements


def test_another_day_is_another_day(
    schools: tuple[School, ...], mondays: dict[str, SchoolDay], zone: ZoneInfo, names: AppNames
) -> None:
    tuesday = Feed(schools[0], zone, load_catalogue(), names).day(date(2026, 9, 15))
    assert not set(tuesday.statements) & set(mondays[schools[0].slug].statements)


@law
@given(cuts=st.lists(st.integers(0, 47 * 3600), max_size=6))
def test_however_a_span_is_cut_its_parts_make_the_whole(feed: Feed, cuts: list[int]) -> None:
    start = beginning(feed.zone)
    edges = [start, *(start + cut for cut in sorted(cuts)), start + 47 * 3600]
    spans = list(pairwise(edges))
    assert b"".join(feed.log(*span) for span in spans) == feed.log(edges[0], edges[-1])
    parts = [feed.statements(*span) for span in spans]
    good, broken = feed.statements(edges[0], edges[-1])
    assert [statement for part, _ in parts for statement in part] == good
    assert [statement for _, part in parts for statement in part] == broken


def test_a_new_school_day_has_the_carts_leases_already(schools: tuple[School, ...], feed: Feed) -> None:
    known = feed.leases(beginning(feed.zone))
    staying = [device.hardware for device in feed.school.devices if device.stays]
    assert staying
    assert all(hardware in known for hardware in staying)


@law
@given(written=st.integers(0, 20), base=st.integers(0, 5))
def test_a_chunk_that_was_cut_off_by_a_crash_is_completed_not_repeated(
    tmp_path: Path, written: int, base: int
) -> None:
    path = tmp_path / "log"
    before, chunk = b"x" * base, bytes(range(20))
    path.write_bytes(before + chunk[:written])
    assert append_from(path, base, chunk) == base + 20
    assert path.read_bytes() == before + chunk


def test_a_log_that_somebody_else_changed_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"more than there should be")
    with pytest.raises(SettingsError, match="changed by somebody else"):
        append_from(path, 0, b"short")
