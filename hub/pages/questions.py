"""Questions worth asking a teacher, from what was seen: a small table, kind and without judgement."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from hub.views import LessonView

RECENT: Final = 5
MOST: Final = 4


@dataclass(frozen=True)
class Question:
    """One question, and what was seen that makes it worth asking."""

    seen: str
    ask: str


# Feature of set 1, from which mean over the newest lessons, what was seen, what to ask. What was seen is said
# as it was seen; none of it is good or bad by itself. Rarer sights come first.
_TABLE: Final[tuple[tuple[str, float, Question], ...]] = (
    (
        "outside_audience",
        0.5,
        Question("Something went to people outside the class.", "Who was it for, and what came back?"),
    ),
    (
        "chain_fraction",
        0.1,
        Question("Some work went from a capture to sharing.", "What did learners decide along that way?"),
    ),
    (
        "coedit_fraction",
        0.1,
        Question("Several learners worked on one piece.", "How did they share the work out?"),
    ),
    ("revisions_per_artefact", 1.0, Question("Pieces were reworked.", "What prompted the second go?")),
    (
        "peer_share_rate",
        0.5,
        Question("Learners passed work to each other.", "What were they asked to do with each other’s work?"),
    ),
    (
        "reflect_share",
        0.03,
        Question("Apps for looking back were contacted.", "What do learners do with what they notice?"),
    ),
    (
        "plan_share",
        0.03,
        Question("Apps for planning were contacted.", "Who sets the next step, and how?"),
    ),
    (
        "collaborate_share",
        0.15,
        Question("Apps for working together were contacted.", "What did they need one another for?"),
    ),
    (
        "create_share",
        0.2,
        Question("Apps for making things were contacted.", "What was made, and who will see it?"),
    ),
    (
        "choice_dispersion",
        0.5,
        Question("Different apps were in use at the same time.", "How did learners choose?"),
    ),
    (
        "mirror_share",
        0.05,
        Question("A screen was shown to everyone for a while.", "What should learners have noticed there?"),
    ),
    (
        "synchrony",
        0.8,
        Question("Most iPads were on one app at a time.", "What did doing it together make possible?"),
    ),
    (
        "practise_share",
        0.3,
        Question("Apps for practising were contacted.", "How is it decided who practises what?"),
    ),
    (
        "consume_share",
        0.5,
        Question("Many contacts were with apps to read, watch or listen.", "What was it meant to lead to?"),
    ),
    (
        "unlisted_share",
        0.4,
        Question(
            "Many contacts were with apps not in the catalogue.", "Which of them mattered, and for what?"
        ),
    ),
)

_HALF_UNSEEN: Final = 0.5
_UNSEEN: Final = Question(
    "A good part of the lessons could not be seen.", "What was happening away from the network?"
)
_ALWAYS: Final = Question("Worth asking whatever was seen.", "What would you like a visitor to notice?")


def questions(lessons: Sequence[LessonView]) -> list[Question]:
    """At most four for the newest lessons: up to three from what was seen, and always an open one."""
    recent = lessons[-RECENT:]
    found = [
        question
        for feature, least, question in _TABLE
        if _mean([lesson.features.get(feature) for lesson in recent]) >= least
    ]
    if _mean([1 - lesson.visibility for lesson in recent]) >= _HALF_UNSEEN:
        found = [*found[: MOST - 2], _UNSEEN]
    return [*found[: MOST - 1], _ALWAYS]


def _mean(values: Sequence[float | None]) -> float:
    """Mean of what could be seen; nothing seen reaches no threshold."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else float("-inf")
