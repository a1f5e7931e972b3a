"""The integration models that a hub knows: those shipped, and the district's own beside them."""

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Final

from models.integration.load import (
    Dimension,
    Grain,
    IntegrationModel,
    ShownAs,
    load_model,
    model_names,
)

FIRST: Final = "tim"  # stands before the others wherever models are listed


class Known:
    """Models by id, and what pages and API call their dimensions and stages.

    A model of earlier records that this hub no longer knows is shown by its own ids. `own` are the ids of
    the district's own.
    """

    def __init__(self, models: Iterable[IntegrationModel], own: Collection[str] = ()) -> None:
        self.own = frozenset(own)
        held = sorted(models, key=lambda model: (model.id != FIRST, model.id))
        self.models = tuple(held)
        self._by_id = {model.id: model for model in held}
        self._dimensions = {
            (model.id, one.id): (i, one) for model in held for i, one in enumerate(model.dimensions)
        }

    @classmethod
    def load(cls, own: Path | None = None) -> "Known":
        """Those shipped and those in the folder `own`; raises SettingsError with file and line."""
        names = model_names(own)
        return cls([load_model(name, own) for name in names], set(names) - set(model_names()))

    def get(self, model: str) -> IntegrationModel | None:
        """A model by its id."""
        return self._by_id.get(model)

    def dimension(self, model: str, dimension: str) -> Dimension | None:
        """One of its dimensions."""
        found = self._dimensions.get((model, dimension))
        return found[1] if found else None

    def name(self, model: str) -> str:
        """The model's name."""
        found = self.get(model)
        return found.name if found else _spoken(model)

    def grain(self, model: str) -> Grain:
        """The shortest span of time that its stages may be said of."""
        found = self.get(model)
        return found.grain if found else "lesson"

    def shown_as(self, model: str, dimension: str) -> ShownAs:
        """Whether pages show its stages, or one wide band."""
        found = self.dimension(model, dimension)
        return found.shown_as if found else "stages"

    def label(self, model: str, dimension: str) -> str:
        """The dimension's name."""
        found = self.dimension(model, dimension)
        return found.name if found else _spoken(dimension)

    def stage_names(self, model: str, dimension: str, stages: int) -> tuple[str, ...]:
        """The names of its stages, lowest first; numbered when the model has another number of them here."""
        found = self.dimension(model, dimension)
        if found and len(found.stages) == stages:
            return tuple(stage.name for stage in found.stages)
        return tuple(f"Stage {i + 1}" for i in range(stages))

    def order(self, model: str, dimension: str) -> tuple[bool, str, int, str]:
        """What to sort by: the first model, then models by id, dimensions as their model has them."""
        found = self._dimensions.get((model, dimension))
        return model != FIRST, model, found[0] if found else len(self._dimensions), dimension


def _spoken(name: str) -> str:
    return name.replace("_", " ").capitalize()
