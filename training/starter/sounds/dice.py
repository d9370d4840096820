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

    ends: how many more draws come from the outermost tenths of their range: what is learned has to reach beyond them.
    """

    def __init__(self, rng: np.random.Generator, side: Side = "train", ends: float = 0.0) -> None:
        self.rng = rng
        self.side = side
        self.ends = ends

    def between(self, low: float, high: float) -> float:
        """A number of the range; on a logarithmic scale where the range spans a factor of three or more."""
        logarithmic = self._logarithmic(low, high)
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
        if self._logarithmic(low, high):
            tenth = (high / low) ** 0.1
            ends = (low, low * tenth), (high / tenth, high)
        else:
            tenth = (high - low) / 10
            ends = (low, low + tenth), (high - tenth, high)
        return ends[int(self.rng.random() >= 0.5)]

    @staticmethod
    def _logarithmic(low: float, high: float) -> bool:
        return low > 0 and high >= 3 * low

    def _outside(self, low: float, high: float) -> tuple[float, float]:
        below = self.rng.random() < 0.5
        if low > 0:
            return (low / BEYOND, low) if below else (high, high * BEYOND)
        wider = (high - low) * (BEYOND - 1.0)
        return (low - wider, low) if below and low < 0 else (high, high + wider)
