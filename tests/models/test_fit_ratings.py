"""R.csv: every row is used, or counted with the reason, or refused with its line."""

from pathlib import Path

import numpy as np
import pytest

from models.features.set1 import FEATURES
from models.fitting.ratings import RatingTable, read_ratings
from models.tables import FeatureTable
from shared.errors import BadInput
from tests.models.fit_lessons import TIM

TABLE = FeatureTable(("a", "b", "c"), ("Alder", "Alder", "Birch"), None, None, np.zeros((3, len(FEATURES))))
ROWS = ["b,active,Ann,Alder,3", "a,active,Zoe,Alder,1", "a,active,Ann,Alder,0", "c,authentic,Ann,Birch,4"]


def read(folder: Path, rows: list[str], header: str = "window,dimension,coach,school,level") -> RatingTable:
    path = folder / "R.csv"
    path.write_text("\n".join([header, *rows]) + "\n")
    return read_ratings(path, TIM, TABLE)


def refused(folder: Path, rows: list[str], header: str = "window,dimension,coach,school,level") -> str:
    with pytest.raises(BadInput) as found:
        read(folder, rows, header)
    assert "\n" not in str(found.value)
    return str(found.value)


def test_ratings_come_by_dimension_window_and_coach(tmp_path: Path) -> None:
    found = read(tmp_path, ROWS)
    active = found.dimensions["active"]
    assert found.coaches == ("Ann", "Zoe")
    assert active.row.tolist() == [0, 0, 1]
    assert active.level.tolist() == [0, 1, 3]
    assert active.coach.tolist() == [0, 1, 0]
    assert tuple(found.dimensions) == tuple(dimension.id for dimension in TIM.dimensions)
    assert len(found.dimensions["collaborative"].row) == 0


def test_the_order_of_rows_changes_nothing_and_any_other_change_shows(tmp_path: Path) -> None:
    one, other = read(tmp_path, ROWS), read(tmp_path, ROWS[::-1])
    assert one.digest == other.digest
    for name in one.dimensions:
        assert one.dimensions[name].row.tolist() == other.dimensions[name].row.tolist()
    assert read(tmp_path, [*ROWS[:-1], "c,authentic,Ann,Birch,3"]).digest != one.digest


def test_briefed_coaches_and_unknown_windows_are_left_out_and_counted(tmp_path: Path) -> None:
    header = "window,dimension,coach,school,level,briefed"
    cells = ["", "0", "no", "False", "1", "YES", "true"]
    rows = [f"a,active,coach{i},Alder,1,{cell}" for i, cell in enumerate(cells)]
    found = read(tmp_path, [*rows, "x,active,Ann,Alder,1,", "y,active,Ann,Alder,1,1"], header)
    active = found.dimensions["active"]
    assert len(active.row) == 4
    assert (active.briefed, active.unknown_window) == (4, 1)
    assert found.dimensions["authentic"].briefed == 0


def test_a_school_that_is_not_the_windows_is_counted(tmp_path: Path) -> None:
    assert read(tmp_path, ROWS).other_school == 0
    assert read(tmp_path, [*ROWS, "b,authentic,Ann,Birch,2"]).other_school == 1


def test_a_coach_cannot_rate_the_same_thing_twice(tmp_path: Path) -> None:
    assert "line 6" in refused(tmp_path, [*ROWS, "b,active,Ann,Alder,3"])


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("a,activ,Ann,Alder,1", "did you mean `active`?"),
        ("a,active,Ann,Alder,5", "from 0 to 4"),
        ("a,active,Ann,Alder,-1", "from 0 to 4"),
        ("a,active,Ann,Alder,1.5", "from 0 to 4"),
        ("a,active,Ann,Alder,", "from 0 to 4"),
        ("a,active,,Alder,1", "`coach`"),
        (",active,Ann,Alder,1", "`window`"),
    ],
)
def test_a_wrong_cell_is_refused_with_its_line(tmp_path: Path, row: str, told: str) -> None:
    message = refused(tmp_path, [ROWS[0], row])
    assert "line 3" in message
    assert told in message


def test_a_mark_that_is_neither_true_nor_false_is_refused(tmp_path: Path) -> None:
    header = "window,dimension,coach,school,level,briefed"
    assert "maybe" in refused(tmp_path, ["a,active,Ann,Alder,1,maybe"], header)
