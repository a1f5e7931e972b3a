"""`import-usage`: files in, weekly units in the store, every row accounted for."""

import csv
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

from hub.usage import files, write
from hub.usage.rows import AHEAD
from hub.usage.weeks import tally
from hub.usage.write import FileReport
from models.catalogue.load import Catalogue, load_catalogue
from models.scoring.scorer import Scorer
from shared.errors import BadInput, SettingsError
from shared.storage import transaction


def import_usage(
    connection: sqlite3.Connection,
    paths: Sequence[Path],
    progress: Callable[[Sequence[Path]], Iterable[Path]] = lambda found: found,
) -> list[FileReport]:
    """Import every file of `paths`; a faulty file or row is counted and never stops the rest.

    Raises UsageError for paths that do not exist, SettingsError when no list of products is known.
    """
    found = files.find(paths)
    kinds, reports = _kinds(connection, found)
    for path in (path for path, kind in kinds.items() if kind != "engagement"):
        reports.append(_import_table(connection, path, kinds[path]))
    districts = [path for path, kind in kinds.items() if kind == "engagement"]
    if not districts:
        return reports
    products = _products(connection, districts, reports)
    last = datetime.now(UTC).date() + AHEAD
    catalogue, scorer = load_catalogue(), Scorer.for_model("tim")
    reports.extend(
        _import_district(connection, path, products, last, catalogue, scorer) for path in progress(districts)
    )
    return reports


def _kinds(connection: sqlite3.Connection, found: Sequence[Path]) -> tuple[dict[Path, str], list[FileReport]]:
    kinds: dict[Path, str] = {}
    refused: list[FileReport] = []
    for path in found:
        try:
            kinds[path] = files.kind_of(path)
            if kinds[path] == "engagement":
                files.district_id(path)
        except BadInput as fault:
            kinds.pop(path, None)
            refused.append(FileReport(files.name_of(path), refused=Counter({fault.reason: 1})))
            with transaction(connection):
                write.refused(connection, refused[-1])
    return kinds, refused


def _import_table(connection: sqlite3.Connection, path: Path, kind: str) -> FileReport:
    report = FileReport(files.name_of(path))
    try:
        table = files.table(path, kind)
    except (OSError, csv.Error):
        report.refused["unreadable_file"] = 1
        table = files.Table()
    report.rows = len(table.rows) + sum(table.faults.values())
    report.used = len(table.rows)
    report.refused.update(table.faults)
    with transaction(connection):
        write.refused(connection, report)
        write.table(connection, kind, table.rows)
    return report


def _products(
    connection: sqlite3.Connection, districts: Sequence[Path], reports: list[FileReport]
) -> Mapping[str, object]:
    def known() -> dict[str, object]:
        return dict.fromkeys(lp_id for (lp_id,) in connection.execute("SELECT lp_id FROM usage_products"))

    if not known():
        first = districts[0].resolve()
        beside = [folder / "products_info.csv" for folder in (first.parent, first.parent.parent)]
        reports.extend(_import_table(connection, path, "products") for path in beside if path.is_file())
    products = known()
    if not products:
        raise SettingsError(
            "no list of products is known yet: import products_info.csv of the same export first"
        )
    return products


def _import_district(
    connection: sqlite3.Connection,
    path: Path,
    products: Mapping[str, object],
    last: date,
    catalogue: Catalogue,
    scorer: Scorer,
) -> FileReport:
    district = files.district_id(path)
    try:
        tallied = tally(
            files.engagement(path, products, last), lambda lp_id: catalogue.by_lp_id.get(lp_id, 0), set()
        )
    except (OSError, BadInput):
        report = FileReport(files.name_of(path), district, refused=Counter(unreadable_file=1))
        with transaction(connection):
            write.refused(connection, report)
        return report
    report = FileReport.of(files.name_of(path), district, tallied)
    with transaction(connection):
        write.refused(connection, report)
        write.district(connection, report, tallied, catalogue, scorer)
    return report
