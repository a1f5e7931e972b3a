"""The page's list of findings, to tick off: takes a tick from the page itself, and from nowhere else."""

import hmac
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from edge_agent.check.desk import CheckDesk
from edge_agent.pages.routes import form_of, is_own, refused
from shared.errors import CommonGroundError


async def tick_finding(request: Request) -> Response:
    """Tick a finding off, or take that back."""
    desk: CheckDesk | None = request.app.state.check
    if desk is None:
        return refused(request, 404, "This agent takes no ticks here", "Nothing was changed.")
    form = await form_of(request)
    if not is_own(request) or not hmac.compare_digest(form.get("token", "").encode(), desk.token.encode()):
        happened = "What came was not sent by this agent’s own page, or the agent was started anew since."
        return refused(request, 403, "Nothing was changed", happened)
    try:
        on = form.get("off") is None
        name = form.get("tick" if on else "off", "")
        await run_in_threadpool(lambda: desk.take(name, on=on))
    except CommonGroundError as error:
        return refused(request, 400, "Nothing was changed", str(error))
    return RedirectResponse("/#check", 303)


CHECK_ROUTES: Final = (Route("/check", tick_finding, methods=["POST"]),)
