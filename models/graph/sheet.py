"""A sheet to write an ONNX graph on: operators in order, constants by name, then the file's bytes."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.graph.wire import data, number

OPSET: Final = 17
IR_VERSION: Final = 8  # the one that came with opset 17

FLOAT, INT64, DOUBLE = 1, 7, 11  # TensorProto.DataType
_TYPES: Final = MappingProxyType({"float32": FLOAT, "int64": INT64, "bool": 9, "float64": DOUBLE})
_INT, _INTS = 2, 7  # AttributeProto.AttributeType

Dims = Sequence[int | str]


class Sheet:
    """Operators and constants; each operator names its one result."""

    def __init__(self) -> None:
        self._nodes: list[bytes] = []
        self._constants: dict[str, bytes] = {}

    def add(self, to: str, operator: str, /, *inputs: str, **attributes: int | Sequence[int]) -> str:
        """One standard operator on named values; its result is called `to`, which is returned."""
        parts = [data(1, name) for name in inputs]
        parts += [data(2, to), data(4, operator)]
        parts += [data(5, _attribute(name, value)) for name, value in attributes.items()]
        self._nodes.append(b"".join(parts))
        return to

    def constant(self, name: str, value: NDArray[Any]) -> str:
        """A constant [any shape]; the same name twice must be the same value."""
        tensor = _tensor(name, value)
        if self._constants.setdefault(name, tensor) != tensor:
            raise ValueError(f"two constants called {name}")
        return name

    def numbers(self, name: str, *value: int) -> str:
        """A constant list of integers."""
        return self.constant(name, np.array(value, np.int64))

    def real(self, name: str, value: float) -> str:
        """A constant single float64."""
        return self.constant(name, np.array(value, np.float64))

    def file(
        self,
        name: str,
        inputs: Mapping[str, tuple[int, Dims]],
        outputs: Mapping[str, tuple[int, Dims]],
        properties: Mapping[str, str],
    ) -> bytes:
        """The ONNX file; a type is (element type, dimensions), where a text is a size to be known later."""
        graph = [data(1, node) for node in self._nodes]
        graph.append(data(2, name))
        graph += [data(5, tensor) for tensor in self._constants.values()]
        graph += [data(11, _value(key, *kind)) for key, kind in inputs.items()]
        graph += [data(12, _value(key, *kind)) for key, kind in outputs.items()]
        model = [number(1, IR_VERSION), data(2, "commonground"), data(7, b"".join(graph))]
        model.append(data(8, data(1, "") + number(2, OPSET)))
        model += [data(14, data(1, key) + data(2, text)) for key, text in properties.items()]
        return b"".join(model)


def _attribute(name: str, value: int | Sequence[int]) -> bytes:
    if isinstance(value, int):
        return data(1, name) + number(3, value) + number(20, _INT)
    return data(1, name) + b"".join(number(8, part) for part in value) + number(20, _INTS)


def _tensor(name: str, value: NDArray[Any]) -> bytes:
    little = value.astype(value.dtype.newbyteorder("<"), copy=False)
    dims = b"".join(number(1, size) for size in value.shape)
    return dims + number(2, _TYPES[value.dtype.name]) + data(8, name) + data(9, little.tobytes())


def _value(name: str, kind: int, dims: Dims) -> bytes:
    sizes = (data(2, size) if isinstance(size, str) else number(1, size) for size in dims)
    shape = b"".join(data(1, size) for size in sizes)
    return data(1, name) + data(2, data(1, number(1, kind) + data(2, shape)))
