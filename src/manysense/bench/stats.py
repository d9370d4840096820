"""Percentiles of latencies, with what their number of requests can support.

Knows: order statistics, the block bootstrap. Does not know: requests.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

CONFIDENCE = 0.95
RESAMPLES = 1000
_PIECE = 2_000_000
"""Numbers resampled at a time."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A percentile in seconds, and an interval that holds the true one 95 times of 100.

    value, low, high: infinite where so many requests were not answered that the percentile falls on one of them; None
    where there are fewer requests than needed(level).
    """

    level: float
    count: int
    value: float | None
    low: float | None = None
    high: float | None = None

    @property
    def supported(self) -> bool:
        return self.value is not None


def needed(level: float) -> int:
    """Requests from which on a percentile has a two-sided interval at all.

    The largest of n latencies is above the percentile with probability 1 - level**n. Below that of 97.5 % there is no
    upper bound, whatever the distribution: 6 requests for the median, 72 for p95, 368 for p99.
    Source: order statistics; David & Nagaraja 2003, section 7.1.
    """
    return math.ceil(math.log((1 - CONFIDENCE) / 2) / math.log(level))


def percentile(latencies: Sequence[float], level: float) -> float:
    """The smallest latency that at least a share `level` of the requests did not exceed: one that was measured."""
    return sorted(latencies)[_rank(len(latencies), level)]


def _rank(count: int, level: float) -> int:
    return max(0, math.ceil(level * count - 1e-9) - 1)


def estimates(latencies: Sequence[float], levels: Sequence[float], seed: int = 0) -> list[Estimate]:
    """(levels,) estimates.  latencies: in the order of arrival; infinite for a request that was not answered.

    Requests that queue behind each other have latencies that are alike, so single requests must not be resampled: that
    makes intervals too narrow. Runs of √n requests are, in a circle.  Source: Politis & Romano 1992.
    """
    count = len(latencies)
    made = [Estimate(level, count, None) for level in levels]
    wanted = [i for i, level in enumerate(levels) if count >= needed(level)]
    if not wanted:
        return made
    values = np.asarray(latencies, float)
    ranks = [_rank(count, levels[i]) for i in wanted]
    resampled = _resampled(values, ranks, seed)  # (RESAMPLES, wanted)
    ordered = np.sort(values)
    edges = [_rank(RESAMPLES, share) for share in ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2)]
    for column, (i, rank) in enumerate(zip(wanted, ranks)):
        low, high = np.sort(resampled[:, column])[edges]
        made[i] = Estimate(levels[i], count, float(ordered[rank]), float(low), float(high))
    return made


def _resampled(values: np.ndarray, ranks: list[int], seed: int) -> np.ndarray:
    random, count = np.random.default_rng(seed), len(values)
    block = max(1, round(count**0.5))
    blocks = math.ceil(count / block)
    piece = max(1, _PIECE // count)
    made = []
    for first in range(0, RESAMPLES, piece):
        starts = random.integers(count, size=(min(piece, RESAMPLES - first), blocks, 1))
        places = ((starts + np.arange(block)) % count).reshape(len(starts), -1)[:, :count]
        made.append(np.partition(values[places], ranks, axis=1)[:, ranks])
    return np.concatenate(made)
