"""The agent's pages: is it working, for IT; what leaves this school, for parents; the state as JSON."""

import hmac
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from edge_agent.check.desk import CheckDesk
from edge_agent.pages import shape
from edge_agent.pages.blind_spot import blind_spot_figure
from edge_agent.pages.link_words import link_words, record_words
from edge_agent.pages.minutes import minutes_figure
from edge_agent.placing.reasons import reason
from edge_agent.sight.blind_spot import cautions
from edge_agent.today_desk import TodayDesk
from shared.errors import CommonGroundError
from shared.pages.environment import Pages, order_of
from shared.pages.sources import kind_words

pages: Final = Pages(
    Path(__file__).parent,
    {
        "links": (
            *(("/", "Is it working?"), ("/catalogue", "Catalogue")),
            ("/what-leaves", "What leaves this school"),
        ),
        "how": "/what-leaves#how",
        "purpose": "This page is served to this machine only. It shows what the agent counts; it shows"
        " no child, no device and no lesson.",
        "simulated_words": "Simulated school",
        "simulated_detail": "What arrives here is made up by a simulator; no child and no teacher"
        " is behind it.",
        "inferred_detail": "Levels are read from signals.",
        "inferred": False,
        "kind_words": kind_words,
        "link_words": link_words,
        "record_words": record_words,
        "reason": reason,
        "model_words": shape.model_words,
    },
)


HALF_A_YEAR: Final = timedelta(days=182)
MAX_FORM: Final = 4_096  # bytes
FOR_EVERYONE: Final = (
    "Made from the log in the school, for anyone who asks. It shows no child, no device and no lesson."
)


def _status(request: Request) -> Mapping[str, Any]:
    read: Callable[[], Mapping[str, Any]] = request.app.state.status
    return read()


def working(request: Request) -> Response:
    """Is it working: one line, what arrives, what is refused and why, what left, what to do next."""
    status = shape.read(_status(request))
    minutes = status.signals_by_minute[-60:]
    seen = status.sight
    figures = [minutes_figure(minutes, order_of(request))] if minutes else []
    if seen.expected_minutes:
        figures.append(blind_spot_figure(seen))
    today: TodayDesk | None = request.app.state.today
    answer = pages.page_or_data(
        request,
        "status.html",
        figures,
        status=status,
        cautions=cautions(
            *(seen.reporting_lessons, seen.lessons, seen.reported_minutes, seen.expected_minutes)
        ),
        sentence=shape.sentence(status),
        steps=[step for step in status.next_steps if step != status.working],
        until=_half_a_year_on(status.now),
        today=today.shown() if today is not None else None,
        **_check(request),
        simulated=status.simulated,
    )
    # Or the browser would not say where a form came from, and it would be refused.
    answer.headers["Referrer-Policy"] = "same-origin"
    return answer


def _check(request: Request) -> dict[str, Any]:
    """The newest check's findings, and when that was."""
    desk: CheckDesk | None = request.app.state.check
    found = desk.shown() if desk is not None else None
    at = datetime.fromtimestamp(found.at, UTC).isoformat() if found is not None else None
    return {"check": found, "check_at": at}


async def change_today(request: Request) -> Response:
    """Take a change of the day from the form on the page itself, and from nowhere else."""
    today: TodayDesk | None = request.app.state.today
    if today is None:
        return refused(request, 404, "This agent takes no changes here", "Nothing was changed.")
    form = await form_of(request)
    token = form.get("token", "")
    if not is_own(request) or not hmac.compare_digest(token.encode(), today.token.encode()):
        happened = "What came was not sent by this agent’s own page, or the agent was started anew since."
        return refused(request, 403, "Nothing was changed", happened)
    words = " ".join(part for part in (form.get("change", ""), form.get("at", "")) if part)
    if form.get("change") != "early dismissal":
        words = form.get("change", "")
    try:
        await run_in_threadpool(today.take, words)
    except CommonGroundError as error:
        return refused(request, 400, "Nothing was changed", str(error))
    return RedirectResponse("/", 303)


async def form_of(request: Request) -> dict[str, str]:
    """The fields of a small form; nothing of a large one."""
    data = b""
    async for part in request.stream():
        data += part
        if len(data) > MAX_FORM:
            return {}
    try:
        fields = parse_qs(data.decode(), max_num_fields=8)
    except ValueError:
        return {}
    return {name: values[0] for name, values in fields.items()}


def is_own(request: Request) -> bool:
    """Whether the browser, as far as it says so, sends from this very address."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    return site in (None, "same-origin") and origin in (None, f"http://{request.headers.get('host')}")


def refused(request: Request, code: int, heading: str, happened: str) -> Response:
    steps = (("/", "Back to the agent’s page, and try again there"),)
    safe = "Lessons go on as they were."
    return pages.page(
        request,
        "message.html",
        code,
        heading=heading,
        happened=happened,
        safe=safe,
        steps=steps,
        simulated=False,
    )


def as_json(request: Request) -> Response:
    """The state as it is, for programs; a number that is not one yet is null."""
    return Response(msgspec.json.encode(_status(request)), media_type="application/json")


def what_leaves(request: Request) -> Response:
    """For parents: which kinds of record left, how many by day, their hashes, and what never leaves."""
    status = shape.read(_status(request))
    return pages.page(
        request,
        "what_leaves.html",
        status=status,
        checked=None,
        purpose=FOR_EVERYONE,
        simulated=status.simulated,
    )


def not_found(request: Request, _: Exception) -> Response:
    """The page for an address that leads nowhere."""
    return pages.page(
        request,
        "message.html",
        404,
        heading="There is no such page",
        happened="The address leads to nothing that this agent has.",
        safe="Nothing was lost.",
        steps=(
            ("/", "See whether the agent works"),
            ("/what-leaves", "See what leaves this school"),
            ("", "Check the address for a slip"),
        ),
        simulated=False,
    )


def _half_a_year_on(now: str | None) -> str:
    """A day that is still to come, for an example."""
    return (date.fromisoformat(now[:10] if now else date.today().isoformat()) + HALF_A_YEAR).isoformat()


def static(request: Request) -> Response:
    """A style sheet or a mark, by its hashed name."""
    return pages.assets.response(request.path_params["name"])


ROUTES: Final = (
    Route("/", working),
    Route("/today", change_today, methods=["POST"]),
    Route("/status.json", as_json),
    Route("/what-leaves", what_leaves),
    Route("/static/{name}", static),
)
