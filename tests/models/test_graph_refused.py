"""A graph that is not wholly what its own fit makes is refused in one line, before any of it runs."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from models.graph.read import LARGEST, is_graph, read_graph, sound
from models.graph.rubric import rubric_fit
from models.graph.wire import data, number, varint
from models.graph.write import content_hash, encode
from models.integration.load import load_model
from models.scoring.fit_file import EvidenceGroup, sealed
from models.scoring.fit_file import encode as encode_fit
from models.scoring.reference import shipped_reference
from shared.errors import BadInput, UsageError
from tests.models.fit_lessons import TIM
from tests.models.graph_fits import calibrated_by_hand

FIT = calibrated_by_hand(TIM, *[(EvidenceGroup(0.0, 0.8, 60),)] * 5)
FILE = encode(TIM, FIT)


def resealed(file: bytes) -> bytes:
    """The file with the hash that fits it, as somebody hostile would send it."""
    return file[:-64] + content_hash(file).encode()


def altered(change: Callable[[onnx.ModelProto], None]) -> bytes:
    """The graph after a change, resealed."""
    model = onnx.load_from_string(FILE)
    change(model)
    return resealed(model.SerializeToString())


def retold(key: str, value: str) -> bytes:
    """The graph with another property, resealed."""

    def change(model: onnx.ModelProto) -> None:
        for prop in model.metadata_props:
            if prop.key == key:
                prop.value = value

    return altered(change)


def refusal(file: bytes) -> BadInput:
    with pytest.raises(BadInput) as caught:
        sound(file, TIM, "M.onnx")
    assert len(str(caught.value).splitlines()) == 1
    assert "M.onnx" in caught.value.detail
    return caught.value


def test_the_file_as_written_is_sound() -> None:
    assert sound(FILE, TIM, "M.onnx").fit == FIT.without_people()
    assert altered(lambda model: None) == FILE


def test_no_byte_can_be_altered() -> None:
    rng = np.random.default_rng(0)
    for place in rng.integers(0, len(FILE), 400).tolist():
        changed = bytearray(FILE)
        changed[place] ^= 1 << int(rng.integers(0, 8))
        refusal(bytes(changed))


def test_an_altered_constant_is_told_by_the_hash() -> None:
    place = FILE.index(np.array(FIT.reference.mean).tobytes())
    assert refusal(FILE[:place] + b"\x01" + FILE[place + 1 :]).reason == "graph_altered"


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("commonground_graph", "2", "graph_version"),
        ("feature_set", "2", "graph_version"),
        ("model", "samr", "graph_other_model"),
        ("version", "99", "graph_other_model"),
        ("fitted", "2031-01-01", "graph_foreign"),
        ("status", "calibrated", "graph_foreign"),
        ("dimensions", "[]", "graph_foreign"),
        ("fit", "{}", "fit_malformed"),
        ("fit", "", "fit_malformed"),
    ],
)
def test_metadata_that_tell_another_story_are_refused(key: str, value: str, reason: str) -> None:
    assert refusal(retold(key, value)).reason == reason


def test_a_fit_inside_that_is_another_ones_is_refused() -> None:
    reference = msgspec.structs.replace(FIT.reference, median_evidence=1.0)
    other = sealed(msgspec.structs.replace(FIT.without_people(), reference=reference))
    assert refusal(retold("fit", msgspec.json.encode(other).decode())).reason == "graph_foreign"
    elsewhere = rubric_fit(load_model("samr"), shipped_reference())
    assert refusal(retold("fit", msgspec.json.encode(elsewhere).decode())).reason == "fit_other_model"


def outside_data(model: onnx.ModelProto) -> None:
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")


def own_operator(model: onnx.ModelProto) -> None:
    model.graph.node[0].domain = "com.example"
    model.opset_import.append(helper.make_opsetid("com.example", 1))


def endless_loop(model: onnx.ModelProto) -> None:
    body = helper.make_graph([], "body", [], [])
    model.graph.node.append(helper.make_node("Loop", ["", ""], [], body=body))


def many_outputs(model: onnx.ModelProto) -> None:
    kind = [helper.make_tensor_value_info(f"o{i}", TensorProto.FLOAT, ["N"]) for i in range(5000)]
    model.graph.output.extend(kind)


def other_width(model: onnx.ModelProto) -> None:
    model.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 25


def huge_shape(model: onnx.ModelProto) -> None:
    model.graph.initializer[0].dims[0] = 2**62


def another_weight(model: onnx.ModelProto) -> None:
    weights = next(tensor for tensor in model.graph.initializer if tensor.name == "weights")
    weights.raw_data = np.ones((24, 5)).tobytes()


def later_opset(model: onnx.ModelProto) -> None:
    model.opset_import[0].version = 99


def own_function(model: onnx.ModelProto) -> None:
    made = helper.make_function("com.example", "F", [], [], [], [helper.make_opsetid("", 17)])
    model.functions.append(made)


@pytest.mark.parametrize(
    "change",
    [
        outside_data,
        own_operator,
        endless_loop,
        many_outputs,
        other_width,
        huge_shape,
        another_weight,
        later_opset,
    ],
)
def test_a_hostile_graph_with_a_fitting_hash_is_refused(change: Callable[[onnx.ModelProto], None]) -> None:
    assert refusal(altered(change)).reason == "graph_foreign"


def test_what_follows_the_hash_is_refused() -> None:
    model = onnx.load_from_string(FILE)
    own_function(model)
    assert refusal(model.SerializeToString()).reason == "graph_malformed"
    assert refusal(FILE + b"\x00").reason == "graph_malformed"


def test_what_is_no_graph_is_refused_quickly() -> None:
    short = helper.make_model(helper.make_graph([], "g", [], []))
    for file in (
        b"",
        b"\x08",
        b"{}",
        b"\xff" * 4096,
        os.urandom(4096),
        encode_fit(FIT),
        short.SerializeToString(),
        FILE[:-1],
        FILE[: len(FILE) // 2],
        number(1, 8) * (LARGEST // 2),
        data(14, b"\x0a\x00") * 1_000_000,
        varint(14 << 3 | 2) + varint(2**63),
        data(14, data(1, "content_hash") + data(2, "0" * 64)) * 2,
    ):
        assert refusal(file).reason in {"graph_malformed", "graph_version"}
    assert refusal(FILE + b"\x00" * LARGEST).reason == "graph_too_large"


def test_a_model_that_asks_for_other_features_since_refuses_the_graph() -> None:
    first, *rest = TIM.dimensions
    stricter = replace(TIM, dimensions=(replace(first, needs=(*first.needs, "capture_rate")), *rest))
    with pytest.raises(BadInput, match="graph_foreign"):
        sound(FILE, stricter, "M.onnx")


def test_a_missing_file_is_a_wrong_call(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_graph(tmp_path / "none.onnx", TIM)
    assert not is_graph(tmp_path / "none.onnx")
    (tmp_path / "named.json").write_bytes(FILE)
    assert is_graph(tmp_path / "named.json")
    assert read_graph(tmp_path / "named.json", TIM).fit.model == "tim"
