"""FIT.json: whoever reads it, a strange number anywhere in it is refused in one line."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner

from models.cli import app
from models.graph.rubric import rubric_fit
from models.scoring.fit_check import RUBRIC
from models.scoring.fit_file import Agreement, EvidenceGroup, Fit, decode, encode
from models.scoring.reference import shipped_reference
from shared.errors import BadInput, CommonGroundError
from tests.models.card_fits import changed, coach, fitted, partly_fitted, unfitted, with_dimension
from tests.models.fit_lessons import TIM

NAN, INF = float("nan"), float("inf")
run = CliRunner()


def refused(fit: Fit) -> str:
    with pytest.raises(BadInput) as caught:
        decode(encode(fit), "FIT.json")
    assert "\n" not in str(caught.value)
    assert caught.value.reason == "fit_malformed"
    return str(caught.value)


def part(name: str, **parts: Any) -> Fit:
    """The fit with another part of its first dimension changed: sets, held_out, left_out, and so on."""
    own = getattr(fitted().dimensions["active"], name)
    return with_dimension(fitted(), "active", **{name: msgspec.structs.replace(own, **parts)})


@pytest.mark.parametrize("make", [fitted, partly_fitted, unfitted])
def test_a_fit_as_written_is_read(make: Callable[[], Fit]) -> None:
    assert decode(encode(make()), "FIT.json") == make()


def test_the_rubric_may_stand_for_the_day_only_where_no_rating_stands_behind_a_fit() -> None:
    bare = rubric_fit(TIM, shipped_reference())
    assert bare.fitted == RUBRIC
    assert decode(encode(bare), "FIT.json") == bare
    assert "must be a date" in refused(changed(unfitted(), fitted=RUBRIC))


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        ({"fitted": "yesterday"}, "must be a date"),
        ({"fitted": "2025-03-04T00:00:00Z"}, "must be a date"),
        ({"fitted": "20250304"}, "must be a date"),
        ({"seed": -1}, "must not be negative"),
    ],
)
def test_a_strange_head_is_refused(parts: dict[str, Any], told: str) -> None:
    assert told in refused(changed(fitted(), **parts))


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        ({"mean": (0.0,) * 23}, "24 features"),
        ({"sd": ()}, "24 features"),
        ({"sd": (0.0,) * 24}, "deviations must lie from"),
        ({"median_evidence": 0.0}, "median of evidence"),
        ({"windows": -1}, "must not be negative"),
        ({"bins": ((),) * 23 + ((1.0, 2.0),)}, "9 deciles"),
        ({"bins": ((),) * 23 + (tuple(map(float, range(9, 0, -1))),)}, "9 deciles"),
    ],
)
def test_a_strange_reference_is_refused(parts: dict[str, Any], told: str) -> None:
    reference = msgspec.structs.replace(fitted().reference, **parts)
    assert told in refused(changed(fitted(), reference=reference))


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        ({"weights": (1.0,) * 24}, "none for evidence"),
        ({"weights": ()}, "24 finite numbers"),
        ({"cutpoints": (0.0, 1.0, 1.0, 2.0)}, "must rise"),
        ({"noise_share": 0.0}, "noise_share"),
        ({"conditional": 1.5}, "conditional"),
        ({"covariance": ((1.0,),)}, "28 by 28"),
        ({"covariance": (((-1.0,) * 28),) * 28}, "no variance below 0"),
        ({"weight_sd": -1.0}, "the prior"),
        ({"ratings": 49}, "fewer than 50"),
        ({"ratings": -1}, "counts"),
        ({"sets": None}, "has sets"),
        ({"coaches": (msgspec.structs.replace(coach("a"), low=9.0),)}, "within its interval"),
        ({"schools": (msgspec.structs.replace(coach("s"), ratings=-1),)}, "within its interval"),
        ({"agreement": Agreement(5, 1.5, None)}, "agreement"),
        ({"agreement": Agreement(5, None, -99.0)}, "agreement"),
        ({"agreement": Agreement(-5, None, None)}, "agreement"),
    ],
)
def test_a_strange_dimension_is_refused_by_its_name(parts: dict[str, Any], told: str) -> None:
    message = refused(with_dimension(fitted(), "active", **parts))
    assert told in message
    assert "dimension `active`" in message


@pytest.mark.parametrize(
    ("name", "parts", "told"),
    [
        ("left_out", {"briefed": -1}, "counts"),
        ("school_sd", {"sd": ()}, "values and weights"),
        ("coach_sd", {"weight": (0.5,) * 7}, "sum to 1"),
        ("sets", {"groups": ()}, "rise from 0"),
        ("sets", {"groups": (EvidenceGroup(0.0, 1.1, 60),)}, "between 0 and 1"),
        ("sets", {"groups": (EvidenceGroup(0.0, 0.5, 60), EvidenceGroup(1.0, 0.6, 60))}, "lower one"),
        ("sets", {"groups": (EvidenceGroup(0.0, 0.5, -1),)}, "count ratings"),
        ("sets", {"miscoverage": 1.0}, "promise"),
        ("held_out", {"confusion": ((1, 2), (3, 4))}, "must be 5 by 5"),
        ("held_out", {"confusion": ((0,) * 5,) * 5}, "must hold counts"),
        ("held_out", {"confusion": ((1, -1, 1, 1, 1),) * 5}, "must hold counts"),
        ("held_out", {"kappa": 3.0}, "between -1 and 1"),
        ("held_out", {"ece": -0.1}, "between 0 and 1"),
        ("held_out", {"coverage": 1.1}, "between 0 and 1"),
        ("held_out", {"size": 9.0}, "sets span 1 to 5"),
    ],
)
def test_a_strange_part_of_a_dimension_is_refused(name: str, parts: dict[str, Any], told: str) -> None:
    assert told in refused(part(name, **parts))


@pytest.mark.parametrize(
    ("rows", "parts", "told"),
    [
        ("calibration", {"stage": 4}, "a cutpoint and ratings"),
        ("calibration", {"ratings": 0}, "a cutpoint and ratings"),
        ("calibration", {"seen": 2.0}, "must hold shares"),
        ("groups", {"size": 0.5}, "a coverage and a size"),
        ("groups", {"least": -1.0}, "begin at 0"),
    ],
)
def test_a_strange_row_of_held_out_figures_is_refused(rows: str, parts: dict[str, Any], told: str) -> None:
    held = fitted().dimensions["active"].held_out
    first, *rest = getattr(held, rows)
    assert told in refused(part("held_out", **{rows: (msgspec.structs.replace(first, **parts), *rest)}))


def test_an_agreement_that_is_undefined_is_no_fault() -> None:
    fit = part("held_out", kappa=None)
    assert decode(encode(fit), "FIT.json") == fit


def test_every_command_that_takes_a_fit_refuses_what_only_a_card_would_draw(tmp_path: Path) -> None:
    path, out = tmp_path / "FIT.json", str(tmp_path / "out")
    path.write_bytes(encode(part("held_out", size=9.0)))
    for words in (
        ["card", str(path), "--out", out],
        ["export", "--model", "tim", "--fitted", str(path), "--out", out],
    ):
        wrong = run.invoke(app, words).exception
        assert isinstance(wrong, CommonGroundError), words
        assert "sets span 1 to 5" in str(wrong)
