"""The Jinja environment and the response that every page of hub and agent is made with."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from shared.pages import formats
from shared.pages.assets import Assets
from shared.pages.figure import Figure, Table

HERE: Final = Path(__file__).parent

# Nothing is fetched from elsewhere, no script runs, no page is framed.
POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
_HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "private, no-cache",
    "Vary": "Accept-Language",
}

_NO_TABLES: Final[Mapping[str, Table]] = MappingProxyType({})


class Pages:
    """Templates of one room over the shared ones, with the filters of `formats`.

    `folder` holds `templates/` and may hold `static/`; `fixed` is what every template of the room sees.
    """

    def __init__(self, folder: Path, fixed: Mapping[str, Any]) -> None:
        folders = [HERE, folder]
        self.assets = Assets([path / "static" for path in folders if (path / "static").is_dir()])
        self.environment = Environment(
            loader=FileSystemLoader([path / "templates" for path in reversed(folders)]),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.environment.filters.update(_FILTERS)
        self.environment.globals.update(asset=self.assets.url, **fixed)

    def page(self, request: Request, template: str, code: int = 200, **context: Any) -> HTMLResponse:
        """A whole page; dates are written as the reader's `Accept-Language` has them."""
        order = formats.order_for(request.headers.get("accept-language", ""))
        text = self.environment.get_template(template).render(order=order, path=request.url.path, **context)
        return HTMLResponse(text, status_code=code, headers=_HEADERS)

    def page_or_data(
        self,
        request: Request,
        template: str,
        figures: Sequence[Figure],
        tables: Mapping[str, Table] = _NO_TABLES,
        **context: Any,
    ) -> Response:
        """The page with its figures by name, or with `?data=NAME` the table of one of them as CSV.

        `tables` are further ones that the page shows without a drawing of their own.
        """
        drawn = {figure.name: figure for figure in figures}
        wanted = request.query_params.get("data", "")
        held = {name: figure.full or figure.table for name, figure in drawn.items()} | dict(tables)
        if wanted in held:
            name = {"Content-Disposition": f'attachment; filename="{wanted}.csv"'}
            return Response(held[wanted].csv(), media_type="text/csv", headers=_HEADERS | name)
        return self.page(request, template, figures=drawn, tables=tables, **context)


def order_of(request: Request) -> formats.Order:
    """How this reader's locale writes dates, for sentences that are put together before the template."""
    return formats.order_for(request.headers.get("accept-language", ""))


def _order(context: Context) -> formats.Order:
    order: formats.Order = context["order"]
    return order


@pass_context
def _day(context: Context, value: str, weekday: bool = False) -> Markup:
    return formats.day(value, _order(context), weekday=weekday)


@pass_context
def _moment(context: Context, value: str | None) -> Markup | str:
    return formats.moment(value, _order(context))


@pass_context
def _hour(context: Context, value: str) -> Markup:
    return formats.hour(value, _order(context))


@pass_context
def _week(context: Context, value: str, opens: bool = False) -> Markup:
    return formats.week(value, _order(context), opens=opens)


@pass_context
def _week_start(context: Context, value: str) -> Markup:
    return formats.week_start(value, _order(context))


_FILTERS: Final[dict[str, Any]] = {
    "number": formats.number,
    "percent": formats.share,
    "counted": formats.count,
    "plural": formats.plural,
    "listing": formats.listing,
    "capital": formats.capital,
    "coded": formats.coded,
    "day": _day,
    "moment": _moment,
    "hour": _hour,
    "week": _week,
    "week_start": _week_start,
}
