"""`commonground models` as people use it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from models.catalogue.load import load_catalogue
from models.cli import app
from models.features.set1 import FEATURES
from shared.errors import CommonGroundError, UsageError

WINDOWS = """window,school,start,end,expected,sources
later,Alder,5000,7700,12,dnsmasq;xapi
first,Alder,1000,3700,10,dnsmasq
empty,Birch,1000,3700,10,dnsmasq
"""
SIGNALS = """window,t,device,app,action,amount
first,1000,a,book_creator,contact,0
first,1100,b,,contact,
later,5200,a,kahoot,practise,30.5
first,99,a,kahoot,contact,0
"""

run = CliRunner()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "W.csv").write_text(WINDOWS)
    (tmp_path / "S.csv").write_text(SIGNALS)
    return tmp_path


def compute(folder: Path, *more: str) -> None:
    args = [
        "features",
        str(folder / "S.csv"),
        "--windows",
        str(folder / "W.csv"),
        "--out",
        str(folder / "F.csv"),
    ]
    result = run.invoke(app, [*args, *more])
    assert result.exit_code == 0, result.output


def test_features_writes_one_row_for_each_window_in_their_order(folder: Path) -> None:
    compute(folder)
    header, *lines = (folder / "F.csv").read_text().splitlines()
    assert header.split(",") == ["window", "school", *FEATURES]
    assert [line.split(",")[:2] for line in lines] == [
        ["later", "Alder"],
        ["first", "Alder"],
        ["empty", "Birch"],
    ]
    first = dict(zip(header.split(","), lines[1].split(","), strict=True))
    assert first["evidence"] == "2.0"
    assert first["artefact_rate"] == ""
    assert dict(zip(header.split(","), lines[0].split(","), strict=True))["practise_share"] == "1.0"


def test_features_counts_the_signals_it_left_out(folder: Path) -> None:
    args = [
        "features",
        str(folder / "S.csv"),
        "--windows",
        str(folder / "W.csv"),
        "--out",
        str(folder / "F.csv"),
    ]
    assert "1 signals outside their window were left out" in run.invoke(app, args).stderr


def test_score_places_every_window_on_every_dimension(folder: Path) -> None:
    compute(folder)
    result = run.invoke(
        app, ["score", str(folder / "F.csv"), "--model", "tim", "--out", str(folder / "P.csv")]
    )
    assert result.exit_code == 0
    header, *lines = (folder / "P.csv").read_text().splitlines()
    assert header == "window,model,dimension,p0,p1,p2,p3,p4,low,high,evidence,verdict"
    assert len(lines) == 3 * 5
    assert all(line.endswith("evidence_only") for line in lines)
    empty = [list(map(float, line.split(",")[3:8])) for line in lines if line.startswith("empty")]
    assert empty == [pytest.approx([0.22, 0.33, 0.25, 0.14, 0.06], abs=1e-12)] * 5


def scored(folder: Path, model: str) -> str:
    """What `score` says beside its file."""
    result = run.invoke(
        app, ["score", str(folder / "F.csv"), "--model", model, "--out", str(folder / "P.csv")]
    )
    assert result.exit_code == 0, result.output
    return result.stderr


def test_score_counts_windows_and_dimensions_and_says_what_they_rest_on(folder: Path) -> None:
    compute(folder)
    assert scored(folder, "tim") == "3 windows on 5 dimensions: inferred, not calibrated by walkthroughs\n"
    assert scored(folder, "samr").startswith("3 windows on 1 dimension: ")


@pytest.mark.parametrize("model", ["acot", "loti"])
def test_score_by_a_model_of_a_term_says_that_no_lesson_is_placed(folder: Path, model: str) -> None:
    compute(folder)
    said = scored(folder, model)
    assert "speaks of a term, so it places no lesson" in said
    assert "use `models aggregate`" in said


@pytest.mark.parametrize("what", ["F.csv", "link.csv"])
def test_score_never_writes_over_what_it_reads(folder: Path, what: str) -> None:
    compute(folder)
    before = (folder / "F.csv").read_bytes()
    (folder / "link.csv").symlink_to(folder / "F.csv")
    args = ["score", str(folder / "F.csv"), "--model", "tim", "--out", str(folder / what)]
    assert isinstance(run.invoke(app, args).exception, UsageError)
    assert (folder / "F.csv").read_bytes() == before


def test_catalogue_lists_apps_in_index_order() -> None:
    known = load_catalogue()
    rows = json.loads(run.invoke(app, ["catalogue", "--json"]).stdout)
    assert [row["id"] for row in rows] == [entry.id for entry in known.apps]
    assert set(rows[0]) == {"id", "name", "domains", "bundle_ids", "channels", "off_task"}
    assert len(run.invoke(app, ["catalogue"]).stdout.splitlines()) == len(known.apps)


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (["score", "F.csv", "--model", "tin", "--out", "P.csv"], 2, "did you mean `tim`"),
        (["score", "none.csv", "--model", "tim", "--out", "P.csv"], 2, "none.csv cannot be read"),
        (["score", "S.csv", "--model", "tim", "--out", "P.csv"], 1, "S.csv, line 1"),
        (["show", "sam"], 2, "unknown model `sam`; did you mean `samr`?"),
        (["features", "S.csv", "--windows", "S.csv", "--out", "F.csv"], 1, "there is no column `school`"),
    ],
)
def test_a_fault_is_one_error_with_its_exit_code(
    folder: Path, monkeypatch: pytest.MonkeyPatch, args: list[str], code: int, message: str
) -> None:
    compute(folder)
    monkeypatch.chdir(folder)
    error = run.invoke(app, args).exception
    assert isinstance(error, CommonGroundError)
    assert message in str(error)
    assert error.exit_code == code


def test_the_front_door_prints_one_line_and_leaves_no_file(folder: Path) -> None:
    (folder / "S.csv").write_text(SIGNALS.replace("kahoot", "kahot", 1))
    args = ["features", "S.csv", "--windows", "W.csv", "--out", "F.csv"]
    done = subprocess.run(
        [sys.executable, "-m", "commonground", "models", *args],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ")
    assert "S.csv, line 4: `app` 'kahot' is not in the catalogue; did you mean `kahoot`?" in line
    assert not (folder / "F.csv").exists()


@pytest.mark.parametrize("command", ["list", "show", "crosswalk", "catalogue", "check", "features", "score"])
def test_every_command_has_help(command: str) -> None:
    result = run.invoke(app, [command, "--help"])
    assert result.exit_code == 0
    assert "Usage" in result.stdout
