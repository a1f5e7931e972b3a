"""The agent's pages: is it working, for IT; what leaves this school, for parents; the state as JSON."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from edge_agent.pages import shape
from edge_agent.pages.minutes import minutes_figure
from edge_agent.pages.reasons import link_words, reason, record_words
from shared.pages.environment import Pages, order_of
from shared.pages.sources import kind_words

pages: Final = Pages(
    Path(__file__).parent,
    {
        "links": (("/", "Is it working?"), ("/what-leaves", "What leaves this school")),
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
    return pages.page_or_data(
        request,
        "status.html",
        [minutes_figure(minutes, order_of(request))] if minutes else [],
        status=status,
        sentence=shape.sentence(status),
        steps=[step for step in status.next_steps if step != status.working],
        until=_half_a_year_on(status.now),
        simulated=status.simulated,
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
    Route("/status.json", as_json),
    Route("/what-leaves", what_leaves),
    Route("/static/{name}", static),
)
