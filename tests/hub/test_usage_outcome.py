"""What an import of usage tells: scripts, of files of no use, and of weeks that hold too little."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from hub import folder
from hub.cli import app
from hub.paths import Layout
from hub.usage.load import import_usage
from hub.views import Views
from shared.errors import UsageError
from tests.hub.hubs import Hub
from tests.hub.pages_district import served_by
from tests.hub.usage_files import CATCHON, load, shown, written
from tests.shared.pages_reading import Page, check_page, get

SHIPPED = Path(__file__).parents[2] / "demo" / "usage"


def test_scripts_hear_whether_all_files_were_of_use_or_some_or_none(layout: Layout, tmp_path: Path) -> None:
    good = written(tmp_path / "good.csv", CATCHON + "Elm,ABC News,,09/14/2026,9,5\nElm,,,09/14/2026,9,5\n")
    none_used = written(tmp_path / "none_used.csv", CATCHON + "Elm,ABC News,,09/14/2026,0,\n")
    bad = written(tmp_path / "bad.csv", "Day\n1\n")
    named = ["--mapping", "catchon", "--school", "elm-street"]

    def code(*arguments: object) -> int:
        command = ["import-usage", str(layout.folder), *map(str, arguments)]
        codes = {CliRunner().invoke(app, [*command, *more]).exit_code for more in ([], ["--json"])}
        (found,) = codes
        return found

    assert code(good, none_used, *named) == 0, "rows left out are in every export"
    assert code(good, bad, *named) == 3
    assert code(bad, *named) == 1
    assert code(bad) == 1
    assert code(SHIPPED) == 0
    assert code(SHIPPED, bad) == 3


def test_a_file_tried_without_its_mapping_is_off_the_list_once_it_is_read_or_when_somebody_says_so(
    layout: Layout, tmp_path: Path
) -> None:
    paths = [
        written(tmp_path / name, CATCHON + "Elm,ABC News,,09/14/2026,9,5\n") for name in ("a.csv", "b.csv")
    ]
    paths.append(written(tmp_path / "c\udcff\n.csv", "x\n1\n"))
    connection = folder.connect(layout)
    import_usage(connection, paths)
    connection.close()

    def left_out() -> list[str]:
        views = Views(layout.folder)
        try:
            return [one.file for one in views.usage_districts().left_out]
        finally:
            views.close()

    def forget(*arguments: str) -> Result:
        return CliRunner().invoke(app, ["import-usage", str(layout.folder), *arguments])

    assert left_out() == ["a.csv", "b.csv", "c\ufffd\ufffd.csv"], "whatever bytes a name is made of"
    load(layout, "catchon", paths[0])
    assert left_out() == ["b.csv", "c\ufffd\ufffd.csv"]
    assert forget("--forget", "b.csv").exit_code == 0
    assert left_out() == ["c\ufffd\ufffd.csv"]
    for wrong in (["--forget", "b.csv"], ["--forget", "c.csv", str(paths[0])], []):
        assert isinstance(forget(*wrong).exception, UsageError)


def test_the_page_names_each_file_that_was_left_out_and_how_it_gets_off_the_list(
    hub: Hub, tmp_path: Path
) -> None:
    connection = folder.connect(hub.layout)
    import_usage(connection, [written(tmp_path / "<b>odd.csv", "x\n1\n")])
    connection.close()
    text = get(served_by(hub), "/usage").text
    check_page(Page(text))
    assert "&lt;b&gt;odd.csv" in text and "not as LearnPlatform writes it" in text
    assert "--forget" in text


@pytest.mark.parametrize(
    ("apps", "minutes", "levels"),
    [
        (("Canva",), 90, False),
        (("Canva",), 100_000, False),
        (("Canva", "Kahoot", "Khan Academy", "Google Docs"), 60, False),
        (("Canva", "Kahoot", "Khan Academy", "Google Docs"), 80, True),
    ],
)
def test_a_week_of_little_use_or_of_one_product_says_nothing_of_levels(
    hub: Hub, tmp_path: Path, apps: tuple[str, ...], minutes: int, levels: bool
) -> None:
    head = "App Name,Website,Date,Users,Minutes\n"
    rows = "".join(f"{app},,09/14/2026,500,{minutes}\n" for app in apps)
    load(hub.layout, "lightspeed", written(tmp_path / "usage.csv", head + rows))
    view = shown(hub.layout, "elm-street")
    assert view is not None and bool(view.weeks[0].placements) is levels
    text = get(served_by(hub), "/usage/elm-street").text
    check_page(Page(text))
    assert ("Transformation" in text) is levels
    assert ("Not enough evidence yet to say at which levels" in text) is not levels
    assert ("not yet calibrated" in text) is levels
