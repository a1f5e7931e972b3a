"""The crosswalk says who holds which stages alike and how surely, and claims nothing else."""

from pathlib import Path

import pytest

from models.integration.crosswalk import (
    CROSSWALK,
    check_crosswalk,
    crosswalk_of,
    lineage_of,
    load_crosswalk,
)
from models.integration.load import load_model, model_names
from shared.errors import SettingsError, UsageError

TEXT = CROSSWALK.read_text(encoding="utf-8")
PAIR = """
[[pairs]]
stages = ["{0}", "{1}"]
basis = "{2}"
confidence = "{3}"
why = "because"
source = "us"
"""


def changed(folder: Path, more: str = "", old: str = "", new: str = "") -> Path:
    path = folder / "crosswalk.toml"
    path.write_text(TEXT.replace(old, new, 1) + more if old else TEXT + more, encoding="utf-8")
    return path


def test_what_ships_is_sound_and_says_its_caution() -> None:
    assert check_crosswalk() == []
    assert "counting their levels is arbitrary" in load_crosswalk().caution


def test_every_stage_in_it_exists() -> None:
    stages = {
        (name, one.id, stage.id)
        for name in model_names()
        for one in load_model(name).dimensions
        for stage in one.stages
    }
    for pair in load_crosswalk().pairs:
        for end in (pair.here, pair.there):
            assert (end.model, end.dimension, end.stage) in stages


def test_only_picrat_and_rat_and_loti_and_acot_are_more_than_opinion() -> None:
    for pair in load_crosswalk().pairs:
        family = {pair.here.model, pair.there.model}
        known = {"contains": {"picrat", "rat"}, "derives": {"loti", "acot"}}
        assert known.get(pair.basis, family) == family
        assert pair.confidence != "high" or pair.basis == "contains"
        assert pair.basis != "opinion" or pair.source == "our opinion"
        assert (
            pair.basis != "derives" or "our opinion" in pair.source
        )  # the descent is known, the pairing not


def test_it_is_many_to_many() -> None:
    there = [str(pair.there) for pair in crosswalk_of("samr", "task", "modification")]
    assert there == ["rat.practice.amplification", "rat.practice.transformation"]
    here = [pair.here.stage for pair in crosswalk_of("samr") if pair.there.stage == "transformation"]
    assert here == ["modification", "redefinition"]


def test_it_reads_the_same_in_both_directions() -> None:
    from_rat = {(str(pair.here), str(pair.there)) for pair in crosswalk_of("rat")}
    picrat = {
        (str(pair.there), str(pair.here)) for pair in crosswalk_of("picrat") if pair.there.model == "rat"
    }
    assert picrat <= from_rat
    assert len(picrat) == 3
    for name in model_names():
        assert all(pair.here.model == name != pair.there.model for pair in crosswalk_of(name))


def test_it_can_be_asked_for_a_dimension_or_a_stage() -> None:
    whole = crosswalk_of("tim")
    assert set(crosswalk_of("tim", "active")) < set(whole)
    assert [pair.here.stage for pair in crosswalk_of("tim", "constructive", "entry")] == ["entry"]
    assert crosswalk_of("tim", "goal_directed") == ()
    with pytest.raises(UsageError, match="tim has no dimension `activ`; did you mean `active`"):
        crosswalk_of("tim", "activ")
    with pytest.raises(UsageError, match="tim has no stage `entri`; did you mean `entry`"):
        crosswalk_of("tim", "active", "entri")
    assert crosswalk_of("house") == ()


def test_lineage_names_what_a_model_was_made_from() -> None:
    assert {line.to.split(" ")[0] for line in lineage_of("loti")} == {"acot", "Concerns-Based"}
    assert [line.in_words().split(":")[0] for line in lineage_of("rat")] == ["picrat contains rat"]


@pytest.mark.parametrize(
    ("pair", "line", "message"),
    [
        (("tim.active.entri", "samr.task.substitution", "opinion", "low"), 3, "did you mean `entry`"),
        (("tin.active.entry", "samr.task.substitution", "opinion", "low"), 3, "did you mean `tim`"),
        (("tim.activ.entry", "samr.task.substitution", "opinion", "low"), 3, "did you mean `active`"),
        (("tim.entry", "samr.task.substitution", "opinion", "low"), 3, "write model.dimension.stage"),
        (("tim.active.entry", "tim.authentic.entry", "opinion", "low"), 3, "belong to one model"),
        (("tim.active.entry", "samr.task.substitution", "opinion", "high"), 5, "middle or low"),
        (("tim.active.entry", "samr.task.substitution", "hunch", "low"), 4, "contains, derives or opinion"),
        (("tim.active.entry", "samr.task.substitution", "opinion", "0.5"), 5, "high, middle or low"),
        (("rat.practice.replacement", "picrat.effect.replaces", "opinion", "low"), 2, "same two stages as"),
    ],
)
def test_a_mistake_is_named_with_its_line(
    tmp_path: Path, pair: tuple[str, ...], line: int, message: str
) -> None:
    path = changed(tmp_path, PAIR.format(*pair))
    (finding,) = check_crosswalk(path)
    assert (finding.line, message in finding.text) == (TEXT.count("\n") + line, True)
    with pytest.raises(SettingsError, match=f"crosswalk.toml:{finding.line}: "):
        load_crosswalk(path)


def test_every_mistake_is_named(tmp_path: Path) -> None:
    one = PAIR.format("tim.active.entri", "samr.task.substitution", "opinion", "high")
    two = PAIR.format("acot.practice.entry", "loti.innovation.awarenes", "opinion", "low")
    assert len(check_crosswalk(changed(tmp_path, one + two))) == 3
    broken = changed(tmp_path, "surplus = 1\n", 'caution = "', 'cautious = "')
    assert len(check_crosswalk(broken)) == 3  # two unknown keys, one missing
    assert [
        f.text for f in check_crosswalk(changed(tmp_path, old='model = "loti"', new='model = "lotti"'))
    ] == ["unknown model `lotti`; did you mean `loti`?"]
