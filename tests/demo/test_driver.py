"""The driver writes every simulated moment once, however often it is cut off."""

from pathlib import Path

import pytest

from demo.clock import read_clock
from demo.driver import Driver
from demo.layout import Layout
from demo.processes import Children
from demo.state import SchoolState
from demo.stop import StopFlag
from demo.term import beginning

PORT = 1  # nothing listens: these tests start no process


def _driver(root: Path) -> Driver:
    layout = Layout(root)
    driver = Driver(layout, PORT, Children(layout.logs), StopFlag())
    for school in driver.schools:
        driver.state.schools.setdefault(school.slug, SchoolState())
        layout.resolver_log(school.slug).parent.mkdir(parents=True, exist_ok=True)
        layout.resolver_log(school.slug).touch()
    return driver


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_a_write_that_was_cut_off_is_completed_before_anything_else(tmp_path: Path, share: float) -> None:
    first = _driver(tmp_path)
    start = beginning(first.zone)
    first.write(start + 3600)
    # The next write dies after a part of the first school's lines.
    first.state.writing = start + 9 * 3600
    first.close()
    slug = first.schools[0].slug
    chunk = first.feeds[slug].log(start + 3600, start + 9 * 3600)
    with first.layout.resolver_log(slug).open("ab") as log:
        log.write(chunk[: int(len(chunk) * share)])

    second = _driver(tmp_path)
    second.complete()
    second.write(start + 10 * 3600)
    for school in second.schools:
        whole = second.feeds[school.slug].log(start, start + 10 * 3600)
        assert second.layout.resolver_log(school.slug).read_bytes() == whole
    assert read_clock(tmp_path / "clock.json") == start + 9 * 3600


def test_a_run_that_ended_in_order_leaves_nothing_to_complete(tmp_path: Path) -> None:
    first = _driver(tmp_path)
    first.write(beginning(first.zone) + 3600)
    first.close()
    second = _driver(tmp_path)
    before = second.layout.state.read_bytes()
    second.complete()
    assert second.layout.state.read_bytes() == before
    assert second.state.reached == beginning(second.zone) + 3600


def test_the_lease_file_is_there_before_the_first_line(tmp_path: Path) -> None:
    driver = _driver(tmp_path)
    driver.write(beginning(driver.zone) + 60)
    for school in driver.schools:
        leased = driver.layout.leases(school.slug).read_text()
        assert all(device.hardware in leased for device in school.devices if device.kind == "cart")
