"""Vectors in fewer bits: int8, uint8, one bit a dimension.

Knows: the accepted forms of vectors, where ranges come from. Does not know: the formulas (outputs/precision.py), how
quantised vectors are searched (indexes.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import Tensor

from ..errors import UsageError
from ..outputs.precision import DTYPES, as_ranges, own_ranges, quantize, width_of
from ..settings import Precision, choose
from ..warn import warn
from .matrix import BLOCK, pieces
from .similarity import as_float

Array = npt.NDArray[Any]
FEW = 100
"""Ranges of fewer vectors than these are said to be rough."""


def quantize_embeddings(
    embeddings: Any, precision: Precision, ranges: Any = None, calibration_embeddings: Any = None
) -> Any:
    """Float vectors in a lower precision, as a numpy array; docs/scores.md says how each is compared.

    embeddings: (n, dims), one vector (dims,), or a list of (tokens, dims) matrices, which gives a list of matrices with
    the same ranges for all.  precision: "float32"; "int8", "uint8" (n, dims), 256 even steps from the lowest to the
    highest value of each dimension; "binary", "ubinary" (n, dims / 8), whether each number is above 0.
    ranges: (2, dims) lowest and highest values, for int8 and uint8; else they come from `calibration_embeddings`
    (m, dims), else from the vectors themselves, with a ManysenseWarning when these are fewer than 100.

    Computed in float32, of float64 and of lists of numbers in float64, a piece at a time. Raises UsageError for NaN,
    which no integer holds, for vectors that are integers already, and for one vector without ranges.
    Source: Sentence Transformers' quantize_embeddings.
    """
    choose("precision", precision, tuple(DTYPES))
    if isinstance(embeddings, (list, tuple)):
        if not len(embeddings):
            return []
        if getattr(embeddings[0], "ndim", 0) == 2:
            return _matrices(embeddings, precision, ranges, calibration_embeddings)
    vectors = _in_full(embeddings)
    _check_form(vectors)
    if precision in ("int8", "uint8") and vectors.size:
        ranges = ranges_for(vectors, precision, ranges, calibration_embeddings)
    return _quantized(vectors, precision, ranges)


def _matrices(matrices: Sequence[Any], precision: Precision, ranges: Any, calibration_embeddings: Any) -> list[Array]:
    arrays = [as_array(matrix) for matrix in matrices]
    for i, array in enumerate(arrays):
        if array.ndim != 2 or array.shape[1] != arrays[0].shape[1]:
            raise UsageError(
                f"a list of matrices must be of one width: matrix {i} has the shape {array.shape}, the first "
                f"{arrays[0].shape}"
            )
        _check_form(array)
    if precision in ("int8", "uint8") and any(map(len, arrays)):
        ranges = ranges_for(np.concatenate(arrays), precision, ranges, calibration_embeddings)
    return [_quantized(array, precision, ranges) for array in arrays]


def _quantized(vectors: Array, precision: Precision, ranges: Any) -> Array:
    if vectors.ndim == 1:
        row: Array = _quantized(vectors[None], precision, ranges)[0]
        return row
    made = np.empty((len(vectors), width_of(vectors.shape[1], precision)), DTYPES[precision])
    if not vectors.size:
        return made
    for start, stop in pieces(len(vectors), max(1, BLOCK // vectors.shape[1])):
        piece = vectors[start:stop]
        if precision != "float32":
            refuse_nan(piece, start, precision)
        made[start:stop] = quantize(piece, precision, ranges)
    return made


def _in_full(vectors: Any) -> Array:
    """`as_array`, with the numbers of a list as they are in Python: float64. Raises UsageError."""
    made = as_array(vectors)
    plain = isinstance(vectors, (list, tuple)) and not isinstance(vectors[0], (Tensor, np.ndarray))
    return np.asarray(vectors, np.float64) if plain else made


def as_array(vectors: Any) -> Array:
    """A numpy array of tensors, arrays or lists of them; bfloat16 becomes float32. Raises UsageError."""
    if isinstance(vectors, np.ndarray) and vectors.dtype.kind in "fiu":
        return vectors
    if isinstance(vectors, Tensor) and not vectors.is_floating_point():
        integers: Array = vectors.detach().cpu().numpy()
        return integers
    floats: Array = as_float(vectors).detach().cpu().numpy()
    return floats


def ranges_for(vectors: Array, precision: str, ranges: Any, calibration_embeddings: Any) -> npt.NDArray[np.float32]:
    """(2, dims): what the caller gave, else of his calibration vectors, else of the vectors. Raises UsageError."""
    dims = vectors.shape[-1]
    if ranges is not None:
        return as_ranges(ranges.cpu() if isinstance(ranges, Tensor) else ranges, dims)
    if calibration_embeddings is not None:
        calibration = as_array(calibration_embeddings)
        if calibration.ndim != 2 or not len(calibration):
            raise UsageError(f"calibration_embeddings must be a matrix (n, dims), got the shape {calibration.shape}")
        return as_ranges(own_ranges(calibration), dims)
    if vectors.ndim == 1 or len(vectors) == 1:
        raise UsageError(
            f"{precision} needs the lowest and highest value of each dimension, which one vector cannot show; pass "
            "ranges=, or calibration_embeddings= with vectors like those you will store"
        )
    if len(vectors) < FEW:
        warn(
            f"{precision} ranges were taken from {len(vectors)} vectors only, and values outside of them are clipped; "
            "pass ranges=, or calibration_embeddings= with some hundreds"
        )
    found = own_ranges(vectors)
    if np.isnan(found).any():
        refuse_nan(vectors, 0, precision)
    return as_ranges(found, dims)


def refuse_nan(vectors: Array, start: int, holder: str) -> None:
    """Raise UsageError for the first of (n, dims) vectors that has a NaN. holder: what cannot hold it."""
    if vectors.dtype.kind != "f":
        return
    broken = np.isnan(vectors).any(axis=1)
    if broken.any():
        raise UsageError(f"vector {start + int(broken.argmax())} has a NaN, which {holder} cannot hold; leave it out")


def _check_form(vectors: Array) -> None:
    if vectors.dtype in (np.int8, np.uint8):
        raise UsageError(f"the vectors are quantised already ({vectors.dtype}); pass the float vectors")
    if vectors.ndim not in (1, 2):
        raise UsageError(
            f"vectors must be a matrix (n, dims), one vector (dims,) or a list of matrices, got {vectors.shape}"
        )
