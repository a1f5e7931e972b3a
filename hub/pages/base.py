"""What every page of the hub is made with: templates, the readers behind it, the choice of a model."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from fastapi import Request, Response

from hub.explain import Explainer
from hub.pages.choosing import Chosen, choose
from hub.pages.words import grade_words
from hub.views import Views
from shared.pages.environment import Pages
from shared.pages.sources import sources_words

READ: Final = ["GET", "HEAD"]

pages: Final = Pages(
    Path(__file__).parent,
    {
        "links": (
            ("/", "District"),
            ("/usage", "Usage exports"),
            ("/status", "This hub"),
            ("/how", "How do you know?"),
        ),
        "how": "/how",
        "purpose": "For coaching and for looking after the system. Not for evaluating teachers, and not for"
        " watching children: nothing about a child or a device is kept here.",
        "simulated_words": "Simulated schools",
        "simulated_detail": "Their lessons are made up by a simulator; no child or teacher is behind them.",
        "inferred_detail": "Levels are read from signals: a question to look into, not an answer.",
        "kind_words": sources_words,
        "grade_words": grade_words,
    },
)


def views_of(request: Request) -> Views:
    """The hub's reader."""
    views: Views = request.app.state.views
    return views


def explainer_of(request: Request) -> Explainer:
    """What tells why placements came out as they did."""
    explainer: Explainer = request.app.state.explainer
    return explainer


def chosen_for(request: Request, models: Iterable[str]) -> Chosen:
    """Which of the models this page is read with."""
    asked = request.query_params
    return choose(
        views_of(request).known,
        models,
        asked.get("model", ""),
        request.url.path,
        data="data" in asked,
        **({"lessons": asked["lessons"]} if "lessons" in asked else {}),
    )


def not_found(request: Request) -> Response:
    """The page for an address that leads nowhere."""
    return pages.page(
        request,
        "message.html",
        404,
        heading="There is no such page",
        happened="The address leads to nothing that this district has.",
        safe="A class appears only with its first shared lesson. Nothing was lost.",
        steps=(
            ("/", "Go to the district and find the school by its name"),
            ("", "Check the address for a slip"),
        ),
        simulated=False,
        inferred=False,
    )
