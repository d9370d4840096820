"""Chance with two sides: training draws inside each range, measuring also outside of it.

Knows: ranges. Does not know: what is drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from ..split import Side

T = TypeVar("T")
BEYOND = 1.15
"""How far outside a range the development side goes, as a factor (or this share of the range's width)."""


class Dice:
    """Seeded draws. On "dev" two of five draws of a range come from just outside the range that training uses.

    ends: how many draws come from the outermost tenths of their range, near which more is asked of what was learned.
    """

    def __init__(self, rng: np.random.Generator, side: Side = "train", ends: float = 0.0) -> None:
        self.rng = rng
        self.side = side
        self.ends = ends

    def between(self, low: float, high: float) -> float:
        """A number of the range; on a logarithmic scale where the range spans a factor of three or more."""
        logarithmic = low > 0 and high >= 3 * low
        if self.side == "dev" and self.rng.random() < 0.4:
            low, high = self._outside(low, high)
        elif self.ends and self.rng.random() < self.ends:
            low, high = self._end(low, high)
        if logarithmic:
            return float(np.exp(self.rng.uniform(np.log(low), np.log(high))))
        return float(self.rng.uniform(low, high))

    def whole(self, low: int, high: int) -> int:
        """A whole number, both ends included."""
        return int(self.rng.integers(low, high + 1))

    def chance(self, share: float) -> bool:
        return bool(self.rng.random() < share)

    def pick(self, choices: Sequence[T]) -> T:
        return choices[int(self.rng.integers(len(choices)))]

    def _end(self, low: float, high: float) -> tuple[float, float]:
        tenth = (high / low) ** 0.1 if low > 0 and high >= 3 * low else 0.0
        inner = (low * tenth, high / tenth) if tenth else (low + (high - low) / 10, high - (high - low) / 10)
        return (low, inner[0]) if self.rng.random() < 0.5 else (inner[1], high)

    def _outside(self, low: float, high: float) -> tuple[float, float]:
        below = self.rng.random() < 0.5
        if low > 0:
            return (low / BEYOND, low) if below else (high, high * BEYOND)
        wider = (high - low) * (BEYOND - 1.0)
        return (low - wider, low) if below and low < 0 else (high, high + wider)
