"""The vectors of a caller, as a matrix that is read a piece at a time.

Knows: arrays, memory maps, tensors and lists of numbers; how big a piece may be. Does not know: what is done with them.
Nothing is converted or copied before its piece is asked for, so that float16 corpora and memory maps stay what they
are.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..errors import UsageError
from .similarity import as_float, as_tensor

BLOCK = 2**24
"""Numbers in one piece of vectors or of scores, at most: 64 MiB in float32."""


class Matrix:
    """(n, dims) vectors: a tensor, array or memory map, a list of either or of numbers; one vector is one row.

    Raises UsageError, with `name`, for what is no such thing.
    """

    def __init__(self, vectors: Any, name: str) -> None:
        held = vectors if isinstance(vectors, np.ndarray) else as_tensor(vectors)
        if held.ndim == 1:
            held = held[None] if len(held) else held.reshape(0, 0)
        if held.ndim != 2:
            raise UsageError(f"{name} must be one vector or a matrix (n, dims), got the shape {tuple(held.shape)}")
        self._held: Any = held
        self.name = name

    def __len__(self) -> int:
        return len(self._held)

    @property
    def dims(self) -> int:
        return int(self._held.shape[1])

    @property
    def device(self) -> torch.device:
        return self._held.device if isinstance(self._held, Tensor) else torch.device("cpu")

    @property
    def dtype(self) -> torch.dtype:
        """Of its pieces: float64 stays, everything else becomes float32."""
        return torch.float64 if self._held.dtype in (torch.float64, np.float64) else torch.float32

    def piece(self, start: int, stop: int, dtype: torch.dtype, device: torch.device) -> Tensor:
        """(stop - start, dims) float, dense."""
        return self._float(slice(start, stop), dtype, device)

    def rows(self, indices: list[int], dtype: torch.dtype, device: torch.device) -> Tensor:
        """(len(indices), dims) float, dense."""
        return self._float(indices, dtype, device)

    def _float(self, which: Any, dtype: torch.dtype, device: torch.device) -> Tensor:
        if isinstance(self._held, Tensor) and self._held.is_sparse:
            wanted = torch.arange(len(self))[which] if isinstance(which, slice) else torch.tensor(which)
            return as_float(self._held.index_select(0, wanted.to(self.device))).to(device, dtype)
        return as_float(self._held[which]).detach().to(device, dtype)

    def step(self, most: int, width: int | None = None) -> int:
        """Rows a piece: at most `most`, and no more than BLOCK numbers of `width` (its dims) a row."""
        return max(1, min(most, BLOCK // max(1, self.dims if width is None else width)))


def pieces(total: int, step: int) -> Iterator[tuple[int, int]]:
    """(start, stop) of consecutive pieces of `step` rows."""
    return ((start, min(start + step, total)) for start in range(0, total, step))


def same_width(a: Matrix, b: Matrix) -> None:
    """Raise UsageError unless two matrices that both have rows are equally wide."""
    if len(a) and len(b) and a.dims != b.dims:
        raise UsageError(f"{a.name} have {a.dims} dimensions and {b.name} {b.dims}; they cannot be compared")
