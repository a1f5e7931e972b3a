"""A graph scores as numpy does: to 1e-6 in probabilities and scores, and the same sets and verdicts."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from onnx.reference import ReferenceEvaluator

from models.features.set1 import EVIDENCE, FEATURE_SET, FEATURES
from models.graph.read import Graph, Outputs, sound
from models.graph.rubric import rubric_fit
from models.graph.write import content_hash, encode
from models.integration.load import load_model, model_names
from models.integration.model import IntegrationModel
from models.scoring.fit_file import EvidenceGroup, Fit, sealed
from models.scoring.reference import shipped_reference
from models.scoring.scorer import Scorer
from models.scoring.sets import EVIDENCE_ONLY, PLACED, THIN
from tests.models.fit_lessons import TIM
from tests.models.graph_fits import calibrated_by_hand, model_of_widths, random_rows, walkthrough_fit
from tests.models.scored_fits import drawn_fit

ROWS = 1_000_000
BLOCK = 50_000
MOST = 1e-6
lawful = settings(derandomize=True, max_examples=20, deadline=None)


@pytest.fixture(scope="module")
def fit(tmp_path_factory: pytest.TempPathFactory) -> Fit:
    return walkthrough_fit(tmp_path_factory.mktemp("fit"))


def graph_of(model: IntegrationModel, fit: Fit) -> Graph:
    return sound(encode(model, fit), model, "M.onnx")


def assert_same(graph: Graph, scorer: Scorer, x: NDArray[np.float32]) -> Outputs:
    """Everything that both say of the rows x, numpy's rounded to float32; returns the graph's."""
    ours, theirs = scorer.score(x), graph.run(x)
    np.testing.assert_allclose(theirs.probs, ours.probs.astype(np.float32), rtol=0, atol=MOST)
    np.testing.assert_allclose(theirs.score, ours.score.astype(np.float32), rtol=0, atol=MOST)
    np.testing.assert_array_equal(theirs.low, ours.low)
    np.testing.assert_array_equal(theirs.high, ours.high)
    np.testing.assert_array_equal(theirs.verdict, ours.codes)
    return theirs


def test_onnxruntime_and_numpy_agree_on_a_million_random_rows(fit: Fit) -> None:
    by_rubric = rubric_fit(TIM, shipped_reference())
    for own, scorer in ((by_rubric, Scorer.for_model("tim")), (fit, Scorer.fitted(TIM, fit))):
        graph, rng = graph_of(TIM, own), np.random.default_rng(5)
        for _ in range(0, ROWS // 2, BLOCK):
            x = random_rows(own, rng, BLOCK)
            told = assert_same(graph, scorer, x)
            np.testing.assert_allclose(told.probs, scorer.probabilities(x), rtol=0, atol=MOST)


@pytest.mark.parametrize("name", model_names())
def test_every_model_has_a_graph_that_passes_the_checker_and_scores_by_its_rubric(name: str) -> None:
    model, own = load_model(name), rubric_fit(load_model(name), shipped_reference())
    file = encode(model, own)
    parsed = onnx.load_from_string(file)
    onnx.checker.check_model(parsed, full_check=True)
    assert parsed.SerializeToString() == file
    assert_same(
        graph_of(model, own), Scorer.for_model(name), random_rows(own, np.random.default_rng(1), 2000)
    )


@lawful
@given(st.lists(st.integers(2, 12), min_size=1, max_size=6), st.data())
def test_dimensions_of_any_widths_and_evidence_groups_agree(widths: list[int], data: st.DataObject) -> None:
    model = model_of_widths(*widths)
    unit = st.floats(0, 0.999)
    groups = []
    for _ in widths:
        thresholds = sorted(data.draw(st.lists(unit, max_size=3)), reverse=True)
        edges = [0.0, 0.4, 1.1][: len(thresholds)]
        groups.append(tuple(EvidenceGroup(e, t, 30) for e, t in zip(edges, thresholds, strict=True)))
    own = calibrated_by_hand(model, *groups)
    graph = graph_of(model, own)
    onnx.checker.check_model(onnx.load_from_string(graph.file), full_check=True)
    assert_same(graph, Scorer.fitted(model, own), random_rows(own, np.random.default_rng(2), 300))


def test_a_second_runtime_says_the_same(fit: Fit) -> None:
    graph, x = graph_of(TIM, fit), random_rows(fit, np.random.default_rng(9), 300)
    told = graph.run(x)
    names = list(Outputs.__slots__)
    again = ReferenceEvaluator(onnx.load_from_string(graph.file)).run(names, {"x": x})
    for name, value in zip(names, again, strict=True):
        np.testing.assert_allclose(value, getattr(told, name), rtol=0, atol=MOST)


def test_rates_in_the_hundreds_and_values_far_out_keep_their_digits(fit: Fit) -> None:
    mean = tuple(900.0 + i for i in range(len(FEATURES)))
    reference = msgspec.structs.replace(fit.reference, mean=mean, sd=(0.37,) * len(FEATURES))
    own = sealed(msgspec.structs.replace(fit, reference=reference))
    x = random_rows(own, np.random.default_rng(3), 5000)
    assert_same(graph_of(TIM, own), Scorer.fitted(TIM, own), x)
    far = random_rows(fit, np.random.default_rng(4), 500)
    far[::3, :8] = np.float32(3e38)
    told = graph_of(TIM, fit).run(far)
    ours = Scorer.fitted(TIM, fit).score(far)
    np.testing.assert_allclose(told.probs, ours.probs, rtol=0, atol=MOST)
    np.testing.assert_array_equal(told.verdict, ours.codes)


def test_without_evidence_nothing_is_kept_and_where_it_is_missing_nothing_is_shrunk(fit: Fit) -> None:
    graph = graph_of(TIM, fit)
    x = random_rows(fit, np.random.default_rng(6), 3)
    x[:, EVIDENCE] = (0.0, np.nan, 10 * fit.reference.median_evidence)
    x[1, :EVIDENCE] = x[2, :EVIDENCE]
    told = graph.run(x)
    assert (told.score[0] == 0).all() and (told.verdict[0] == 1).all()
    np.testing.assert_array_equal(told.score[1], told.score[2])
    assert (told.verdict[1] == 2).all() and (told.low[1] == -1).all() and (told.high[1] == -1).all()


def test_an_infinite_value_harms_no_row_but_its_own(fit: Fit) -> None:
    graph = graph_of(TIM, fit)
    x = random_rows(fit, np.random.default_rng(7), 40)
    hurt = x.copy()
    hurt[7, :3] = np.inf
    told, before = graph.run(hurt), graph.run(x)
    others = np.arange(len(x)) != 7
    np.testing.assert_array_equal(told.probs[others], before.probs[others])


def test_no_rows_and_rows_of_many_blocks_come_back_in_their_order(fit: Fit) -> None:
    graph = graph_of(TIM, fit)
    assert graph.run(np.zeros((0, len(FEATURES)))).probs.shape == (0, 5, 5)
    x = random_rows(fit, np.random.default_rng(8), 9001)
    whole = graph.run(x)
    np.testing.assert_array_equal(graph.run(x[8998:]).probs, whole.probs[8998:])
    with pytest.raises(ValueError, match="rows of 24 features"):
        graph.run(x[:, :5])


def test_the_file_tells_what_it_is_and_names_no_coach_or_school(fit: Fit) -> None:
    file = encode(TIM, fit)
    assert file == encode(TIM, fit.without_people())
    told = {prop.key: prop.value for prop in onnx.load_from_string(file).metadata_props}
    assert (told["model"], told["version"]) == (TIM.id, TIM.version)
    assert told["feature_set"] == FEATURE_SET
    assert (told["fitted"], told["status"], told["windows"]) == ("2026-02-03", "simulated", "150")
    assert told["content_hash"] == content_hash(file)
    assert fit.dimensions["active"].coaches
    for effect in (*fit.dimensions["active"].coaches, *fit.dimensions["active"].schools):
        assert effect.id.encode() not in file
    rubric = encode(TIM, rubric_fit(TIM, shipped_reference()))
    told = {prop.key: prop.value for prop in onnx.load_from_string(rubric).metadata_props}
    assert (told["fitted"], told["status"], told["simulated"]) == ("rubric", "prior", "true")


def test_any_runtime_sees_the_inputs_and_outputs_that_are_promised(fit: Fit) -> None:
    session = graph_of(TIM, fit).session
    told = {
        value.name: (value.type, value.shape) for value in (*session.get_inputs(), *session.get_outputs())
    }
    placed = ("tensor(int64)", ["N", 5])
    assert told == {
        "x": ("tensor(float)", ["N", 24]),
        "probs": ("tensor(float)", ["N", 5, 5]),
        "score": ("tensor(float)", ["N", 5]),
        "low": placed,
        "high": placed,
        "verdict": placed,
    }


def test_reading_a_graph_loads_neither_onnx_nor_onnxruntime(fit: Fit, tmp_path: Path) -> None:
    path = tmp_path / "M.onnx"
    path.write_bytes(encode(TIM, fit))
    code = (
        "import sys; from pathlib import Path; from models.graph.read import read_graph\n"
        "from models.integration.load import load_model\n"
        f"read_graph(Path({str(path)!r}), load_model('tim'))\n"
        "print(sorted({'onnx', 'onnxruntime'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_in_a_graph_of_a_model_of_a_term_no_lesson_is_placed() -> None:
    model = load_model("loti")
    own = drawn_fit(model, 5)
    x = random_rows(own, np.random.default_rng(12), 500)
    told = assert_same(graph_of(model, own), Scorer.fitted(model, own), x)
    assert {*told.verdict.ravel().tolist()} == {THIN, EVIDENCE_ONLY}
    assert (Scorer.fitted(replace(model, grain="lesson"), own).score(x).codes == PLACED).any()


def test_in_a_graph_a_threshold_of_one_means_every_stage() -> None:
    own = calibrated_by_hand(TIM, *[(EvidenceGroup(0.0, 1.0, 60),)] * 5)
    x = random_rows(own, np.random.default_rng(13), 5000)
    x[:, EVIDENCE] = own.reference.median_evidence
    x[:, :EVIDENCE] *= 3
    told = assert_same(graph_of(TIM, own), Scorer.fitted(TIM, own), x)
    assert (told.low == 0).all() and (told.high == 4).all()
