"""Put finished rows where they belong: into one array, made once, or a list.

Knows: arrays and tensors by row. Does not know: models, batches.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ..errors import UsageError
from .precision import DTYPES, quantize, width_of


class ArrayRows:
    """Rows of one numpy array, quantised as they come in.

    total: number of rows, None where it is not known; the array then grows.  out: the caller's own array or memory
    map, (total, width).  ranges: for int8 and uint8; None keeps float32 until `finish`.
    """

    def __init__(
        self, total: int | None, precision: str = "float32", ranges: Any = None, out: npt.NDArray[Any] | None = None
    ) -> None:
        self.total, self.precision, self.ranges, self._out = total, precision, ranges, out
        self._late = precision in ("int8", "uint8") and ranges is None
        self._array: npt.NDArray[Any] | None = None
        self.filled = np.zeros(total or 0, bool)

    def write(self, rows: Sequence[Sequence[int]], values: Tensor) -> None:
        """values: (units, dims); each goes to all positions of its unit."""
        vectors = values.detach().to("cpu").numpy()
        made = vectors if self._late else quantize(vectors, self.precision, self.ranges)
        for unit, row in zip(rows, made):
            for position in unit:
                self._place(position, row)

    def fill_nan(self, row: int, width: int) -> None:
        self._place(row, np.full(width, np.nan, np.float32))

    def _place(self, position: int, row: npt.NDArray[Any]) -> None:
        array = self._array
        if array is None or position >= len(array):
            array = self._grown(position, row)
        array[position] = row
        self.filled[position] = True

    def _grown(self, position: int, row: npt.NDArray[Any]) -> npt.NDArray[Any]:
        if self._out is not None:
            if self._array is not None:
                raise UsageError(f"out has {len(self._out)} rows, and there are more inputs")
            self._array = check_out(self._out, self.total, len(row))
        else:
            length = self.total if self.total is not None else max(1024, 2 * len(self.filled), position + 1)
            bigger = np.zeros((length, len(row)), row.dtype)
            if self._array is not None:
                bigger[: len(self._array)] = self._array
            self._array = bigger
        missing = len(self._array) - len(self.filled)
        if position >= len(self._array):
            raise UsageError(f"out has {len(self._array)} rows, and there are more inputs")
        self.filled = np.concatenate([self.filled, np.zeros(max(0, missing), bool)])
        return self._array

    def kept(self, count: int, dims: int | None) -> tuple[npt.NDArray[Any], npt.NDArray[np.int64]]:
        """(the rows that were written, their positions) of the first `count`. dims: of a row, when there is none."""
        indices = np.flatnonzero(self.filled[:count])
        if self._array is None:
            return np.empty((0, width_of(dims or 0, self.precision)), DTYPES[self.precision]), indices
        return self._array[indices], indices

    def finish(self, count: int) -> npt.NDArray[Any]:
        """All rows, in order. An empty call gives shape (0,), as the known library does."""
        if self._array is None:
            return self._out if self._out is not None else np.array([], dtype=DTYPES[self.precision])
        return self._array if len(self._array) == count else self._array[:count]


class ListRows:
    """Rows of any kind: tensors on their device, matrices of tokens, dicts."""

    def __init__(self) -> None:
        self._rows: dict[int, Any] = {}

    def write(self, rows: Sequence[Sequence[int]], values: Sequence[Any]) -> None:
        for unit, value in zip(rows, values):
            for position in unit:
                self._rows[position] = _own(value)

    def fill_nan(self, row: int, width: int) -> None:
        like = next(iter(self._rows.values()), torch.zeros(1))
        self._rows[row] = like.new_full((width,), torch.nan)

    def kept(self, count: int, dims: int | None) -> tuple[list[Any], npt.NDArray[np.int64]]:
        positions = sorted(self._rows)
        return [self._rows[p] for p in positions], np.array(positions, np.int64)

    def finish(self, count: int) -> list[Any]:
        return [self._rows[position] for position in range(count)]


def _own(value: Any) -> Any:
    """A copy that no other row shares."""
    if isinstance(value, Tensor):
        return value.clone()
    return {name: _own(inner) for name, inner in value.items()} if isinstance(value, dict) else value


def check_out(out: npt.NDArray[Any], total: int | None, width: int) -> npt.NDArray[Any]:
    """The caller's array, if the rows fit it. Raises UsageError."""
    if out.ndim != 2 or out.shape[1] != width or (total is not None and out.shape[0] != total):
        raise UsageError(
            f"out has the shape {out.shape}; this call writes ({total if total is not None else 'n'}, {width})"
        )
    return out


def check_width(out: Any, total: int | None, dims: int | None, precision: str) -> None:
    """Before any work: raise UsageError where `out` cannot take the result."""
    if not isinstance(out, np.ndarray) or not out.flags.writeable:
        raise UsageError("out must be a writable numpy array or memory map")
    if precision != "float32" and out.dtype != DTYPES[precision]:
        raise UsageError(f"out has dtype {out.dtype}; {precision} needs {np.dtype(DTYPES[precision])}")
    if precision == "float32" and out.dtype.kind != "f":
        raise UsageError(f"out has dtype {out.dtype}; float vectors need a float dtype")
    if dims is not None:
        check_out(out, total, width_of(dims, precision))
