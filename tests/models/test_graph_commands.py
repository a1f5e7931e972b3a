"""`models export`, and `models score` with a graph in the place of a fit."""

import csv
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from models.cli import app
from models.features.set1 import FEATURES
from models.graph.write import encode as encode_graph
from models.integration.load import load_model
from models.scoring.fit_file import encode, read_fit
from shared.errors import BadInput, UsageError
from tests.models.graph_fits import KNOWN, walkthrough_fit

run = CliRunner()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("graph")
    (found / "FIT.json").write_bytes(encode(walkthrough_fit(found)))
    with (found / "F.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["window", "school", *FEATURES])
        table = KNOWN.features
        for name, school, row in zip(table.ids, table.school, table.x.tolist(), strict=True):
            rows.writerow([name, school, *("" if np.isnan(value) else repr(value) for value in row)])
    return found


def call(*words: str | Path) -> str:
    result = run.invoke(app, [*map(str, words)])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def placements(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("fitted", [True, False])
def test_a_graph_places_windows_as_its_fit_does(folder: Path, fitted: bool) -> None:
    source = ("--fitted", str(folder / "FIT.json")) if fitted else ()
    graph = folder / "M.json"  # what it is called says nothing
    call("export", "--model", "tim", *source, "--out", graph)
    call("score", folder / "F.csv", "--model", "tim", *source, "--out", folder / "P.csv")
    call("score", folder / "F.csv", "--model", "tim", "--fitted", graph, "--out", folder / "G.csv")
    ours, theirs = placements(folder / "P.csv"), placements(folder / "G.csv")
    assert len(ours) == len(theirs) == 5 * len(KNOWN.features.ids)
    assert {row["verdict"] for row in ours} & ({"placed"} if fitted else {"evidence_only"})
    for one, other in zip(ours, theirs, strict=True):
        assert one.keys() == other.keys()
        for name, value in one.items():
            if name in {"p0", "p1", "p2", "p3", "p4"}:
                assert abs(float(value) - float(other[name])) <= 1e-6
            else:
                assert value == other[name]


def test_the_same_export_gives_the_same_bytes(folder: Path) -> None:
    said = call("export", "--model", "tim", "--fitted", folder / "FIT.json", "--out", folder / "A.onnx")
    call("export", "--model", "tim", "--fitted", folder / "FIT.json", "--out", folder / "B.onnx")
    written = (folder / "A.onnx").read_bytes()
    assert written == (folder / "B.onnx").read_bytes()
    assert written == encode_graph(load_model("tim"), read_fit(folder / "FIT.json"))
    assert "5 of 5 dimensions calibrated by walkthroughs, simulated" in said


def test_a_fit_or_a_graph_of_another_model_is_refused(folder: Path) -> None:
    call("export", "--model", "samr", "--out", folder / "S.onnx")
    with pytest.raises(BadInput, match="graph_other_model"):
        call(
            "score",
            folder / "F.csv",
            "--model",
            "tim",
            "--fitted",
            folder / "S.onnx",
            "--out",
            folder / "P.csv",
        )
    with pytest.raises(BadInput, match="fit_other_model"):
        call("export", "--model", "samr", "--fitted", folder / "FIT.json", "--out", folder / "S.onnx")


def test_a_place_that_cannot_be_written_is_said_in_one_line(folder: Path) -> None:
    with pytest.raises(UsageError, match="choose another place"):
        call("export", "--model", "tim", "--out", folder / "none" / "M.onnx")
