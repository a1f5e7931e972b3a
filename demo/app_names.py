"""Host names that an app's traffic shows, and names that no catalogue lists."""

from typing import Final

import numpy as np

from models.catalogue.load import Catalogue
from models.catalogue.match import NameMatcher

UNLISTED: Final = (
    "www.lakeside-history-museum.example",
    "static.weatherstation-7.example",
    "quizmaker.fourth-grade-fun.example",
    "img.recipes-of-the-world.example",
    "blog.teacher-notebook.example",
    "maps.old-town-walk.example",
    "cdn.printable-mazes.example",
    "www.science-fair-ideas.example",
)
_PREFIXES: Final = ("www.", "app.", "api.", "assets.")


class AppNames:
    """For each app of a catalogue (index from 1; 0 is unlisted) the host names it is seen by, if any."""

    def __init__(self, catalogue: Catalogue) -> None:
        match = NameMatcher(catalogue).match
        self._names: list[tuple[str, ...]] = [UNLISTED]
        for index, app in enumerate(catalogue.apps, start=1):
            names = [*app.domains[:2], *(prefix + app.domains[0] for prefix in _PREFIXES if app.domains)]
            self._names.append(tuple(name for name in names if match(name) == index))
        self._seen = [index for index, names in enumerate(self._names) if names]

    def of(self, app: int, choice: int) -> str | None:
        """One of the app's host names, or None if its traffic shows no name of its own."""
        names = self._names[app]
        return names[choice % len(names)] if names else None

    def any(self, rng: np.random.Generator) -> str:
        """A host name of any app."""
        names = self._names[self._seen[int(rng.integers(len(self._seen)))]]
        return names[int(rng.integers(len(names)))]
