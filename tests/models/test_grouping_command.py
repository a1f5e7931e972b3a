"""`models aggregate` as people use it: three files in, one out, and a clear word where they do not fit."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from models.cli import app
from models.features.inputs import Windows
from models.tables import WindowTable, write_features
from shared.errors import BadInput, CommonGroundError, UsageError
from tests.models.fit_lessons import lessons, rated, write_ratings

run = CliRunner()
KNOWN = lessons(31, 420, schools=12)
HEADER = "group,model,dimension,n,mean,low,high,status"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """F.csv, FIT.json and P.csv of 12 schools, of which coaches saw nine."""
    where = tmp_path_factory.mktemp("aggregate")
    ids = KNOWN.features.ids
    start = np.arange(len(ids), dtype=np.int64) * 3600
    nobody = np.zeros(len(ids), np.int64)
    columns = Windows(start=start, end=start + 2700, kinds=(frozenset(),) * len(ids), expected=nobody)
    class_ = tuple(f"{school[-2:]}{i % 4}" for i, school in enumerate(KNOWN.features.school))
    write_features(
        where / "F.csv", WindowTable(ids, KNOWN.features.school, class_, columns), KNOWN.features.x
    )
    rows = [row for row in rated(KNOWN, 32) if row[3] < "school-09" and row[1] != "authentic"]
    write_ratings(where / "R.csv", rows[:800])
    for args in (
        ["fit", "--features", "F.csv", "--ratings", "R.csv", "--model", "tim", "--out", "FIT.json"],
        ["score", "F.csv", "--model", "tim", "--fitted", "FIT.json", "--out", "P.csv"],
    ):
        result = run.invoke(app, [str(where / arg) if "." in arg else arg for arg in args])
        assert result.exit_code == 0, result.output
    return where


def aggregate(folder: Path, by: str, *more: str, **files: Path) -> list[dict[str, str]]:
    names = {"P": folder / "P.csv", "F": folder / "F.csv", "G": folder / "G.csv", **files}
    args = ["aggregate", str(names["P"]), "--features", str(names["F"]), "--by", by]
    result = run.invoke(app, [*args, "--fitted", str(folder / "FIT.json"), "--out", str(names["G"]), *more])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    with names["G"].open(newline="") as file:
        return list(csv.DictReader(file))


def changed(folder: Path, name: str, old: str, new: str, to: Path) -> Path:
    path = to / name
    path.write_text((folder / name).read_text().replace(old, new))
    return path


def test_every_school_has_a_row_for_each_dimension_in_the_order_of_names(folder: Path) -> None:
    rows = aggregate(folder, "school")
    assert (folder / "G.csv").read_text().splitlines()[0] == HEADER
    assert [row["group"] for row in rows] == [f"school-{s:02d}" for s in range(12) for _ in range(5)]
    assert {row["model"] for row in rows} == {"tim"}
    for row in rows:
        if row["dimension"] == "authentic":
            assert row["status"] == "not_calibrated"
            assert row["mean"] == row["low"] == row["high"] == ""
        else:
            assert row["status"] == "comparable"
            assert 0 <= float(row["low"]) < float(row["mean"]) < float(row["high"]) <= 4
    assert sum(int(row["n"]) for row in rows if row["dimension"] == "active") == 420


def test_classes_are_groups_too_and_small_ones_are_not_compared(folder: Path) -> None:
    rows = aggregate(folder, "class")
    assert len(rows) == 48 * 5
    for row in rows:
        if row["dimension"] != "authentic":
            assert (row["status"] == "too_few_lessons") == (int(row["n"]) < 5)


def test_the_order_of_rows_in_any_file_changes_nothing(folder: Path, tmp_path: Path) -> None:
    aggregate(folder, "class")
    told = (folder / "G.csv").read_bytes()
    for name in ("P.csv", "F.csv"):
        header, *lines = (folder / name).read_text().splitlines()
        order = np.random.default_rng(len(lines)).permutation(len(lines)).tolist()
        (tmp_path / name).write_text("\n".join([header, *(lines[i] for i in order)]) + "\n")
    aggregate(folder, "class", P=tmp_path / "P.csv", F=tmp_path / "F.csv", G=tmp_path / "G.csv")
    assert (tmp_path / "G.csv").read_bytes() == told


def test_json_tells_the_rows_of_the_file(folder: Path) -> None:
    rows = aggregate(folder, "school")
    args = ["aggregate", str(folder / "P.csv"), "--features", str(folder / "F.csv"), "--by", "school"]
    files = ["--fitted", str(folder / "FIT.json"), "--out", str(folder / "G.csv"), "--json"]
    found = json.loads(run.invoke(app, [*args, *files]).stdout)
    assert [{k: "" if v is None else str(v) for k, v in row.items()} for row in found] == rows


def test_people_get_a_table_and_no_ranking(folder: Path) -> None:
    args = ["aggregate", str(folder / "P.csv"), "--features", str(folder / "F.csv"), "--by", "school"]
    result = run.invoke(app, [*args, "--fitted", str(folder / "FIT.json"), "--out", str(folder / "G.csv")])
    assert "90% interval" in result.output
    assert "48 comparable, 12 not_calibrated" in result.output
    shown = [line.split()[0] for line in result.output.splitlines() if line.startswith("school-")]
    assert shown == sorted(shown)


def test_without_classes_schools_can_be_told_and_classes_cannot(folder: Path, tmp_path: Path) -> None:
    with (folder / "F.csv").open(newline="") as file:
        rows = [[cell for i, cell in enumerate(row) if i != 2] for row in csv.reader(file)]
    bare = tmp_path / "F.csv"
    with bare.open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    assert {row["status"] for row in aggregate(folder, "school", F=bare)} == {"comparable", "not_calibrated"}
    with pytest.raises(UsageError, match="--by school"):
        aggregate(folder, "class", F=bare)


def test_a_class_code_in_two_schools_is_refused(folder: Path, tmp_path: Path) -> None:
    clash = changed(folder, "F.csv", ",010,", ",020,", tmp_path)
    with pytest.raises(BadInput, match="'020' is in two schools"):
        aggregate(folder, "class", F=clash)
    assert aggregate(folder, "school", F=clash)


@pytest.mark.parametrize(
    ("name", "old", "new", "told"),
    [
        ("P.csv", ",tim,", ",samr,", "the fit is of `tim`"),
        ("P.csv", "w00007,", "other,", "has window 'other'"),
        ("F.csv", "w00007,", "other,", "has window 'w00007'"),
        ("P.csv", "w00007,tim,active", "w00008,tim,active", "twice on `active`"),
        ("P.csv", ",goal_directed,", ",goal,", "no dimension 'goal'"),
    ],
)
def test_files_that_do_not_belong_together_are_refused(
    name: str, old: str, new: str, told: str, folder: Path, tmp_path: Path
) -> None:
    with pytest.raises(BadInput, match=told):
        aggregate(folder, "school", **{name[0]: changed(folder, name, old, new, tmp_path)})


def test_a_window_that_was_not_scored_is_named(folder: Path, tmp_path: Path) -> None:
    lines = [line for line in (folder / "P.csv").read_text().splitlines() if not line.startswith("w00042,")]
    (tmp_path / "P.csv").write_text("\n".join(lines) + "\n")
    with pytest.raises(BadInput, match="of window 'w00042'"):
        aggregate(folder, "school", P=tmp_path / "P.csv")


def test_placements_by_the_rubric_alone_are_refused(folder: Path, tmp_path: Path) -> None:
    args = ["score", str(folder / "F.csv"), "--model", "tim", "--out", str(tmp_path / "P.csv")]
    assert run.invoke(app, args).exit_code == 0
    with pytest.raises(CommonGroundError, match="score --fitted"):
        aggregate(folder, "school", P=tmp_path / "P.csv")
