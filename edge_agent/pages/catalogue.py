"""The page of the catalogue: coverage, names that are missing, own entries; it takes only its own forms."""

import hmac
from collections.abc import Mapping
from typing import Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from edge_agent.catalogue.desk import BACKGROUND, OFF_TASK, WEIGHTS, CatalogueDesk
from edge_agent.pages.routes import form_of, is_own, pages, refused
from models.catalogue.overlay import Entry
from shared.errors import CommonGroundError
from shared.words import CHANNELS

_EMPTY: Final = {"id": "", "name": "", "domains": "", "bundle_ids": "", "affords": "", "weights": ""}


def show(request: Request) -> Response:
    """The page; `?edit=ID` fills the form with an own entry, `?name=DOMAIN` with a name that is missing."""
    desk: CatalogueDesk | None = request.app.state.catalogue
    if desk is None:
        return refused(request, 404, "This agent shows no catalogue", "There is nothing to see.")
    edit, name = request.query_params.get("edit"), request.query_params.get("name", "")
    filled = next(
        (_filled(one) for one in desk.shown().own.app if one.id == edit), _EMPTY | {"domains": name}
    )
    return _page(request, desk, filled)


async def change(request: Request) -> Response:
    """Try, add, change or take away an entry, from a form of the page itself and from nowhere else."""
    desk: CatalogueDesk | None = request.app.state.catalogue
    if desk is None:
        return refused(request, 404, "This agent takes no entries here", "Nothing was changed.")
    form = await form_of(request)
    if not is_own(request) or not hmac.compare_digest(form.get("token", "").encode(), desk.token.encode()):
        happened = "What came was not sent by this agent’s own page, or the agent was started anew since."
        return refused(request, 403, "Nothing was changed", happened)
    try:
        if form.get("do") == "try":
            entry, tried = await run_in_threadpool(desk.try_out, form)
            return _page(request, desk, _EMPTY | form, tried=tried, entry=entry)
        await run_in_threadpool(desk.take, form)
    except CommonGroundError as error:
        return _page(request, desk, _EMPTY | form, code=400, wrong=str(error))
    return RedirectResponse("/catalogue", 303)


def coverage_csv(request: Request) -> Response:
    """The coverage report for a spreadsheet."""
    desk: CatalogueDesk | None = request.app.state.catalogue
    if desk is None:
        return refused(request, 404, "This agent shows no catalogue", "There is nothing to see.")
    name = {"Content-Disposition": 'attachment; filename="coverage.csv"'}
    return Response(desk.coverage().as_csv(), media_type="text/csv", headers=name)


def _page(
    request: Request, desk: CatalogueDesk, filled: Mapping[str, str], code: int = 200, **said: Any
) -> Response:
    answer = pages.page(
        request,
        "catalogue.html",
        code,
        shown=desk.shown(),
        filled=filled,
        choices={"off_task": OFF_TASK, "weights": WEIGHTS, "background": BACKGROUND},
        channels=CHANNELS,
        tried=said.get("tried"),
        entry=said.get("entry"),
        wrong=said.get("wrong", ""),
        simulated=bool(request.app.state.status().get("simulated")),
    )
    # Or the browser would not say where a form came from, and it would be refused.
    answer.headers["Referrer-Policy"] = "same-origin"
    return answer


def _filled(entry: Entry) -> dict[str, str]:
    weights = entry.channels or {}
    affords = OFF_TASK if entry.off_task else WEIGHTS if weights else entry.function
    return {
        "id": entry.id,
        "name": entry.name,
        "domains": "\n".join(entry.domains),
        "bundle_ids": "\n".join(entry.bundle_ids),
        "affords": affords,
        "weights": ", ".join(f"{channel} {weight:g}" for channel, weight in weights.items()),
    }


CATALOGUE_ROUTES: Final = (
    Route("/catalogue", show, methods=["GET"]),
    Route("/catalogue", change, methods=["POST"]),
    Route("/catalogue/coverage.csv", coverage_csv),
)
