"""Usage exports of any shape become weekly units through a mapping, and no row is lost without a reason."""

import json
import re
from collections import Counter
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from hub import folder
from hub.cli import app
from hub.paths import Layout
from hub.usage.load import import_usage
from hub.usage.mapped import Products, UsageReader, load_mapping
from hub.usage.weeks import tally
from models.catalogue.load import load_catalogue
from shared.errors import SettingsError, UsageError
from tests.hub.hubs import Hub
from tests.hub.pages_district import served_by
from tests.hub.usage_files import CATCHON, load, shown, written
from tests.shared.pages_reading import Page, check_page, get

SHIPPED = Path(__file__).parents[2] / "demo" / "usage"


def weeks(layout: Layout, place: str = "elm-street") -> dict[str, float]:
    """What was counted by week."""
    view = shown(layout, place)
    return {week.week: week.engagement for week in view.weeks} if view is not None else {}


@pytest.mark.parametrize("district", ["2872", "3670", "4373"])
def test_learnplatforms_own_reader_and_its_mapping_agree_to_the_last_digit(
    layout: Layout, district: str
) -> None:
    connection = folder.connect(layout)
    reports = {report.file: report for report in import_usage(connection, [SHIPPED])}
    connection.close()
    own = reports[f"{district}.csv"]
    (mapped,) = load(layout, "learnplatform", SHIPPED / "engagement_data" / f"{district}.csv", place="twin")
    for attribute in ("weeks", "days", "rows", "used", "not_used", "refused"):
        assert getattr(mapped, attribute) == getattr(own, attribute)
    first, twin = shown(layout, district), shown(layout, "twin")
    assert first is not None and twin is not None and first.weeks
    assert first.weeks == twin.weeks


def test_catchons_engagements_are_summed_over_its_schools_and_are_at_most_one_an_hour(
    layout: Layout, tmp_path: Path
) -> None:
    rows = (
        "Elm,ABC News,,09/14/2026,2,5\n"
        'Oak,abc news,,09/14/2026,"1,000","2,000"\n'
        "Elm,No such name,https://www.abcya.com/games,09/15/2026,3,4\n"
        "Elm,No such name,https://nobody.example/,09/15/2026,3,4\n"
        "Elm,ABC News,,09/16/2026,1,25\n"
        "Elm,ABC News,,09/17/2026,0,\n"
        "Elm,ABC News,,09/21/2026,1,24\n"
        "Elm,,,09/21/2026,1,24\n"
        "Elm,ABC News,,21/09/2026,1,1\n"
    )
    (report,) = load(layout, "catchon", written(tmp_path / "september.csv", CATCHON + rows))
    assert (report.rows, report.used, report.not_used) == (9, 4, 1)
    assert report.refused == Counter(unknown_product=1, more_than_users_can=1, blank_product=1, bad_date=1)
    assert weeks(layout) == {"2026-W38": 2009.0, "2026-W39": 24.0}
    view = shown(layout, "elm-street")
    assert view is not None
    assert "counted in engagements, one an app and hour" in view.label
    assert "LearnPlatform" not in view.attribution
    assert [tally.reason for tally in view.refused] == sorted(report.refused)


def test_pages_say_what_was_counted_and_whose_it_is(hub: Hub, tmp_path: Path) -> None:
    head = "App Name,Website,Date,Users,Minutes\n"
    rows = "".join(f"ABC News,,09/{day}/2026,10,{day}\n" for day in (14, 21, 28))
    load(
        hub.layout, "lightspeed", written(tmp_path / "usage.csv", head + rows + "Nobody's,,09/14/2026,1,9\n")
    )
    pages = served_by(hub)
    assert "School elm-street" in get(pages, "/usage").text
    page = get(pages, "/usage/elm-street")
    check_page(Page(page.text))
    for words in ("School elm-street", "counted in minutes", "Minutes by week", "A school’s own export"):
        assert words in page.text, words
    for words in ("page load", "LearnPlatform", "Chromebook"):
        assert words not in page.text, words


def test_an_export_without_its_mapping_says_how_to_name_one(layout: Layout, tmp_path: Path) -> None:
    file = written(tmp_path / "usage.csv", "App Name,Website,Date,Users,Minutes\nABC News,,09/14/2026,2,5\n")
    run = CliRunner().invoke(app, ["import-usage", str(layout.folder), str(file)])
    assert "usage.csv: wrong_columns: not as LearnPlatform writes it" in run.stderr
    assert "Nothing was imported" in run.stderr
    named = ["--mapping", "lightspeed", "--school", "elm-street"]
    run = CliRunner().invoke(app, ["import-usage", str(layout.folder), str(file), *named])
    assert run.stderr == ""


def test_lightspeeds_minutes_are_summed(layout: Layout, tmp_path: Path) -> None:
    rows = "ABC News,,09/14/2026,10,90.5\nABC News,,09/14/2026,2,9.5\nABC News,,09/14/2026,1,1441\n"
    head = "App Name,Website,Date,Users,Minutes\n"
    (report,) = load(layout, "lightspeed", written(tmp_path / "usage.csv", head + rows))
    assert (weeks(layout), report.refused) == ({"2026-W38": 100.0}, Counter(more_than_users_can=1))


def test_all_files_of_a_school_are_one_and_a_second_import_takes_their_place(
    layout: Layout, tmp_path: Path
) -> None:
    september = written(tmp_path / "september.csv", CATCHON + "Elm,ABC News,,09/14/2026,9,5\n")
    october = written(tmp_path / "october.csv", CATCHON + "Elm,ABC News,,10/05/2026,9,7\n")
    load(layout, "catchon", tmp_path)
    both = {"2026-W38": 5.0, "2026-W41": 7.0}
    assert weeks(layout) == both
    assert load(layout, "catchon", september, october) and weeks(layout) == both
    load(layout, "catchon", october)
    assert weeks(layout) == {"2026-W41": 7.0}
    load(layout, "catchon", september, place="oak")
    assert weeks(layout) == {"2026-W41": 7.0} and weeks(layout, "oak") == {"2026-W38": 5.0}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ((CATCHON + "Elm,ABC News,,09/14/2026,9,5\n").encode("utf-16"), "utf_16"),
        (b"", "empty_file"),
        (b"Name,Day\nABC News,1\n", "no_header"),
        (b"\x89PNG\r\n\x1a\n\0\0\0", "control_bytes"),
    ],
)
def test_a_file_of_no_use_is_counted_and_takes_nothing_away(
    layout: Layout, tmp_path: Path, data: bytes, reason: str
) -> None:
    load(layout, "catchon", written(tmp_path / "good.csv", CATCHON + "Elm,ABC News,,09/14/2026,9,5\n"))
    (report,) = load(layout, "catchon", written(tmp_path / "bad.csv", data))
    assert reason in report.refused and not report.used
    assert weeks(layout) == {"2026-W38": 5.0}


def test_one_broken_row_costs_no_other(layout: Layout, tmp_path: Path) -> None:
    good = b"Elm,ABC News,,09/14/2026,9,5\n"
    broken = {
        b'Elm,"ABC News,,09/14/2026,9,5\n': "malformed_line",
        b"," * 10_000 + b"\n": "line_too_long",
        b"," * 1000 + b"\n": "too_many_columns",
        b"x" * 300_000 + b"\n": "line_too_long",
        b"Elm,ABC\0News,,09/14/2026,9,5\n": "control_bytes",
        b"Elm,ABC News,,09/14/2026,9,5,5\n": "wrong_columns",
        b"Elm,ABC News,,09/14/2026,9,-5\n": "negative_number",
        b"Elm,ABC News,,09/14/2026,9,inf\n": "bad_number",
        b"Elm,ABC News,,09/14/2026,,\n": "blank_engagement",
    }
    data = b"\xef\xbb\xbf" + CATCHON.encode() + good.join((b"", *broken, b""))
    (report,) = load(layout, "catchon", written(tmp_path / "mixed.csv", data))
    assert report.refused == Counter(broken.values())
    assert (report.used, report.rows) == (len(broken) + 1, 2 * len(broken) + 1)


def test_nothing_of_a_column_that_is_not_mapped_is_stored(layout: Layout, tmp_path: Path) -> None:
    head = CATCHON.replace("School", "canary column")
    data = f"{head}canary teacher,ABC News,https://canary.example/canary,09/14/2026,9,5\n"
    load(
        layout,
        "catchon",
        written(tmp_path / "export.csv", data + "canary,canary app,canary,09/14/2026,9,canary\n"),
    )
    connection = folder.connect(layout)
    try:
        assert "canary" not in "\n".join(connection.iterdump()).lower()
    finally:
        connection.close()


TEXT = """
[date]
column = "Day"
[product]
name = "Product"
[amount]
unit = "visits"
users = "Users"
"""


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("unit", "units", "did you mean `unit`"),
        ("[product]", "[products]", "did you mean `product`"),
        ('name = "Product"', "", "[product] needs"),
        ('users = "Users"', "", "[amount] needs"),
        ('"Day"', '"Day"\nformat = "%d"', "must say year, month and day"),
    ],
)
def test_a_wrong_mapping_says_in_one_line_what_is_wrong(
    tmp_path: Path, old: str, new: str, says: str
) -> None:
    written(tmp_path / "own.toml", TEXT)
    assert load_mapping("own.toml", tmp_path).amount.counted == "Users"
    written(tmp_path / "own.toml", TEXT.replace(old, new, 1))
    with pytest.raises(SettingsError) as raised:
        load_mapping("own.toml", tmp_path)
    assert says in str(raised.value) and "\n" not in str(raised.value)


def test_the_mapping_that_the_page_explains_is_one(tmp_path: Path) -> None:
    page = Path(__file__).parents[2] / "docs" / "sources" / "usage.md"
    found = re.search(r"```toml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    written(tmp_path / "own.toml", found[1])
    assert load_mapping("own.toml", tmp_path).amount.counted == "Minutes"


def test_a_place_is_a_short_name_and_paths_exist(layout: Layout, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="short name"):
        load(layout, "catchon", tmp_path, place="Elm Street")
    with pytest.raises(UsageError, match="does not exist"):
        load(layout, "catchon", tmp_path / "absent")
    with pytest.raises(SettingsError, match="did you mean `catchon`"):
        load(layout, "catchin", tmp_path)


def test_the_command_says_what_was_read_and_what_to_do_about_what_was_not(
    layout: Layout, tmp_path: Path
) -> None:
    good = written(tmp_path / "good.csv", CATCHON + "Elm,ABC News,,09/14/2026,9,5\n")
    bad = written(tmp_path / "bad.csv", "Day\n1\n")
    command = ["import-usage", str(layout.folder), str(good), str(bad), "--mapping", "catchon"]
    run = CliRunner().invoke(app, [*command, "--school", "elm-street", "--json"])
    assert [one["used"] for one in json.loads(run.stdout)] == [1, 0]
    run = CliRunner().invoke(app, [*command, "--school", "elm-street"])
    assert "compare the two" in run.output
    for wrong in ([], ["--school", "a", "--district", "b"]):
        assert isinstance(CliRunner().invoke(app, [*command, *wrong]).exception, UsageError)


lines = st.one_of(
    st.sampled_from(["Elm,ABC News,,09/14/2026,9,5", CATCHON.strip(), '"', ",,,,,", "\0"]),
    st.text(max_size=40),
)


@settings(derandomize=True, max_examples=60, deadline=None)
@given(st.lists(lines, max_size=8))
def test_rows_are_used_not_used_or_left_out_with_a_reason_whatever_they_hold(
    tmp_path_factory: pytest.TempPathFactory, rows: list[str]
) -> None:
    path = tmp_path_factory.mktemp("usage") / "export.csv"
    path.write_bytes("\n".join(rows).encode("utf-8", "replace"))
    products = Products(load_catalogue())
    reader = UsageReader(load_mapping("catchon"), products, date(2027, 1, 1))
    tallied = tally(reader.rows(path), products.index, None)
    assert tallied.rows == tallied.used + tallied.not_used + tallied.faults.total()
