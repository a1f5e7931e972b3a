"""/api/v1/status, and /healthz for whatever watches the process."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from hub.api.problems import BAD_REQUEST, FAILED
from hub.api.reading import Reader
from hub.views import Alarm, StatusView

router = APIRouter(tags=["status"])

Cleared = Annotated[bool, Query(description="Whether those that were cleared follow.")]


class Health(BaseModel):
    """Whether the hub answers."""

    status: str = Field(description="`ok`")


@router.get("/api/v1/status", summary="The hub about itself")
def status(views: Reader) -> StatusView:
    """Who joined, what was counted, what was refused and why."""
    return views.status()


@router.get("/api/v1/alarms", summary="What somebody should look at", responses=BAD_REQUEST)
def alarms(views: Reader, cleared: Cleared = False) -> tuple[Alarm, ...]:
    """Keys and records that do not belong: what happened, how often, and what to do; the newest first."""
    return views.alarms(cleared=cleared)


@router.get("/healthz", summary="Whether the hub answers", responses=FAILED)
def healthz(views: Reader) -> Health:
    """`ok` when the database can be read."""
    views.check()
    return Health(status="ok")
