"""/api/v1/district and /api/v1/schools: what the district's, a school's and a class's pages show."""

from typing import Annotated

from fastapi import APIRouter, Query

from hub.api import tables
from hub.api.problems import BAD_REQUEST, NOT_FOUND, missing
from hub.api.reading import CSV_ANSWER, CsvResponse, Explaining, Reader, csv_answer
from hub.views import ClassView, DistrictView, Moved, SchoolSummary, SchoolView, Views

router = APIRouter(prefix="/api/v1", tags=["schools"])

Weeks = Annotated[int, Query(ge=1, le=260, description="How many of the newest weeks are merged.")]
Lessons = Annotated[int, Query(ge=1, le=1000, description="How many of the newest lessons are shown.")]
FewLessons = Annotated[int, Query(ge=1, le=200, description="How many of the newest lessons are explained.")]

_SCHOOLS = "/api/v1/schools"


def _school(views: Views, slug: str) -> SchoolView:
    found = views.school(slug)
    if found is None:
        raise missing("school", _SCHOOLS)
    return found


def _class(views: Views, slug: str, code: str, lessons: int) -> ClassView:
    found = views.school_class(slug, code, lessons)
    if found is None:
        raise missing("shared class", f"/api/v1/schools/ and the school's slug ({_SCHOOLS})")
    return found


@router.get("/district", summary="The district", responses=BAD_REQUEST)
def district(views: Reader, weeks: Weeks = 1) -> DistrictView:
    """Its schools by name, and the newest weeks' lessons by stage (inferred, until calibrated)."""
    return views.district(weeks)


@router.get("/district/schools.csv", summary="The schools", response_class=CsvResponse, responses=CSV_ANSWER)
def district_schools(views: Reader) -> CsvResponse:
    """One row a school, by name."""
    return csv_answer("schools", tables.SCHOOLS, tables.schools(views.district().schools))


@router.get(
    "/district/distribution.csv",
    summary="The district's lessons by stage",
    response_class=CsvResponse,
    responses=CSV_ANSWER | BAD_REQUEST,
)
def district_distribution(views: Reader, weeks: Weeks = 1) -> CsvResponse:
    """One row for each dimension and stage of the newest weeks."""
    rows = tables.spread(views.district(weeks).distribution)
    return csv_answer("distribution", tables.DISTRIBUTION, rows)


@router.get("/schools", summary="The schools")
def schools(views: Reader) -> tuple[SchoolSummary, ...]:
    """Every school, by name."""
    return views.district().schools


@router.get("/schools/{slug}", summary="One school", responses=NOT_FOUND)
def school(views: Reader, slug: str) -> SchoolView:
    """Its weeks, and the classes that their teachers share."""
    return _school(views, slug)


@router.get(
    "/schools/{slug}/weeks.csv",
    summary="A school's weeks",
    response_class=CsvResponse,
    responses=CSV_ANSWER | NOT_FOUND,
)
def school_weeks(views: Reader, slug: str) -> CsvResponse:
    """One row a week: what was seen, and use by channel."""
    found = _school(views, slug)
    return csv_answer(f"{found.school.slug}-weeks", tables.WEEKS, tables.weeks(found.weeks))


@router.get(
    "/schools/{slug}/distribution.csv",
    summary="A school's lessons by week and stage",
    response_class=CsvResponse,
    responses=CSV_ANSWER | NOT_FOUND,
)
def school_distribution(views: Reader, slug: str) -> CsvResponse:
    """One row for each week, dimension and stage."""
    found = _school(views, slug)
    rows = (row for week in found.weeks for row in tables.spread(week.distribution, week.week))
    return csv_answer(f"{found.school.slug}-distribution", ["week", *tables.DISTRIBUTION], rows)


@router.get(
    "/schools/{slug}/term.csv",
    summary="A school's newest term by stage",
    response_class=CsvResponse,
    responses=CSV_ANSWER | NOT_FOUND,
)
def school_term(views: Reader, slug: str) -> CsvResponse:
    """One row for each dimension and stage of the term; models of a term are here alone."""
    found = _school(views, slug)
    rows = tables.spread(found.term.distribution if found.term else ())
    return csv_answer(f"{found.school.slug}-term", tables.DISTRIBUTION, rows)


@router.get("/schools/{slug}/classes/{code}", summary="A shared class", responses=NOT_FOUND)
def school_class(views: Reader, slug: str, code: str, lessons: Lessons = 200) -> ClassView:
    """Its newest lessons, oldest first."""
    return _class(views, slug, code, lessons)


@router.get(
    "/schools/{slug}/classes/{code}/lessons.csv",
    summary="Lessons of a shared class",
    response_class=CsvResponse,
    responses=CSV_ANSWER | NOT_FOUND,
)
def class_lessons(views: Reader, slug: str, code: str, lessons: Lessons = 200) -> CsvResponse:
    """One row a lesson: what was seen, and use by channel."""
    found = _class(views, slug, code, lessons)
    name = f"{found.school.slug}-{found.shared.code}-lessons"
    return csv_answer(name, tables.LESSONS, tables.lessons(found.lessons))


@router.get(
    "/schools/{slug}/classes/{code}/placements.csv",
    summary="Placements of a shared class",
    response_class=CsvResponse,
    responses=CSV_ANSWER | NOT_FOUND,
)
def class_placements(views: Reader, slug: str, code: str, lessons: Lessons = 200) -> CsvResponse:
    """One row for each lesson, dimension and stage."""
    found = _class(views, slug, code, lessons)
    rows = (row for lesson in found.lessons for row in tables.placements(lesson.placements, lesson.start))
    name = f"{found.school.slug}-{found.shared.code}-placements"
    return csv_answer(name, ["start", *tables.PLACEMENTS], rows)


@router.get("/schools/{slug}/classes/{code}/moved", summary="What moved its placements", responses=NOT_FOUND)
def class_moved(
    views: Reader, explainer: Explaining, slug: str, code: str, lessons: FewLessons = 12
) -> tuple[Moved, ...]:
    """Of each placement of its newest lessons what every feature added, or why that cannot be told."""
    found = _class(views, slug, code, lessons)
    return tuple(one for lesson in found.lessons for one in explainer.explain(lesson))


@router.get(
    "/schools/{slug}/classes/{code}/moved.csv",
    summary="What moved its placements, as a table",
    response_class=CsvResponse,
    responses=CSV_ANSWER | NOT_FOUND,
)
def class_moved_table(
    views: Reader, explainer: Explaining, slug: str, code: str, lessons: FewLessons = 12
) -> CsvResponse:
    """One row for each placement and feature that counts; the pushes of one placement sum to `total`."""
    found = _class(views, slug, code, lessons)
    rows = (row for lesson in found.lessons for row in tables.moved(explainer.explain(lesson)))
    return csv_answer(f"{found.school.slug}-{found.shared.code}-moved", tables.MOVED, rows)


@router.get(
    "/schools/{slug}/classes/{code}/strip.csv",
    summary="Strips of a shared class",
    response_class=CsvResponse,
    responses=CSV_ANSWER | NOT_FOUND,
)
def class_strip(views: Reader, slug: str, code: str, lessons: Lessons = 200) -> CsvResponse:
    """One row for each five minutes of each lesson: shares of the expected device-time by channel."""
    found = _class(views, slug, code, lessons)
    name = f"{found.school.slug}-{found.shared.code}-strip"
    return csv_answer(name, tables.STRIP, tables.strips(found.lessons))
