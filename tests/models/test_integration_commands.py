"""`models list`, `show`, `crosswalk` and `check` speak to people first, and to programs whole."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from models.cli import app
from models.commands.layout import NARROWEST, WIDEST
from models.integration.load import load_model, model_names
from shared.errors import UsageError
from tests.models.test_integration_models import written

run = CliRunner()


def said(*args: str, columns: int = 80) -> str:
    result = run.invoke(app, list(args), env={"COLUMNS": str(columns)})
    assert result.exit_code == 0, result.output
    return " ".join(result.stdout.split())


@pytest.mark.parametrize("columns", [20, NARROWEST, 80, 300])
@pytest.mark.parametrize("args", [["list"], ["crosswalk"], *(["show", name] for name in model_names())])
def test_lines_keep_to_the_width_of_the_terminal(args: list[str], columns: int) -> None:
    result = run.invoke(app, args, env={"COLUMNS": str(columns)})
    room = max(NARROWEST, min(WIDEST, columns))
    long = [line for line in result.stdout.splitlines() if len(line) > room]
    assert all("https://" in line for line in long)


def test_list_says_of_what_each_model_speaks_and_on_which_scales() -> None:
    text = said("list")
    assert "acot term ACOT stages: practice (5 stages, shown as a band)" in text
    assert "picrat lesson PICRAT: relation (3 stages); effect (3 stages, shown as a band)" in text


def test_columns_are_aligned() -> None:
    lines = run.invoke(app, ["show", "tim"], env={"COLUMNS": "100"}).stdout.splitlines()
    features = [one.feature for dimension in load_model("tim").dimensions for one in dimension.indicators]
    starts = {line.index(name) for line in lines for name in features if line[10:].startswith(f"{name} ")}
    assert starts == {10}


@pytest.mark.parametrize("name", model_names())
def test_show_says_everything_that_is_in_the_file(name: str) -> None:
    model = load_model(name)
    text = said("show", name)
    parts = [model.name, model.owner, model.source, model.link, model.text, *model.unseen, *model.warnings]
    parts += [part for one in model.criticism for part in (one.text, one.source)]
    for dimension in model.dimensions:
        parts += [dimension.id, dimension.text, dimension.why_band, *dimension.needs]
        parts += [part for stage in dimension.stages for part in (stage.name, stage.text)]
        parts += [part for one in dimension.indicators for part in (one.feature, one.why, one.source)]
    assert [part for part in parts if " ".join(part.split()) not in text] == []


def test_show_says_grain_and_band_in_words() -> None:
    assert "speaks of a term: never of one lesson" in said("show", "acot")
    assert "Shown as one wide band, never as one stage." in said("show", "samr")
    assert "one wide band" not in said("show", "tim")


def test_show_and_crosswalk_say_what_is_held_alike_and_how_surely() -> None:
    assert "practice.replacement picrat.effect.replaces contains, high" in said("show", "rat")
    assert "picrat contains rat" in said("show", "rat")
    text = said("crosswalk", "samr")
    assert "counting their levels is arbitrary" in text
    assert "(opinion, low confidence)" in text
    assert "loti" not in text


def test_programs_get_all_of_it() -> None:
    listed = json.loads(run.invoke(app, ["list", "--json"]).stdout)
    assert [model["id"] for model in listed] == list(model_names())
    tim = next(model for model in listed if model["id"] == "tim")
    assert [dimension["id"] for dimension in tim["dimensions"]][-1] == "goal_directed"
    shown = json.loads(run.invoke(app, ["show", "loti", "--json"]).stdout)
    assert (shown["id"], shown["grain"], shown["dimensions"][0]["shown_as"]) == ("loti", "term", "band")
    assert len(shown["dimensions"][0]["stages"]) == len(shown["dimensions"][0]["base_rates"]) == 8
    assert {pair["there"]["model"] for pair in shown["crosswalk"]} == {"acot", "tim"}
    assert len(shown["lineage"]) == 2
    whole = json.loads(run.invoke(app, ["crosswalk", "--json"]).stdout)
    assert set(whole) == {"caution", "lineage", "pairs"}
    assert set(whole["pairs"][0]) == {"here", "there", "basis", "confidence", "why", "source"}


def test_models_of_ones_own_are_listed_shown_and_have_no_crosswalk(tmp_path: Path) -> None:
    path = written(tmp_path)
    assert "house lesson House model: making (2 stages); joining (3 stages)" in said(
        "list", "--own", str(tmp_path)
    )
    assert said("show", "house", "--own", str(tmp_path)) == said("show", str(path))
    assert "held alike" not in said("show", str(path))
    assert "no pairs" in said("crosswalk", str(path))


def test_check_finds_nothing_in_what_ships() -> None:
    assert "nothing found" in said("check")
    sound = json.loads(run.invoke(app, ["check", "--json"]).stdout)
    assert sound == {"findings": [], "models": list(model_names())}


def test_check_prints_every_mistake_of_every_file_and_exits_1(tmp_path: Path) -> None:
    first = written(tmp_path, 'owner = "us"', 'owne = "us"')
    second = tmp_path / "second.toml"
    second.write_text("a = [")
    for args in ([str(tmp_path)], [str(first), str(second)]):
        result = run.invoke(app, ["check", *args])
        assert result.exit_code == 1
        lines = result.stdout.splitlines()
        assert [
            line for line in lines if not line.startswith((f"{first}:", f"{second}:1: not valid TOML"))
        ] == []
        assert len(lines) == 3
    result = run.invoke(app, ["check", str(tmp_path), "--json"])
    assert result.exit_code == 1
    assert len(json.loads(result.stdout)["findings"]) == 3


def test_check_of_what_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    error = run.invoke(app, ["check", str(tmp_path / "none.toml")]).exception
    assert isinstance(error, UsageError)
    assert "there is no file or folder" in str(error)
