"""Names of dimensions and stages for people, from the models shipped; of any other model, its own ids."""

from functools import lru_cache

from models.integration.load import Dimension, load_model, model_names


def label(model: str, dimension: str) -> str:
    """The dimension's name."""
    found = _dimensions(model).get(dimension)
    return found[1].name if found else dimension.replace("_", " ").capitalize()


def stage_names(model: str, dimension: str, stages: int) -> tuple[str, ...]:
    """The names of its stages, lowest first; numbered when the model has another number of them here."""
    found = _dimensions(model).get(dimension)
    if found and len(found[1].stages) == stages:
        return tuple(stage.name for stage in found[1].stages)
    return tuple(f"Stage {i + 1}" for i in range(stages))


def dimension_order(model: str, dimension: str) -> tuple[str, int, str]:
    """What to sort by: models by id, dimensions as their model has them."""
    known = _dimensions(model)
    return model, known[dimension][0] if dimension in known else len(known), dimension


@lru_cache(maxsize=1)
def _shipped() -> dict[str, dict[str, tuple[int, Dimension]]]:
    models = (load_model(name) for name in model_names())
    return {model.id: {one.id: (i, one) for i, one in enumerate(model.dimensions)} for model in models}


def _dimensions(model: str) -> dict[str, tuple[int, Dimension]]:
    return _shipped().get(model, {})
