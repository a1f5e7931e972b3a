"""A shared class before a visit, and each of its lessons, with what moved its placements."""

import re
from dataclasses import dataclass
from typing import Final

from fastapi import APIRouter, Request, Response

from hub.pages import words
from hub.pages.base import READ, chosen_for, explainer_of, not_found, pages, views_of
from hub.pages.choosing import Chosen
from hub.pages.figures import distribution, lesson, moved
from hub.pages.questions import questions
from hub.views import LessonView
from shared.pages.figure import Figure

LESSONS_SHOWN: Final = 12
LESSONS_MOST: Final = 60
_WHEN: Final = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})T([0-9]{2})([0-9]{2})([0-9]{2})")

router: Final = APIRouter(include_in_schema=False)


@router.api_route("/schools/{slug}/classes/{code}", methods=READ)
def one_class(request: Request, slug: str, code: str) -> Response:
    """A shared class before a visit: its newest lesson large, the earlier ones small, questions to ask."""
    shown = LESSONS_MOST if request.query_params.get("lessons") == "all" else LESSONS_SHOWN
    view = views_of(request).school_class(slug, code, lessons=shown)
    if view is None or not view.lessons:
        return not_found(request)
    newest = view.lessons[-1]
    chosen = chosen_for(request, (item.model for held in view.lessons for item in held.placements))
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
        heard=words.seen_words(newest.visibility),
        simulated=view.school.simulated,
        inferred=large.inferred,
    )


@router.api_route("/schools/{slug}/classes/{code}/lessons/{when}", methods=READ)
def one_lesson(request: Request, slug: str, code: str, when: str) -> Response:
    """One lesson of a shared class, large, with what moved each of its placements."""
    start = _WHEN.fullmatch(when)
    at = "{}-{}-{}T{}:{}:{}".format(*start.groups()) if start else ""
    view = views_of(request).school_lesson(slug, code, at) if start else None
    if view is None:
        return not_found(request)
    held = view.lessons[0]
    chosen = chosen_for(request, (item.model for item in held.placements))
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
        heard=words.seen_words(held.visibility),
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
    known, explainer = views_of(request).known, explainer_of(request)
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
