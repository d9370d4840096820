"""Callers' inputs in parcels that another process can open, and results on their way back.

Knows: how values become bytes and what does not survive that. Does not know: processes, models, what an input means.
"""

from __future__ import annotations

import io
import math
import pickle
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from ..errors import ItemError, UnsupportedInput

PARCEL_BYTES = 32 * 1024 * 1024
"""A parcel is closed when it holds more than this; it then has fewer inputs than was asked for."""
STREAMED = 256
"""Inputs in a parcel where nobody knows how many there are."""
SMALLEST, LARGEST, TURNS = 32, 5000, 10
"""Bounds of a parcel of inputs, and how many of them each worker gets, so that the workers end at about one time."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """Inputs of one piece of work. rows: their positions among all inputs. sealed: each as bytes."""

    rows: list[int]
    sealed: list[bytes]

    def __str__(self) -> str:
        first, last = self.rows[0], self.rows[-1]
        return f"input {first}" if first == last else f"inputs {first} to {last}"

    def open(self) -> tuple[list[int], list[Any], list[ItemError]]:
        """(positions, the inputs at them, errors of the others, whose `index` is their position)."""
        rows: list[int] = []
        values: list[Any] = []
        failed: list[ItemError] = []
        for row, data in zip(self.rows, self.sealed):
            value = _opened(data)
            if isinstance(value, ItemError):
                value.index = row
                failed.append(value)
            else:
                rows.append(row)
                values.append(value)
        return rows, values, failed


def parcels(inputs: Iterable[Any], size: int) -> Iterator[Parcel]:
    """At most `size` inputs each, read only when asked for. An input that cannot be sent is an error in its place."""
    rows: list[int] = []
    sealed: list[bytes] = []
    nbytes = 0
    for row, value in enumerate(inputs):
        rows.append(row)
        sealed.append(_sealed(value))
        nbytes += len(sealed[-1])
        if len(rows) == size or nbytes > PARCEL_BYTES:
            yield Parcel(rows, sealed)
            rows, sealed, nbytes = [], [], 0
    if rows:
        yield Parcel(rows, sealed)


def parcel_size(total: int | None, workers: int) -> int:
    """Inputs in a parcel, where the caller does not say. total: of all inputs, None where it is not known."""
    if total is None:
        return STREAMED
    share = math.ceil(total / workers)
    return max(1, min(share, max(SMALLEST, math.ceil(share / TURNS)), LARGEST))


def _sealed(value: Any) -> bytes:
    try:
        return dumps(value)
    except Exception as error:  # whatever the caller's object raises
        kind = type(value).__name__
        return dumps(
            UnsupportedInput(
                f"a {kind} that cannot be sent to another process: {type(error).__name__}: {error}",
                source=kind,
                hint="Pass a path or the bytes, or call without a pool.",
            )
        )


def _opened(data: bytes) -> Any:
    """The input, or what was wrong with it on either side."""
    try:
        return loads(data)
    except Exception as error:  # a class that this process does not have
        return UnsupportedInput(
            f"a value that a worker process cannot read: {type(error).__name__}: {error}",
            hint="Its class must be in a module that can be imported, not in a notebook or an interactive session.",
        )


def dumps(value: Any) -> bytes:
    """Any value as bytes; tensors by their content, so that they arrive on the CPU. Raises what pickle raises."""
    out = io.BytesIO()
    _Pickler(out, pickle.HIGHEST_PROTOCOL).dump(value)
    return out.getvalue()


def loads(data: bytes) -> Any:
    """What `dumps` was given. The bytes come from a process of our own, through a pipe that nobody else has."""
    return pickle.loads(data)  # noqa: S301


class _Pickler(pickle.Pickler):
    """Where pickle is slow or loses something."""

    def reducer_override(self, value: Any) -> Any:
        torch, pictures = sys.modules.get("torch"), sys.modules.get("PIL.Image")
        if torch is not None and type(value) is torch.Tensor:
            if value.layout is torch.strided and not value.is_quantized:
                content = value.detach().to("cpu").contiguous().reshape(-1).view(torch.uint8).numpy()
                return _tensor, (content, value.dtype, tuple(value.shape))
        elif pictures is not None and isinstance(value, pictures.Image) and value.mode == "P":
            value.load()
            if value.palette is not None and value.palette.mode == "RGBA":  # Pillow would lose how opaque colours are
                return value.convert("RGBA").__reduce_ex__(pickle.HIGHEST_PROTOCOL)
        return NotImplemented


def _tensor(content: Any, dtype: Any, shape: tuple[int, ...]) -> Any:
    import torch

    return torch.from_numpy(content).view(dtype).reshape(shape)
