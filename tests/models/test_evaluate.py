"""`models evaluate`: what it says of a fit, of the rubric alone, and of what limits the figures."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray
from typer.testing import CliRunner

from models import tables
from models.cli import app
from models.commands import layout
from models.commands.evaluation_page import described, number, percent
from models.evaluation.evaluate import evaluate
from models.evaluation.notes import FEW_SCHOOLS, OPTIMISTIC, OTHER_RATINGS, REFERENCE, RUBRIC, SIMULATED
from models.evaluation.report import Report, to_json
from models.features.set1 import EVIDENCE, FEATURE_INDEX, FEATURES
from models.fitting.fit import Options, fit_model
from models.fitting.ratings import read_ratings
from models.integration.load import load_model
from models.scoring.fit_file import Fit, encode, read_fit
from models.scoring.reference import shipped_reference
from models.scoring.scorer import Scorer
from shared.errors import BadInput, UsageError

TIM = load_model("tim")
REFERENCE_OF_SET1 = shipped_reference()
TELLING = [
    FEATURE_INDEX[name] for name in ("create_share", "consume_share", "choice_dispersion", "synchrony")
]
SIGNS = np.array([1.0, -1.0, 1.0, -1.0])
WINDOWS = 420

run = CliRunner()

Row = tuple[str, str, str, str, int, str]


def world() -> tuple[NDArray[np.float64], NDArray[np.int64], list[str]]:
    """Features [n, 24], true level of `active` [n] and school [n] of lessons that four features tell of."""
    rng = np.random.default_rng(11)
    latent = rng.normal(0, 1, WINDOWS)
    level = np.searchsorted([-0.8, 0.1, 0.9, 1.6], latent)
    z = rng.normal(0, 1, (WINDOWS, len(FEATURES)))
    z[:, TELLING] = 1.2 * latent[:, None] * SIGNS + rng.normal(0, 1, (WINDOWS, len(TELLING)))
    x = REFERENCE_OF_SET1.mean + z * REFERENCE_OF_SET1.sd
    x[:, EVIDENCE] = REFERENCE_OF_SET1.median_evidence * rng.gamma(4, 0.25, WINDOWS)
    x[-1, EVIDENCE] = 0
    return x, level, [f"School {i % 14}" for i in range(WINDOWS)]


X, LEVEL, SCHOOL = world()


def rated(windows: range, coaches: int = 3, twice: bool = True) -> list[Row]:
    """Ratings of windows on `active`, a third also by a second coach; coaches err by a level at times."""
    rng = np.random.default_rng(windows.start)
    rows: list[Row] = []
    for i in windows:
        for k in range(2 if twice and i % 3 == 0 and coaches > 1 else 1):
            said = int(np.clip(LEVEL[i] + rng.choice([-1, 0, 0, 0, 1]), 0, 4))
            rows.append((f"w{i}", "active", f"Coach {(i + k) % coaches}", SCHOOL[i], said, ""))
    return rows


def write_ratings(path: Path, rows: list[Row]) -> Path:
    lines = ["window,dimension,coach,school,level,briefed", *(",".join(map(str, row)) for row in rows)]
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """F.csv; old.csv of ratings and FIT.json made of them; new.csv of other windows."""
    at = tmp_path_factory.mktemp("evaluate")
    lines = [
        ",".join([f"w{i}", SCHOOL[i], *("" if np.isnan(value) else repr(float(value)) for value in X[i])])
        for i in range(WINDOWS)
    ]
    (at / "F.csv").write_text("\n".join([",".join(["window", "school", *FEATURES]), *lines]) + "\n")
    old = write_ratings(at / "old.csv", rated(range(150)))
    write_ratings(at / "new.csv", rated(range(150, WINDOWS)))
    features = tables.read_features(at / "F.csv")
    fit = fit_model(TIM, features, read_ratings(old, TIM, features), Options(seed=1), day="2026-03-01")
    (at / "FIT.json").write_bytes(encode(fit))
    return at


@pytest.fixture
def report(folder: Path, tmp_path: Path) -> Callable[..., Report]:
    """An evaluation of some ratings by the fit as in the file, changed or not, or by the rubric alone."""
    features = tables.read_features(folder / "F.csv")

    def made(rows: list[Row], fitted: bool = True, seed: int = 0, **changes: Any) -> Report:
        fit: Fit = msgspec.structs.replace(read_fit(folder / "FIT.json"), **changes)
        scorer = Scorer.fitted(TIM, fit) if fitted else Scorer.for_model("tim")
        ratings = read_ratings(write_ratings(tmp_path / "R.csv", rows), TIM, features)
        return evaluate(scorer, features, ratings, seed=seed, draws=200)

    return made


def evaluated(folder: Path, ratings: str, *more: str) -> Any:
    args = [
        "evaluate",
        "--features",
        str(folder / "F.csv"),
        "--ratings",
        str(folder / ratings),
        "--model",
        "tim",
    ]
    result = run.invoke(app, [*args, *more])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_the_command_reports_figures_on_ratings_the_fit_has_not_seen(folder: Path) -> None:
    out = json.loads(evaluated(folder, "new.csv", "--fitted", str(folder / "FIT.json"), "--json"))
    active = out["dimensions"][0]
    assert (out["model"], out["fitted"], out["rule"]) == ("tim", "2026-03-01", "likeliest")
    assert active["ratings"] == len(rated(range(150, WINDOWS)))
    assert active["windows"] == WINDOWS - 150
    assert active["kappa"]["value"] > 0.55
    assert active["kappa"]["low"] < active["kappa"]["value"] < active["kappa"]["high"]
    assert active["shuffled"]["p"] < 0.01
    assert abs(active["shuffled"]["mean"]) < 0.05
    assert 0.83 < active["coverage"]["value"] < 0.97
    assert active["promised"] == pytest.approx(0.9)
    assert active["rps"]["value"] < active["rps_of_shares"]
    assert active["abstention"][0]["ratings"] == active["ratings"]
    assert sum(map(sum, active["confusion"])) == active["ratings"]
    assert sum(active["verdicts"].values()) == active["ratings"]
    assert sum(group["coverage"]["n"] for group in active["by_evidence"]) == active["ratings"]
    assert active["between_coaches"]["windows"] == 90
    assert active["between_coaches"]["alpha"]["value"] > 0.5


def test_the_page_and_the_json_tell_the_same_figures(folder: Path) -> None:
    args = ("new.csv", "--fitted", str(folder / "FIT.json"))
    page, active = evaluated(folder, *args), json.loads(evaluated(folder, *args, "--json"))["dimensions"][0]
    kappa = active["kappa"]
    line = next(line for line in page.splitlines() if "(QWK)" in line)
    told = f"{number(kappa['value'])} {number(kappa['low'])} to {number(kappa['high'])}"
    assert told in " ".join(line.split())
    assert f"{percent(active['accuracy']['value'])}" in page
    assert "what chance gives" in page
    assert max(map(len, page.splitlines())) <= layout.width()


def test_the_same_seed_gives_the_same_bytes_and_another_seed_other_intervals(folder: Path) -> None:
    args = ("new.csv", "--fitted", str(folder / "FIT.json"), "--json")
    assert evaluated(folder, *args) == evaluated(folder, *args, "--seed", "0")
    other = json.loads(evaluated(folder, *args, "--seed", "1"))["dimensions"][0]
    first = json.loads(evaluated(folder, *args))["dimensions"][0]
    assert other["kappa"]["value"] == first["kappa"]["value"]
    assert other["kappa"]["low"] != first["kappa"]["low"]


def test_without_a_fit_the_rubric_alone_is_judged_and_says_so(folder: Path) -> None:
    out, page = json.loads(evaluated(folder, "new.csv", "--json")), evaluated(folder, "new.csv")
    active = out["dimensions"][0]
    assert out["fitted"] is None
    assert {RUBRIC, REFERENCE} <= set(out["notes"])
    assert (active["promised"], active["coverage"]["value"]) == (None, None)
    assert active["verdicts"]["evidence_only"] == active["ratings"]
    assert active["kappa"]["value"] > 0
    assert any(line.split()[:5] == ["stages", "in", "a", "set", "-"] for line in page.splitlines())


def test_a_fit_does_better_than_the_rubric_on_new_ratings(folder: Path) -> None:
    by_rubric, by_fit = (
        json.loads(evaluated(folder, "new.csv", *more, "--json"))["dimensions"][0]
        for more in ((), ("--fitted", str(folder / "FIT.json")))
    )
    assert by_fit["rps"]["value"] < by_rubric["rps"]["value"]


def test_ratings_the_fit_learned_from_are_called_optimistic_in_whatever_order(
    report: Callable[..., Report],
) -> None:
    rows = rated(range(150))
    assert OPTIMISTIC in report(rows).notes
    assert OPTIMISTIC in report(rows[::-1]).notes
    assert OPTIMISTIC not in report(rows[:-1]).notes
    assert OTHER_RATINGS in report(rows[:-1]).notes


def test_a_simulated_fit_stays_simulated(report: Callable[..., Report]) -> None:
    found = report(rated(range(150, 250)), simulated=True)
    assert found.simulated
    assert found.notes[0] == SIMULATED
    assert SIMULATED in " ".join("\n".join(described(found)).split())


def test_what_was_left_out_is_counted_and_said(report: Callable[..., Report]) -> None:
    good = rated(range(150, 250), twice=False)
    briefed = [(*row[:5], "true") for row in rated(range(250, 253), twice=False)]
    lost = [("nowhere", *good[0][1:])]
    moved = [("w260", "active", "Coach 1", "Another school", 2, "no")]
    found = report([*good, *briefed, *lost, *moved])
    left = found.left_out
    assert (left.briefed, left.unknown_window, left.other_school) == (3, 1, 1)
    assert found.dimensions[0].ratings == len(good) + 1
    said = "\n".join(found.notes)
    assert "3 ratings were left out because the coach had seen the placement" in said
    assert "1 rating was left out because the window is not in the features" in said
    assert "1 rating was given to another school" in said


def test_one_coach_is_a_coach_whose_severity_nobody_knows(report: Callable[..., Report]) -> None:
    active = report(rated(range(150, 250), coaches=1)).dimensions[0]
    assert any(note.startswith("One coach gave all ratings") for note in active.notes)
    assert active.between_coaches.windows == 0


def test_coaches_who_never_met_on_a_window_cannot_be_compared(report: Callable[..., Report]) -> None:
    active = report(rated(range(150, 250), twice=False)).dimensions[0]
    assert any(note.startswith("No window was rated by two coaches") for note in active.notes)
    assert active.between_coaches.kappa.why
    assert active.between_coaches.pairs == ()


def test_few_ratings_and_few_schools_are_called_so(report: Callable[..., Report]) -> None:
    active = report(rated(range(150, 160), twice=False)).dimensions[0]
    assert active.notes[0].startswith("10 ratings are few")
    few = [row for row in rated(range(150, WINDOWS)) if row[3] in ("School 1", "School 2")]
    assert any(f"fewer than {FEW_SCHOOLS}" in note for note in report(few).dimensions[0].notes)
    one = [row for row in few if row[3] == "School 1"]
    found = report(one).dimensions[0]
    assert any("one school" in note for note in found.notes)
    assert found.accuracy.low < found.accuracy.value < found.accuracy.high


def test_schools_the_fit_knows_are_counted(report: Callable[..., Report], folder: Path) -> None:
    active = report(rated(range(150, 250))).dimensions[0]
    assert active.notes[-1].startswith("14 of 14 schools were in the fit")


def test_a_dimension_nobody_rated_has_no_figures_and_no_page(report: Callable[..., Report]) -> None:
    found = report(rated(range(150, 250)))
    other = found.dimensions[1]
    assert (other.ratings, other.notes) == (0, ("There is no rating of this dimension.",))
    assert np.isnan(other.kappa.value)
    page = "\n".join(described(found))
    assert page.count("agreement (QWK)") == 1
    assert f"{other.dimension}: no ratings" in page


def test_no_usable_rating_at_all_is_a_report_that_says_so(report: Callable[..., Report]) -> None:
    found = report([("nowhere", "active", "Coach 1", "School 1", 2, "")])
    assert [one.ratings for one in found.dimensions] == [0] * len(TIM.dimensions)
    assert found.left_out.unknown_window == 1


def test_an_empty_window_is_thin_and_counts_in_the_thinnest_evidence_group(
    report: Callable[..., Report],
) -> None:
    row: Row = (f"w{WINDOWS - 1}", "active", "Coach 1", SCHOOL[-1], 4, "")
    active = report([row]).dimensions[0]
    assert active.verdicts["thin"] == 1
    assert active.by_evidence[0].coverage.n == 1


def test_how_rows_are_ordered_changes_nothing(report: Callable[..., Report]) -> None:
    rows = rated(range(150, 250))
    assert to_json(report(rows[::-1])) == to_json(report(rows))


def test_a_fit_of_another_model_is_refused(folder: Path) -> None:
    args = ["evaluate", "--features", str(folder / "F.csv"), "--ratings", str(folder / "new.csv")]
    result = run.invoke(app, [*args, "--model", "samr", "--fitted", str(folder / "FIT.json")])
    assert isinstance(result.exception, BadInput)
    assert "fit again" in str(result.exception)


def test_a_rating_with_a_slip_names_its_line(folder: Path, tmp_path: Path) -> None:
    slip = write_ratings(tmp_path / "R.csv", [("w1", "activ", "Coach 1", "School 1", 2, "")])
    args = ["evaluate", "--features", str(folder / "F.csv"), "--ratings", str(slip), "--model", "tim"]
    result = run.invoke(app, args)
    assert isinstance(result.exception, BadInput)
    assert "line 2" in str(result.exception)
    assert "`active`" in str(result.exception)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.123, "0.12"),
        (0.0456, "0.046"),
        (0.0004, "0"),
        (-0.0004, "0"),
        (-0.0149, "-0.015"),
        (1.0, "1.0"),
        (2.94, "2.9"),
        (12.4, "12"),
        (0.996, "1.00"),
        (0.0, "0"),
        (float("nan"), "-"),
    ],
)
def test_numbers_have_two_significant_digits_and_at_most_three_decimals(value: float, text: str) -> None:
    assert number(value) == text


HEADS = ("what", "n", "why")
ROWS = [("a long name", "5", "short"), ("b", "1234", "")]


def test_tables_of_figures_keep_their_columns_in_line() -> None:
    assert layout.figures(HEADS, ROWS).splitlines() == [
        "  what            n    why",
        "  a long name     5  short",
        "  b            1234",
    ]


def test_a_last_column_of_sentences_wraps_in_the_terminals_width(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    rows = [*ROWS, ("c", "7", "a sentence that is much too long to stand on one line of sixty")]
    lines = layout.figures(HEADS, rows).splitlines()
    assert lines[0] == "  what            n  why"
    assert lines[3:] == [
        "  c               7  a sentence that is much too long to",
        "                     stand on one line of sixty",
    ]


def test_a_table_too_wide_for_the_terminal_becomes_paragraphs_that_name_every_figure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    heads = ("stage", *(f"column {i}" for i in range(8)))
    lines = layout.figures(heads, [("entry", *map(str, range(7)), "")]).splitlines()
    assert lines[0].startswith("  - entry: column 0 0, column 1 1,")
    assert max(map(len, lines)) <= 60
    assert "column 7" not in "".join(lines), "what is blank is not said"


def test_a_graph_is_told_from_a_fit(folder: Path, tmp_path: Path) -> None:
    graph = tmp_path / "tim.onnx"
    done = run.invoke(
        app, ["export", "--model", "tim", "--fitted", str(folder / "FIT.json"), "--out", str(graph)]
    )
    assert done.exit_code == 0
    args = ["evaluate", "--features", str(folder / "F.csv"), "--ratings", str(folder / "new.csv")]
    result = run.invoke(app, [*args, "--model", "tim", "--fitted", str(graph)])
    assert isinstance(result.exception, UsageError)
    assert "is a graph: give the FIT.json that it was exported from" in str(result.exception)
    again = run.invoke(
        app, ["export", "--model", "tim", "--fitted", str(graph), "--out", str(tmp_path / "b")]
    )
    assert isinstance(again.exception, UsageError)
