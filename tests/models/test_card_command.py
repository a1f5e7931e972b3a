"""`models card` as people use it: one page, and one line for whatever is wrong."""

from pathlib import Path

import msgspec
import numpy as np
import pytest
from typer.testing import CliRunner

from models.cli import app
from models.features.set1 import FEATURES
from models.scoring.fit_check import RUBRIC
from models.scoring.fit_file import encode
from models.tables import FeatureTable
from shared.errors import BadInput, CommonGroundError, UsageError
from tests.models.card_fits import changed, fitted, unfitted
from tests.models.fit_lessons import lessons

run = CliRunner()


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


def test_a_fit_of_the_rubric_alone_has_no_card(folder: Path) -> None:
    bare = {name: msgspec.structs.replace(one, ratings=0) for name, one in unfitted().dimensions.items()}
    (folder / "RUBRIC.json").write_bytes(encode(changed(unfitted(), fitted=RUBRIC, dimensions=bare)))
    _, wrong = command(str(folder / "RUBRIC.json"), "--out", str(folder / "card.html"))
    assert isinstance(wrong, UsageError) and "the rubric alone" in str(wrong)


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
