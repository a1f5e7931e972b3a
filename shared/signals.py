"""Signals on the wire: one msgpack envelope with six columns as raw little-endian bytes.

Decoding checks everything before use; a bad batch is refused whole, with a reason.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from shared.errors import BadInput
from shared.words import SOURCE_KINDS, Action

MAX_BATCH_BYTES: Final = 64 * 1024
MAX_AMOUNT: Final = 3600.0
BYTES_A_SIGNAL: Final = 4 + 8 + 2 + 2 + 1 + 4

_COLUMNS: Final[tuple[tuple[str, "np.dtype[Any]"], ...]] = (
    ("t", np.dtype("<u4")),
    ("device", np.dtype("<u8")),
    ("class_", np.dtype("<u2")),
    ("app", np.dtype("<u2")),
    ("action", np.dtype("u1")),
    ("amount", np.dtype("<f4")),
)


@dataclass(frozen=True, slots=True)
class SignalBatch:
    """Signals of one source, all of one local day; columns of equal length [n].

    t: seconds UTC; device: pseudonym; class_: index into `class_codes`; app: catalogue index
    (0 is unlisted); action: `shared.words.Action`; amount: seconds, 0 where unknown.
    """

    kind: str
    source: str
    catalogue: str
    day_key: str
    class_codes: tuple[str, ...]
    t: NDArray[np.uint32]
    device: NDArray[np.uint64]
    class_: NDArray[np.uint16]
    app: NDArray[np.uint16]
    action: NDArray[np.uint8]
    amount: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.t)

    @classmethod
    def from_rows(
        cls,
        rows: Iterable[tuple[int, int, int, int, int, float]],
        *,
        kind: str,
        source: str,
        catalogue: str,
        day_key: str,
        class_codes: tuple[str, ...],
    ) -> "SignalBatch":
        """Columns from rows `(t, device, class index, app, action, amount)`."""
        columns: list[Any] = list(zip(*rows, strict=True)) or [()] * len(_COLUMNS)
        arrays: dict[str, Any] = {
            name: np.asarray(values, dtype=dtype)
            for (name, dtype), values in zip(_COLUMNS, columns, strict=True)
        }
        return cls(kind, source, catalogue, day_key, class_codes, **arrays)


class _Envelope(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    v: int
    kind: str
    source: str
    catalogue: str
    day_key: str
    class_codes: tuple[str, ...]
    count: int
    t: bytes
    device: bytes
    class_: bytes
    app: bytes
    action: bytes
    amount: bytes


_VERSION: Final = 1
_LAST_ACTION: Final = max(Action)
_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Envelope)


def encode(batch: SignalBatch) -> bytes:
    """The batch as wire bytes.

    Raises ValueError if it would be larger than 64 KiB: split before encoding.
    """
    columns = [np.ascontiguousarray(getattr(batch, name), dtype).tobytes() for name, dtype in _COLUMNS]
    data = _encoder.encode(
        _Envelope(
            _VERSION,
            batch.kind,
            batch.source,
            batch.catalogue,
            batch.day_key,
            batch.class_codes,
            len(batch),
            *columns,
        )
    )
    if len(data) > MAX_BATCH_BYTES:
        raise ValueError(f"a batch of {len(data)} bytes is over {MAX_BATCH_BYTES}: split it before encoding")
    return data


def decode(data: bytes, *, apps: int) -> SignalBatch:
    """Wire bytes as a batch of views, everything checked against a catalogue of `apps` entries.

    Raises BadInput with the reason; nothing of a bad batch is used.
    """
    if len(data) > MAX_BATCH_BYTES:
        raise BadInput("batch_too_large", f"{len(data)} bytes")
    try:
        envelope = _decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadInput("batch_malformed", type(error).__name__) from None
    if envelope.v != _VERSION:
        raise BadInput("batch_version", str(envelope.v))
    if envelope.kind not in SOURCE_KINDS:
        raise BadInput("batch_kind", "unknown source kind")
    columns: dict[str, Any] = {name: _column(envelope, name, dtype) for name, dtype in _COLUMNS}
    batch = SignalBatch(
        envelope.kind,
        envelope.source,
        envelope.catalogue,
        envelope.day_key,
        envelope.class_codes,
        **columns,
    )
    _check_ranges(batch, apps)
    return batch


def _column(envelope: _Envelope, name: str, dtype: "np.dtype[Any]") -> NDArray[Any]:
    raw: bytes = getattr(envelope, name)
    if envelope.count < 0 or len(raw) != envelope.count * dtype.itemsize:
        raise BadInput("batch_lengths", f"column {name}")
    return np.frombuffer(raw, dtype)


def _check_ranges(batch: SignalBatch, apps: int) -> None:
    if not len(batch):
        raise BadInput("batch_empty")
    checks = (
        ("batch_class_range", batch.class_.max() < len(batch.class_codes)),
        ("batch_app_range", batch.app.max() <= apps),
        ("batch_action_range", batch.action.max() <= _LAST_ACTION),
        ("batch_amount_range", bool(np.all((batch.amount >= 0) & (batch.amount <= MAX_AMOUNT)))),
    )
    for reason, good in checks:
        if not good:
            raise BadInput(reason)
