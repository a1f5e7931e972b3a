"""What a placement names as its version: the model's own, and after a + the fit that placed it."""

import re
from typing import Final

DIGITS: Final = 12
_FIT: Final = re.compile(rf"\+([0-9a-f]{{{DIGITS}}})")


def placed_by(model_version: str, content: str | None) -> str:
    """The version of placements by a model, or by a fit of it with this content hash (hexadecimal)."""
    return model_version if content is None else f"{model_version}+{content[:DIGITS]}"


def fit_in(version: str, model_version: str) -> str | None:
    """The first digits of the fit behind a placement's version, blank for the rubric alone.

    None when the version is not of that version of the model.
    """
    if version == model_version:
        return ""
    fit = _FIT.fullmatch(version.removeprefix(model_version)) if version.startswith(model_version) else None
    return fit[1] if fit else None
