"""What every router needs: the reader of views, and CSV answers."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import Annotated

from fastapi import Depends, Request, Response

from hub.api.problems import Responses
from hub.explain import Explainer
from hub.views import Views

Cell = str | float | bool | None

CSV_ANSWER: Responses = {
    200: {"content": {"text/csv": {"schema": {"type": "string"}}}, "description": "A table with a header."}
}
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_UNSAFE = re.compile(r"[^A-Za-z0-9_.-]")


def _views(request: Request) -> Views:
    views: Views = request.app.state.views
    return views


def _explainer(request: Request) -> Explainer:
    explainer: Explainer = request.app.state.explainer
    return explainer


Explaining = Annotated[Explainer, Depends(_explainer)]
Reader = Annotated[Views, Depends(_views)]


class CsvResponse(Response):
    """A CSV file (RFC 4180)."""

    media_type = "text/csv"


def csv_answer(name: str, header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> CsvResponse:
    """A table to download; blank where a value is missing.

    Text that a spreadsheet would run as a formula gets an apostrophe before it.
    """
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(header)
    writer.writerows([_safe(cell) for cell in row] for row in rows)
    plain = _UNSAFE.sub("_", name)
    return CsvResponse(
        text.getvalue(), headers={"Content-Disposition": f'attachment; filename="{plain}.csv"'}
    )


def _safe(cell: Cell) -> Cell:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell
