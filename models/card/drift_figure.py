"""The figure of drift: how far later lessons have moved from those of the fit, feature by feature."""

from collections.abc import Sequence
from typing import Final

from models.card.drift import MUCH, SOME, FeatureDrift
from models.card.intervals import Panel, Row, Scale, interval_plot
from models.card.keys import drift_key
from models.card.layout import SIZES
from models.card.words import feature_words, figure, percent
from models.features.set1 import FEATURES
from shared.pages.figure import Figure, Kind, Table
from shared.pages.formats import listing, plural, share

_COLUMNS: Final[tuple[tuple[str, Kind], ...]] = (
    ("feature", "text"),
    ("stability index (PSI)", "text"),
    ("by chance up to", "text"),
    ("missing in later lessons", "share"),
    ("missing in rated windows", "text"),
    ("in the fit", "text"),
)
_SHORT: Final = 0.3  # the shortest scale, on which both conventions can be named
_MOVED: Final = 0.1  # of a share of missing windows: less is not worth a sentence


def drift_figure(found: Sequence[FeatureDrift]) -> Figure:
    """A row for each feature in the order of set 1."""
    most = max((one.psi for one in found if one.psi is not None), default=0.0)
    end = min(max(_SHORT, -(-most // 0.1) * 0.1), 1.0)
    last = (
        ((SOME, f"{SOME:g}"),) if end <= _SHORT else ((end, f"over {end:g}" if most > end else f"{end:g}"),)
    )
    scale = Scale(0.0, end, (SOME, MUCH), 0.0, ((MUCH, f"{MUCH:g}"), *last, (0.0, "0")))
    rows = tuple(
        Row(feature_words(one.feature), one.psi, 0.0 if one.psi else None, one.psi, one.by_chance, _note(one))
        for one in found
    )
    title = "How far each feature of later lessons has moved from the fit's"
    text = "A dot for each feature; the upright stroke is what chance alone may bring."
    wide, narrow = (
        interval_plot("drift", [Panel("", rows)], scale, title=title, text=text, size=size) for size in SIZES
    )
    return Figure(
        name="drift",
        says=drift_words(found),
        wide=wide,
        narrow=narrow,
        limits=(
            "At the end of a row: the share of later lessons in which it is missing. Lines at "
            f"{SOME:g} and {MUCH:g} are where banks speak of some and of much change: a convention, "
            "and nothing more. Lessons of one class resemble one another, so chance brings more than the "
            "stroke says."
        ),
        table=Table(
            columns=_COLUMNS,
            rows=tuple(
                (
                    FEATURES[one.feature],
                    figure(one.psi),
                    figure(one.by_chance),
                    one.missing,
                    percent(one.was_missing),
                    "seen" if one.in_fit else "never seen",
                )
                for one in found
            ),
        ),
        key=drift_key(),
    )


def drift_words(found: Sequence[FeatureDrift]) -> str:
    """What moved, in a sentence or two."""
    lessons = found[0].lessons
    made = [one for one in found if one.psi is not None and one.by_chance is not None]
    if not made:
        return f"In {lessons:,d} later {plural('lesson', lessons)} too little is visible to compare them."
    beyond = [one for one in made if (one.psi or 0) > (one.by_chance or 0)]
    much = [feature_words(one.feature) for one in beyond if (one.psi or 0) > MUCH]
    told = f"{lessons:,d} later lessons: {len(beyond) or 'none'} of {len(made)} features moved beyond chance"
    if not much:
        return f"{told}, none of them by much." if beyond else f"{told}."
    most = listing(much) if len(much) <= 4 else f"{listing(much[:4])} among {len(much)}"
    return f"{told}; by much {most}. Placements of such lessons rest on ground the fit has not seen."


def missing_words(found: Sequence[FeatureDrift]) -> str:
    """Which features went from sight or came into it, as far as the fit can tell."""
    gone = [feature_words(one.feature) for one in found if one.in_fit and one.missing == 1]
    new = [feature_words(one.feature) for one in found if not one.in_fit and one.missing < 1]
    said = []
    if gone:
        said.append(f"The fit saw these, the later lessons never show them: {listing(gone)}.")
    if new:
        said.append(f"The later lessons show these, the fit never saw them: {listing(new)}.")
    more = [one for one in found if one.in_fit and one.was_missing is not None]
    for often, moved in (
        ("more often", [one for one in more if one.missing - (one.was_missing or 0.0) > _MOVED]),
        ("less often", [one for one in more if (one.was_missing or 0.0) - one.missing > _MOVED]),
    ):
        alike: dict[str, list[str]] = {}
        for one in moved:
            shares = f"{percent(one.missing)} now, {percent(one.was_missing)} there"
            alike.setdefault(shares, []).append(feature_words(one.feature))
        told = "; ".join(f"{listing(names)} ({shares})" for shares, names in alike.items())
        said += [f"Missing {often} than in the windows that were rated: {told}."] if moved else []
    if not more:
        said.append("The fit does not tell in how many of its windows a feature was missing.")
    return " ".join(said)


def _note(one: FeatureDrift) -> str:
    if not one.in_fit:
        return "never in the fit"
    return share(one.missing)
