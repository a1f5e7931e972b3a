"""The agent's own web application: its status page, on this machine only."""

from collections.abc import Callable
from typing import Any

from starlette.applications import Starlette
from starlette.middleware.trustedhost import TrustedHostMiddleware

from edge_agent.catalogue.desk import CatalogueDesk
from edge_agent.check.desk import CheckDesk
from edge_agent.pages.catalogue import CATALOGUE_ROUTES
from edge_agent.pages.checked import CHECK_ROUTES
from edge_agent.pages.routes import ROUTES, not_found
from edge_agent.today_desk import TodayDesk
from shared.guard import HOSTS, SecurityHeaders


def create_page(
    status: Callable[[], dict[str, Any]],
    today: TodayDesk | None = None,
    check: CheckDesk | None = None,
    catalogue: CatalogueDesk | None = None,
) -> Starlette:
    """The application: `status` is what every page is made from.

    `today` takes changes of the day, `check` shows what a check found and takes ticks, `catalogue` takes
    entries of the school's own.
    """
    app = Starlette(
        routes=(*ROUTES, *CHECK_ROUTES, *CATALOGUE_ROUTES)
    )  # so few pages need no more, and FastAPI would be a sixth of the memory
    app.state.status = status
    app.state.today = today
    app.state.check = check
    app.state.catalogue = catalogue
    app.add_exception_handler(404, not_found)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(HOSTS))
    return app
