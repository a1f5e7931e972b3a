"""`import-usage --mapping`: files of one district or school through a mapping, every row accounted for."""

import re
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

from hub.usage import files, write
from hub.usage.mapped import Products, UsageMapping, UsageReader
from hub.usage.rows import AHEAD
from hub.usage.weeks import Tallied, merge, tally
from hub.usage.write import FileReport
from models.catalogue.load import load_catalogue
from models.scoring.scorer import Scorer
from shared.errors import UsageError
from shared.storage import transaction

_ID: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


def import_mapped(
    connection: sqlite3.Connection,
    paths: Sequence[Path],
    own: UsageMapping,
    place: str,
    facts: dict[str, str],
    progress: Callable[[Sequence[Path]], Iterable[Path]] = lambda found: found,
) -> list[FileReport]:
    """Import every file of `paths` as one district's or school's (`place`), in place of what it had.

    `facts` is what pages say of it beside the numbers. If no row of any file can be read, what was imported
    before stays. Raises UsageError for paths that do not exist, and for a `place` that is no short name.
    """
    if not _ID.fullmatch(place):
        raise UsageError(f"`{place[:64]}` is no short name: use small letters, digits, - and _, up to 64")
    catalogue, scorer = load_catalogue(), Scorer.for_model("tim")
    products = Products(catalogue)
    reader = UsageReader(own, products, datetime.now(UTC).date() + AHEAD)
    seen: set[tuple[date, str]] | None = None if own.repeated == "sum" else set()
    total, reports = Tallied(), []
    for path in progress(files.find(paths, "the files of the export")):
        try:
            tallied = tally(reader.rows(path), products.index, seen)
        except OSError:
            reports.append(FileReport(files.name_of(path), place, refused=Counter(unreadable_file=1)))
            continue
        merge(total, tallied)
        reports.append(FileReport.of(files.name_of(path), place, tallied))
        if not tallied.rows:
            reports[-1].refused["empty_file"] = 1
    with transaction(connection):
        if total.used + total.not_used:
            said = {**facts, "counted": own.amount.unit}
            write.mapped(connection, FileReport.of("", place, total), total, said, catalogue, scorer)
        for report in reports:
            if report.used or report.not_used:  # it may have been tried without its mapping before
                write.forget_refused(connection, report.file)
            write.refused(connection, replace(report, file=f"{place}/{report.file}"))
    return reports
