"""Names of dimensions and stages for people, from the integration models that this hub knows."""


def label(model: str, dimension: str) -> str:
    return dimension.replace("_", " ").capitalize()


def stage_names(model: str, stages: int) -> tuple[str, ...]:
    return tuple(f"Stage {i + 1}" for i in range(stages))


def dimension_order(model: str, dimension: str) -> tuple[str, int, str]:
    return model, 0, dimension
