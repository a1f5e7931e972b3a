"""The worked example of docs/models.md does what the page says."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from models import tables
from models.cli import app
from models.features.set1 import FEATURES
from models.integration.load import IntegrationModel, check_model, load_model, model_names

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "models.md").read_text(encoding="utf-8")
EXAMPLES = ROOT / "docs" / "examples"
MERGED = "docs/examples/shared_classroom.toml"

run = CliRunner()


@pytest.fixture
def lessons(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The page's folder: docs beside a table of features of 50 lessons."""
    (tmp_path / "docs").symlink_to(ROOT / "docs")
    monkeypatch.chdir(tmp_path)
    rows = np.random.default_rng(1).random((50, len(FEATURES)))
    lines = [",".join(["window", "school", *FEATURES])]
    lines += [",".join([f"w{i}", "Hillside", *map(str, row)]) for i, row in enumerate(rows)]
    (tmp_path / "F.csv").write_text("\n".join(lines) + "\n")
    yield tmp_path


def commands(part: str) -> list[list[str]]:
    """The commands of the page that name a file of the example, as arguments of `models`."""
    found = re.findall(r"^commonground models (.*)$", PAGE, flags=re.MULTILINE)
    return [shlex.split(line) for line in found if part in line]


def test_the_examples_are_sound_and_named_for_their_ids() -> None:
    own = [path.stem for path in sorted(EXAMPLES.glob("*.toml"))]
    assert own == ["hillside", "riverbend", "shared_classroom"]
    assert model_names(EXAMPLES)[-3:] == tuple(own)
    assert [check_model(EXAMPLES / f"{name}.toml", named_for_id=True) for name in own] == [[], [], []]


def test_the_documented_commands_check_show_and_score_the_merged_model(lessons: Path) -> None:
    asked = commands(MERGED)
    assert [args[0] for args in asked[:3]] == ["check", "show", "score"]
    for args in asked[:3]:
        result = run.invoke(app, args)
        assert result.exit_code == 0, result.output
    header, *rows = (lessons / "P.csv").read_text().splitlines()
    assert header == "window,model,dimension,p0,p1,p2,p3,low,high,evidence,verdict"
    assert len(rows) == 50 * 3
    assert {row.split(",")[1] for row in rows} == {"shared_classroom"}
    assert {row.rsplit(",", 1)[1] for row in rows} == {"evidence_only"}
    assert len(tables.read_features(lessons / "F.csv").ids) == 50


def test_a_merged_model_is_used_from_a_folder_as_the_page_says(lessons: Path) -> None:
    folder = lessons / "AGENT_DIR" / "models"
    folder.mkdir(parents=True)
    (folder / "shared_classroom.toml").write_bytes((EXAMPLES / "shared_classroom.toml").read_bytes())
    assert load_model("shared_classroom", folder).owner == "Hillside Primary School and Riverbend School"
    assert run.invoke(app, ["check", str(folder)]).exit_code == 0


def weights(model: IntegrationModel, dimension: str) -> dict[str, float]:
    (scale,) = (one for one in model.dimensions if one.id == dimension)
    return {one.feature: one.weight for one in scale.indicators}


def test_the_merge_is_what_the_page_tells() -> None:
    hillside, riverbend, merged = (
        load_model(name, EXAMPLES) for name in ("hillside", "riverbend", "shared_classroom")
    )
    assert weights(merged, "making") == weights(hillside, "making")
    assert weights(merged, "choosing") == weights(riverbend, "choosing") | {"synchrony": -0.15}
    assert weights(riverbend, "together")["synchrony"] == -0.3
    both = (weights(hillside, "sharing"), weights(riverbend, "together"))
    assert [one["collaborate_share"] for one in both] == [0.3, 0.5]
    assert weights(merged, "together") == {
        "collaborate_share": 0.4,
        "coedit_fraction": both[1]["coedit_fraction"],
        "peer_share_rate": both[0]["peer_share_rate"],
    }
    stages = [[stage.id for stage in model.dimensions[0].stages] for model in (riverbend, merged)]
    assert stages[0] == stages[1]


def test_the_weights_on_the_page_are_those_of_the_files() -> None:
    for name in ("hillside", "riverbend", "shared_classroom"):
        model = load_model(name, EXAMPLES)
        for dimension in model.dimensions:
            for one in dimension.indicators:
                assert re.search(rf"{one.feature} +{re.escape(f'{one.weight:+.2g}')}\b", PAGE), (name, one)
        assert f"base_rates = [{', '.join(f'{rate:g}' for rate in model.dimensions[0].base_rates)}]" in PAGE


def test_the_table_of_models_on_the_page_is_true() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", PAGE, flags=re.MULTILINE))
    assert set(rows) == set(model_names())
    for name, row in rows.items():
        model = load_model(name)
        _, grain, shown, _ = row.split(" | ")
        assert grain == f"a {model.grain}"
        bands = [one.shown_as == "band" for one in model.dimensions]
        assert ("stages" in shown, "band" in shown) == (not all(bands), any(bands))


def test_the_sample_of_ones_own_model_on_the_page_names_every_key_that_a_file_may_have() -> None:
    sample = PAGE[PAGE.index("```toml") :]
    sample = sample[: sample.index("\n```")]
    keys = {"id", "name", "version", "owner", "source", "link", "grain", "text", "base_rates", "shown_as"}
    keys |= {"why_band", "unseen", "warnings", "criticism", "stages", "dimensions", "needs", "descriptions"}
    keys |= {"indicators", "feature", "weight", "why"}
    assert {key for key in keys if not re.search(rf"\b{key}\b", sample)} == set()
