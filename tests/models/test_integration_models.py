"""Integration models: what ships is sound, and what a school writes is checked line by line."""

from pathlib import Path

import pytest

from models.features.set1 import FEATURES
from models.integration.load import HERE, load_model, model_names, read_model
from shared.errors import SettingsError, UsageError

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


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('owner = "us"', 'owne = "us"', "unknown key `owne`; did you mean `owner`"),
        ('owner = "us"\n', "", "owner"),
        ("weight = 0.5", 'weight = "much"', "weight"),
        ("weight = 0.5", "weight = 0.0", "finite number other than 0"),
        ("weight = 0.5", "weight = nan", "finite number other than 0"),
        ('feature = "create_share"', 'feature = "creat_share"', "did you mean `create_share`"),
        ('feature = "create_share"', 'feature = "evidence"', "may carry no weight"),
        ('needs = ["create_share"]', 'needs = ["creation"]', "unknown feature `creation`"),
        ("base_rates = [0.5, 0.5]", "base_rates = [0.5, 0.4]", "sum to 1"),
        ("base_rates = [0.5, 0.5]", "base_rates = [0.0, 1.0]", "between 0 and 1"),
        ("base_rates = [0.5, 0.5]", "base_rates = [0.5, 0.3, 0.2]", "3 base rates for 2 stages"),
        ('often = "Much is made."', 'oftn = "Much is made."', "describe each stage exactly once"),
        ('id = "joining"', 'id = "making"', "stands twice"),
        ('id = "joining"', 'id = "Joining In"', "lower snake case"),
        ('grain = "lesson"', 'grain = "minute"', "grain"),
        ('id = "two"', 'id = "one"', "different ids"),
        ("[[stages]]", "[[stages", "not valid TOML"),
    ],
)
def test_a_fault_is_named_with_its_file_in_one_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = written(tmp_path, old, new)
    with pytest.raises(SettingsError, match=message) as caught:
        read_model(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_a_feature_has_one_weight_on_a_dimension(tmp_path: Path) -> None:
    twice = (
        SMALL
        + '[[dimensions.indicators]]\nfeature = "collaborate_share"\nweight = 0.1\nsource = "us"\nwhy = "?"\n'
    )
    path = tmp_path / "house.toml"
    path.write_text(twice, encoding="utf-8")
    with pytest.raises(SettingsError, match="`collaborate_share` has two weights"):
        read_model(path)


def test_a_scale_needs_two_stages(tmp_path: Path) -> None:
    stage = '[[stages]]\nid = "often"\nname = "Often"\ntext = "More often than not."\n'
    path = written(tmp_path, stage, "")
    with pytest.raises(SettingsError, match="at least two stages"):
        read_model(path)


def test_an_unknown_model_is_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean `tim`"):
        load_model("tin")
    with pytest.raises(UsageError, match="there is no file"):
        load_model("nowhere/house.toml")


def test_a_shipped_file_is_named_for_its_model(tmp_path: Path) -> None:
    (tmp_path / "other.toml").write_text(SMALL, encoding="utf-8")
    with pytest.raises(SettingsError, match=r"name the file house\.toml"):
        load_model("other", tmp_path)
    assert model_names(HERE) == model_names()


def test_every_weighted_feature_is_one_of_set_1() -> None:
    for name in model_names():
        for dimension in load_model(name).dimensions:
            assert {i.feature for i in dimension.indicators} | set(dimension.needs) <= set(FEATURES)
