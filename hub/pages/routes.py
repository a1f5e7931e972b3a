"""The hub's pages for people, each from one view: district, school, class, usage, how do you know."""

from pathlib import Path
from typing import Final

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from hub.pages import words
from hub.pages.facts import facts_words
from hub.pages.figures import distribution, lesson, school, usage
from hub.pages.questions import questions
from hub.views import Views
from models.integration.load import load_model, model_names
from shared.pages.environment import Pages, order_of
from shared.pages.figure import Figure
from shared.pages.sources import sources_words

LESSONS_SHOWN: Final = 12
LESSONS_MOST: Final = 60
READ: Final = ["GET", "HEAD"]

pages: Final = Pages(
    Path(__file__).parent,
    {
        "links": (("/", "District"), ("/usage", "Usage exports"), ("/how", "How do you know?")),
        "how": "/how",
        "purpose": "For coaching and for looking after the system. Not for evaluating teachers, and not for"
        " watching children: nothing about a child or a device is kept here.",
        "simulated_words": "Simulated schools",
        "simulated_detail": "Their lessons are made up by a simulator; no child or teacher is behind them.",
        "inferred_detail": "Levels are read from signals: a question to look into, not an answer.",
        "kind_words": sources_words,
    },
)

router: Final = APIRouter(include_in_schema=False)


def _views(request: Request) -> Views:
    views: Views = request.app.state.views
    return views


@router.api_route("/", methods=READ)
def district(request: Request) -> Response:
    """The district: one sentence for the week, its schools by name, the distribution by dimension."""
    view = _views(request).district()
    kinds = sorted({source.kind for item in view.schools for source in item.sources})
    figures = [
        distribution.distribution_figure(f"levels-{scale}", "All schools together.", items, kinds)
        for scale, items in distribution.by_scale(view.distribution).items()
    ]
    return pages.page_or_data(
        request,
        "district.html",
        figures,
        view=view,
        sentence=words.week_sentence(view, order_of(request)),
        needs={item.slug: words.needs(item) for item in view.schools},
        simulated=view.simulated,
        inferred=any(not item.calibrated for item in view.distribution),
    )


@router.api_route("/schools/{slug}", methods=READ)
def one_school(request: Request, slug: str) -> Response:
    """A school: what it covers, its matrix, weeks, channels and blind spot, its shared classes."""
    view = _views(request).school(slug)
    if view is None:
        return not_found(request)
    order = order_of(request)
    figures: list[Figure] = []
    matrices: list[str] = []
    newest = view.weeks[-1] if view.weeks else None
    if newest is not None:
        for scale, items in distribution.by_scale(newest.distribution).items():
            drawn = distribution.distribution_figure(
                f"levels-{scale}", "In the newest week:", items, newest.sources, newest.visibility
            )
            figures.append(drawn)
            matrices.append(drawn.name)
            if any(item.shares for item in items):
                figures.append(school.weeks_figure(f"weeks-{scale}", view.weeks, items[0], order))
                matrices.append(f"weeks-{scale}")
        figures.append(school.contacted_figure("contacted", view.weeks, order))
        if newest.visibility is not None:
            figures.append(school.blind_spot_figure("blind-spot", newest))
    return pages.page_or_data(
        request,
        "school.html",
        figures,
        view=view,
        newest=newest,
        matrices=matrices,
        needs=words.needs(view.school),
        simulated=view.school.simulated,
        inferred=newest is not None and any(not item.calibrated for item in newest.distribution),
    )


@router.api_route("/schools/{slug}/classes/{code}", methods=READ)
def one_class(request: Request, slug: str, code: str) -> Response:
    """A shared class before a visit: its newest lesson large, the earlier ones small, questions to ask."""
    shown = LESSONS_MOST if request.query_params.get("lessons") == "all" else LESSONS_SHOWN
    view = _views(request).school_class(slug, code, lessons=shown)
    if view is None or not view.lessons:
        return not_found(request)
    newest = view.lessons[-1]
    model = newest.placements[0].model if newest.placements else ""
    figures = [lesson.strip_figure("strip", newest)]
    if model:
        figures.append(distribution.lesson_figure("levels", newest, model))
    earlier = [
        lesson.glyphs(f"lesson-{i}", held, model)
        for i, held in enumerate(reversed(view.lessons[:-1]), start=1)
    ]
    return pages.page_or_data(
        request,
        "class.html",
        figures,
        {"lessons": lesson.lessons_table(view.lessons, model)},
        view=view,
        newest=newest,
        earlier=earlier,
        hidden=max(0, view.shared.lessons - len(view.lessons)),
        questions=questions(view.lessons),
        limits=words.limits_of(newest.sources),
        simulated=view.school.simulated,
        inferred=any(not item.calibrated for item in newest.placements),
    )


@router.api_route("/usage", methods=READ)
def all_usage(request: Request) -> Response:
    """The districts of usage exports, by number."""
    view = _views(request).usage_districts()
    return pages.page(request, "usage.html", view=view, simulated=False, inferred=False)


@router.api_route("/usage/{district_id}", methods=READ)
def one_usage(request: Request, district_id: str) -> Response:
    """One district of a usage export, charted by week."""
    view = _views(request).usage_district(district_id)
    if view is None:
        return not_found(request)
    order = order_of(request)
    figures: list[Figure] = []
    if view.weeks:
        figures = [
            usage.engagement_figure("engagement", view.weeks, order),
            usage.channels_figure("channels", view.weeks, order),
        ]
        models = dict.fromkeys(item.model for week in view.weeks for item in week.placements)
        figures += [usage.placements_figure(f"levels-{model}", view.weeks, model, order) for model in models]
    return pages.page_or_data(
        request,
        "usage_district.html",
        figures,
        view=view,
        facts=facts_words(view.facts),
        simulated=False,
        inferred=bool(view.weeks),
    )


@router.api_route("/how", methods=READ)
def how(request: Request) -> Response:
    """How do you know? Sources, inference, doubt, and what cannot be seen."""
    models = [load_model(name) for name in model_names()]
    return pages.page(request, "how.html", models=models, simulated=False, inferred=False)


@router.api_route("/static/{name}", methods=READ)
def static(name: str) -> Response:
    """A style sheet or a mark, by its hashed name."""
    return pages.assets.response(name)


@router.api_route("/favicon.ico", methods=READ)
def favicon(request: Request) -> Response:
    """Browsers ask for it whatever the page says."""
    return Response(status_code=308, headers={"Location": pages.assets.url("mark.svg")})


def not_found(request: Request) -> Response:
    """The page for an address that leads nowhere."""
    return pages.page(
        request,
        "message.html",
        404,
        heading="There is no such page",
        happened="The address leads to nothing that this district has.",
        safe="A class appears only while its teacher shares it, so an address that led to a class may end"
        " when sharing ends. Nothing was lost.",
        steps=(
            ("/", "Go to the district and find the school by its name"),
            ("", "Check the address for a slip"),
        ),
        simulated=False,
        inferred=False,
    )


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
