"""`models card` as people use it: one page, and one line for whatever is wrong."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from typer.testing import CliRunner

from models.card.sound import checked
from models.cli import app
from models.features.set1 import FEATURES
from models.scoring.fit_file import encode
from models.tables import FeatureTable
from shared.errors import BadInput, CommonGroundError, UsageError
from tests.models.card_fits import changed, fitted, with_dimension
from tests.models.fit_lessons import lessons

run = CliRunner()


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        ({"fitted": "yesterday"}, "must be a date"),
        ({"seed": -1}, "must not be negative"),
    ],
)
def test_a_strange_fit_is_refused_in_one_line(parts: dict[str, Any], told: str) -> None:
    with pytest.raises(BadInput, match=told) as refused:
        checked(changed(fitted(), **parts), "FIT.json")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        ({"confusion": ((1, 2), (3, 4))}, "must be 5 by 5"),
        ({"confusion": ((0,) * 5,) * 5}, "must hold counts"),
        ({"confusion": ((1, -1, 1, 1, 1),) * 5}, "must hold counts"),
        ({"kappa": 3.0}, "between 0 and 1"),
        ({"size": 9.0}, "sets span 1 to 5"),
    ],
)
def test_strange_held_out_figures_are_refused_in_one_line(parts: dict[str, Any], told: str) -> None:
    fit = fitted()
    held = fit.dimensions["active"].held_out
    assert held is not None
    strange = with_dimension(fit, "active", held_out=msgspec.structs.replace(held, **parts))
    with pytest.raises(BadInput, match=told):
        checked(strange, "FIT.json")
    assert checked(fit, "FIT.json") is fit


def command(*arguments: str) -> tuple[str, CommonGroundError | None]:
    result = run.invoke(app, ["card", *arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        assert isinstance(result.exception, CommonGroundError), result.exception
        return result.output, result.exception
    return result.output, None


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A fit and features of later lessons as files."""
    (tmp_path / "FIT.json").write_bytes(encode(fitted()))
    write_features(tmp_path / "F.csv", lessons(9, 40).features)
    return tmp_path


def write_features(path: Path, table: FeatureTable) -> None:
    rows = [
        ",".join((name, school, *("" if np.isnan(v) else repr(float(v)) for v in row)))
        for name, school, row in zip(table.ids, table.school, table.x, strict=True)
    ]
    path.write_text("\n".join([",".join(("window", "school", *FEATURES)), *rows]) + "\n")


def test_the_command_writes_one_page_and_says_so(folder: Path) -> None:
    out = folder / "card.html"
    said, wrong = command(str(folder / "FIT.json"), "--out", str(out), "--features", str(folder / "F.csv"))
    assert wrong is None and str(out) in said
    told = out.read_text(encoding="utf-8")
    assert "40 later lessons" in told and "4 March 2025" in told
    again = folder / "again.html"
    command(str(folder / "FIT.json"), "--out", str(again), "--features", str(folder / "F.csv"))
    assert again.read_bytes() == out.read_bytes()


def test_a_schools_own_model_is_given_by_its_file_and_asked_for_if_it_is_not(folder: Path) -> None:
    text = (Path(__file__).parents[2] / "models/integration/published/tim.toml").read_text(encoding="utf-8")
    (folder / "ours.toml").write_text(text.replace('id = "tim"', 'id = "ours"', 1), encoding="utf-8")
    (folder / "OURS.json").write_bytes(encode(changed(fitted(), model="ours")))
    out = str(folder / "card.html")
    _, wrong = command(str(folder / "OURS.json"), "--out", out)
    assert isinstance(wrong, UsageError) and "--model" in str(wrong)
    _, wrong = command(str(folder / "OURS.json"), "--out", out, "--model", str(folder / "ours.toml"))
    assert wrong is None
    _, wrong = command(str(folder / "FIT.json"), "--out", out, "--model", "samr")
    assert isinstance(wrong, BadInput) and "`tim`" in str(wrong)


def test_what_cannot_be_read_or_written_is_one_line(folder: Path) -> None:
    fit, out = str(folder / "FIT.json"), str(folder / "card.html")
    (folder / "empty.csv").write_text(",".join(("window", "school", *FEATURES)) + "\n")
    for arguments in (
        (str(folder / "none.json"), "--out", out),
        (fit, "--out", str(folder / "no" / "card.html")),
        (fit, "--out", out, "--features", str(folder / "empty.csv")),
        (fit, "--out", out, "--features", fit),
    ):
        _, wrong = command(*arguments)
        assert wrong is not None and "\n" not in str(wrong)
