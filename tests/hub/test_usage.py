"""Usage exports become weekly units that agree with a recount; a second import changes nothing."""

import csv
import sqlite3
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from math import log2
from pathlib import Path

import pytest

from hub import folder
from hub.paths import Layout
from hub.usage.load import import_usage
from hub.usage.write import FileReport
from hub.views import UsageDistrictView, Views
from models.catalogue.load import load_catalogue
from shared.errors import SettingsError, UsageError

SHIPPED = Path(__file__).parents[2] / "demo" / "usage"
DISTRICTS = ("2872", "3670", "4373")
CHANNELS = ("consume", "practise", "create", "collaborate", "publish", "reflect", "plan")


def load(layout: Layout, *paths: Path) -> dict[str, FileReport]:
    """Import, and the reports by file."""
    connection = folder.connect(layout)
    try:
        return {report.file: report for report in import_usage(connection, paths)}
    finally:
        connection.close()


def shown(layout: Layout, district: str) -> UsageDistrictView:
    """The view of one district."""
    views = Views(layout.folder)
    try:
        view = views.usage_district(district)
    finally:
        views.close()
    assert view is not None
    return view


def dump(layout: Layout) -> list[str]:
    """The whole database as text."""
    connection = sqlite3.connect(layout.database)
    try:
        return list(connection.iterdump())
    finally:
        connection.close()


class Recount:
    """The same export counted with the csv module and exact fractions."""

    def __init__(self, district: str) -> None:
        with (SHIPPED / "products_info.csv").open(encoding="utf-8") as file:
            products = {row["LP ID"] for row in csv.DictReader(file)}
        self.counts: Counter[str] = Counter()
        self.weeks: dict[str, dict[str, Fraction]] = defaultdict(lambda: defaultdict(Fraction))
        self.unknown = Fraction()
        with (SHIPPED / "engagement_data" / f"{district}.csv").open(encoding="utf-8") as file:
            for row in csv.DictReader(file):
                self.counts["rows"] += 1
                loads = row["engagement_index"]
                if not loads and row["pct_access"] and Fraction(row["pct_access"]) == 0:
                    self.counts["not_used"] += 1
                elif not loads:
                    self.counts["blank_engagement"] += 1
                elif row["lp_id"] not in products:
                    self.counts["unknown_product"] += 1
                    self.unknown += Fraction(loads)
                else:
                    self.counts["used"] += 1
                    year, week, _ = date.fromisoformat(row["time"]).isocalendar()
                    self.weeks[f"{year}-W{week:02}"][row["lp_id"]] += Fraction(loads)


@pytest.mark.parametrize("district", DISTRICTS)
def test_every_row_of_the_shipped_districts_is_accounted_for(layout: Layout, district: str) -> None:
    report = load(layout, SHIPPED)[f"{district}.csv"]
    recount = Recount(district).counts
    assert (report.rows, report.used, report.not_used) == (
        recount["rows"],
        recount["used"],
        recount["not_used"],
    )
    assert report.refused["unknown_product"] == recount["unknown_product"]
    assert report.refused["blank_engagement"] == recount["blank_engagement"]
    assert report.rows == report.used + report.not_used + report.refused.total()


@pytest.mark.parametrize("district", DISTRICTS)
def test_weeks_and_shares_of_the_shipped_districts_agree_with_exact_fractions(
    layout: Layout, district: str
) -> None:
    load(layout, SHIPPED)
    view = shown(layout, district)
    recount = Recount(district)
    assert [week.week for week in view.weeks] == sorted(recount.weeks)
    app_of = {lp_id: app for app in load_catalogue().apps for lp_id in app.lp_ids}
    for week in view.weeks:
        loads = recount.weeks[week.week]
        total = sum(loads.values())
        assert week.engagement == pytest.approx(float(total))
        assert week.products == len(loads)
        by_app: dict[str, Fraction] = defaultdict(Fraction)
        for lp_id, amount in loads.items():
            by_app[app_of[lp_id].id if lp_id in app_of else ""] += amount / total
        apps = {app.id: app for app in app_of.values()}
        for channel in CHANNELS:
            share = sum(
                float(part) * apps[app].channels.get(channel, 0.0) for app, part in by_app.items() if app
            )
            assert week.features[f"{channel}_share"] == pytest.approx(share, abs=1e-12)
        off_task = sum(part for app, part in by_app.items() if not app or apps[app].off_task)
        assert week.features["unlisted_share"] == pytest.approx(float(off_task), abs=1e-12)
        entropy = -sum(float(part) * log2(part) for part in by_app.values() if part)
        assert week.features["app_entropy"] == pytest.approx(entropy, abs=1e-9)
    assert view.district.engagement == pytest.approx(
        float(sum(sum(loads.values()) for loads in recount.weeks.values()))
    )


def test_a_usage_week_is_never_placed(layout: Layout) -> None:
    load(layout, SHIPPED)
    dimensions = ("active", "collaborative", "constructive", "authentic", "goal_directed")
    for district in DISTRICTS:
        weeks = shown(layout, district).weeks
        levels = {tuple(one.dimension for one in week.placements) for week in weeks}
        assert dimensions in levels and levels <= {dimensions, ()}
        for week in weeks:
            for placement in week.placements:
                assert (placement.verdict, placement.low, placement.high) == ("evidence_only", None, None)
                assert sum(placement.probs) == pytest.approx(1)
            assert "evidence" not in week.features


def test_importing_again_changes_nothing(layout: Layout) -> None:
    first = load(layout, SHIPPED)
    before = dump(layout)
    assert load(layout, SHIPPED) == first
    assert dump(layout) == before


def test_a_single_file_finds_its_list_of_products_beside_it(layout: Layout) -> None:
    load(layout, SHIPPED / "engagement_data" / "2872.csv")
    assert shown(layout, "2872").district.days > 0
    assert shown(layout, "2872").facts == {}


def test_facts_are_shown_as_the_file_gives_them(layout: Layout) -> None:
    load(layout, SHIPPED)
    view = shown(layout, "4373")
    assert (view.district.state, view.district.locale) == ("Utah", "City")
    assert view.facts["pct_black/hispanic"] == "[0, 0.2["
    assert shown(layout, "3670").facts["pp_total_raw"] is None


def test_usage_never_reaches_the_schools_numbers(layout: Layout) -> None:
    load(layout, SHIPPED)
    views = Views(layout.folder)
    district = views.district()
    views.close()
    assert (district.schools, district.week, district.facts.lessons) == ((), None, 0)


HEADER = '"time","lp_id","pct_access","engagement_index"\n'
DIRT = {
    "2020-03-02,1,5.0,10\n": "used",
    "2020-03-02,2,,30.5\n": "used",
    "2020-03-03,1,0,\n": "not_used",
    "2020-03-03,2,0.00,0\n": "not_used",
    "2020-03-03,999,0,\n": "not_used",
    "2020-03-04,1,3.2,\n": "blank_engagement",
    "2020-03-04,2,,\n": "blank_engagement",
    "2020-03-05,,5,10\n": "blank_lp_id",
    "2020-03-05,999,5,10\n": "unknown_product",
    "2020-03-05,abc,5,10\n": "unknown_product",
    "2020-03-05,999,5,\n": "blank_engagement",
    "2020-13-05,1,5,10\n": "bad_date",
    "05/03/2020,1,5,10\n": "bad_date",
    "20200305,1,5,10\n": "bad_date",
    "9999-12-31,1,5,10\n": "bad_date",
    "1999-12-31,1,5,10\n": "bad_date",
    "2020-03-0６,1,5,10\n": "bad_date",
    "2020-03-06,1,5,1e308\n": "number_too_large",
    "2020-03-06,2,5,1000000000.1\n": "number_too_large",
    "2020-03-06,1,5,ten\n": "bad_number",
    "2020-03-06,1,5,inf\n": "bad_number",
    "2020-03-06,1,500,10\n": "bad_number",
    "2020-03-06,1,5,-10\n": "negative_number",
    "2020-03-02,1,5.0,10 \n": "duplicate_row",
    "2020-03-06,1,5\n": "wrong_columns",
    "2020-03-06,1,5,10,7\n": "wrong_columns",
    '2020-03-06,"1,5,10\n': "wrong_columns",
    "\n": "",
    "2020-03-06,1,5,1" + "0" * 20_000 + "\n": "line_too_long",
    "2020-03-09,1,5,1e1\n": "used",
}


def dirty_export(where: Path) -> Path:
    """A folder shaped like the export, with every kind of dirt."""
    data = where / "export" / "engagement_data"
    data.mkdir(parents=True)
    (data.parent / "products_info.csv").write_text("LP ID,Product Name\n1,One\n2,Two\n,Nameless\n1,Again\n")
    (data / "7001.csv").write_text(HEADER + "".join(DIRT))
    (data / "7002.csv").write_text("time,product\n2020-03-02,1\n")
    (data / "notes.csv").write_text(HEADER + "2020-03-02,1,5,10\n")
    (data / "7003.csv").write_bytes(b"\x89PNG\r\n\x1a\n\xff\xfe")
    (data / "7004.csv").write_text("")
    (data / "7005.csv").write_bytes(
        HEADER.encode("utf-8-sig") + b"2020-03-02,1,5,10\r\n2020-03-03,\xff,5,10\r\n"
    )
    (data / "7006.csv").write_bytes((HEADER + "2020-03-02,1,5,10\n").replace("\n", "\r").encode())
    return data.parent


def test_dirt_is_counted_by_its_reason_and_the_good_rows_stay(layout: Layout, tmp_path: Path) -> None:
    reports = load(layout, dirty_export(tmp_path))
    expected = Counter(reason for reason in DIRT.values() if reason)
    report = reports["7001.csv"]
    assert (report.rows, report.used, report.not_used) == (
        expected.total(),
        expected.pop("used"),
        expected.pop("not_used"),
    )
    assert report.refused == expected
    view = shown(layout, "7001")
    assert {tally.reason: tally.count for tally in view.refused} == expected
    assert [(week.week, week.engagement, week.days) for week in view.weeks] == [
        ("2020-W10", 40.5, 1),
        ("2020-W11", 10.0, 1),
    ]
    assert view.notes[0] == "Only 2 days with use: too short for a term’s picture."
    assert "28% of the page loads" in view.notes[1]


def test_a_file_that_cannot_be_used_is_counted_and_stops_nothing(layout: Layout, tmp_path: Path) -> None:
    reports = load(layout, dirty_export(tmp_path))
    assert {name: dict(report.refused) for name, report in reports.items() if not report.used} == {
        "7002.csv": {"wrong_columns": 1},
        "7003.csv": {"unreadable_file": 1},
        "7004.csv": {"empty_file": 1},
        "notes.csv": {"bad_file_name": 1},
    }
    assert dict(reports["products_info.csv"].refused) == {"products_blank_id": 1, "products_repeated_id": 1}
    assert (reports["7006.csv"].used, dict(reports["7006.csv"].refused)) == (1, {})
    assert (reports["7005.csv"].used, dict(reports["7005.csv"].refused)) == (1, {"unknown_product": 1})
    views = Views(layout.folder)
    refused = {tally.reason: tally.count for tally in views.usage_districts().refused}
    views.close()
    assert refused == {
        "wrong_columns": 1,
        "unreadable_file": 1,
        "empty_file": 1,
        "bad_file_name": 1,
        "products_blank_id": 1,
        "products_repeated_id": 1,
    }


def test_a_file_that_turned_bad_does_not_take_away_what_was_imported(layout: Layout, tmp_path: Path) -> None:
    export = dirty_export(tmp_path)
    load(layout, export)
    before = shown(layout, "7001")
    (export / "engagement_data" / "7001.csv").write_text("time,product\n")
    assert load(layout, export)["7001.csv"].refused == {"wrong_columns": 1}
    assert shown(layout, "7001").weeks == before.weeks


def test_a_corrected_file_replaces_its_district(layout: Layout, tmp_path: Path) -> None:
    export = dirty_export(tmp_path)
    load(layout, export)
    (export / "engagement_data" / "7001.csv").write_text(HEADER + "2020-03-02,1,5,7\n")
    load(layout, export)
    view = shown(layout, "7001")
    assert ([week.engagement for week in view.weeks], view.refused) == ([7.0], ())


def test_paths_that_lead_nowhere_say_what_to_do(layout: Layout, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        load(layout, tmp_path / "absent")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="no CSV file"):
        load(layout, tmp_path / "empty")
    lonely = tmp_path / "empty" / "1.csv"
    lonely.write_text(HEADER)
    with pytest.raises(SettingsError, match=r"products_info\.csv"):
        load(layout, lonely)


def test_days_end_a_year_from_now_and_the_largest_numbers_do_no_harm(layout: Layout, tmp_path: Path) -> None:
    """Warnings are errors here: a sum that overflowed would fail the import."""
    export = dirty_export(tmp_path)
    now = datetime.now(UTC).date()
    days = [date(2000, 1, 1), now + timedelta(days=360), now + timedelta(days=370), date(3020, 1, 1)]
    rows = [f"{day},{product},5,1e9\n" for day in days for product in (1, 2)]
    (export / "engagement_data" / "7001.csv").write_text(HEADER + "".join(rows))
    report = load(layout, export)["7001.csv"]
    assert (report.used, dict(report.refused)) == (4, {"bad_date": 4})
    assert [week.engagement for week in shown(layout, "7001").weeks] == [2e9, 2e9]


def test_two_numbers_that_overflow_together_are_both_dirt(layout: Layout, tmp_path: Path) -> None:
    export = dirty_export(tmp_path)
    huge = "".join(f"2020-01-{day:02d},1,1,1e308\n" for day in (8, 9))
    (export / "engagement_data" / "7001.csv").write_text(f"{HEADER}{huge}2020-01-10,1,1,5\n")
    report = load(layout, export)["7001.csv"]
    assert (report.used, dict(report.refused)) == (1, {"number_too_large": 2})
