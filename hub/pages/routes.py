"""The hub's pages for people, each from one view: district, school, class, usage, how do you know."""

from datetime import UTC, datetime
from typing import Final

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from hub.pages import classes, reasons, words
from hub.pages.base import READ, chosen_for, not_found, pages, views_of
from hub.pages.facts import facts_words
from hub.pages.figures import distribution, school, usage
from shared.pages.environment import order_of
from shared.pages.figure import Figure

router: Final = APIRouter(include_in_schema=False)
router.include_router(classes.router)


@router.api_route("/", methods=READ)
def district(request: Request) -> Response:
    """The district: one sentence for the week, its schools by name, the distribution by dimension."""
    view, known = views_of(request).district(), views_of(request).known
    kinds = sorted({source.kind for item in view.schools for source in item.sources})
    chosen = chosen_for(request, (item.model for item in view.distribution))
    shown = [item for item in view.distribution if item.model in chosen.drawn]
    figures = [
        distribution.distribution_figure(f"levels-{scale}", "All schools together.", items, kinds, known)
        for scale, items in distribution.by_scale(shown).items()
    ]
    return pages.page_or_data(
        request,
        "district.html",
        figures,
        view=view,
        choices=chosen.choices,
        term_models=[known.name(model) for model in view.term_models],
        sentence=words.week_sentence(view, order_of(request), chosen.model),
        needs={item.slug: words.needs(item) for item in view.schools},
        simulated=view.simulated,
        inferred=any(not item.calibrated for item in shown),
    )


@router.api_route("/schools/{slug}", methods=READ)
def one_school(request: Request, slug: str) -> Response:
    """A school: what it covers, its levels by week or term, channels and blind spot, its shared classes."""
    view, known = views_of(request).school(slug), views_of(request).known
    if view is None:
        return not_found(request)
    order = order_of(request)
    newest = view.weeks[-1] if view.weeks else None
    weekly = newest.distribution if newest else ()
    of_term = [item for item in view.term.distribution if item.grain == "term"] if view.term else []
    waiting = view.term.waiting if view.term else ()
    chosen = chosen_for(request, [*(item.model for item in (*weekly, *of_term)), *waiting])
    figures: list[Figure] = []
    if newest is not None:
        shown = [item for item in weekly if item.model in chosen.drawn]
        for scale, items in distribution.by_scale(shown).items():
            figures.append(
                distribution.distribution_figure(
                    f"levels-{scale}",
                    "In the newest week:",
                    items,
                    newest.sources,
                    known,
                    newest.visibility,
                )
            )
            if any(item.shares for item in items):
                figures.append(school.weeks_figure(f"weeks-{scale}", view.weeks, items[0], order))
    if view.term is not None:
        long = [item for item in of_term if item.model in chosen.drawn]
        figures += [
            school.term_figure(f"term-{scale}", view.term, items, known, order)
            for scale, items in distribution.by_scale(long).items()
        ]
    matrices = [figure.name for figure in figures]
    if newest is not None:
        figures.append(school.contacted_figure("contacted", view.weeks, order))
        if newest.visibility is not None:
            figures.append(school.blind_spot_figure("blind-spot", view.weeks))
    return pages.page_or_data(
        request,
        "school.html",
        figures,
        view=view,
        newest=newest,
        matrices=matrices,
        choices=chosen.choices,
        model_name=known.name(chosen.model),
        needs_term=known.grain(chosen.model) == "term",
        waits=chosen.model in waiting,
        needs=words.needs(view.school),
        until=words.half_a_year_on(datetime.now(UTC).date()),
        simulated=view.school.simulated,
        inferred=any(not item.calibrated for item in (*weekly, *of_term) if item.model in chosen.drawn),
    )


@router.api_route("/usage", methods=READ)
def all_usage(request: Request) -> Response:
    """The districts of usage exports, by number."""
    view = views_of(request).usage_districts()
    return pages.page(
        request,
        "usage.html",
        view=view,
        left_out=reasons.file_left_out_words,
        simulated=False,
        inferred=False,
    )


@router.api_route("/usage/{district_id}", methods=READ)
def one_usage(request: Request, district_id: str) -> Response:
    """One district of a usage export, charted by week."""
    view = views_of(request).usage_district(district_id)
    if view is None:
        return not_found(request)
    order = order_of(request)
    counted = usage.counted_in(view.facts.get("counted"))
    figures: list[Figure] = []
    models = dict.fromkeys(item.model for week in view.weeks for item in week.placements)
    if view.weeks:
        figures = [
            usage.engagement_figure("engagement", view.weeks, order, counted),
            usage.channels_figure("channels", view.weeks, order, counted),
        ]
        figures += [
            usage.placements_figure(f"levels-{model}", view.weeks, model, order, counted) for model in models
        ]
    return pages.page_or_data(
        request,
        "usage_district.html",
        figures,
        view=view,
        facts=facts_words(view.facts),
        left_out=reasons.left_out_words,
        simulated=False,
        no_levels=usage.no_levels_words(counted) if view.weeks and not models else "",
        inferred=bool(models),
    )


@router.api_route("/status", methods=READ)
def status(request: Request) -> Response:
    """The hub about itself, for whoever looks after it: alarms, keys, what came, what was refused."""
    view = views_of(request).status()
    return pages.page(
        request,
        "status.html",
        view=view,
        sentence=words.hub_sentence(view),
        verified=words.verified_sentence(view.verified),
        unsent=words.unsent_sentence(view.unsent),
        waiting_key=words.waiting_key_sentence(view.next_key, view.not_told),
        received=reasons.received_words,
        reason=reasons.refused_words,
        most=reasons.MOST,
        simulated=view.simulated,
        inferred=False,
    )


@router.api_route("/how", methods=READ)
def how(request: Request) -> Response:
    """How do you know? Sources, inference, doubt, and what cannot be seen."""
    return pages.page(
        request, "how.html", models=views_of(request).known.models, simulated=False, inferred=False
    )


@router.api_route("/static/{name}", methods=READ)
def static(name: str) -> Response:
    """A style sheet or a mark, by its hashed name."""
    return pages.assets.response(name)


@router.api_route("/favicon.ico", methods=READ)
def favicon(request: Request) -> Response:
    """Browsers ask for it whatever the page says."""
    return Response(status_code=308, headers={"Location": pages.assets.url("mark.svg")})


def add_error_pages(app: FastAPI) -> None:
    """Errors as pages for people; answers for programs are the API's own matter."""

    def refused(request: Request, error: Exception) -> Response:
        if not isinstance(error, HTTPException) or error.status_code == 404:
            return not_found(request)
        return _page(
            request, error.status_code, "This cannot be done here", "The page does not do what was asked."
        )

    def failed(request: Request, error: Exception) -> Response:
        return _page(
            request, 500, "This page could not be made", "Something went wrong while it was put together."
        )

    app.add_exception_handler(HTTPException, refused)
    app.add_exception_handler(RequestValidationError, refused)
    app.add_exception_handler(Exception, failed)


def _page(request: Request, status: int, heading: str, happened: str) -> Response:
    return pages.page(
        request,
        "message.html",
        status,
        heading=heading,
        happened=happened,
        safe="Nothing was lost: pages only read, and what schools send is on disk before it is acknowledged.",
        steps=(
            (request.url.path, "Try once more"),
            ("/", "Go to the district"),
            ("", "If it happens again, tell whoever looks after the hub: its log says what happened"),
        ),
        simulated=False,
        inferred=False,
    )
