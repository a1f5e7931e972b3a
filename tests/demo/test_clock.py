"""The simulated clock is one small file that never goes back."""

import json
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from demo.clock import read_clock, set_clock


def test_there_is_no_time_before_the_clock_is_set(tmp_path: Path) -> None:
    assert read_clock(tmp_path / "clock.json") is None


def test_a_standing_clock_shows_what_it_was_set_to(tmp_path: Path) -> None:
    path = tmp_path / "clock.json"
    set_clock(path, 1_789_000_000.0)
    assert read_clock(path) == 1_789_000_000.0
    table = json.loads(path.read_text())
    assert set(table) == {"simulated", "real", "rate"}
    assert table["rate"] == 0


@settings(
    derandomize=True,
    max_examples=50,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(st.integers(1_789_000_000, 1_790_000_000), min_size=1, max_size=8))
def test_whatever_it_is_set_to_it_shows_the_latest_time_so_far(tmp_path: Path, moments: list[int]) -> None:
    path = tmp_path / "clock.json"
    path.unlink(missing_ok=True)
    latest = 0.0
    for moment in moments:
        latest = max(latest, moment)
        assert set_clock(path, moment) == latest
        assert read_clock(path) == latest


def test_a_running_clock_goes_on_by_its_rate(tmp_path: Path) -> None:
    path = tmp_path / "clock.json"
    path.write_text(json.dumps({"simulated": 1000.0, "real": 0.0, "rate": 2.0}))
    shown = read_clock(path)
    assert shown is not None
    assert shown > 1000.0 + 2.0 * 1_700_000_000  # this test runs later than 2023
