"""The agent's own web application: its status page, on this machine only."""

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI
from starlette.middleware.trustedhost import TrustedHostMiddleware

from edge_agent.pages.routes import router
from shared.guard import HOSTS, SecurityHeaders


def create_page(status: Callable[[], dict[str, Any]]) -> FastAPI:
    """The application; `status` gives the state that every page is made from."""
    app = FastAPI(title="Common Ground agent", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.status = status
    app.include_router(router)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(HOSTS))
    return app
