"""Float vectors → int8, uint8, binary.

Knows: the rules of quantisation. Does not know: where ranges come from.
Source: Sentence Transformers' quantize_embeddings.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import UsageError

DTYPES: dict[str, Any] = {
    "float32": np.float32,
    "int8": np.int8,
    "uint8": np.uint8,
    "binary": np.int8,
    "ubinary": np.uint8,
}


def width_of(dims: int, precision: str) -> int:
    """Numbers per stored vector: a bit per dimension for the binary forms."""
    return -(-dims // 8) if precision in ("binary", "ubinary") else dims


def quantize(vectors: npt.NDArray[Any], precision: str, ranges: npt.NDArray[Any] | None = None) -> npt.NDArray[Any]:
    """(n, dims) float → (n, width) of the precision's dtype. float64 is not rounded before it is compared.

    ranges: (2, dims) lowest and highest value of each dimension, for int8 and uint8; they and the steps between them
    are float32.  Values outside are clipped.
    """
    if precision == "float32":
        return vectors
    if precision in ("binary", "ubinary"):
        packed: npt.NDArray[np.uint8] = np.packbits(vectors > 0, axis=-1)
        if precision == "ubinary":
            return packed
        return (packed.astype(np.int16) - 128).astype(np.int8)
    assert ranges is not None
    low, high = np.asarray(ranges, np.float32)
    steps = (high - low) / 255
    steps = np.where(steps > 0, steps, 1)
    levels: npt.NDArray[Any] = np.clip(np.floor((vectors - low) / steps), 0, 255)
    return levels.astype(np.uint8) if precision == "uint8" else (levels - 128).astype(np.int8)


def as_ranges(ranges: Any, dims: int | None = None) -> npt.NDArray[np.float32]:
    """(2, dims) float32. Raises UsageError for another shape, for NaN, or where a low is above its high."""
    made = np.asarray(ranges, np.float32)
    if made.ndim != 2 or made.shape[0] != 2 or (dims is not None and made.shape[1] != dims):
        wanted = f"(2, {dims})" if dims is not None else "(2, dims)"
        raise UsageError(
            f"ranges must have the shape {wanted}: lowest and highest value per dimension; got {made.shape}"
        )
    if not np.isfinite(made).all() or (made[0] > made[1]).any():
        raise UsageError("ranges must be finite, and each low at most its high")
    return made


def own_ranges(vectors: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """(2, dims) lowest and highest of these vectors."""
    return np.stack([vectors.min(0), vectors.max(0)]).astype(np.float32)
