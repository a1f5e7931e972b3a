"""What a reader must know before believing an evaluation, in plain sentences."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from models.evaluation.rated import LeftOut, Rated

LOOSE: Final = 50  # fewer ratings than this, and figures move by chance alone
FEW_SCHOOLS: Final = 10  # fewer, and a bootstrap of schools gives intervals that are too narrow

SIMULATED: Final = "Simulated: the fit learned from made-up lessons, so nothing here speaks of a real school."
REFERENCE: Final = "Features were standardised by a reference made of simulated lessons."
OPTIMISTIC: Final = (
    "These are the ratings that the fit learned from, so every figure is better than it would be on new "
    "lessons: rate others, or read the held-out figures in the fit."
)
RUBRIC: Final = (
    "No fit was given: placements come from the model's rubric and assumed shares of stages, and are an "
    "inference that no walkthrough has checked."
)
OTHER_RATINGS: Final = (
    "The fit learned from another set of ratings. Where some of those are among these, figures are better "
    "than on new lessons."
)


def dimension_notes(rated: Rated, *, twice: int, calibrated: bool, seen_schools: int) -> tuple[str, ...]:
    """Sentences on one dimension. twice: windows rated by two or more coaches; seen_schools: schools of the
    ratings that the fit knows.
    """
    return tuple(_dimension_notes(rated, twice, calibrated, seen_schools))


def _dimension_notes(rated: Rated, twice: int, calibrated: bool, seen_schools: int) -> Iterator[str]:
    ratings = len(rated)
    if not ratings:
        yield "There is no rating of this dimension."
        return
    if ratings < LOOSE:
        yield f"{ratings} ratings are few: below {LOOSE} every figure is loose and may differ next time."
    if not calibrated:
        yield "This dimension is not calibrated by walkthroughs, so there are no sets of stages."
    if len(np.unique(rated.coach)) == 1:
        yield (
            "One coach gave all ratings: whether placements are wrong or this coach is strict or lenient "
            "cannot be told apart."
        )
    elif not twice:
        yield (
            "No window was rated by two coaches: how far coaches agree, and so how well placements could do "
            "at best, is not known."
        )
    schools = len(np.unique(rated.school))
    if schools == 1:
        yield "All ratings come from one school: the intervals speak of its lessons, not of other schools."
    elif schools < FEW_SCHOOLS:
        yield f"Ratings come from {schools} schools: with fewer than {FEW_SCHOOLS} intervals are too narrow."
    if seen_schools:
        yield (
            f"{seen_schools} of {schools} schools were in the fit: schools that were not may do worse than "
            "these figures."
        )


def report_notes(
    *, fitted: bool, simulated: bool, trained_on_these: bool, left_out: LeftOut
) -> tuple[str, ...]:
    """Sentences on the whole evaluation."""
    return tuple(_report_notes(fitted, simulated, trained_on_these, left_out))


def _report_notes(fitted: bool, simulated: bool, trained_on_these: bool, left_out: LeftOut) -> Iterator[str]:
    if simulated:
        yield SIMULATED if fitted else REFERENCE
    if not fitted:
        yield RUBRIC
    else:
        yield OPTIMISTIC if trained_on_these else OTHER_RATINGS
    if left_out.briefed:
        yield f"{_ratings(left_out.briefed)} left out because the coach had seen the placement first."
    if left_out.unknown_window:
        yield f"{_ratings(left_out.unknown_window)} left out because the window is not in the features."
    if left_out.other_school:
        yield (
            f"{_ratings(left_out.other_school)} given to another school than the features say; the features' "
            "school was used."
        )


def _ratings(n: int) -> str:
    return "1 rating was" if n == 1 else f"{n} ratings were"
