"""A school's own models stand beside those that ship, and never in their place."""

from pathlib import Path

import pytest

from models.integration.load import PUBLISHED, check_model, load_model, model_names
from models.scoring.scorer import Scorer
from shared.errors import SettingsError, UsageError
from tests.models.test_integration_models import SMALL, written


def test_names_are_those_that_ship_and_then_ones_own(tmp_path: Path) -> None:
    written(tmp_path)
    (tmp_path / "attic.toml").write_text(SMALL.replace('"house"', '"attic"'))
    (tmp_path / "notes.txt").write_text("not a model")
    (tmp_path / "._house.toml").write_bytes(b"\x00\x05\x16\x07")  # macOS leaves such files beside copies
    (tmp_path / "folder.toml").mkdir()
    assert model_names(tmp_path) == (*model_names(), "attic", "house")


def test_a_folder_that_is_absent_holds_no_models(tmp_path: Path) -> None:
    assert model_names(tmp_path / "models") == model_names()
    assert load_model("tim", tmp_path / "models") is load_model("tim")


def test_ones_own_model_is_loaded_by_its_id_and_by_its_path(tmp_path: Path) -> None:
    path = written(tmp_path)
    assert load_model("house", tmp_path) == load_model(str(path))
    assert load_model(str(PUBLISHED / "tim.toml")) == load_model("tim")
    assert Scorer.for_model(str(path)).dimensions == ("making", "joining")


def test_a_change_to_ones_own_model_counts_at_once(tmp_path: Path) -> None:
    written(tmp_path)
    before = load_model("house", tmp_path)
    written(tmp_path, "weight = 0.5", "weight = 0.6")
    after = load_model("house", tmp_path)
    assert (before.dimensions[0].indicators[0].weight, after.dimensions[0].indicators[0].weight) == (0.5, 0.6)


def test_the_id_of_a_model_that_ships_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "tim.toml"
    path.write_text(SMALL.replace('"house"', '"tim"'))
    refused = "`tim` is a model that ships with the program: give yours another id"
    for ask in (
        lambda: model_names(tmp_path),
        lambda: load_model("tim", tmp_path),
        lambda: load_model("samr", tmp_path),
        lambda: load_model(str(path)),
    ):
        with pytest.raises(SettingsError, match=refused) as caught:
            ask()
        assert str(caught.value).startswith(f"{path}:1: ")
    other = tmp_path / "other.toml"
    path.rename(other)
    assert [(one.line, one.text) for one in check_model(other)] == [(2, f"{refused}, and its file that name")]
    with pytest.raises(SettingsError, match=refused):
        load_model(str(other))


def test_a_file_is_named_for_its_model(tmp_path: Path) -> None:
    path = tmp_path / "other.toml"
    path.write_text(SMALL)
    with pytest.raises(SettingsError, match=r"name the file house\.toml"):
        load_model("other", tmp_path)
    assert load_model(str(path)).id == "house"
    assert [one.line for one in check_model(path, named_for_id=True)] == [2]
    assert check_model(path) == []


def test_an_unknown_model_is_refused_with_the_nearest(tmp_path: Path) -> None:
    written(tmp_path)
    with pytest.raises(UsageError, match="did you mean `tim`"):
        load_model("tin")
    with pytest.raises(UsageError, match="did you mean `house`"):
        load_model("hause", tmp_path)
    with pytest.raises(UsageError, match=r"known models: acot, .*, house"):
        load_model("?", tmp_path)
    with pytest.raises(UsageError, match="there is no file"):
        load_model("nowhere/house.toml")
    for name in ("\x1b[2J", "\x1b[2J.toml", "../tim", "x" * 10_000):
        with pytest.raises(UsageError) as caught:
            load_model(name, tmp_path)
        assert str(caught.value).isprintable()
