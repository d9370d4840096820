"""When two vectors are equal, and when a difference is one that a test must see.

Knows: tolerances. Does not know: models.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

CLOSE = 1e-5
"""Of a vector's length: what different kernels and batch shapes may differ by in float32."""
MOVED = 1e-3
"""In some dimension: what a wrong mask, padding or order moves a vector by at least."""


def distance(made: Any, expected: Any) -> float:
    """|made - expected| / |expected|; 0 for two zero vectors."""
    made, expected = (np.asarray(vector, np.float64) for vector in (made, expected))
    assert made.shape == expected.shape, (made.shape, expected.shape)
    assert np.isfinite(made).all()
    gap, length = np.linalg.norm(made - expected), np.linalg.norm(expected)
    return float(gap / length) if length else float(gap)


def assert_close(made: Any, expected: Any, limit: float = CLOSE) -> None:
    """Row by row, in order."""
    assert len(made) == len(expected)
    for row, (one, other) in enumerate(zip(made, expected)):
        far = distance(one, other)
        assert far <= limit, f"row {row} is {far:.2e} of its length away"


def moved(one: Any, other: Any) -> float:
    """The largest change of any dimension."""
    return float(np.abs(np.asarray(one, np.float64) - np.asarray(other, np.float64)).max())


def assert_same_tensors(made: Any, expected: Any) -> None:
    """The same names; the same values, bit for bit, whatever their type of integer."""
    made, expected = ({name: torch.as_tensor(value) for name, value in side.items()} for side in (made, expected))
    assert set(made) == set(expected)
    for name, value in expected.items():
        assert made[name].shape == value.shape, name
        assert torch.equal(made[name].to(value.dtype), value), name
