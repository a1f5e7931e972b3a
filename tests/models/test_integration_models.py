"""Integration models: what ships is sound, says where it comes from, and claims no more than is seen."""

import re
from pathlib import Path

import pytest

from models.features.set1 import FEATURES
from models.integration.load import PUBLISHED, load_model, model_names

SIGNS = {
    "active": {"consume_share": -1, "practise_share": -1, "create_share": 1, "choice_dispersion": 1}
    | {"synchrony": -1, "mirror_share": -1},
    "collaborative": {"collaborate_share": 1, "peer_share_rate": 1, "coedit_fraction": 1}
    | {"contribution_evenness": 1},
    "constructive": {"create_share": 1, "artefact_rate": 1, "revisions_per_artefact": 1}
    | {"chain_fraction": 1, "consume_share": -1},
    "authentic": {"publish_share": 1, "outside_audience": 1, "capture_rate": 1, "ar_use": 1},
    "goal_directed": {"plan_share": 1, "reflect_share": 1, "revisions_per_artefact": 1}
    | {"choice_dispersion": 1},
}

SMALL = """
id = "house"
name = "House model"
version = "1"
owner = "us"
source = "a staff meeting"
link = "https://example.org/"
grain = "lesson"
text = "Two scales of different length."
base_rates = [0.5, 0.5]

[[stages]]
id = "seldom"
name = "Seldom"
text = "Not often."

[[stages]]
id = "often"
name = "Often"
text = "More often than not."

[[dimensions]]
id = "making"
name = "Making"
text = "Whether things are made."
needs = ["create_share"]
[dimensions.descriptions]
seldom = "Little is made."
often = "Much is made."
[[dimensions.indicators]]
feature = "create_share"
weight = 0.5
source = "us"
why = "time"

[[dimensions]]
id = "joining"
name = "Joining"
text = "How far children join in."
base_rates = [0.2, 0.3, 0.5]
[[dimensions.stages]]
id = "one"
name = "One"
text = "one"
[[dimensions.stages]]
id = "two"
name = "Two"
text = "two"
[[dimensions.stages]]
id = "three"
name = "Three"
text = "three"
[dimensions.descriptions]
one = "Alone."
two = "In pairs."
three = "All."
[[dimensions.indicators]]
feature = "collaborate_share"
weight = 0.4
source = "us"
why = "time"
"""


def written(folder: Path, old: str = "", new: str = "") -> Path:
    assert old in SMALL
    path = folder / "house.toml"
    path.write_text(SMALL.replace(old, new, 1) if old else SMALL, encoding="utf-8")
    return path


def test_tim_has_five_characteristics_on_five_levels() -> None:
    tim = load_model("tim")
    assert [dimension.id for dimension in tim.dimensions] == list(SIGNS)
    for dimension in tim.dimensions:
        names = [stage.id for stage in dimension.stages]
        assert names == ["entry", "adoption", "adaptation", "infusion", "transformation"]
        assert dimension.base_rates == (0.22, 0.33, 0.25, 0.14, 0.06)
        assert len({stage.text for stage in dimension.stages}) == 5


@pytest.mark.parametrize("name", SIGNS)
def test_tim_weights_have_the_signs_of_the_rubric_and_moderate_sizes(name: str) -> None:
    dimension = next(d for d in load_model("tim").dimensions if d.id == name)
    assert {i.feature: (1 if i.weight > 0 else -1) for i in dimension.indicators} == SIGNS[name]
    assert all(0.3 <= abs(i.weight) <= 0.6 and i.source and i.why for i in dimension.indicators)


@pytest.mark.parametrize("name", model_names())
def test_every_shipped_model_says_where_it_comes_from_and_what_it_cannot_see(name: str) -> None:
    model = load_model(name)
    assert model.id == name
    assert model.owner
    assert model.link.startswith("https://")
    assert model.unseen
    assert model.warnings
    assert model.criticism


def test_a_school_may_write_its_own_model_with_scales_of_different_length(tmp_path: Path) -> None:
    model = load_model(str(written(tmp_path)))
    making, joining = model.dimensions
    assert [stage.text for stage in making.stages] == ["Little is made.", "Much is made."]
    assert making.base_rates == (0.5, 0.5)
    assert [stage.id for stage in joining.stages] == ["one", "two", "three"]
    assert joining.needs == ()


def test_every_weighted_feature_is_one_of_set_1() -> None:
    for name in model_names():
        for dimension in load_model(name).dimensions:
            assert {i.feature for i in dimension.indicators} | set(dimension.needs) <= set(FEATURES)


def test_seven_published_models_ship() -> None:
    assert model_names() == ("acot", "loti", "picrat", "rat", "samr", "tim", "triple_e")


@pytest.mark.parametrize(
    ("name", "stages"),
    [
        ("samr", {"task": ["substitution", "augmentation", "modification", "redefinition"]}),
        ("rat", {"practice": ["replacement", "amplification", "transformation"]}),
        ("acot", {"practice": ["entry", "adoption", "adaptation", "appropriation", "invention"]}),
        (
            "loti",
            {
                "innovation": [
                    "non_use",
                    "awareness",
                    "exploration",
                    "infusion",
                    "integration_mechanical",
                    "integration_routine",
                    "expansion",
                    "refinement",
                ]
            },
        ),
        (
            "picrat",
            {
                "relation": ["passive", "interactive", "creative"],
                "effect": ["replaces", "amplifies", "transforms"],
            },
        ),
        ("triple_e", {one: ["absent", "partly", "clearly"] for one in ("engage", "enhance", "extend")}),
    ],
)
def test_each_model_has_its_published_scales_lowest_stage_first(
    name: str, stages: dict[str, list[str]]
) -> None:
    found = {one.id: [stage.id for stage in one.stages] for one in load_model(name).dimensions}
    assert found == stages


def test_only_acot_and_loti_speak_of_a_term() -> None:
    grains = {name: load_model(name).grain for name in model_names()}
    assert {name for name, grain in grains.items() if grain == "term"} == {"acot", "loti"}
    assert set(grains.values()) == {"lesson", "term"}


def test_what_depends_on_things_no_log_sees_is_a_band_and_says_why() -> None:
    scales = [(name, one) for name in model_names() for one in load_model(name).dimensions]
    stages = {f"{name}.{one.id}" for name, one in scales if one.shown_as == "stages"}
    assert stages == {"picrat.relation", *(f"tim.{name}" for name in SIGNS)}
    assert all(bool(one.why_band) == (one.shown_as == "band") for _, one in scales)


def test_weights_are_smaller_where_less_of_the_construct_can_be_seen() -> None:
    for name in model_names():
        for one in load_model(name).dimensions:
            sizes = [abs(indicator.weight) for indicator in one.indicators]
            low, high = (0.3, 0.6) if one.shown_as == "stages" else (0.1, 0.4)
            assert min(sizes) >= low, (name, one.id)
            assert max(sizes) <= high, (name, one.id)


def test_picrats_second_scale_is_rat() -> None:
    (rat,) = load_model("rat").dimensions
    effect = load_model("picrat").dimensions[1]
    assert effect.indicators == rat.indicators
    assert effect.base_rates == rat.base_rates
    assert [stage.text for stage in effect.stages] == [stage.text for stage in rat.stages]


def test_the_version_of_loti_says_which_wording_it_follows() -> None:
    assert load_model("loti").version.startswith("2010")


@pytest.mark.parametrize("name", model_names())
def test_no_dimension_stays_thin_for_want_of_what_no_source_but_one_can_see(name: str) -> None:
    """A resolver's log sees what every scale needs, but for those that are about an audience."""
    seen = {"consume_share", "practise_share", "create_share", "collaborate_share", "publish_share"}
    seen |= {"reflect_share", "plan_share"}
    blind = {one.id for one in load_model(name).dimensions if not set(one.needs) <= seen}
    assert blind <= {"authentic", "extend"}


@pytest.mark.parametrize("name", model_names())
def test_what_pages_show_of_a_model_speaks_of_stages_and_never_of_scores_or_ranks(name: str) -> None:
    words = " ".join(re.findall(r'"([^"]*)"', (PUBLISHED / f"{name}.toml").read_text(encoding="utf-8")))
    assert not re.search(r"\bscor(e|es|ed|ing)\b|\brank", words, re.IGNORECASE)
