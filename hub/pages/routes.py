"""The hub's pages for people, each from one view: district, school, class, usage, how do you know."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from hub.explain import Explainer
from hub.pages import words
from hub.pages.choosing import Chosen, choose
from hub.pages.facts import facts_words
from hub.pages.figures import distribution, lesson, moved, school, usage
from hub.pages.questions import questions
from hub.views import LessonView, Views
from shared.pages.environment import Pages, order_of
from shared.pages.figure import Figure
from shared.pages.sources import sources_words

LESSONS_SHOWN: Final = 12
LESSONS_MOST: Final = 60
READ: Final = ["GET", "HEAD"]
_WHEN: Final = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})T([0-9]{2})([0-9]{2})([0-9]{2})")

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


def _explainer(request: Request) -> Explainer:
    explainer: Explainer = request.app.state.explainer
    return explainer


def _chosen(request: Request, models: Iterable[str]) -> Chosen:
    """Which of the models this page is read with."""
    asked = request.query_params
    return choose(
        _views(request).known,
        models,
        asked.get("model", ""),
        request.url.path,
        data="data" in asked,
        **({"lessons": asked["lessons"]} if "lessons" in asked else {}),
    )


@router.api_route("/", methods=READ)
def district(request: Request) -> Response:
    """The district: one sentence for the week, its schools by name, the distribution by dimension."""
    view, known = _views(request).district(), _views(request).known
    kinds = sorted({source.kind for item in view.schools for source in item.sources})
    chosen = _chosen(request, (item.model for item in view.distribution))
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
        sentence=words.week_sentence(view, order_of(request)),
        needs={item.slug: words.needs(item) for item in view.schools},
        simulated=view.simulated,
        inferred=any(not item.calibrated for item in shown),
    )


@router.api_route("/schools/{slug}", methods=READ)
def one_school(request: Request, slug: str) -> Response:
    """A school: what it covers, its levels by week or term, channels and blind spot, its shared classes."""
    view, known = _views(request).school(slug), _views(request).known
    if view is None:
        return not_found(request)
    order = order_of(request)
    newest = view.weeks[-1] if view.weeks else None
    weekly = newest.distribution if newest else ()
    of_term = [item for item in view.term.distribution if item.grain == "term"] if view.term else []
    waiting = view.term.waiting if view.term else ()
    chosen = _chosen(request, [*(item.model for item in (*weekly, *of_term)), *waiting])
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
            figures.append(school.blind_spot_figure("blind-spot", newest))
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
        simulated=view.school.simulated,
        inferred=any(not item.calibrated for item in (*weekly, *of_term) if item.model in chosen.drawn),
    )


@router.api_route("/schools/{slug}/classes/{code}", methods=READ)
def one_class(request: Request, slug: str, code: str) -> Response:
    """A shared class before a visit: its newest lesson large, the earlier ones small, questions to ask."""
    shown = LESSONS_MOST if request.query_params.get("lessons") == "all" else LESSONS_SHOWN
    view = _views(request).school_class(slug, code, lessons=shown)
    if view is None or not view.lessons:
        return not_found(request)
    newest = view.lessons[-1]
    chosen = _chosen(request, (item.model for held in view.lessons for item in held.placements))
    earlier = [
        lesson.glyphs(f"lesson-{i}", held, chosen.model, request.url.path)
        for i, held in enumerate(reversed(view.lessons[:-1]), start=1)
    ]
    large = _large(request, newest, chosen)
    return pages.page_or_data(
        request,
        "class.html",
        large.figures,
        {"lessons": lesson.lessons_table(view.lessons, chosen.model)},
        view=view,
        lesson=newest,
        large=large,
        choices=chosen.choices,
        model=chosen.model,
        earlier=earlier,
        hidden=max(0, view.shared.lessons - len(view.lessons)),
        questions=questions(view.lessons),
        limits=words.limits_of(newest.sources),
        simulated=view.school.simulated,
        inferred=large.inferred,
    )


@router.api_route("/schools/{slug}/classes/{code}/lessons/{when}", methods=READ)
def one_lesson(request: Request, slug: str, code: str, when: str) -> Response:
    """One lesson of a shared class, large, with what moved each of its placements."""
    start = _WHEN.fullmatch(when)
    at = "{}-{}-{}T{}:{}:{}".format(*start.groups()) if start else ""
    view = _views(request).school_lesson(slug, code, at) if start else None
    if view is None:
        return not_found(request)
    held = view.lessons[0]
    chosen = _chosen(request, (item.model for item in held.placements))
    large = _large(request, held, chosen)
    return pages.page_or_data(
        request,
        "lesson.html",
        large.figures,
        view=view,
        lesson=held,
        large=large,
        choices=chosen.choices,
        limits=words.limits_of(held.sources),
        simulated=view.school.simulated,
        inferred=large.inferred,
    )


@dataclass(frozen=True)
class _Large:
    """One lesson large: its figures, and the names of those that stand where."""

    figures: list[Figure]
    levels: list[str]
    moved: list[tuple[str, str]]
    untold: list[tuple[str, list[str]]]
    inferred: bool


def _large(request: Request, held: LessonView, chosen: Chosen) -> _Large:
    known, explainer = _views(request).known, _explainer(request)
    shown = [item for item in held.placements if item.model in chosen.drawn]
    levels = [
        distribution.lesson_figure(f"levels-{scale}", held, items, known)
        for scale, items in distribution.by_scale(shown).items()
    ]
    found = [one for one in explainer.explain(held) if one.model in chosen.drawn]
    told = [one for one in found if not one.why_not]
    moves = [moved.moved_figure(f"moved-{one.model}-{one.dimension}", one, held) for one in told]
    untold: dict[str, list[str]] = {}
    for one in found:
        if one.why_not:
            untold.setdefault(one.why_not, []).append(one.label)
    return _Large(
        figures=[lesson.strip_figure("strip", held), *levels, *moves],
        levels=[figure.name for figure in levels],
        moved=[(one.label, figure.name) for one, figure in zip(told, moves, strict=True)],
        untold=list(untold.items()),
        inferred=any(not item.calibrated for item in shown),
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
    return pages.page(
        request, "how.html", models=_views(request).known.models, simulated=False, inferred=False
    )


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
