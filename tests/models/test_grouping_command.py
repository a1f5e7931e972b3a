"""`models aggregate` as people use it: three files in, one out, and a clear word where they do not fit."""

import csv
import json
import re
from pathlib import Path

import msgspec
import numpy as np
import pytest
from typer.testing import CliRunner

from models.cli import app
from models.commands.aggregate import middle
from models.features.inputs import Windows
from models.integration.load import PUBLISHED, load_model
from models.scoring.fit_file import encode, read_fit, sealed
from models.tables import WindowTable, write_features
from shared.errors import BadInput, CommonGroundError, UsageError
from tests.models.fit_lessons import TIM, lessons, rated, write_ratings

run = CliRunner()
KNOWN = lessons(31, 420, schools=12)
STAGES = [stage.id for stage in TIM.dimensions[0].stages]
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
    shares = [row.pop("shares") for row in found]
    assert [{k: "" if v is None else str(v) for k, v in row.items()} for row in found] == rows
    for row, told in zip(found, shares, strict=True):
        assert [one["stage"] for one in told] == ([] if row["mean"] is None else STAGES)
        assert all(0 <= one["low"] <= one["share"] <= one["high"] <= 1 for one in told)
        if told:
            assert sum(k * one["share"] for k, one in enumerate(told)) == pytest.approx(row["mean"], abs=1e-3)


def test_shares_are_a_file_of_their_own_and_change_nothing_in_the_other(folder: Path, tmp_path: Path) -> None:
    rows = aggregate(folder, "class")
    before = (folder / "G.csv").read_bytes()
    aggregate(folder, "class", "--shares", str(tmp_path / "S.csv"))
    assert (folder / "G.csv").read_bytes() == before
    lines = (tmp_path / "S.csv").read_text().splitlines()
    assert lines[0] == "group,model,dimension,stage,share,low,high"
    with (tmp_path / "S.csv").open(newline="") as file:
        shares = list(csv.DictReader(file))
    told = [(row["group"], row["dimension"], stage) for row in rows if row["mean"] for stage in STAGES]
    assert [(row["group"], row["dimension"], row["stage"]) for row in shares] == told


def test_no_file_to_read_or_to_write_is_written_over(folder: Path) -> None:
    for name in ("P.csv", "F.csv", "FIT.json", "G.csv"):
        before = (folder / name).read_bytes() if (folder / name).exists() else b""
        with pytest.raises(UsageError, match="choose another name"):
            aggregate(folder, "school", "--shares", str(folder / name))
        assert not before or (folder / name).read_bytes() == before


def test_classes_of_two_schools_with_the_same_code_are_two_classes(folder: Path, tmp_path: Path) -> None:
    aggregate(folder, "school")
    told = (folder / "G.csv").read_bytes()
    with (folder / "F.csv").open(newline="") as file:
        header, *rows = csv.reader(file)
    alike = tmp_path / "F.csv"
    with alike.open("w", newline="") as file:
        csv.writer(file).writerows([header, *([*row[:2], row[2][-1], *row[3:]] for row in rows)])
    aggregate(folder, "school", F=alike, G=tmp_path / "G.csv")
    assert (tmp_path / "G.csv").read_bytes() == told


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


def own_model(folder: Path, shown_as: str) -> Path:
    """TIM as a school's own model, by whichever way it wants its scales shown."""
    text = (PUBLISHED / "tim.toml").read_text().replace('id = "tim"', 'id = "ours"', 1)
    band = 'shown_as = "band"\nwhy_band = "Our coaches tell no two of these stages apart."\n'
    path = folder / "ours.toml"
    path.write_text(text.replace('grain = "lesson"', f'grain = "term"\n{band * (shown_as == "band")}', 1))
    return path


def spoken(folder: Path, *more: str) -> str:
    args = ["aggregate", "P.csv", "--features", "F.csv", "--fitted", "OURS.json", "--by", "school"]
    whole = [str(folder / arg) if "." in arg else arg for arg in [*args, "--out", "G.csv"]]
    result = run.invoke(app, [*whole, *more])
    assert result.exit_code == 0, result.output
    return " ".join(result.output.split())


@pytest.fixture
def ours(folder: Path, tmp_path: Path) -> Path:
    """Files of an own model, which the fit of TIM is passed off as one of."""
    model = load_model(str(own_model(tmp_path, "band")))
    fit = read_fit(folder / "FIT.json")
    renamed = msgspec.structs.replace(fit, model=model.id, version=model.version)
    (tmp_path / "OURS.json").write_bytes(encode(sealed(renamed)))
    (tmp_path / "F.csv").write_bytes((folder / "F.csv").read_bytes())
    changed(folder, "P.csv", ",tim,", ",ours,", tmp_path)
    return tmp_path


def test_a_scale_shown_as_a_band_has_stages_and_no_mean(ours: Path) -> None:
    told = spoken(ours, "--model", str(ours / "ours.toml"))
    assert re.search(r"school-00 active \d+ (Entry|Adoption) to (Adaptation|Infusion|Transformation)", told)
    assert not re.search(r"\d\.\d\d", told)
    assert "middle 80%" in told
    assert "speaks of a term" in told


def test_an_own_model_is_asked_for_and_another_ones_is_refused(ours: Path) -> None:
    told = spoken(ours)
    assert "`ours` is a model of your own" in told
    assert re.search(r"\d\.\d\d to \d\.\d\d", told)
    with pytest.raises(AssertionError):
        spoken(ours, "--model", "samr")


@pytest.mark.parametrize(
    ("shares", "stages"),
    [
        ((0.2, 0.2, 0.2, 0.2, 0.2), (0, 4)),
        ((0.1, 0.8, 0.1), (1, 1)),
        ((0.05, 0.05, 0.4, 0.45, 0.05), (2, 3)),
        ((1.0, 0.0, 0.0), (0, 0)),
        ((0.0, 0.0, 1.0), (2, 2)),
        ((0.5, 0.3, 0.2), (0, 2)),
    ],
)
def test_a_band_leaves_out_a_tenth_of_the_lessons_at_most_at_either_end(
    shares: tuple[float, ...], stages: tuple[int, int]
) -> None:
    assert middle(shares) == stages
