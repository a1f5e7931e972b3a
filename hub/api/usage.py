"""/api/v1/usage: usage exports, which are not lessons and never mix with them."""

from fastapi import APIRouter

from hub.api import tables
from hub.api.problems import NOT_FOUND, missing
from hub.api.reading import CSV_ANSWER, CsvResponse, Reader, csv_answer
from hub.views import UsageDistrictView, UsageView, Views

router = APIRouter(prefix="/api/v1/usage", tags=["usage exports"])


def _district(views: Views, district: str) -> UsageDistrictView:
    found = views.usage_district(district)
    if found is None:
        raise missing("district of a usage export", "/api/v1/usage")
    return found


@router.get("", summary="Usage exports")
def usage(views: Reader) -> UsageView:
    """Every district that was imported, by number."""
    return views.usage_districts()


@router.get("/{district}", summary="One district of a usage export", responses=NOT_FOUND)
def usage_district(views: Reader, district: str) -> UsageDistrictView:
    """Its ISO weeks: page loads by channel, and an uncalibrated inference that is never a placement."""
    return _district(views, district)


@router.get(
    "/{district}/weeks.csv",
    summary="Weeks of a usage export",
    response_class=CsvResponse,
    responses=CSV_ANSWER | NOT_FOUND,
)
def usage_weeks(views: Reader, district: str) -> CsvResponse:
    """One row a week: days, products, page loads per 1,000 students, shares by channel."""
    found = _district(views, district)
    return csv_answer(f"usage-{found.district.id}-weeks", tables.USAGE_WEEKS, tables.usage_weeks(found.weeks))


@router.get(
    "/{district}/placements.csv",
    summary="Inferences of a usage export",
    response_class=CsvResponse,
    responses=CSV_ANSWER | NOT_FOUND,
)
def usage_placements(views: Reader, district: str) -> CsvResponse:
    """One row for each week, dimension and stage; always `evidence_only`."""
    found = _district(views, district)
    rows = (row for week in found.weeks for row in tables.placements(week.placements, week.week))
    return csv_answer(f"usage-{found.district.id}-placements", ["week", *tables.PLACEMENTS], rows)
