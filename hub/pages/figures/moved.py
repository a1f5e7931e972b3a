"""What moved a placement: the signs that count, what each adds, and that they sum to the whole."""

from typing import Final

from hub.charts.pushes import Push, pushes, signed
from hub.pages import words
from hub.pages.signs import here_words, opening, sign_words, typical_words
from hub.views import Contribution, LessonView, Moved
from shared.pages.figure import Cell, Figure, Kind, Table
from shared.pages.formats import capital, count, share

DRAWN: Final = 6
ALL: Final = "All together"

_WHOLE: Final = (
    "A bar says how far one sign moves the odds; together they make {total}. How common each level is where"
    " nothing is known does the rest."
)
_TYPICAL: Final = {
    True: "Typical is the mean of lessons that a simulator made, not of any school’s.",
    False: "Typical is the mean of the lessons that visits were compared with.",
}
_KEPT: Final = "Of each difference from what is typical {kept} is kept here: the less was seen, the less."

_COLUMNS: Final[tuple[tuple[str, Kind], ...]] = (
    ("What counts", "text"),
    ("In this lesson", "text"),
    ("Typical", "text"),
    ("Moves it", "text"),
    ("By, in log-odds", "number"),
)
_FULL: Final[tuple[tuple[str, Kind], ...]] = (
    ("Feature", "text"),
    ("In words", "text"),
    ("In this lesson", "number"),
    ("Typical", "number"),
    ("By, in log-odds", "number"),
)


def moved_figure(name: str, it: Moved, lesson: LessonView) -> Figure:
    """One dimension of one lesson; only for what could be told."""
    total, kept = it.total or 0.0, it.kept or 0.0
    shown = [one for one in it.contributions if one.push][:DRAWN]
    rest = [one for one in it.contributions if one.push][DRAWN:]
    rows = [Push(label=opening(one.feature), note=_note(one), value=one.push) for one in shown]
    if rest:
        value = sum(one.push for one in rest)
        rows.append(Push(label=capital(count(len(rest), "other sign")), note="together", value=value))
    return Figure(
        name=name,
        says=_says(it, shown, total),
        wide=pushes(f"{name}-wide", rows, calibrated=it.calibrated, size="wide"),
        narrow=pushes(f"{name}-narrow", rows, calibrated=it.calibrated, size="narrow"),
        limits=_limits(it, kept, total),
        table=Table(
            columns=_COLUMNS,
            rows=(*(_row(one) for one in it.contributions), (ALL, "", "", _way(total), total)),
        ),
        full=Table(
            columns=_FULL,
            rows=(
                *(
                    (one.feature, sign_words(one.feature), one.value, one.typical, one.push)
                    for one in it.contributions
                ),
                ("", ALL, None, None, total),
            ),
        ),
        origins=(*words.origins(lesson.sources), *words.standing([it.calibrated])),
        more=("/how#moved", "What log-odds are"),
    )


def _says(it: Moved, shown: list[Contribution], total: float) -> str:
    if not shown:
        return f"{it.label}: nothing that counts here differed from what is typical."
    first = shown[0]
    main = f"most of all {sign_words(first.feature)} ({_note(first)}: moves {_way(first.push)})"
    return f"{it.label}: {main}. All together {signed(total)}, {_toward(total)}."


def _limits(it: Moved, kept: float, total: float) -> str:
    unseen = sum(one.value is None for one in it.contributions)
    said = [_WHOLE.format(total=signed(total)), _TYPICAL[it.typical_simulated]]
    said.append(_KEPT.format(kept=share(kept)))
    if unseen:
        said.append(f"{capital(count(unseen, 'sign'))} could not be seen, which moves nothing.")
    said.append(words.CALIBRATED_WEIGHTS if it.calibrated else words.RUBRIC_WEIGHTS)
    return " ".join(said)


def _note(one: Contribution) -> str:
    return f"{here_words(one.feature, one.value)}, typical {typical_words(one.feature, one.typical)}"


def _row(one: Contribution) -> tuple[Cell, ...]:
    here, typical = here_words(one.feature, one.value), typical_words(one.feature, one.typical)
    way = _way(one.push) if one.value is not None else "not seen, so nothing"
    return (opening(one.feature), here, typical, way, one.push)


def _way(push: float) -> str:
    return "up" if push > 0 else "down" if push < 0 else "not at all"


def _toward(push: float) -> str:
    return f"toward the {'higher' if push > 0 else 'lower'} levels" if push else "neither up nor down"
