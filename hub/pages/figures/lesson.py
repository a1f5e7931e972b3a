"""One lesson's strip, and the list of a class's lessons with its small glyphs and its one table."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from hub.charts import channel_key, matrix, strip
from hub.charts.keys import CHANNEL_WORDS
from hub.charts.strip import means
from hub.pages import words
from hub.pages.figures.distribution import lesson_rows, lesson_runs, of_model, verb
from hub.views import LessonView
from shared.pages.figure import Cell, Figure, Kind, Table
from shared.pages.formats import listing, share
from shared.words import CHANNELS

_STEP = 5


def strip_figure(name: str, lesson: LessonView) -> Figure:
    """The lesson left to right, its channels stacked, what left no trace hatched on top."""
    found = means(lesson.strip)
    used = [channel for channel in CHANNELS if found[channel] > 0]
    largest = sorted(used, key=lambda channel: -found[channel])[:2]
    said = listing([f"{CHANNEL_WORDS[channel]} ({share(found[channel])})" for channel in largest])
    traced = share(1 - found["unseen"])
    columns: list[tuple[str, Kind]] = [("Minutes", "text")]
    columns += [(CHANNEL_WORDS[channel], "share") for channel in CHANNELS]
    rows: list[tuple[Cell, ...]] = []
    for i, step in enumerate(lesson.strip):
        shares = [step.get(channel, 0.0) for channel in CHANNELS]
        upto = min(lesson.minutes, (i + 1) * _STEP)
        rows.append((f"{i * _STEP} to {upto}", *shares, max(0.0, 1 - sum(shares))))
    return Figure(
        name=name,
        says=f"Of the expected device-time {traced} left a trace of apps, most of it for {said}."
        if said
        else "No app left a trace in this lesson.",
        wide=strip(f"{name}-wide", lesson.strip, lesson.minutes, "wide"),
        narrow=strip(f"{name}-narrow", lesson.strip, lesson.minutes, "narrow"),
        limits="Five minutes a step, from the lesson’s start to its end; the full height is all the iPads"
        f" that were expected. {words.NO_TRACE} {words.limits_of(lesson.sources)}",
        table=Table(columns=(*columns, ("No trace", "share")), rows=tuple(rows)),
        key=channel_key(name, used, unseen=True),
        origins=words.origins(lesson.sources),
    )


@dataclass(frozen=True, kw_only=True)
class LessonGlyphs:
    """An earlier lesson in a list: its words, its matrix and its strip, small."""

    lesson: LessonView
    says: str
    address: str
    matrix: Markup
    strip: Markup


def glyphs(uid: str, lesson: LessonView, model: str, path: str) -> LessonGlyphs:
    """The small pair of drawings for one lesson; `path` is its class's page."""
    scales = of_model(lesson.placements, model)
    drawn = [
        matrix(f"{uid}-{scale}", lesson_rows(own, lesson.visibility), own[0].stages, "small")
        for scale, own in scales.items()
    ]
    said = [words.across_words(lesson_runs(own), own[0].stages, verb(own)) for own in scales.values()]
    return LessonGlyphs(
        lesson=lesson,
        says=" ".join(said) or f"{words.NOT_ENOUGH}.",
        address=f"{path}/lessons/{re.sub('[-:]', '', lesson.start[:19])}",
        matrix=Markup("").join(drawn),
        strip=strip(f"{uid}-strip", lesson.strip, lesson.minutes, "small"),
    )


def lessons_table(lessons: Sequence[LessonView], model: str) -> Table:
    """Every lesson shown, one row each: when, what stands behind it, its likely levels, its channels."""
    columns: list[tuple[str, Kind]] = [("Start", "text"), ("Minutes", "count"), ("iPads seen", "count")]
    columns += [("iPads expected", "count"), ("Device-minutes traced", "number"), ("Could be seen", "share")]
    columns += [("Likely levels", "text"), *((CHANNEL_WORDS[channel], "share") for channel in CHANNELS)]
    rows: list[tuple[Cell, ...]] = []
    for lesson in lessons:
        scales = of_model(lesson.placements, model).values()
        said = " ".join(words.placed_words(lesson_runs(own), own[0].stages, verb(own)) for own in scales)
        found = means(lesson.strip)
        rows.append(
            (
                lesson.start,
                lesson.minutes,
                lesson.devices,
                lesson.expected,
                lesson.evidence,
                lesson.visibility,
                said or f"{words.NOT_ENOUGH}.",
                *(found[channel] for channel in CHANNELS),
            )
        )
    return Table(columns=tuple(columns), rows=tuple(rows))
