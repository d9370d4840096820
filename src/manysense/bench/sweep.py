"""Which rate to try next, until the one is found from which a reranker no longer keeps up.

Knows: rates that were tried. Does not know: how they are tried. A pure function.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

CLOSE = 1.15
"""The search ends when the lowest rate that was too much is within this factor of the highest that was not."""
MOST = 12


def next_rate(tried: Sequence[tuple[float, bool]], first: float) -> float | None:
    """tried: (rate, whether it kept up), in order.  first: where to begin.  Returns None when the search is over.

    Doubles until it is too much (or halves until it is not), then goes between, at the geometric mean.
    """
    if not tried:
        return first
    low, high = bounds(tried)
    if len(tried) >= MOST:
        return None
    if high is None:
        assert low is not None
        return low * 2
    if low is None:
        return high / 2
    return None if high / low <= CLOSE else math.sqrt(low * high)


def bounds(tried: Sequence[tuple[float, bool]]) -> tuple[float | None, float | None]:
    """(highest rate that kept up below every rate that did not, lowest rate that did not); None where there is none."""
    high = min((rate for rate, kept_up in tried if not kept_up), default=None)
    low = max((rate for rate, kept_up in tried if kept_up and (high is None or rate < high)), default=None)
    return low, high
