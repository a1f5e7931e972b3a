"""Whatever bytes lie where a school's files should: read, refused row by row, or named in one line."""

import io
import tempfile
import zipfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.identity import tables
from edge_agent.identity.bells import load_bells
from edge_agent.identity.roster_file import load_roster
from edge_agent.identity.school_calendar import load_calendar
from edge_agent.identity.tables import Refused
from edge_agent.identity.timetable_file import with_timetable
from edge_agent.identity.today import load_changes
from shared.errors import SettingsError
from tests.edge_agent.identity.test_rosters import APPLE, BASE, Files, folder, read
from tests.edge_agent.identity.test_school_days import BELLS

CALENDAR = (
    "date,day,schedule,rotation,start\n2026-09-14,closed,,A B,2026-08-01\n"
    "2026-12-21..2027-01-02,A,half day,,\n"
)
TIMETABLE = "class,period,days,room,start,end\nc1,1,Mon,R2,,\nc1,,A,,08:00,09:00\n"
TODAY = '[[changes]]\ndate = 2026-09-14\nchange = "delay"\nsince = 1\nminutes = 60\n'


@st.composite
def spoilt(draw: st.DrawFn, data: bytes) -> bytes:
    """The bytes with a few pieces taken out, put in or repeated; or rubbish."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.binary(max_size=200))
    odd = st.binary(max_size=6) | st.sampled_from(
        [b'"', b",", b";", b"\n", b"\r", b"\0", b"\xff", b"..", b"(", b"\\"]
    )
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        upto = min(len(data), at + draw(st.integers(0, 8)))
        data = data[:at] + draw(odd) + data[upto:]
    return data


def test_rows_with_quotation_marks_cost_the_same_wherever_they_stand() -> None:
    class Counted(list[str]):
        steps = 0

        def __iter__(self) -> Iterator[str]:
            for one in super().__iter__():
                Counted.steps += 1
                yield one

    lines = Counted(['"a","b"'] * 500)
    found = list(tables._cells(Path("a.csv"), lines, ",", Refused()))
    assert (len(found), Counted.steps) == (499, 0), "it never goes through the lines from the first one on"


def tolerated(work: object) -> None:
    """Runs it; a SettingsError of one line is as good as success."""
    assert callable(work)
    try:
        work()
    except SettingsError as error:
        assert "\n" not in str(error)


@pytest.mark.parametrize("files", [BASE, APPLE], ids=["oneroster", "apple"])
def test_a_spoilt_roster_is_never_a_crash(files: Files) -> None:
    @settings(derandomize=True, max_examples=150, deadline=None)
    @given(st.data())
    def law(data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(files)))
        bad = data.draw(spoilt(str(files[name]).encode()))
        with tempfile.TemporaryDirectory() as root:
            path = folder(Path(root), {**files, name: bad})

            def work() -> None:
                for item in load_roster(path, Refused()).classes.values():
                    item.on(date(2026, 9, 14))

            tolerated(work)

    law()


@settings(derandomize=True, max_examples=150, deadline=None)
@given(st.data())
def test_a_spoilt_zip_is_never_a_crash(data: st.DataObject) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in BASE.items():
            archive.writestr(name, text)
    bad = data.draw(spoilt(packed.getvalue()))
    with tempfile.TemporaryDirectory() as root:
        path = Path(root) / "a.zip"
        path.write_bytes(bad)
        tolerated(lambda: load_roster(path, Refused()))


@pytest.mark.parametrize("kind", ["bells", "calendar", "timetable", "today"])
def test_a_spoilt_file_of_times_is_never_a_crash(kind: str, tmp_path: Path) -> None:
    roster = read(folder(tmp_path / "roster", BASE))
    path = tmp_path / f"{kind}.csv"
    labels = frozenset({"A", "B"})
    text, work = {
        "bells": (BELLS, lambda: load_bells(path, Refused(), labels)),
        "calendar": (CALENDAR, lambda: load_calendar(path, Refused()).plan(date(2026, 9, 16))),
        "timetable": (TIMETABLE, lambda: with_timetable(roster, path, Refused(), labels)),
        "today": (TODAY, lambda: load_changes(path)),
    }[kind]

    @settings(derandomize=True, max_examples=200, deadline=None)
    @given(st.data())
    def law(data: st.DataObject) -> None:
        path.write_bytes(data.draw(spoilt(text.encode())))
        tolerated(work)

    law()
