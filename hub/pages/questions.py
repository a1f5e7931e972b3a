"""Questions worth asking a teacher, from what was seen: a small table, kind and without judgement."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from hub.views import LessonView

RECENT: Final = 5
MOST: Final = 4


@dataclass(frozen=True)
class Question:
    """One question, and why it may be worth asking: `feature` at or over `least` in recent lessons."""

    feature: str
    least: float
    seen: str
    ask: str


# What was seen is said as it was seen; none of it is good or bad by itself. Rarer sights come first.
_TABLE: Final = (
    Question("outside_audience", 0.5, "Something went to people outside the class.", "Who was it for, and what came back?"),
    Question("chain_fraction", 0.1, "Some work went from a capture through making to sharing.", "What did learners decide along that way?"),
    Question("coedit_fraction", 0.1, "Several learners worked on one piece.", "How did they share the work out?"),
    Question("revisions_per_artefact", 1.0, "Pieces were reworked.", "What prompted the second go?"),
    Question("peer_share_rate", 0.5, "Learners passed work to each other.", "What were they asked to do with each other's work?"),
    Question("reflect_share", 0.03, "Some time was with apps for looking back.", "What do learners do with what they notice?"),
    Question("plan_share", 0.03, "Some time was with apps for planning.", "Who sets the next step, and how?"),
    Question("collaborate_share", 0.15, "Apps for working together were contacted.", "How were groups made, and what did each need the others for?"),
    Question("create_share", 0.2, "Apps for making things were contacted.", "What was made, and who will see it?"),
    Question("choice_dispersion", 0.5, "Different apps were in use at the same time.", "How did learners choose, and what helped them choose well?"),
    Question("mirror_share", 0.05, "A screen was shown to everyone for part of the lesson.", "What should learners have noticed there?"),
    Question("synchrony", 0.8, "Most iPads were on the same app at the same minute.", "What did doing it together make possible?"),
    Question("practise_share", 0.3, "Apps for practising were contacted.", "How is it decided who practises what, and when it is enough?"),
    Question("consume_share", 0.5, "Much contact was with apps for reading, watching or listening.", "What was it meant to lead to?"),
    Question("unlisted_share", 0.4, "Much contact was with apps that the catalogue does not know.", "Which of them mattered for the lesson?"),
)  # fmt: skip

_UNSEEN: Final = Question(
    "visibility", 0.5, "A good part of the lesson left no trace.", "What was happening away from the network?"
)
_ALWAYS: Final = Question("", 0.0, "Whatever was seen.", "What would you like a visitor to notice?")


def questions(lessons: Sequence[LessonView]) -> list[Question]:
    """At most four for the newest lessons: up to three from what was seen, and always an open one."""
    recent = lessons[-RECENT:]
    if not recent:
        return [_ALWAYS]
    means = {item.feature: _mean(recent, lambda lesson, name=item.feature: lesson.features.get(name)) for item in _TABLE}
    found = [item for item in _TABLE if (value := means[item.feature]) is not None and value >= item.least]
    unseen = _mean(recent, lambda lesson: 1 - lesson.visibility)
    if unseen is not None and unseen >= _UNSEEN.least:
        found = [*found[: MOST - 2], _UNSEEN]
    return [*found[: MOST - 1], _ALWAYS]


def _mean(lessons: Sequence[LessonView], read: Callable[[LessonView], float | None]) -> float | None:
    known = [value for lesson in lessons if (value := read(lesson)) is not None]
    return sum(known) / len(known) if known else None
