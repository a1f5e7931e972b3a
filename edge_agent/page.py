"""The agent's own web application: its status page, on this machine only."""

from collections.abc import Callable
from typing import Any

from starlette.applications import Starlette
from starlette.middleware.trustedhost import TrustedHostMiddleware

from edge_agent.pages.routes import ROUTES, not_found
from shared.guard import HOSTS, SecurityHeaders


def create_page(status: Callable[[], dict[str, Any]]) -> Starlette:
    """The application; `status` gives the state that every page is made from."""
    app = Starlette(routes=ROUTES)  # four pages need no more, and FastAPI would be a sixth of the memory
    app.state.status = status
    app.add_exception_handler(404, not_found)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(HOSTS))
    return app
