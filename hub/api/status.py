"""/api/v1/status, and /healthz for whatever watches the process."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from hub.api.problems import FAILED
from hub.api.reading import Reader
from hub.views import StatusView

router = APIRouter(tags=["status"])


class Health(BaseModel):
    """Whether the hub answers."""

    status: str = Field(description="`ok`")


@router.get("/api/v1/status", summary="The hub about itself")
def status(views: Reader) -> StatusView:
    """Who joined, what was counted, what was refused and why."""
    return views.status()


@router.get("/healthz", summary="Whether the hub answers", responses=FAILED)
def healthz(views: Reader) -> Health:
    """`ok` when the database can be read."""
    views.check()
    return Health(status="ok")
