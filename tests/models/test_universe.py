"""Simulated universes: their figures are those one expects, the oracle is right, options do what they say."""

import csv
import json
import math
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from typer.testing import CliRunner

from models import tables
from models.cli import app
from models.commands.simulate import simulate
from models.evaluation.agreement import confusion, kappa_of
from models.evaluation.calibration import calibration_error, error_if_perfect
from models.features.set1 import EVIDENCE, FEATURE_INDEX
from models.integration.load import load_model
from models.scoring.reference import reference_of, shipped_reference
from models.scoring.shrink import shrink
from models.simulator import parameters
from models.simulator.options import Family, Options
from models.simulator.oracle import long_run_means, oracle, oracle_both
from models.simulator.oracle_figures import mean_figures, oracle_figures
from models.simulator.parameters import WEIGHED
from models.simulator.study import Plan, Study, conduct
from models.simulator.universe import UNSEEN_BY_RESOLVERS, Lessons, Universe
from models.simulator.walkthroughs import rate
from models.simulator.warp import unwarped, warped
from shared.errors import UsageError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

TIM = load_model("tim")
FAMILIES: tuple[Family, ...] = ("steps", "skewed")


def universe_of(seed: int, options: Options | None = None, dimensions: tuple[str, ...] = ()) -> Universe:
    return Universe.draw(np.random.default_rng(seed), model=TIM, dimensions=dimensions, options=options)


def study_of(seed: int, options: Options | None = None, plan: Plan | None = None) -> Study:
    return conduct(np.random.default_rng(seed + 1), universe_of(seed, options), plan)


def many_schools(universe: Universe, seed: int, schools: int, lessons: int) -> tuple[Universe, Lessons]:
    rng = np.random.default_rng(seed)
    wide = universe.settled(universe.new_schools(rng, schools))
    return wide, wide.lessons(rng, lessons)


def kappa(a: Ints, b: Ints, stages: int = 5) -> float:
    return float(kappa_of(confusion(a, b, stages)))


def moved_of(lessons: Lessons) -> Floats:
    """Features as a scorer sees them: standardised by all lessons, 0 where missing, shrunk by evidence."""
    reference = reference_of(lessons.x, simulated=True, made={})
    z = np.nan_to_num((lessons.x - reference.mean) / reference.sd)
    return shrink(z, lessons.x[:, EVIDENCE], reference.median_evidence)


def rubric_only(lessons: Lessons, d: int) -> float:
    """Kappa against the truth of the rubric's score, cut so that each level is as common as in the model."""
    weights = np.append(parameters.rubric_weights(list(TIM.dimensions))[d], 0.0)
    rank = (moved_of(lessons) @ weights).argsort(kind="stable").argsort(kind="stable") / len(lessons)
    level = np.searchsorted(np.cumsum(TIM.dimensions[d].base_rates)[:-1], rank)
    return kappa(level.astype(np.int64), lessons.level[:, d])


class TestFigures:
    def test_over_a_few_seeds_they_are_near_those_known_of_such_walkthroughs(self) -> None:
        found, rubric = [], []
        for seed in range(8):
            draws = np.random.default_rng(seed).spawn(3)
            study = conduct(draws[1], Universe.draw(draws[0], model=TIM), Plan(lessons=2000))
            found.append(asdict(mean_figures(oracle_figures(draws[2], study.universe, study.lessons))))
            rubric.append(np.mean([rubric_only(study.lessons, d) for d in range(5)]))
        mean = {name: float(np.mean([one[name] for one in found])) for name in found[0]}
        assert mean["accuracy"] == pytest.approx(0.72, abs=0.06)
        assert mean["qwk"] == pytest.approx(0.862, abs=0.04)
        assert mean["coach_truth"] == pytest.approx(0.857, abs=0.03)
        assert mean["coach_coach"] == pytest.approx(0.745, abs=0.04)
        assert mean["school_spread"] == pytest.approx(0.37, abs=0.08)
        assert mean["class_correlation"] == pytest.approx(0.3, abs=0.06)
        assert mean["school_error"] == pytest.approx(0.25, abs=0.08)
        assert np.mean(rubric) == pytest.approx(0.62, abs=0.06)
        assert np.std([one["qwk"] for one in found]) > 0.01  # universes differ

    @pytest.mark.parametrize("family", FAMILIES)
    def test_features_have_the_units_of_the_shipped_reference(self, family: Family) -> None:
        lessons = many_schools(universe_of(3, Options(family=family)), 3, 200, 10)[1]
        reference = shipped_reference()
        usual = lessons.x[lessons.x[:, EVIDENCE] > 0.7 * reference.median_evidence]
        apart = (np.nanmean(usual, axis=0) - reference.mean) / reference.sd
        assert np.abs(apart[:WEIGHED]).max() < 0.7
        ratio = (np.nanstd(usual, axis=0) / reference.sd)[:WEIGHED]
        assert ratio.min() > 0.6
        assert ratio.max() < 3.0

    def test_two_to_five_features_peak_at_a_middle_stage(self) -> None:
        counts = set()
        for seed in range(12):
            universe = universe_of(seed)
            counts.add(len(universe.peaked))
            for name in universe.peaked:
                steps = [np.sign(np.diff(effect[:, FEATURE_INDEX[name]])) for effect in universe.effects]
                assert all(len(set(step.tolist())) == 2 for step in steps)
        assert counts <= {2, 3, 4, 5}
        assert len(counts) > 1


class TestOracle:
    def test_it_agrees_with_bayes_written_out_for_one_dimension_with_interactions(self) -> None:
        universe = universe_of(5, Options(interactions=2), ("constructive",))
        _, lessons = many_schools(universe, 6, 30, 2)
        found = oracle(universe, lessons)[:, 0]
        for row in range(len(lessons)):
            assert found[row] == pytest.approx(by_hand(universe, lessons, row), abs=1e-9)

    @pytest.mark.parametrize("family", FAMILIES)
    def test_its_probabilities_come_true(self, family: Family) -> None:
        universe, lessons = many_schools(universe_of(7, Options(family=family)), 8, 150, 6)
        truth, rated = oracle_both(universe, lessons)
        rng = np.random.default_rng(9)
        coach = rng.integers(0, len(universe.severity), len(lessons))
        ratings = rate(rng, universe, lessons, np.arange(len(lessons)), coach).level.reshape(5, -1)
        for probs, level in ((truth, lessons.level), (rated, ratings.T)):
            ece = np.mean([calibration_error(probs[:, d], level[:, d]) for d in range(5)])
            chance = np.mean([error_if_perfect(probs[:, d], seed=1, draws=100).high for d in range(5)])
            assert ece < chance + 0.005
            assert probs.sum(axis=2) == pytest.approx(1.0)

    @pytest.mark.parametrize("family", FAMILIES)
    def test_nothing_beats_it_not_even_a_fit_to_the_true_levels(self, family: Family) -> None:
        universe = universe_of(10, Options(family=family))
        wide, lessons = many_schools(universe, 11, 250, 12)
        fitted, judged = np.split(np.random.default_rng(0).permutation(len(lessons)), [2400])
        moved = np.column_stack([moved_of(lessons), np.ones(len(lessons))])
        probs = oracle(wide, lessons.take(judged))
        for d in range(5):
            level = lessons.level[:, d]
            weights = np.linalg.lstsq(moved[fitted], level[fitted].astype(float), rcond=None)[0]
            by_fit = np.square(moved[judged] @ weights - level[judged]).mean()
            by_oracle = np.square(probs[:, d] @ np.arange(5) - level[judged]).mean()
            assert by_oracle < 0.97 * by_fit
            assert kappa(probs[:, d].argmax(axis=1), level[judged]) > rubric_only(lessons.take(judged), d)

    def test_knowing_a_schools_habits_helps_it(self) -> None:
        wide, lessons = many_schools(universe_of(12), 13, 100, 8)

        def loss(probs: Floats) -> float:
            rows = np.arange(len(lessons))
            return -float(
                np.mean([np.log(probs[rows, d, lessons.level[:, d]] + 1e-12).mean() for d in range(5)])
            )

        assert loss(oracle(wide, lessons, shifts_known=True)) < loss(oracle(wide, lessons)) - 0.05

    def test_an_empty_window_tells_it_the_base_rates_only(self) -> None:
        universe, lessons = many_schools(universe_of(14), 15, 60, 200)
        empty = np.flatnonzero(lessons.x[:, EVIDENCE] == 0)
        assert 20 < len(empty) < 120
        assert np.isnan(lessons.x[empty, :WEIGHED]).all()
        probs = oracle(universe, lessons.take(empty))
        assert np.ptp(probs, axis=0).max() < 1e-12
        for d in range(5):
            common = np.bincount(lessons.level[:, d], minlength=5) / len(lessons)
            assert probs[0, d] == pytest.approx(common, abs=0.03)

    def test_long_run_means_are_where_the_means_of_many_lessons_go(self) -> None:
        universe, lessons = many_schools(universe_of(16), 17, 3, 20_000)
        means = np.stack([lessons.level[lessons.school == s].mean(axis=0) for s in range(3)])
        assert long_run_means(universe) == pytest.approx(means, abs=0.06)


def by_hand(universe: Universe, lessons: Lessons, row: int) -> Floats:
    """P(level | features) of a universe of one dimension, by densities written out in full."""
    seen = np.flatnonzero(np.isfinite(lessons.x[row, :WEIGHED]))
    z = ((lessons.x[row, :WEIGHED] - universe.centre) / universe.unit * universe.spread)[seen]
    evidence = lessons.x[row, EVIDENCE] / universe.median_evidence
    scale = 1.0 - universe.v + universe.v / max(evidence, 0.03)
    cov = universe.nuisance.T @ universe.nuisance + universe.habit.T @ universe.habit
    cov = cov + np.diag(universe.habit_own**2 + scale * universe.noise**2)
    inverse = np.linalg.inv(cov[np.ix_(seen, seen)])
    below = [0.0, *(0.5 * (1.0 + math.erf(cut / math.sqrt(2.0))) for cut in universe.cuts[0]), 1.0]
    weight = np.zeros(5)
    for level in range(5):
        for signs in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
            mean = universe.effects[0][level].copy()
            for sign, (one, other, _) in zip(signs, universe.pairs.tolist(), strict=True):
                mean[one] += sign * universe.pair_size
                mean[other] += sign * universe.pair_size * (level / 2.0 - 1.0)
            gap = z - mean[seen]
            weight[level] += (below[level + 1] - below[level]) * math.exp(-0.5 * gap @ inverse @ gap)
    found: Floats = weight / weight.sum()
    return found


class TestOptions:
    def test_wrong_signs_turn_that_share_of_the_rubric_around(self) -> None:
        rubric = parameters.rubric_weights(list(TIM.dimensions))
        right: list[float] = []
        wrong: list[float] = []
        for seed in range(20):
            for share, signs in ((0.0, right), (1.0, wrong)):
                sizes = parameters.effect_sizes(np.random.default_rng(seed), rubric, share)
                signs.append(np.sign(sizes * rubric)[rubric != 0].mean())
        assert np.mean(right) > 0.6
        assert np.mean(wrong) < -0.6
        half = many_schools(universe_of(20, Options(signs_wrong=0.5)), 21, 50, 20)[1]
        none = many_schools(universe_of(20), 21, 50, 20)[1]
        mean_half, mean_none = (np.mean([rubric_only(one, d) for d in range(5)]) for one in (half, none))
        assert mean_half < mean_none - 0.2

    def test_the_product_of_an_interacting_pair_tells_more_than_its_features(self) -> None:
        options = Options(interactions=1, resolver_only=0.0)
        universe, lessons = many_schools(universe_of(22, options), 23, 100, 40)
        one, other, d = universe.pairs[0].tolist()
        left = universe.straight(lessons.x) - universe.means(lessons.latent)
        left -= universe.schools.shift[lessons.school]
        good = lessons.x[:, EVIDENCE] > 0.5 * universe.median_evidence
        level = lessons.level[good, d]
        alone = [abs(np.corrcoef(left[good, j], level)[0, 1]) for j in (one, other)]
        product = np.corrcoef(left[good, one] * left[good, other], level)[0, 1]
        assert max(alone) < 0.1
        assert product > 0.2

    def test_schools_and_coaches_are_as_many_as_asked_for(self) -> None:
        universe = universe_of(24, Options(schools=11, coaches=5))
        assert (len(universe.schools), universe.regulars) == (11, 5)
        study = conduct(np.random.default_rng(0), universe, Plan(ratings=400))
        assert sorted(np.unique(study.ratings.coach).tolist()) == [0, 1, 2, 3, 4]
        drawn = [universe_of(seed) for seed in range(30)]
        assert {len(one.schools) for one in drawn} <= set(range(8, 41))
        assert {one.regulars for one in drawn} <= set(range(4, 13))

    def test_a_single_coach_rates_all_of_the_fit_and_others_what_it_never_sees(self) -> None:
        study = study_of(25, Options(single_coach=True))
        assert set(study.ratings.coach.tolist()) == {0}
        assert len(study.ratings) == 200 * 5
        assert len(set(study.new_ratings.coach.tolist())) > 2

    @pytest.mark.parametrize("share", [0.0, 0.4, 1.0])
    def test_that_share_of_lessons_is_seen_by_a_resolver_only(self, share: float) -> None:
        _, lessons = many_schools(universe_of(26, Options(resolver_only=share)), 27, 200, 20)
        some = lessons.x[lessons.x[:, EVIDENCE] > 0]
        blank = np.isnan(some)
        assert blank[:, UNSEEN_BY_RESOLVERS].all(axis=1).mean() == pytest.approx(share, abs=0.06)
        assert not np.delete(blank, UNSEEN_BY_RESOLVERS, axis=1).any()

    def test_shuffled_ratings_are_the_same_levels_and_know_nothing_of_their_lessons(self) -> None:
        found = {}
        for shuffled in (False, True):
            study = study_of(28, plan=Plan(ratings=1500, shuffled=shuffled))
            rows = study.ratings.dimension == 0
            truth = study.lessons.level[study.ratings.window[rows], 0]
            found[shuffled] = study.ratings.level[rows], kappa(study.ratings.level[rows], truth)
        assert np.array_equal(np.sort(found[False][0]), np.sort(found[True][0]))
        assert found[False][1] > 0.75
        assert abs(found[True][1]) < 0.1

    def test_briefed_ratings_come_on_top_and_lean_to_the_middle(self) -> None:
        ratings = study_of(29, plan=Plan(ratings=400, briefed=0.5)).ratings
        assert (~ratings.briefed).sum() == 400 * 5
        assert ratings.briefed.sum() == 200 * 5
        assert np.std(ratings.level[ratings.briefed]) < 0.7 * np.std(ratings.level[~ratings.briefed])

    @pytest.mark.parametrize(
        "options",
        [
            Options(signs_wrong=1.5),
            Options(resolver_only=-0.1),
            Options(interactions=6),
            Options(family="skewed", interactions=3),
            Options(schools=1),
            Options(coaches=0),
        ],
    )
    def test_what_cannot_be_made_is_refused(self, options: Options) -> None:
        with pytest.raises(UsageError, match="choose"):
            universe_of(0, options)

    def test_a_dimension_that_the_model_lacks_is_refused(self) -> None:
        with pytest.raises(UsageError, match="no dimension `joy`"):
            universe_of(0, dimensions=("joy",))


class TestStudy:
    def test_schools_held_out_have_no_rating_in_the_fit_and_new_ratings_no_lesson_of_it(self) -> None:
        study = study_of(30)
        assert 0.2 < study.held_out.mean() < 0.4
        assert not study.held_out[study.ratings.school].any()
        assert study.held_out[study.new_ratings.school].mean() == pytest.approx(0.5)
        assert not set(study.ratings.window.tolist()) & set(study.new_ratings.window.tolist())
        away = study.held_out[study.new_ratings.school]
        assert (study.new_ratings.coach[away] >= study.universe.regulars).all()
        assert (study.new_ratings.coach[~away] < study.universe.regulars).all()

    def test_each_dimension_gets_the_ratings_asked_for_and_no_coach_rates_a_lesson_twice(self) -> None:
        study = study_of(31, plan=Plan(ratings=250))
        ratings = study.ratings
        assert np.bincount(ratings.dimension).tolist() == [250] * 5
        keys = set(
            zip(ratings.window.tolist(), ratings.dimension.tolist(), ratings.coach.tolist(), strict=True)
        )
        assert len(keys) == len(ratings)
        assert len(set(ratings.window.tolist())) == 250 - 30
        assert np.array_equal(ratings.school, study.lessons.school[ratings.window])

    def test_lessons_that_do_not_suffice_are_a_usage_error(self) -> None:
        with pytest.raises(UsageError, match="choose more lessons or fewer ratings"):
            study_of(32, plan=Plan(lessons=300, ratings=5000))

    def test_a_coach_with_more_severity_of_the_rising_kind_rates_higher(self) -> None:
        universe, lessons = many_schools(universe_of(33), 34, 50, 40)
        rng, every = np.random.default_rng(35), np.arange(len(lessons))
        order = np.argsort(universe.severity)
        low, high = (
            rate(rng, universe, lessons, every, np.full(len(every), coach)).level.mean()
            for coach in order[[0, -1]]
        )
        assert low < high

    def test_noise_grows_as_evidence_falls(self) -> None:
        universe, lessons = many_schools(universe_of(36), 37, 100, 60)
        left = universe.straight(lessons.x) - universe.means(lessons.latent)
        ratio = lessons.x[:, EVIDENCE] / universe.median_evidence
        spread = [
            np.nanstd(left[(ratio > low) & (ratio <= high)]) for low, high in ((0, 0.1), (0.5, 1), (1, 9))
        ]
        assert spread[0] > 1.5 * spread[1] > 1.5 * spread[2]

    def test_a_class_never_has_two_lessons_at_once_and_stays_in_its_school(self) -> None:
        lessons = study_of(38).lessons
        assert len(set(zip(lessons.class_.tolist(), lessons.start.tolist(), strict=True))) == len(lessons)
        pairs = set(zip(lessons.class_.tolist(), lessons.school.tolist(), strict=True))
        assert len(pairs) == len(set(lessons.class_.tolist()))


class TestFamilies:
    def test_the_other_family_breaks_the_assumptions_of_the_first(self) -> None:
        universe, lessons = many_schools(universe_of(40, Options(family="skewed")), 41, 200, 20)
        assert universe.tails.max() > 2.0 * universe.tails.min()
        usual = lessons.x[lessons.x[:, EVIDENCE] > 0.5 * universe.median_evidence, :WEIGHED]
        spread = usual - np.nanmean(usual, axis=0)
        skewness = np.nanmean(spread**3, axis=0) / np.nanmean(spread**2, axis=0) ** 1.5
        assert skewness[universe.skew > 0.5].min() > 0.5
        assert np.median(np.abs(skewness[universe.skew == 0])) < 0.4
        high, low = lessons.level.sum(axis=1) >= 12, lessons.level.sum(axis=1) <= 4
        left = universe.straight(lessons.x) - universe.means(lessons.latent)
        assert np.nanstd(left[high]) > np.nanstd(left[low])

    def test_within_a_level_its_features_still_follow_the_latent(self) -> None:
        for family, follows in zip(FAMILIES, (False, True), strict=True):
            universe, lessons = many_schools(universe_of(42, Options(family=family)), 43, 100, 20)
            rows = lessons.level[:, 0] == 1
            places = universe.place(lessons.latent, 0)[rows]
            assert (np.ptp(places) > 0.9) == follows

    @given(
        st.lists(st.floats(-30, 30), min_size=WEIGHED, max_size=WEIGHED),
        st.floats(0.05, 0.9),
        st.integers(0, WEIGHED - 1),
    )
    @settings(derandomize=True, max_examples=60, deadline=None)
    def test_skewed_units_can_be_undone(self, values: list[float], skew: float, straight: int) -> None:
        z = np.maximum(np.array([values]), -15.0)
        skews = np.full(WEIGHED, skew)
        skews[straight] = 0.0
        assert unwarped(warped(z, skews), skews) == pytest.approx(z, abs=1e-6)

    def test_scales_of_students_noise_have_mean_one_and_heavier_ends_the_less_freedom(self) -> None:
        few, many = parameters.student_scales(3.5), parameters.student_scales(200.0)
        assert few.mean() == pytest.approx(1.0)
        assert few.max() / few.min() > 3 * many.max() / many.min()


def run(*words: object) -> tuple[int, str, BaseException | None]:
    app = typer.Typer()
    app.command()(simulate)
    result = CliRunner().invoke(app, [str(word) for word in words])
    return result.exit_code, result.output, result.exception


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


class TestFiles:
    def test_the_same_seed_writes_the_same_bytes_and_another_seed_others(self, tmp_path: Path) -> None:
        for name, seed in (("a", 5), ("b", 5), ("c", 6)):
            assert run("--out", tmp_path / name, "--seed", seed, "--lessons", 1200)[0] == 0
        for file in ("F.csv", "R.csv", "R_new.csv", "truth.csv", "oracle.json"):
            a, b, c = ((tmp_path / name / file).read_bytes() for name in "abc")
            assert a == b
            assert a != c

    def test_they_agree_with_each_other_and_with_the_readers(self, tmp_path: Path) -> None:
        code, output, _ = run("--out", tmp_path, "--lessons", 1200, "--ratings", 100, "--briefed", 0.1)
        assert code == 0
        assert "coach/truth" in output
        table = tables.read_features(tmp_path / "F.csv")
        assert table.class_ is not None
        assert table.start is not None
        school_of = dict(zip(table.ids, table.school, strict=True))
        truth = rows_of(tmp_path / "truth.csv")
        assert [row["window"] for row in truth[::5]] == list(table.ids)
        ids = {dimension.id for dimension in TIM.dimensions}
        assert {row["dimension"] for row in truth} == ids
        held = json.loads((tmp_path / "oracle.json").read_text())["schools"]
        for name in ("R.csv", "R_new.csv"):
            for row in rows_of(tmp_path / name):
                assert row["school"] == school_of[row["window"]]
                assert row["level"] in "01234"
                assert row["dimension"] in ids
                assert name == "R_new.csv" or not held[row["school"]]["held_out"]
        briefed = [row["briefed"] for row in rows_of(tmp_path / "R.csv")]
        assert (briefed.count("0"), briefed.count("1")) == (500, 50)

    def test_the_oracles_figures_come_as_json_marked_as_simulated(self, tmp_path: Path) -> None:
        code, output, _ = run("--out", tmp_path, "--lessons", 1200, "--json")
        assert code == 0
        said, kept = json.loads(output), json.loads((tmp_path / "oracle.json").read_text())
        assert said["simulated"] is True
        assert said["mean"] == kept["mean"]
        assert said["mean"]["qwk"] > 0.7
        means: dict[str, list[int]] = {name: [] for name in kept["schools"]}
        school_of = {row["window"]: row["school"] for row in rows_of(tmp_path / "F.csv")}
        for row in rows_of(tmp_path / "truth.csv"):
            if row["dimension"] == "active":
                means[school_of[row["window"]]].append(int(row["level"]))
        for name, levels in means.items():
            assert kept["schools"][name]["lessons"] == len(levels)
            assert kept["schools"][name]["mean"]["active"] == pytest.approx(np.mean(levels), abs=1e-5)

    def test_other_models_and_single_dimensions_work_too(self, tmp_path: Path) -> None:
        assert run("--out", tmp_path / "a", "--model", "samr", "--lessons", 1200)[0] == 0
        words = ("--out", tmp_path / "b", "--dimension", "active", "--dimension", "authentic")
        assert run(*words, "--lessons", 1200, "--family", "skewed")[0] == 0
        assert {row["dimension"] for row in rows_of(tmp_path / "b" / "R.csv")} == {"active", "authentic"}

    @pytest.mark.parametrize(
        ("words", "says"),
        [
            (("--family", "odd"), "unknown family `odd`: choose steps or skewed"),
            (("--signs-wrong", 2), "signs-wrong is a share"),
            (("--lessons", 5), "choose 100 to 1000000 lessons"),
            (("--dimension", "joy"), "no dimension `joy`"),
        ],
    )
    def test_what_cannot_be_made_is_said_in_one_line_and_nothing_written(
        self, words: tuple[object, ...], says: str, tmp_path: Path
    ) -> None:
        _, _, error = run("--out", tmp_path / "new", *words)
        assert isinstance(error, UsageError)
        assert says in str(error)
        assert "\n" not in str(error)
        assert not (tmp_path / "new").exists()

    def test_a_file_in_the_folders_place_is_a_usage_error(self, tmp_path: Path) -> None:
        (tmp_path / "taken").write_text("")
        _, _, error = run("--out", tmp_path / "taken", "--lessons", 1200)
        assert isinstance(error, UsageError)
        assert "choose another place" in str(error)


def test_a_folder_with_somebody_elses_ratings_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "R.csv").write_text("window,dimension,coach,school,level\n")
    result = CliRunner().invoke(app, ["simulate", "--out", str(tmp_path), "--dimension", "active"])
    assert isinstance(result.exception, UsageError)
    assert "may be real" in str(result.exception)
    assert (tmp_path / "R.csv").read_text() == "window,dimension,coach,school,level\n"
