"""A whole fit: from two CSV files to FIT.json, the same for a seed whatever the order of rows."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from typer.testing import CliRunner

from models.cli import app
from models.evaluation.agreement import quadratic_weighted_kappa
from models.features.set1 import EVIDENCE, FEATURES
from models.fitting import raters
from models.fitting.conformal import calibrate, nonconformity
from models.fitting.crossfit import Calibration, held_out
from models.fitting.design import Design
from models.fitting.fit import Options, fit_model
from models.fitting.heldout import figures
from models.fitting.ratings import read_ratings
from models.scoring.fit_file import Fit, decode, encode, read_fit
from models.scoring.reference import shipped_reference
from models.scoring.scorer import Scorer
from models.tables import FeatureTable
from shared.errors import BadInput, UsageError
from tests.models.fit_lessons import TIM, Lessons, design, lessons, rated, write_ratings

DAY = "2026-02-03"
KNOWN = lessons(1, 160)
ROWS = rated(KNOWN, 2)
run = CliRunner()


def fit_of(folder: Path, known: Lessons, rows: list[tuple[str, str, str, str, int]], **how: object) -> Fit:
    ratings = read_ratings(write_ratings(folder / "R.csv", rows), TIM, known.features)
    options = replace(Options(), **how)  # type: ignore[arg-type]
    return fit_model(TIM, known.features, ratings, options, day=DAY)


@pytest.fixture(scope="module")
def fit(tmp_path_factory: pytest.TempPathFactory) -> Fit:
    return fit_of(tmp_path_factory.mktemp("fit"), KNOWN, ROWS)


def test_what_is_written_is_read_again_and_scores(fit: Fit) -> None:
    again = decode(encode(fit), "FIT.json")
    assert again == fit
    scored = Scorer.fitted(TIM, again).score(KNOWN.features.x)
    assert (scored.low >= 0).all()
    for d, dimension in enumerate(TIM.dimensions):
        placed = scored.probs[:, d].argmax(axis=1)
        assert quadratic_weighted_kappa(placed, KNOWN.level[:, d], 5).value > 0.5
        assert fit.dimensions[dimension.id].held_out is not None


def test_the_order_of_rows_in_either_file_changes_not_a_byte(fit: Fit, tmp_path: Path) -> None:
    order = np.random.default_rng(0).permutation(len(KNOWN.features.ids)).tolist()
    old = KNOWN.features
    mixed = FeatureTable(
        tuple(old.ids[i] for i in order), tuple(old.school[i] for i in order), None, None, old.x[order]
    )
    rows = [ROWS[i] for i in np.random.default_rng(1).permutation(len(ROWS)).tolist()]
    assert encode(fit_of(tmp_path, replace(KNOWN, features=mixed), rows)) == encode(fit)


def test_with_few_schools_another_seed_deals_other_folds_and_leaves_the_weights(tmp_path: Path) -> None:
    few = lessons(1, 160, schools=3)
    one, other = (fit_of(tmp_path, few, rated(few, 2), seed=seed) for seed in (0, 1))
    for name, dimension in one.dimensions.items():
        assert other.dimensions[name].weights == dimension.weights
        assert other.dimensions[name].held_out != dimension.held_out


def test_the_reference_is_of_all_rows_rated_or_not(fit: Fit, tmp_path: Path) -> None:
    few = [row for row in ROWS if row[0] < "w00090"]
    part = fit_of(tmp_path, KNOWN, few)
    assert part.reference == fit.reference
    assert fit.reference.windows == 160
    np.testing.assert_allclose(fit.reference.mean, np.nanmean(KNOWN.features.x, axis=0))


def test_many_coaches_in_few_lessons_calibrate_nothing(tmp_path: Path) -> None:
    rows = [
        (KNOWN.features.ids[i], "active", f"c{c}", KNOWN.features.school[i], 2)
        for i in range(6)
        for c in range(40)
    ]
    found = fit_of(tmp_path, KNOWN, rows).dimensions["active"]
    assert (found.ratings, found.calibrated, found.sets) == (240, False, None)
    assert found.notes == ("Not calibrated: 240 ratings of only 6 lessons; 30 lessons are needed.",)


def test_ratings_all_at_one_level_calibrate_nothing(tmp_path: Path) -> None:
    rows = [(window, dimension, coach, school, 4) for window, dimension, coach, school, _ in ROWS]
    for found in fit_of(tmp_path, KNOWN, rows).dimensions.values():
        assert not found.calibrated
        assert "all 170 ratings are at level 4" in found.notes[0]


def test_a_fit_of_few_windows_does_not_tell_what_they_were(tmp_path: Path) -> None:
    few = lessons(1, 49)
    assert fit_of(tmp_path, few, rated(few, 1)).reference.mean == tuple(shipped_reference().mean.tolist())
    assert set(fit_of(tmp_path, few, rated(few, 1)).reference.bins) == {()}
    known = {repr(value) for value in KNOWN.features.x.ravel().tolist()}
    told = fit_of(tmp_path, KNOWN, ROWS).reference
    assert not known & {repr(value) for own in told.bins for value in own}


def test_the_command_keeps_people_out_of_the_file_when_asked(tmp_path: Path) -> None:
    result = run.invoke(app, command(tmp_path, "--without-people"))
    assert result.exit_code == 0, result.output
    text = (tmp_path / "FIT.json").read_text()
    assert "coach-" not in text and "school-" not in text
    assert read_fit(tmp_path / "FIT.json").dimensions["active"].calibrated


def test_ratings_are_never_written_over_and_nothing_usable_writes_nothing(tmp_path: Path) -> None:
    args = command(tmp_path)
    before = (tmp_path / "R.csv").read_bytes()
    args[args.index("--out") + 1] = str(tmp_path / "R.csv")
    result = run.invoke(app, args)
    assert isinstance(result.exception, UsageError) and "another name" in str(result.exception)
    assert (tmp_path / "R.csv").read_bytes() == before
    args = command(tmp_path)
    write_ratings(tmp_path / "R.csv", [("elsewhere", "active", "coach-0", "school-01", 2)])
    result = run.invoke(app, args)
    assert isinstance(result.exception, BadInput) and "nothing was written" in str(result.exception)
    assert not (tmp_path / "FIT.json").exists()


def test_below_fifty_ratings_a_dimension_is_the_rubric(tmp_path: Path) -> None:
    rows = [row for row in ROWS if row[1] != "authentic"]
    rows += [row for row in ROWS if row[1] == "authentic"][:49]
    found = fit_of(tmp_path, KNOWN, rows)
    bare = found.dimensions["authentic"]
    assert not bare.calibrated
    assert bare.sets is None
    assert "1 short of 50" in bare.notes[0]
    assert found.dimensions["active"].calibrated
    scored = Scorer.fitted(TIM, decode(encode(found), "F")).score(KNOWN.features.x)
    at = scored.dimensions.index("authentic")
    assert {row[at] for row in scored.verdicts} == {"evidence_only"}
    np.testing.assert_array_equal(scored.weights[at], Scorer.for_model("tim").weights[at])


def test_shuffled_ratings_with_a_flat_prior_place_next_to_nothing(tmp_path: Path) -> None:
    kappas = []
    for seed in range(4):
        known = lessons(10 + seed, 400)
        rng = np.random.default_rng(seed)
        rows = rated(known, seed, twice=0)
        for d in range(5):
            mine = list(range(d, len(rows), 5))[:200]
            dealt = rng.permutation([rows[i][4] for i in mine]).tolist()
            for i, level in zip(mine, dealt, strict=True):
                rows[i] = (*rows[i][:4], level)
        rated_rows = [row for row in rows if row[0] < "w00200"]
        scorer = Scorer.fitted(TIM, fit_of(tmp_path, known, rated_rows, prior="flat"))
        probs = scorer.score(known.features.x[200:]).probs
        kappas += [
            abs(quadratic_weighted_kappa(probs[:, d].argmax(axis=1), known.level[200:, d], 5).value)
            for d in range(5)
        ]
    assert np.mean(kappas) < 0.07


def test_from_six_hundred_ratings_on_a_quarter_is_split_off(tmp_path: Path) -> None:
    known = lessons(3, 640)
    rows = [row for row in rated(known, 4, twice=0) if row[1] == "active"]
    found = fit_of(tmp_path, known, rows).dimensions["active"]
    assert found.sets is not None
    assert found.held_out is not None
    assert found.sets.method == "split"
    assert 200 <= sum(group.ratings for group in found.sets.groups) == found.held_out.ratings <= 230
    assert found.ratings == 640
    assert sum(coach.ratings for coach in found.coaches) == 640
    assert 0.84 < found.held_out.coverage < 0.96


def test_a_rating_split_off_moves_neither_the_weights_nor_its_own_probabilities(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = lessons(3, 640)
    rows = [row for row in rated(known, 4, twice=0) if row[1] == "active"]
    apart: list[NDArray[np.bool_]] = []

    def once(design: Design, seed: int) -> NDArray[np.bool_]:
        """The first fit's split for both: it deals by level, so other levels are dealt otherwise."""
        apart.append(apart[0] if apart else held_out(design, seed))
        return apart[-1]

    monkeypatch.setattr("models.fitting.fit.held_out", once)
    before = fit_of(tmp_path, known, rows).dimensions["active"]
    # Each window is rated once, so the design's ratings lie in the order of the rows.
    turned = [(*row[:4], 4 - row[4] if out else row[4]) for row, out in zip(rows, apart[0], strict=True)]
    after = fit_of(tmp_path, known, turned).dimensions["active"]
    for name in ("weights", "cutpoints", "conditional", "covariance", "noise_share", "school_sd", "coach_sd"):
        assert getattr(after, name) == getattr(before, name), name
    assert before.held_out is not None
    assert after.held_out is not None
    assert after.held_out.kappa != before.held_out.kappa
    told = [
        [(cut.stage, cut.predicted, cut.ratings) for cut in held.calibration]
        for held in (before.held_out, after.held_out)
    ]
    assert told[0] == told[1]
    placed = [np.sum(held.confusion, axis=0).tolist() for held in (before.held_out, after.held_out)]
    assert placed[0] == placed[1]


def test_held_out_coverage_is_by_thresholds_of_other_folds_than_a_ratings_own() -> None:
    bad = np.arange(500) < 50  # a tenth, all in one fold: its rating is the less likely of two stages
    rated_low = replace(
        design(0, 500), level=bad.astype(np.int64), share=np.ones(500), base_rates=(0.6, 0.4), schools=("s",)
    )
    probs = np.tile([0.9, 0.1], (500, 1))
    held = Calibration("cross", np.arange(500), probs, np.where(bad, 0, 1))
    scores = nonconformity(probs, rated_low.level)
    found = figures(rated_low, held, calibrate(scores, rated_low.share).groups)
    # The other fold's ratings give 0 to the bad ones, whose sets then miss; those of all would give .9.
    assert (found.coverage, found.size) == (0.9, 1.9)
    assert [(one.coverage, one.size) for one in found.groups] == [(0.9, 1.9)]


def test_a_single_coach_and_a_single_school_are_said(tmp_path: Path) -> None:
    known = lessons(5, 60, schools=1)
    found = fit_of(tmp_path, known, rated(known, 6, coaches=1)).dimensions["active"]
    assert raters.ONE_COACH in found.notes
    assert any(note.startswith("One school") for note in found.notes)
    assert found.agreement is None


def test_levels_that_nobody_gave_are_said(tmp_path: Path) -> None:
    rows = [(*row[:4], 1 + i % 2) for i, row in enumerate(ROWS)]
    found = decode(encode(fit_of(tmp_path, KNOWN, rows)), "F").dimensions["active"]
    assert found.calibrated
    assert any("No rating at level 0, 3, 4" in note for note in found.notes)


def test_features_that_nobody_sees_and_windows_without_evidence_are_no_fault(tmp_path: Path) -> None:
    x = KNOWN.features.x.copy()
    x[:, 6:14] = np.nan
    x[:100, EVIDENCE] = 0.0
    x[140:, EVIDENCE] = np.nan
    blind = replace(KNOWN, features=replace(KNOWN.features, x=x))
    found = decode(encode(fit_of(tmp_path, blind, ROWS)), "F")
    assert found.reference.median_evidence > 0
    assert found.reference.bins[7] == ()
    verdicts = Scorer.fitted(TIM, found).score(x).verdicts
    assert {verdict for row in verdicts[:100] for verdict in row} == {"thin"}
    assert {verdict for row in verdicts[140:] for verdict in row} == {"evidence_only"}


def test_the_noise_share_may_be_given(tmp_path: Path) -> None:
    found = fit_of(tmp_path, KNOWN, ROWS, noise_share=0.5)
    assert {dimension.noise_share for dimension in found.dimensions.values()} == {0.5}


def command(folder: Path, *more: str) -> list[str]:
    columns = [KNOWN.features.ids, KNOWN.features.school]
    cells = [["" if np.isnan(v) else repr(v) for v in column] for column in KNOWN.features.x.T.tolist()]
    lines = [",".join(("window", "school", *FEATURES))]
    lines += [",".join(row) for row in zip(*columns, *cells, strict=True)]
    (folder / "F.csv").write_text("\n".join(lines) + "\n")
    rows = [*ROWS, ("elsewhere", "active", "coach-0", "school-01", 2)]
    write_ratings(folder / "R.csv", rows)
    files = ["--features", str(folder / "F.csv"), "--ratings", str(folder / "R.csv")]
    return ["fit", *files, "--model", "tim", "--out", str(folder / "FIT.json"), *more]


def test_the_command_writes_the_fit_and_tells_people_what_it_found(tmp_path: Path) -> None:
    result = run.invoke(app, command(tmp_path, "--noise-share", "0.4"))
    assert result.exit_code == 0, result.output
    fit = read_fit(tmp_path / "FIT.json")
    assert fit.dimensions["active"].left_out.unknown_window == 1
    assert fit.dimensions["active"].noise_share == 0.4
    assert not fit.simulated
    for text in ("active", "kappa", "coach coach-0:", "Krippendorff", "without an exact guarantee"):
        assert text in result.output
    assert max(map(len, result.output.splitlines())) <= 110


def test_what_the_simulator_made_is_called_simulated_and_why(tmp_path: Path) -> None:
    (tmp_path / "oracle.json").write_text('{"simulated": true}')
    result = run.invoke(app, command(tmp_path))
    assert f"Simulated, {tmp_path / 'oracle.json'} says so" in result.output
    assert read_fit(tmp_path / "FIT.json").simulated
    (tmp_path / "oracle.json").unlink()
    assert "Simulated, as --simulated says" in run.invoke(app, command(tmp_path, "--simulated")).output
    assert read_fit(tmp_path / "FIT.json").simulated


@pytest.mark.parametrize("told", ["{}", '{"simulated": false}', '{"simulated": "true"}', "[true]", "\xff{"])
def test_a_file_that_only_has_the_oracles_name_makes_nothing_simulated(tmp_path: Path, told: str) -> None:
    (tmp_path / "oracle.json").write_text(told, encoding="latin-1")
    result = run.invoke(app, command(tmp_path))
    assert result.exit_code == 0, result.output
    assert "Simulated" not in result.output
    assert not read_fit(tmp_path / "FIT.json").simulated


def test_a_share_of_noise_outside_zero_to_one_is_refused(tmp_path: Path) -> None:
    result = run.invoke(app, command(tmp_path, "--noise-share", "1.5"))
    assert isinstance(result.exception, UsageError)
    assert not (tmp_path / "FIT.json").exists()
